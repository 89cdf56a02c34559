"""The signals that ask this process to stop."""

import signal

_TO_STOP = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}


def signals_to_stop() -> set[signal.Signals]:
    """Those that are not ignored; what was started with nohup survives its terminal."""
    return {number for number in _TO_STOP if signal.getsignal(number) is not signal.SIG_IGN}
