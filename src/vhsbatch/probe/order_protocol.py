"""What the process that decodes a source and its parent both know; it costs nothing to import."""

# Of a frame and the next one: in which order their fields were recorded, that both have one moment, that
# nothing moves, or that it cannot be told.
TFF, BFF, PROGRESSIVE, STILL, UNCLEAR = "TBP.?"
