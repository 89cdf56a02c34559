"""Child processes: spawning, chaining by pipes, stopping. Platform differences live here alone."""
