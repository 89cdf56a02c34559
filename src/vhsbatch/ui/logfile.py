"""Everything that happens in a batch, in a file of limited size (`--log-file`)."""

import logging
import re
from logging.handlers import RotatingFileHandler
from pathlib import Path

from vhsbatch.errors import UsageError
from vhsbatch.events.describe import fact_line
from vhsbatch.events.events import Event
from vhsbatch.events.journal import STATE_FOLDER
from vhsbatch.events.telemetry import DeviceReadings, LogLine, Progress
from vhsbatch.ffmpeg.formats import is_video
from vhsbatch.formatting import plain

_BYTES = 10_000_000
_KEPT = 5
_BEGINNING_BYTES = 64
# How each of its lines begins, but for those that a crash has torn.
_LINE = re.compile(rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} [A-Z]+ ")
_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING}


class _File(RotatingFileHandler):
    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the name is the library's
        """Say what went wrong, where the library would print a stack trace."""
        del record
        raise  # noqa: PLE0704 - it is called while the error is handled


def _expect_log(path: Path) -> None:
    """Promise that neither the file nor what it is rotated to is anything but a log of this program.

    Raises:
        UsageError: one is.
    """
    final = path.resolve()
    video = is_video(path) or is_video(final)
    if video or STATE_FOLDER in final.parts:
        what = "a video's name" if video else "inside the state folder of a batch"
        raise UsageError(f"--log-file {path} is {what}", fix="choose a different name for the log")
    for file in (path, *(path.with_name(f"{path.name}.{number}") for number in range(1, _KEPT + 1))):
        # Opening a pipe waits for its other end, and a disk is no place for lines.
        if file.is_fifo() or file.is_socket() or file.is_block_device():
            raise UsageError(f"--log-file {path}: {file} is no regular file", fix="name another file")
        if not file.is_file():
            continue
        with file.open("rb") as opened:
            beginning = opened.read(_BEGINNING_BYTES)
        if beginning and not _LINE.match(beginning):
            raise UsageError(
                f"--log-file {path}: {file} was not written by this program", fix="name another file"
            )


class LogFilePrinter:
    """Writes facts and log lines, commands and what children say among them, with their times."""

    def __init__(self, path: Path) -> None:
        """Find out whether the file can be written.

        Raises:
            UsageError: it cannot be written, or was not written by this program.
        """
        try:
            _expect_log(path)
            with path.open("a"):
                pass
        except OSError as error:
            raise UsageError(
                f"--log-file {path}: {error.strerror}", fix="name a file in a folder that you may write to"
            ) from error
        self._handler = _File(
            path,
            maxBytes=_BYTES,
            backupCount=_KEPT,
            encoding="utf-8",
            errors="backslashreplace",
            delay=True,
        )
        self._handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(message)s"))
        self._records: list[logging.LogRecord] = []
        self._over = False

    def show(self, event: Event) -> None:
        """Put one event down; progress and readings are left out."""
        match event:
            case Progress() | DeviceReadings():
                return
            case LogLine():
                level, text = _LEVELS[event.level], event.text
            case _:
                level = logging.WARNING if "failed" in event.kind else logging.INFO
                text = fact_line(event)
        self._records.append(logging.LogRecord("vhsbatch", level, "", 0, plain(text), None, None))

    def close(self) -> None:
        """The last event was the end."""
        self._over = True

    def write(self) -> None:
        """Write what was put down.

        Raises:
            OSError: it cannot be written; what comes later may be.
        """
        records, self._records = self._records, []
        try:
            for record in records:
                self._handler.emit(record)
        finally:
            if self._over:
                self._handler.close()
