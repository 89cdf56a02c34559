"""Whether a file is a 3D LUT, before a filter is given it."""

import math
import os
from functools import lru_cache
from pathlib import Path

from vhsbatch.errors import InputError
from vhsbatch.fs import read_regular

# A cube of 129 points a side, with seven digits a number.
_LARGEST_BYTES = 64 * 2**20
# What the filter takes.
_SIDES = range(2, 257)
_FIX = "give a .cube file with LUT_3D_SIZE and as many lines of three numbers as that cube has points"


def expect_lut(path: Path) -> None:
    """See that `path` is a regular `.cube` file with a whole 3D LUT in it.

    Raises:
        InputError: it is not; names the file.
    """
    problem = _problem(path)
    if problem is not None:
        raise InputError(f"colour.lut: {path} is not a 3D LUT: {problem}", fix=_FIX)


def _problem(path: Path) -> str | None:
    if path.suffix.lower() != ".cube":
        return "its name does not end in .cube"
    try:
        status = os.stat(path)  # noqa: PTH116 - a path that holds anything
        return _problem_of_content(path, status.st_size, status.st_mtime_ns)
    except OSError as error:
        return error.strerror or str(error)
    except ValueError as error:  # a path with a zero byte
        return str(error)


@lru_cache(maxsize=16)
def _problem_of_content(path: Path, _size_bytes: int, _modified_ns: int) -> str | None:
    side, points = 0, 0
    for number, line in enumerate(read_regular(path, limit_bytes=_LARGEST_BYTES).splitlines(), start=1):
        words = line.split()
        if not words or words[0].startswith(b"#"):
            continue
        if words[0] == b"LUT_3D_SIZE":
            side = int(words[1]) if len(words) == 2 and words[1].isdigit() and len(words[1]) < 4 else 0
            if side not in _SIDES:
                return f"line {number} gives no size from {_SIDES[0]} to {_SIDES[-1]}"
        elif not words[0][:1].isalpha():
            points += 1
            if not _is_point(words):
                return f"line {number} holds no three numbers"
    if not side:
        return "it has no line LUT_3D_SIZE"
    return None if points >= side**3 else f"it has {points} points of {side**3}"


def _is_point(words: list[bytes]) -> bool:
    try:
        return len(words) == 3 and all(map(math.isfinite, map(float, words)))
    except ValueError:
        return False
