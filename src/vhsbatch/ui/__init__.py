"""How a batch is shown: terminal, browser, lines of text, speech, log file."""
