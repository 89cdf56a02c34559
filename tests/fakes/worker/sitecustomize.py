"""Gives the engine's worker program a fault; Python runs this file at its start, as it is on PYTHONPATH.

    FAKE_WORKER_FAULT   crash | hang | deaf | exit | frozen | size, at the sixth frame
    FAKE_WORKER_ONCE    a file: the fault happens until it exists, that is once

    FAKE_WORKER_BAD_DEVICE  a device on which the network never runs

No other program is touched.
"""

import os
import signal
import sys
import time
from pathlib import Path

_AT_FRAME = 6


def _spoil(fault: str, once: Path) -> None:
    import numpy as np

    from vhsbatch.engines import runtimes

    right = runtimes.open_runtime

    def open_runtime(runtime: str, **network: object) -> runtimes.Upscaler:
        upscale = right(runtime, **network)  # type: ignore[arg-type]
        count = 0
        last: runtimes.Frame | None = None

        def spoiled(frame: runtimes.Frame) -> runtimes.Frame:
            nonlocal count, last
            count += 1
            before, last = last, np.ascontiguousarray(upscale(frame))
            if count != _AT_FRAME or once.exists():
                return last
            once.touch()
            match fault:
                case "crash":
                    os.kill(os.getpid(), signal.SIGSEGV)
                case "hang":
                    time.sleep(3600)
                case "deaf":
                    os.kill(os.getpid(), signal.SIGSTOP)
                case "exit":
                    os._exit(0)
                case "frozen":
                    assert before is not None
                    last[:32] = before[:32]
                case "size":
                    last = np.ascontiguousarray(last[:-2])
            return last

        return spoiled

    runtimes.open_runtime = open_runtime


def _refuse(device: str) -> None:
    from vhsbatch.engines import runtimes

    right = runtimes.open_runtime

    def open_runtime(runtime: str, **network: object) -> runtimes.Upscaler:
        if network["device"] == device:
            raise runtimes.RuntimeFailureError("the device is lost")
        return right(runtime, **network)  # type: ignore[arg-type]

    runtimes.open_runtime = open_runtime


if "vhsbatch.engines.realesrgan_worker" in sys.orig_argv:
    if _fault := os.environ.get("FAKE_WORKER_FAULT"):
        _spoil(_fault, Path(os.environ["FAKE_WORKER_ONCE"]))
    if _device := os.environ.get("FAKE_WORKER_BAD_DEVICE"):
        _refuse(_device)
