"""What the process that looks for film and its parent both know; it costs nothing to import."""

WEAVE = "weave"
# How many frames are judged together: few, as each cut of an edited tape begins another cadence.
STRETCH_FRAMES = 30
