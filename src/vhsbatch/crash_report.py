"""Failures that nobody foresaw: one line for the user, and the details in a file."""

import os
import platform
import time
import traceback
from pathlib import Path

from vhsbatch import __version__
from vhsbatch.errors import first_cause
from vhsbatch.formatting import plain
from vhsbatch.fs import user_folder


def defect_in_a_line(error: BaseException) -> str:
    """The message for the user about `error`; writes the details to a file. Never raises."""
    first = first_cause(error)
    cause = plain(" ".join(f"{type(first).__name__}: {first}".split()))
    try:
        path = _keep(error)
    except OSError as refusal:
        return f"a defect of this program: {cause} (its details cannot be kept: {refusal.strerror})"
    return f"a defect of this program: {cause} (please report it, with {plain(str(path))})"


def defects_folder() -> Path:
    """Where details are kept."""
    return user_folder("log")


def _keep(error: BaseException) -> Path:
    """Write down what a developer needs to know.

    Raises:
        OSError: the file cannot be written.
    """
    folder = defects_folder()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / time.strftime(f"defect-%Y%m%dT%H%M%SZ-{os.getpid()}.txt", time.gmtime())
    machine = f"vhs-upscale {__version__}, Python {platform.python_version()}, {platform.platform()}"
    with path.open("a", encoding="utf-8", errors="backslashreplace") as file:
        file.write(f"{machine}\n{''.join(traceback.format_exception(error))}\n")
    return path
