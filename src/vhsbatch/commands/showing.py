"""What shows a batch, put together from the options."""

import functools
import sys

from vhsbatch.errors import UsageError
from vhsbatch.headless import print_events, stdout_printer
from vhsbatch.logfile import LogFilePrinter
from vhsbatch.options import DisplayOptions
from vhsbatch.scheduling.bus import Mailbox
from vhsbatch.session import Interface, Session


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
        raise UsageError(f"--quiet says nothing, and {other} says more", fix="leave one of them out")
    # Textual draws on stderr, and reads keys from stdin.
    terminal = all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr))
    if display.json or display.no_tui or display.quiet or lines_only or not terminal:
        return functools.partial(_print, display)
    return _show


async def _print(display: DisplayOptions, session: Session, mailbox: Mailbox) -> None:
    printer = stdout_printer(session.state, json=display.json, verbose=display.verbose, quiet=display.quiet)
    await print_events(mailbox, printer)


async def _log(printer: LogFilePrinter, _session: Session, mailbox: Mailbox) -> None:
    await print_events(mailbox, printer)


async def _show(session: Session, mailbox: Mailbox) -> None:
    from vhsbatch.tui.app import BatchApp
    from vhsbatch.tui.terminal import forgiving_terminal

    with forgiving_terminal():
        await BatchApp(session.state, mailbox, session).run_async()
    # The interface leaves no trace on the terminal; the result stays. If it broke down, the batch goes
    # on, and the rest is told in lines.
    await print_events(mailbox, stdout_printer(session.state, json=False, verbose=False))
