"""The terminal interface in a browser: a small server, and an attached session for each tab."""
