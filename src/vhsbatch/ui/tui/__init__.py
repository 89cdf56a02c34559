"""The terminal interface: a subscriber that shows a batch and passes the user's wishes on."""
