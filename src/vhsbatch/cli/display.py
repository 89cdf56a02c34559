"""What shows a batch, put together from the options."""

import codecs
import functools
import os
import sys

from vhsbatch.batch.session import Interface, Session
from vhsbatch.cli.options import DisplayOptions
from vhsbatch.crash_report import defect_in_a_line
from vhsbatch.errors import UsageError
from vhsbatch.events.bus import Mailbox
from vhsbatch.events.telemetry import LogLine
from vhsbatch.ui.logfile import LogFilePrinter
from vhsbatch.ui.printing import print_events
from vhsbatch.ui.screen_reader import PlainPrinter
from vhsbatch.ui.text import say, stdout_printer


def interfaces(display: DisplayOptions, *, lines_only: bool = False) -> list[Interface]:
    """The terminal interface where there is a terminal, lines otherwise; and the log file.

    Args:
        display: what was typed.
        lines_only: never the terminal interface.
    """
    chosen = [_interface(display, lines_only=lines_only)]
    if display.log_file is not None:
        chosen.append(functools.partial(_log, LogFilePrinter(display.log_file)))
    return chosen


def _interface(display: DisplayOptions, *, lines_only: bool) -> Interface:
    if display.quiet and (display.json or display.verbose):
        other = "--json" if display.json else "--verbose"
        raise UsageError(f"--quiet and {other} contradict each other", fix="leave one of them out")
    if display.plain and (display.json or display.quiet):
        other = "--json" if display.json else "--quiet"
        raise UsageError(f"--plain and {other} contradict each other", fix="leave one of them out")
    if display.plain:
        return _read_out
    if display.json or display.no_tui or display.quiet or lines_only or no_terminal() is not None:
        return functools.partial(_print, display)
    return _show


def no_terminal() -> str | None:
    """Why there is no terminal for the interface to draw on; None where there is one."""
    # Textual draws on stderr, and reads keys from stdin.
    for name, stream in (("input", sys.stdin), ("output", sys.stdout), ("error", sys.stderr)):
        if not stream.isatty():
            return f"standard {name} is not a terminal"
    if os.environ.get("TERM", "") in ("", "dumb"):
        return "TERM names one that can only print lines"
    if codecs.lookup(sys.stderr.encoding).name != "utf-8":
        return f"its encoding is {sys.stderr.encoding}, not UTF-8"
    return None


async def _print(display: DisplayOptions, session: Session, mailbox: Mailbox) -> None:
    printer = stdout_printer(
        session.state,
        json=display.json,
        verbose=display.verbose,
        quiet=display.quiet,
        report=lambda: session.report,
    )
    await print_events(mailbox, printer)


async def _read_out(session: Session, mailbox: Mailbox) -> None:
    await print_events(mailbox, PlainPrinter(session.state, sys.stdout, report=lambda: session.report))


async def _log(printer: LogFilePrinter, session: Session, mailbox: Mailbox) -> None:
    told = False

    def tell(error: OSError) -> None:
        nonlocal told
        if not told:
            told = True
            session.tell(LogLine(level="warning", text=f"the log file has gaps: {error.strerror}"))

    await print_events(mailbox, printer, unwritable=tell)


async def _show(session: Session, mailbox: Mailbox) -> None:
    from vhsbatch.ui.tui.app import BatchApp
    from vhsbatch.ui.tui.terminal import run_in_terminal

    error = await run_in_terminal(BatchApp(session.state, mailbox, session, snapshots=session.snapshots))
    if error is not None:
        say(defect_in_a_line(error))
    # The interface leaves no trace on the terminal; the result stays. If it broke down, the batch goes
    # on, and the rest is told in lines.
    printer = stdout_printer(session.state, json=False, verbose=False, report=lambda: session.report)
    await print_events(mailbox, printer)
