"""Child processes: start, chain by pipes, stop. Platform differences live here alone."""
