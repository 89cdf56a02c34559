"""Proof that a file is what was planned: it is decoded from end to end and its frames are counted.

An exit code proves nothing: an FFmpeg that was stopped, or whose disk was full, can end with 0 and a
short file.
"""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

from vhsbatch.errors import ChainError, VerificationError
from vhsbatch.media.colour import output_colour
from vhsbatch.media.commands import check_command
from vhsbatch.media.probe import probe
from vhsbatch.media.progress import ProgressParser
from vhsbatch.model.media import AudioTrack, MediaInfo
from vhsbatch.model.plan import JobPlan
from vhsbatch.proc.chain import StageSpec, run_chain

# Half of the longest delay that is hardly ever noticed, and more than one frame of any audio codec
# here can shift a track's first or last packet.
SOUND_TOLERANCE_S = Fraction(1, 20)

FrameSink = Callable[[int], None]


async def count_frames(
    path: Path, *, ffmpeg: str, threads: int, niceness: int = 0, on_frames: FrameSink = lambda _: None
) -> int:
    """Decode everything in `path`; the number of its video frames.

    Raises:
        VerificationError: something in it does not decode.
    """
    parser = ProgressParser()
    frames = 0

    def on_stdout(line: str) -> None:
        nonlocal frames
        if (progress := parser.feed(line)) is not None:
            frames = progress.frames
            on_frames(frames)

    complaints: list[str] = []

    def on_stderr(_stage: str, line: str) -> None:
        if is_error(line):
            complaints.append(line)

    try:
        await run_chain(
            (StageSpec(name="verify", argv=check_command(ffmpeg, path, threads=threads)),),
            on_stdout=on_stdout,
            on_stderr=on_stderr,
            niceness=niceness,
        )
    except ChainError as error:
        raise VerificationError(f"{path.name} does not decode: {error.cause}") from error
    if complaints:
        raise VerificationError(f"{path.name} does not decode cleanly: {complaints[0]}")
    return frames


def is_error(line: str) -> bool:
    """Whether FFmpeg, run with ``-loglevel level+…``, meant this line as an error.

    >>> is_error("[h264 @ 0x55] [error] error while decoding MB 3 4")
    True
    >>> is_error("[warning] deprecated pixel format used")
    False
    """
    return "[error]" in line or "[fatal]" in line or "[panic]" in line


async def verify_output(
    path: Path,
    plan: JobPlan,
    *,
    ffmpeg: str,
    threads: int,
    niceness: int = 0,
    on_frames: FrameSink = lambda _: None,
) -> None:
    """Prove that an assembled output is what was planned.

    Raises:
        VerificationError: the first difference.
    """
    frames = await count_frames(path, ffmpeg=ffmpeg, threads=threads, niceness=niceness, on_frames=on_frames)
    _expect(frames == plan.frames, f"{frames} frames instead of {plan.frames}")
    made = await probe(path, ffmpeg=ffmpeg)
    compare(made, plan)


def compare(made: MediaInfo, plan: JobPlan) -> None:
    """Hold what a probe read of an output against its plan. Pure.

    Raises:
        VerificationError: the first difference.
    """
    video = made.video
    _expect(video.frames == plan.frames, f"{video.frames} frame times instead of {plan.frames}")
    _expect(
        abs(video.frames / video.rate - plan.duration_s) <= 1 / plan.rate,
        f"a picture of {_s(video.frames / video.rate)} instead of {_s(plan.duration_s)}",
    )
    size, planned_size = (video.width, video.height), (plan.width, plan.height)
    _expect(size == planned_size, f"{size} pixels instead of {planned_size}")
    sar = video.sar if video.sar is not None else Fraction(1)
    _expect(sar == plan.sar, f"sample aspect ratio {sar} instead of {plan.sar}")
    colour = output_colour(plan.info.video, plan.height)
    tagged = (video.colour.matrix, video.colour.primaries, video.colour.transfer)
    planned = (colour.matrix, colour.primaries, colour.transfer)
    _expect(tagged == planned, f"colour tags {tagged} instead of {planned}")
    _expect(
        len(made.audio) == len(plan.info.audio),
        f"{len(made.audio)} sound tracks instead of {len(plan.info.audio)}",
    )
    for number, (track, source) in enumerate(zip(made.audio, plan.info.audio, strict=True), start=1):
        _compare_sound(number, track, source, made, plan)


def _compare_sound(
    number: int, track: AudioTrack, source: AudioTrack, made: MediaInfo, plan: JobPlan
) -> None:
    """Times count from the first picture; sound from before it may be cut there, never moved."""
    start_s = track.start_s - made.video.start_s
    end_s = track.end_s - made.video.start_s
    source_start_s = source.start_s - plan.info.video.start_s
    source_end_s = source.end_s - plan.info.video.start_s
    earliest_s, latest_s = source_start_s, max(source_start_s, Fraction(0))
    _expect(
        earliest_s - SOUND_TOLERANCE_S <= start_s <= latest_s + SOUND_TOLERANCE_S,
        f"sound track {number} begins at {_s(start_s)} instead of {_s(source_start_s)}",
    )
    _expect(
        abs(end_s - source_end_s) <= SOUND_TOLERANCE_S * 2,
        f"sound track {number} ends at {_s(end_s)} instead of {_s(source_end_s)}",
    )


def _expect(holds: bool, difference: str) -> None:
    if not holds:
        raise VerificationError(f"the output has {difference}")


def _s(value: Fraction) -> str:
    return f"{float(value):.3f} s"
