"""FFmpeg: filter graphs, command lines, encoders, and the QTGMC stage."""
