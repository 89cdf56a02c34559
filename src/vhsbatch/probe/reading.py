"""Reading all packets of a source: of one file, of several in a row, or of several one after the other.

The bytes of MPEG and DV streams can be cut anywhere, and are one stream again in a row. AVI, MP4 and Matroska
files have headers and clocks of their own: each is read by itself, and FFmpeg's list of files then says when
each begins. Its picture begins where the frame before it ends, and its sound where the sample before it ends.
"""

import os
import stat
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from statistics import median_low

import anyio.to_thread

from vhsbatch.errors import InputError
from vhsbatch.ffmpeg.formats import IN_A_ROW_DEMUXERS, IN_A_ROW_EXTENSIONS, input_url
from vhsbatch.fs import modified_ns_of
from vhsbatch.model.media import AudioTrack
from vhsbatch.model.source import IMAGE_SUFFIX, InSpans, Joined, PartFile, Source, Span, title_number
from vhsbatch.probe.dvd_disc import open_disc
from vhsbatch.probe.dvd_title import Title, TitleLayout, layout, titles_of
from vhsbatch.probe.scan import Scan, scan, scan_title

# Slow disks and network shares read at least this much.
_SLOWEST_BYTES_PER_S = 4_000_000
_PATIENCE_S = 120.0
# Sound and picture of a part end together up to this, as a recorder writes whole packets of each.
_UNEVEN_S = Fraction(1, 20)

# What a system takes as one word of a command, and what a span needs of it on another machine.
_LONGEST_WORD = 24_000 if sys.platform == "win32" else 120_000
_SPAN_BYTES = 300

SEPARATELY = "--join none restores each file by itself"


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A source of which all packets have been read.

    Attributes:
        source: what FFmpeg opens.
        path: absolute path; of several files that of the first.
        size_bytes: of all files together.
        modified_ns: when they were last changed, see `modified_ns_of`.
        timeout_s: seconds that a look at it may take.
        packets: what they tell.
        notes: what the user should know of how files were joined.
    """

    source: Source
    path: Path
    size_bytes: int
    modified_ns: int
    timeout_s: float
    packets: Scan
    notes: tuple[str, ...] = ()


async def read_source(
    path: Path,
    *,
    parts: Sequence[Path] = (),
    timeout_s: float | None = None,
    of_source: bool = False,
    expect: Callable[[Scan], None] = lambda _: None,
) -> Opened:
    """Read all packets of a source.

    Args:
        path: the source; its name may hold any bytes.
        parts: all files of a recording in several, of which the first is `path`.
        timeout_s: seconds that it may take; by default generous for its size.
        of_source: whether to look for what none of our own files says.
        expect: refuses what cannot be restored; it is asked of each file that is read by itself.

    Raises:
        InputError: it cannot be read, or not within the time.
        ToolError: PyAV does not work.
    """
    source_path, *files = [
        file.absolute() for file in (path, *(parts or (path,)))
    ]  # and the user's own links stay as they are
    opened: list[PartFile] = []
    beginnings: list[bytes] = []
    for file in files:
        with _about(file, len(files)):
            status, beginning = await anyio.to_thread.run_sync(_open_file, file)
        opened.append(PartFile(path=file, size_bytes=status.st_size, modified_ns=status.st_mtime_ns))
        beginnings.append(beginning)
    size_bytes = sum(part.size_bytes for part in opened)
    if timeout_s is None:
        timeout_s = _PATIENCE_S + size_bytes / _SLOWEST_BYTES_PER_S
    try:
        if (number := title_number(path, files if parts else ())) is not None:
            source, packets, notes = await _read_title(opened, number, timeout_s, expect)
        else:
            source, packets, notes = await _read(opened, beginnings, timeout_s, of_source, expect)
            notes = notes if len(files) == 1 else (_list_of(files), *notes)
    except TimeoutError as error:
        raise InputError(
            f"reading it takes more than {timeout_s:.0f} s", fix="copy it to a faster disk"
        ) from error
    return Opened(
        source=source,
        path=source_path,
        size_bytes=size_bytes,
        modified_ns=modified_ns_of(
            [part.size_bytes for part in opened], [part.modified_ns for part in opened]
        ),
        timeout_s=timeout_s,
        packets=packets,
        notes=notes,
    )


def _list_of(files: Sequence[Path]) -> str:
    return f"joined from {len(files)} files: {', '.join(file.name for file in files)}"


async def _read_title(
    parts: Sequence[PartFile], number: int, timeout_s: float, expect: Callable[[Scan], None]
) -> tuple[Source, Scan, tuple[str, ...]]:
    """A title of a DVD, what its packets tell, and what the user should know of it."""
    table = parts[0].path
    path = table if table.suffix.lower() == IMAGE_SUFFIX else table.parent
    name, title, laid = await anyio.to_thread.run_sync(_laid, path, number)
    packets = await scan_title(laid, timeout_s=timeout_s)
    expect(packets)
    joined = Joined(parts=tuple(parts), title=packets.title)
    notes = [f"title {number} of {name}"]
    if title.listed.angles > 1:
        notes.append(f"of its {title.listed.angles} angles the first is restored")
    return in_spans(joined, packets.spans), packets, tuple(notes)


def _laid(path: Path, number: int) -> tuple[str, Title, TitleLayout]:
    """What a disc is called, one of its titles, and how that lies on it."""
    disc = open_disc(path)
    title = next((title for title in titles_of(disc) if title.number == number), None)
    if title is None:
        raise InputError(f"{path.name} has no title {number} any more", fix="run the command again")
    return disc.shown_name, title, layout(disc, title)


async def _read(
    parts: Sequence[PartFile],
    beginnings: Sequence[bytes],
    timeout_s: float,
    of_source: bool,
    expect: Callable[[Scan], None],
) -> tuple[Source, Scan, tuple[str, ...]]:
    """The source, what its packets tell, and what the user should know of how it was joined."""
    files = [part.path for part in parts]
    in_a_row = files[0].suffix.lower() in IN_A_ROW_EXTENSIONS
    if len(files) == 1 or in_a_row:
        packets = await scan(*files, beginning=beginnings[0], timeout_s=timeout_s, of_source=of_source)
        if len(files) > 1 and packets.container not in IN_A_ROW_DEMUXERS:
            raise InputError(f"files of {packets.container} cannot be joined by their bytes", fix=SEPARATELY)
        expect(packets)
        whole = files[0] if len(files) == 1 else Joined(parts=tuple(parts))
        return in_spans(whole, packets.spans) if packets.spans else whole, packets, ()
    scans: list[Scan] = []
    for file, beginning in zip(files, beginnings, strict=True):
        with _about(file, len(files)):
            scans.append(await scan(file, beginning=beginning, timeout_s=timeout_s, of_source=of_source))
            expect(scans[-1])
    return join(parts, scans)


def in_spans(whole: Path | Joined, spans: tuple[Span, ...]) -> InSpans:
    """A damaged stream as FFmpeg can follow it.

    Raises:
        InputError: it is damaged in more places than a command can name.
    """
    title = whole.title if isinstance(whole, Joined) else None
    source = InSpans(whole=whole, spans=spans, title=title)
    if max(len(input_url(source)), len(spans) * _SPAN_BYTES) > _LONGEST_WORD:
        if title is not None:
            raise InputError(
                f"it lies on the disc in {len(title.pieces)} pieces, which is too many",
                fix="copy the title into one file with a program that rips DVDs",
            )
        at = spans[len(spans) // 2].start
        raise InputError(
            f"damaged: its DV stream is overwritten in {len(spans)} places, which is too many at once",
            fix=f"copy it again, or cut it in two: head -c {at} IN > 1.dv; tail -c +{at + 1} IN > 2.dv",
        )
    return source


@contextmanager
def _about(file: Path, files: int) -> Iterator[None]:
    """Let what is wrong with one of several files name it."""
    try:
        yield
    except InputError as error:
        if files == 1:
            raise
        raise InputError(f"its part {file.name}: {error.cause}", fix=error.fix or SEPARATELY) from error


def _open_file(path: Path) -> tuple[os.stat_result, bytes]:
    """The state of a file and its first bytes."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise InputError("it is not a regular file", fix="copy its content into a regular file")
        if status.st_size == 0:
            raise InputError("it is empty (0 bytes)", fix="copy it again from the original")
        with path.open("rb") as file:
            return status, file.read(4096)
    except PermissionError as error:
        raise InputError(
            "there is no permission to read it", fix="chmod u+r it, or run as its owner"
        ) from error
    except OSError as error:
        raise InputError(
            f"it cannot be opened: {error.strerror}", fix="check the disk or the share"
        ) from error


def join(parts: Sequence[PartFile], scans: Sequence[Scan]) -> tuple[Joined, Scan, tuple[str, ...]]:
    """Files one after the other as one source. Pure.

    Args:
        parts: the files, in their order.
        scans: what the packets of each tell.

    Returns:
        The source, what its packets tell, and what the user should know.

    Raises:
        InputError: a file is of another kind than the first.
    """
    for part, one in zip(parts, scans, strict=True):
        _expect_alike(parts[0], scans[0], part, one)
    picture_s, sound_s, notes = [Fraction(0)], [Fraction(0)], list[str]()
    for (before, after), part in zip(pairwise(scans), parts[1:], strict=True):
        picture_s.append(picture_s[-1] + _end_s(before) - _first_s(after))
        follows_s = picture_s[-1]
        if before.audio:
            ended_s = sound_s[-1] + before.audio[0].end_s - before.start_s
            follows_s = ended_s - (after.audio[0].start_s - after.start_s)
        if abs(follows_s - picture_s[-1]) > _UNEVEN_S:
            off_ms = round(1000 * (picture_s[-1] - follows_s))
            notes.append(
                f"sound and picture end {abs(off_ms)} ms apart before {part.path.name}: "
                f"its sound begins with its picture"
            )
            follows_s = picture_s[-1]
        sound_s.append(follows_s)
    joined = Joined(
        parts=tuple(
            replace(part, picture_s=from_s, sound_s=heard_s)
            for part, from_s, heard_s in zip(parts, picture_s, sound_s, strict=True)
        ),
        end_s=max(picture_s[-1], sound_s[-1]) + scans[-1].reach_s,
    )
    return joined, _merged(scans, picture_s, sound_s), tuple(notes)


def _expect_alike(first: PartFile, expected: Scan, part: PartFile, found: Scan) -> None:
    """Refuse a file of another kind than the first: decoders would be given what they cannot read.

    Raises:
        InputError: it is.
    """
    for what, of_first, of_part in zip(
        ("container", "codec", "picture size", "time base", "audio", "subtitles"),
        _kind(expected),
        _kind(found),
        strict=True,
    ):
        if of_first != of_part:
            raise InputError(
                f"its parts {first.path.name} and {part.path.name} differ in {what}", fix=SEPARATELY
            )
    if found.looks:
        raise InputError(f"the picture of its part {part.path.name} changes", fix=SEPARATELY)


def _kind(packets: Scan) -> tuple[object, ...]:
    """What has to be alike in files that are joined."""
    audio = [(track.index, track.codec, track.sample_rate_hz, track.channels) for track in packets.audio]
    return (
        packets.container,
        (packets.index, packets.codec, packets.rates),
        (packets.width, packets.height, packets.stated_order),
        packets.time_base,
        audio,
        packets.subtitles,
    )


def _first_s(packets: Scan) -> Fraction:
    """When the first frame is shown, from the beginning of the file."""
    return packets.ticks[0] * packets.time_base - packets.start_s


def _end_s(packets: Scan) -> Fraction:
    """When the last frame ends, likewise."""
    usual = median_low([after - before for before, after in pairwise(packets.ticks)] or [0])
    usual_s = usual * packets.time_base or 1 / packets.rates[0]
    return packets.ticks[-1] * packets.time_base + usual_s - packets.start_s


def _merged(scans: Sequence[Scan], picture_s: Sequence[Fraction], sound_s: Sequence[Fraction]) -> Scan:
    """What the packets of all files tell, on the clock of the whole."""
    first, base = scans[0], scans[0].time_base
    shifts = [round((from_s - one.start_s) / base) for from_s, one in zip(picture_s, scans, strict=True)]
    declared = [one.declared_s for one in scans]
    jump = max(scans, key=lambda one: one.jump_back_s)
    return replace(
        first,
        start_s=Fraction(0),
        declared_s=None if None in declared else sum((s for s in declared if s is not None), Fraction(0)),
        reach_s=sum((one.reach_s for one in scans), Fraction(0)),
        read_error=next((one.read_error for one in scans if one.read_error), None),
        whole=all(wholes) if None not in (wholes := [one.whole for one in scans]) else None,
        ticks=tuple(tick + shift for one, shift in zip(scans, shifts, strict=True) for tick in one.ticks),
        packets_without_time=sum(one.packets_without_time for one in scans),
        keyframe_gap_s=max(one.keyframe_gap_s for one in scans),
        jump_back_s=jump.jump_back_s,
        jump_at_s=jump.jump_at_s,
        audio=tuple(
            _merged_track(
                [one.audio[number] for one in scans],
                [from_s - one.start_s for from_s, one in zip(sound_s, scans, strict=True)],
            )
            for number in range(len(first.audio))
        ),
        other_streams=max(one.other_streams for one in scans),
        pictures=max(one.pictures for one in scans),
        unknown_audio=max(one.unknown_audio for one in scans),
        audio_left_out=tuple(dict.fromkeys(why for one in scans for why in one.audio_left_out)),
        holes=tuple(hole + shift for one, shift in zip(scans, shifts, strict=True) for hole in one.holes),
    )


def _merged_track(tracks: Sequence[AudioTrack], shifts_s: Sequence[Fraction]) -> AudioTrack:
    heard = [track.heard_s for track in tracks]

    def earliest(name: str) -> Fraction | None:
        times = zip((getattr(track, name) for track in tracks), shifts_s, strict=True)
        return next((time_s + shift_s for time_s, shift_s in times if time_s is not None), None)

    return replace(
        tracks[0],
        start_s=tracks[0].start_s + shifts_s[0],
        end_s=tracks[-1].end_s + shifts_s[-1],
        heard_s=None if None in heard else sum((s for s in heard if s is not None), Fraction(0)),
        undecoded_packets=sum(track.undecoded_packets for track in tracks),
        undecoded_at_s=earliest("undecoded_at_s"),
        changes_at_s=earliest("changes_at_s"),
    )
