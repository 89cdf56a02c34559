"""Everything about FFmpeg and media files: probing, filter graphs, commands, progress, verification."""
