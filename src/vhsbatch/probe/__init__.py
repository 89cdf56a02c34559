"""What a source is: its packets, frames, fields and film."""
