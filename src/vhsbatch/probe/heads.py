"""What the beginning of a file says of it: the answers of `heads_worker`, each asked for once."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vhsbatch.process.spawn import guarded

# A file that takes longer is on a disk that does not answer.
_PATIENCE_S = 30.0
# A watched folder is looked at again and again.
_KNOWN: dict[tuple[Path, int, int], "Head"] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What a file says of its video.

    Attributes:
        kind: its format as text: container, codec, size, rate and audio; empty where it cannot be read.
        rate: frames per second, 0 where that is not known.
        start_s: when its picture begins on its own clock, None where that is not known.
        length_s: how long its picture is, likewise.
        timecode: of the first frame, None where none is stated.
    """

    kind: str = ""
    rate: float = 0.0
    start_s: float | None = None
    length_s: float | None = None
    timecode: str | None = None


UNREAD = Head()


def heads_of(paths: Iterable[Path]) -> dict[Path, Head]:
    """What each file says of itself; a file that makes the reader crash says nothing."""
    keys = {path: key for path in paths if (key := _key(path)) is not None}
    left = [path for path, key in keys.items() if key not in _KNOWN]
    while left:
        answers = _ask(left)
        for path, answer in zip(left, answers, strict=False):
            _KNOWN[keys[path]] = _head(answer)
        if len(answers) < len(left):  # the next one is what it crashed of
            _KNOWN[keys[left[len(answers)]]] = UNREAD
        left = left[len(answers) + 1 :]
    return {path: _KNOWN[key] for path, key in keys.items()}


def _key(path: Path) -> tuple[Path, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return path, status.st_size, status.st_mtime_ns


def _ask(paths: list[Path]) -> list[dict[str, Any]]:
    try:
        done = subprocess.run(
            guarded((sys.executable, "-P", "-m", "vhsbatch.probe.heads_worker")),
            input=b"\0".join(map(os.fsencode, paths)),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_PATIENCE_S + len(paths),
            check=False,
        )
        said = done.stdout
    except subprocess.TimeoutExpired as error:
        said = error.stdout or b""
    return [json.loads(line) for line in said.splitlines(keepends=True) if line.endswith(b"\n")]


def _head(answer: dict[str, Any]) -> Head:
    if not answer:
        return UNREAD
    numerator, _, denominator = (answer["rate"] or "0").partition("/")
    return Head(
        kind=json.dumps(answer["kind"]),
        rate=int(numerator) / int(denominator or 1),
        start_s=answer["start_s"],
        length_s=answer["length_s"],
        timecode=answer["timecode"],
    )
