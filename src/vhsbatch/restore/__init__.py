"""One video: prepare, plan, make segments, assemble, verify, publish."""
