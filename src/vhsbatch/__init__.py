"""vhsbatch: digitised VHS tapes in, restored and verified masters out."""

__version__ = "0.1.0"
