"""Settings and presets: where they come from, and what they may say."""
