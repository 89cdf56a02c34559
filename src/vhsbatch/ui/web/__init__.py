"""The terminal interface in a browser: a small server, and a viewer of its own for each tab."""
