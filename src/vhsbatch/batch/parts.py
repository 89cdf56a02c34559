"""Which files of a folder are one recording that was cut into several.

A number at the end of a name says nothing: `tape_001` and `tape_002` are commonly two tapes. Files are joined
where they are of one format and something else proves that one goes on where the other ends: the clock in the
stream, the size at which recorders begin a new file, or a name that one kind of recorder alone gives.
"""

import glob
import os
import re
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from vhsbatch.ffmpeg.formats import IN_A_ROW_EXTENSIONS, can_be_joined
from vhsbatch.formatting import counted
from vhsbatch.probe.heads import UNREAD, Head

_DVD = re.compile(r"(vts_\d\d)_([1-9])", re.IGNORECASE)
# GH010034, GH020034, or GOPR0034, GP010034: the chapter stands in front of the recording's number.
_GOPRO = re.compile(r"g([hxlsp])(\d\d)(\d{4})", re.IGNORECASE)
_GOPRO_FIRST = re.compile(r"gopr(\d{4})", re.IGNORECASE)
_NUMBERED = re.compile(r"(.*?)([0-9]+)", re.DOTALL)

# Recorders begin a new file just below these sizes, which old file systems and formats cannot exceed.
_GIB = 2**30
LIMITS_BYTES = (_GIB, 2 * _GIB, 4 * _GIB)
# As near to a limit by chance is one file in several hundred.
_JUST_BELOW = 0.002
# Round numbers below a limit; two files of one such size are no chance either.
_BELOW = 0.025
# A stream that was cut in the middle of a group of pictures lacks a few frames at the cut.
_CLOCK_S = 0.5
_LEAST_S = 1.0
_TIMECODE = re.compile(r"(\d\d):(\d\d):(\d\d)[:;.](\d\d)")
_TIMECODE_FRAMES = 2

Heads = Callable[[Iterable[Path]], Mapping[Path, Head]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A recording in several files.

    Attributes:
        parts: the files, in their order.
        name: what results are called after.
        evidence: what proves that they belong together.
        told: what the user should know of it, if it is no list of files that are joined.
    """

    parts: tuple[Path, ...]
    name: str
    evidence: str
    told: str = ""

    @property
    def note(self) -> str:
        """What the user should know of it."""
        if self.told:
            return self.told
        first, last = self.parts[0].name, self.parts[-1].name
        return (
            f"joined: {first} to {last} ({counted(len(self.parts), 'file')}, {self.evidence}); "
            "--join none restores each by itself"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundRecordings:
    """What was found out of the files of a folder.

    Attributes:
        recordings: those in several files.
        notes: which files were left separate although something speaks for joining them.
        lacking: why a file, or the first one of a recording, seems to lack a part that is not there.
    """

    recordings: tuple[Recording, ...] = ()
    notes: tuple[str, ...] = ()
    lacking: Mapping[Path, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class _NumberedFile:
    """A numbered file.

    Attributes:
        path: the file.
        scheme: ``dvd``, ``gopro``, or empty for a name that anything may have.
        number: its place in its series.
        size_bytes: its size.
    """

    path: Path
    scheme: str
    number: int
    size_bytes: int

    def numbered(self, number: int) -> str:
        """What the file with another number in the series is called."""
        stem = self.path.stem
        if self.scheme == "dvd":
            other = f"{stem[:-1]}{number}"
        elif self.scheme == "gopro":
            kind = "P" if stem[1].upper() == "O" else stem[1]
            other = f"{stem[0]}{kind}{number:02}{stem[-4:]}" if number else f"{stem[0]}OPR{stem[-4:]}"
        else:
            digits = len(stem) - len(stem.rstrip("0123456789"))
            other = f"{stem[:-digits]}{number:0{digits}}"
        return other + self.path.suffix


def find_recordings(paths: Iterable[Path], heads: Heads) -> FoundRecordings:
    """The recordings that are in several of the files.

    Args:
        paths: videos.
        heads: what files say of themselves; it is asked of as few as possible.
    """
    recordings: list[Recording] = []
    notes: list[str] = []
    lacking: dict[Path, str] = {}
    for series in _series(paths):
        for run in _runs(series):
            evidence = [_evidence(run, place, heads, notes) for place in range(len(run) - 1)]
            found = list(_joined(run, evidence))
            first_of = {part: recording.parts[0] for recording in found for part in recording.parts}
            for path, why in _lacking(run, goes_on=run[-1] is not series[-1]):
                lacking.setdefault(first_of.get(path, path), why)
            recordings += found
    return FoundRecordings(recordings=tuple(recordings), notes=tuple(notes), lacking=lacking)


def note_of_others(video: Path, beside: Iterable[Path], heads: Heads) -> str | None:
    """What to say where a video that is restored by itself is a part of a recording; None where it is none.

    Args:
        video: the video.
        beside: the files in its folder.
        heads: what files say of themselves; it is asked of those next to the video, as far as they are parts.
    """
    if (recording := _recording_with(video, beside, heads)) is None:
        return None
    names = [part.name for part in recording.parts]
    others = ", ".join(name for name in names if name != video.name)
    command = ("vhs-upscale", "batch", str(video.parent), "OUT", "--pattern", _pattern_of(names))
    return (
        f"{video.name} is a part of a recording, with {others} ({recording.evidence}); "
        f"this restores the whole: {shlex.join(command)}"
    )


def _recording_with(video: Path, beside: Iterable[Path], heads: Heads) -> Recording | None:
    """The recording in several files of which a video is one; None where there is none."""
    alike = [path for path in beside if path.suffix.lower() == video.suffix.lower()]
    runs = (run for series in _series(alike) for run in _runs(series))
    run = next((run for run in runs if any(file.path == video for file in run)), None)
    if run is None:
        return None
    here = next(place for place, file in enumerate(run) if file.path == video)
    evidence: list[str | None] = [None] * (len(run) - 1)
    for places in (range(here - 1, -1, -1), range(here, len(run) - 1)):
        for place in places:
            evidence[place] = _evidence(run, place, heads, [])
            if evidence[place] is None:
                break
    return next(_joined(run, evidence), None)


def _pattern_of(names: Sequence[str]) -> str:
    """What matches all of several names, and as few others as possible.

    >>> _pattern_of(["GH010001.MP4", "GH020001.MP4"])
    'GH0*0001.MP4'
    """
    start = os.path.commonprefix(names)  # noqa: RUF071 - of letters, not of folders
    rest = [name[len(start) :][::-1] for name in names]
    end = os.path.commonprefix(rest)[::-1]  # noqa: RUF071
    return f"{glob.escape(start)}*{glob.escape(end)}"


def _lacking(run: Sequence[_NumberedFile], *, goes_on: bool) -> Iterator[tuple[Path, str]]:
    """The files of a run before or after which a part is missing, and what says so.

    Args:
        run: files in which no number is missing.
        goes_on: whether a later number of the series is there.
    """
    first, last = run[0], run[-1]
    # GOPR0034 has the number 0.
    least = 0 if first.scheme == "gopro" and first.path.stem[1].upper() in "OP" else 1
    if first.scheme and first.number > least:
        yield first.path, f"{first.numbered(first.number - 1)}, which comes before it, is not there"
    limit_bytes = _limit_bytes(run, len(run) - 1)
    if limit_bytes is not None or (last.scheme and goes_on):
        size = (
            "" if limit_bytes is None else f"{last.path.name} ends just below {limit_bytes // _GIB} GiB, and "
        )
        yield last.path, f"{size}{last.numbered(last.number + 1)}, which comes after it, is not there"


def _series(paths: Iterable[Path]) -> Iterator[list[_NumberedFile]]:
    """Files whose names differ in a number alone, in the order of the numbers."""
    found: dict[tuple[object, ...], dict[int, _NumberedFile]] = {}
    for path in paths:
        scheme, name, number = _place(path.stem)
        if number is None or not can_be_joined(path):
            continue
        try:
            size_bytes = path.stat().st_size
        except OSError:
            continue
        key = (path.parent, scheme, name.casefold(), path.suffix.lower())
        file = _NumberedFile(path=path, scheme=scheme, number=number, size_bytes=size_bytes)
        found.setdefault(key, {}).setdefault(number, file)
    for files in found.values():
        yield [files[number] for number in sorted(files)]


def _place(stem: str) -> tuple[str, str, int | None]:
    """The scheme of a name, what it shares with others of its series, and its number there.

    >>> _place("VTS_01_2"), _place("GH020034"), _place("GOPR0034"), _place("tape_001"), _place("tape")
    (('dvd', 'VTS_01', 2), ('gopro', 'H0034', 2), ('gopro', 'P0034', 0), ('', 'tape_', 1), ('', 'tape', None))
    """
    if (match := _DVD.fullmatch(stem)) is not None:
        return "dvd", match[1], int(match[2])
    if (match := _GOPRO.fullmatch(stem)) is not None:
        return "gopro", match[1] + match[3], int(match[2])
    if (match := _GOPRO_FIRST.fullmatch(stem)) is not None:
        return "gopro", "P" + match[1], 0
    if (match := _NUMBERED.fullmatch(stem)) is not None:
        return "", match[1], int(match[2])
    return "", stem, None


def _runs(series: Sequence[_NumberedFile]) -> Iterator[list[_NumberedFile]]:
    """The stretches of a series in which no number is missing."""
    run = [series[0]]
    for before, after in pairwise(series):
        if after.number != before.number + 1:
            yield run
            run = []
        run.append(after)
    yield run


def _joined(run: Sequence[_NumberedFile], evidence: Sequence[str | None]) -> Iterator[Recording]:
    """The recordings of a run: as long as there is evidence from one file to the next."""
    first = 0
    for place in range(len(run)):
        if place < len(evidence) and evidence[place] is not None:
            continue
        files = run[first : place + 1]
        if len(files) > 1:
            named = files[0].path.stem
            yield Recording(
                parts=tuple(file.path for file in files),
                name=named[:-2] if files[0].scheme == "dvd" else f"{named}_joined",
                evidence=str(evidence[first]),
            )
        first = place + 1


def _evidence(run: Sequence[_NumberedFile], place: int, heads: Heads, notes: list[str]) -> str | None:
    """What proves that the file at `place` goes on in the next one; None where nothing does."""
    one, next_one = run[place], run[place + 1]
    limit_bytes = _limit_bytes(run, place)
    has_clock = one.path.suffix.lower() in IN_A_ROW_EXTENSIONS - {".dv"}
    if not one.scheme and limit_bytes is None and not has_clock:
        return None
    if one.scheme == "dvd":
        return "the parts of a DVD title"
    both = heads((one.path, next_one.path))
    head, next_head = both.get(one.path, UNREAD), both.get(next_one.path, UNREAD)
    just_below = "" if limit_bytes is None else f"each but the last just below {limit_bytes // _GIB} GiB"
    why_not = None
    if head.kind and next_head.kind and head.kind != next_head.kind:
        why_not = "is of another format"
    elif has_clock:
        if _clock_goes_on(head, next_head):
            return "the clock goes on from one to the next"
        why_not = "does not go on with its clock"
    elif _timecode_jumps(head, next_head):
        why_not = "does not go on with its timecode"
    elif one.scheme == "gopro":
        return "chapters of one GoPro recording"
    if why_not is None:
        return just_below
    if limit_bytes is not None:
        notes.append(
            f"not joined: {one.path.name} ends just below {limit_bytes // _GIB} GiB, "
            f"but {next_one.path.name} {why_not}"
        )
    return None


def _limit_bytes(run: Sequence[_NumberedFile], place: int) -> int | None:
    """The limit at which a recorder ended a file and began the next one; None where none did."""
    one, later = run[place], run[place + 1 : place + 2]
    for limit_bytes in LIMITS_BYTES:
        below = (limit_bytes - one.size_bytes) / limit_bytes
        if below < 0 or any(next_one.size_bytes > limit_bytes for next_one in later):
            continue
        beside = [*run[max(0, place - 1) : place], *later]
        twice = any(abs(other.size_bytes - one.size_bytes) <= _JUST_BELOW * limit_bytes for other in beside)
        if below <= _JUST_BELOW or (below <= _BELOW and twice):
            return limit_bytes
    return None


def _clock_goes_on(head: Head, next_head: Head) -> bool:
    """Whether the clock of a stream goes on from one file to the next."""
    if head.start_s is None or head.length_s is None or next_head.start_s is None:
        return False
    end_s = head.start_s + head.length_s
    # Clocks that all begin alike look continuous where a file is very short.
    return abs(next_head.start_s - end_s) <= _CLOCK_S and next_head.start_s - head.start_s > _LEAST_S


def _timecode_jumps(head: Head, next_head: Head) -> bool:
    """Whether both files state a timecode, and the second one's does not follow; equal ones say nothing."""
    one, other = _timecode_frames(head), _timecode_frames(next_head)
    if one is None or other is None or one == other or head.length_s is None:
        return False
    # Counting leaves numbers out where the rate is no whole one.
    allowed = _TIMECODE_FRAMES + head.length_s * head.rate * 0.002
    return abs(other - one - head.length_s * head.rate) > allowed


def _timecode_frames(head: Head) -> int | None:
    match = _TIMECODE.fullmatch(head.timecode or "")
    if match is None or not head.rate:
        return None
    hours, minutes, seconds, frames = map(int, match.groups())
    return ((hours * 60 + minutes) * 60 + seconds) * round(head.rate) + frames
