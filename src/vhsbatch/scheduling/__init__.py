"""Who makes what, when, and on which lane."""
