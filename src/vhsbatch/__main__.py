"""The program's first step: while the rest is loaded, a signal ends it as it ends any other program."""

import signal

# Before anything else is loaded: at Ctrl-C Python would print a stack trace.
if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)

import os
import sys
from types import FrameType
from typing import NoReturn

from vhsbatch.process.stop_signals import signals_to_stop


def main() -> None:
    """Load the command line, and run it."""
    heard = signals_to_stop()
    # To the first process of a container the system gives no signal that it does not handle: `docker stop`
    # would wait until it kills.
    handler = _end if os.getpid() == 1 else signal.SIG_DFL
    for number in heard:
        signal.signal(number, handler)
    from vhsbatch import cli

    if signal.SIGINT in heard:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    cli.main(sys.argv[1:])


def _end(number: int, _: FrameType | None) -> NoReturn:
    os._exit(128 + number)


if __name__ == "__main__":
    main()
