"""The program's first step: while the rest is loaded, Ctrl-C ends it as it ends any other program."""

import signal
import sys


def main() -> None:
    """Load the command line, and run it."""
    # Python would print a stack trace. Whoever ignores the signal, as nohup's children may, goes on to.
    interruptible = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if interruptible:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from vhsbatch import cli

    if interruptible:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    cli.main(sys.argv[1:])


if __name__ == "__main__":
    main()
