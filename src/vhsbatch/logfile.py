"""Everything that happens in a batch, in a file that does not grow for ever (`--log-file`)."""

import logging
from logging.handlers import RotatingFileHandler
from pathlib import Path

from vhsbatch.errors import UsageError
from vhsbatch.model.events import Event, LogLine, Progress
from vhsbatch.pipeline.describe import fact_line
from vhsbatch.wording import plain

_BYTES = 10_000_000
_KEPT = 5
_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING}


class LogFilePrinter:
    """Writes facts and log lines, commands and what children say among them, with their times."""

    def __init__(self, path: Path) -> None:
        """Open the file.

        Raises:
            UsageError: it cannot be written.
        """
        try:
            self._handler = RotatingFileHandler(
                path, maxBytes=_BYTES, backupCount=_KEPT, encoding="utf-8", errors="backslashreplace"
            )
        except OSError as error:
            raise UsageError(f"--log-file {path}: {error.strerror}") from error
        self._handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(message)s"))

    def show(self, event: Event) -> None:
        """Write one event; progress is left out."""
        match event:
            case Progress():
                return
            case LogLine():
                level, text = _LEVELS[event.level], event.text
            case _:
                level = logging.WARNING if "failed" in event.kind else logging.INFO
                text = fact_line(event)
        self._handler.emit(logging.LogRecord("vhsbatch", level, "", 0, plain(text), None, None))

    def close(self) -> None:
        """Close the file."""
        self._handler.close()
