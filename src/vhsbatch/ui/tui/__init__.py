"""The terminal interface: a subscriber that shows a batch and passes on the user's commands."""
