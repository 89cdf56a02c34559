"""One video's way: plan, make segments, assemble, verify, publish."""
