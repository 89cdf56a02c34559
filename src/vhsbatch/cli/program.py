"""The program: a command is run, and every error becomes one line and an exit code here."""

import contextlib
import gc
import io
import os
import signal
import sys
import traceback
from collections.abc import Sequence

from cyclopts import CycloptsError

from vhsbatch.cli.app import app
from vhsbatch.cli.help import ALL_OPTIONS, FIRST_STEPS, common_options
from vhsbatch.cli.usage_errors import mistake
from vhsbatch.errors import OutputFolderError, ToolError, UsageError, VhsBatchError, first_cause
from vhsbatch.formatting import plain
from vhsbatch.process.stop_signals import deadline
from vhsbatch.process.suspension import stop_with_children
from vhsbatch.process.system import BROKEN_PIPE, end_children_with_this_process


def main(arguments: Sequence[str] | None = None) -> None:
    """The program: runs a command and exits with its exit code. Every error becomes one line here."""
    _open_closed_streams()
    # Ten thousand plans live as long as the program does: they are looked through for cycles in vain.
    gc.set_threshold(20_000, 20, 20)
    deadline.switch_on()
    stop_with_children()
    end_children_with_this_process()
    code = run(sys.argv[1:] if arguments is None else arguments)
    try:
        sys.stdout.flush()
    except OSError as error:
        code = code or _unwritable(error)
    if deadline.asked_by is not None:
        # A thread that still waits for a disk would be waited for.
        with contextlib.suppress(OSError):
            sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


def run(arguments: Sequence[str]) -> int:
    """Run a command; its exit code."""
    # A backslash with a space behind it, as in pasted examples, leaves an argument of one space.
    words = [word for word in arguments if word == "" or not word.isspace()]
    common_options.everything = ALL_OPTIONS in words
    words = ["--help" if word == ALL_OPTIONS else word for word in words]
    try:
        if not words:
            sys.stdout.write(f"{FIRST_STEPS}\n")
            return 0
        result = app(words, exit_on_error=False, print_error=False, result_action="return_value")
    except CycloptsError as error:
        return _refuse(mistake(error), 2)
    except KeyboardInterrupt:
        return 128 + (deadline.asked_by or signal.SIGINT)
    except Exception as error:
        # What was typed is wrong, or a tool or a folder is missing: where the program noticed says nothing.
        plain_refusal = isinstance(first_cause(error), UsageError | ToolError | OutputFolderError)
        if not plain_refusal and not {"--verbose", "--verbose=true"}.isdisjoint(words):
            traceback.print_exc()
        return _failed(error)
    return result if isinstance(result, int) else 0


def _open_closed_streams() -> None:
    """Give a program that was started without a standard stream one that leads nowhere.

    The next file that is opened would get its number, and what is printed would go into that.
    """
    for descriptor, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(descriptor)
        except OSError:
            # The lowest number that is free is given out: this one.
            os.open(os.devnull, os.O_RDWR)
            setattr(sys, name, open(descriptor, "r" if descriptor == 0 else "w", encoding="utf-8"))  # noqa: PTH123, SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # Not every terminal has every letter; what it has not is written as an escape.
            stream.reconfigure(errors="backslashreplace")


def _failed(error: Exception) -> int:
    match first_cause(error):
        case VhsBatchError() as first:
            return _refuse(str(first), first.exit_code)
        case BrokenPipeError() as first:
            return _unwritable(first)
        case OSError() as first if first.filename is not None and first.strerror is not None:
            fix = (
                " (change its permissions, or run as its owner)" if isinstance(first, PermissionError) else ""
            )
            return _refuse(f"{os.fsdecode(first.filename)}: {first.strerror}{fix}", 1)
        case _:
            from vhsbatch.crash_report import defect_in_a_line

            return _refuse(defect_in_a_line(error), 1)


def _unwritable(error: OSError) -> int:
    """Nothing more can be printed, and the interpreter must not try again on its way out."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if isinstance(error, BrokenPipeError):  # whoever read the output has gone
        return 128 - BROKEN_PIPE
    return _refuse(f"cannot print: {error.strerror} (give standard output another place)", 1)


def _refuse(cause: str, exit_code: int) -> int:
    with contextlib.suppress(OSError):
        sys.stderr.write(f"vhs-upscale: {plain(cause)}\n")
        sys.stderr.flush()
    return exit_code
