"""One batch: its videos, its output folder, its run from start to end."""
