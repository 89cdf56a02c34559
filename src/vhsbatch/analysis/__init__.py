"""What a source is like: its picture and its audio, measured, and what follows from that."""
