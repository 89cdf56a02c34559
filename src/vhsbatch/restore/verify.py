"""Proof that a file is what was planned.

An exit code proves nothing: an FFmpeg that was stopped, or whose disk was full, can end with 0 and a
short file. So every frame is decoded and counted, once: of each segment when it has been made. The joined
file is read back, and has to hold the very packets of the segments; where it does not, it is decoded.
"""

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

from vhsbatch.errors import ChainError, UndecodableError, VerificationError
from vhsbatch.ffmpeg.audio import AudioEncode, heard, heard_tracks, stretch
from vhsbatch.ffmpeg.captions import srt_text
from vhsbatch.ffmpeg.frame_times import expect_times
from vhsbatch.ffmpeg.output_commands import check_command, reread_command
from vhsbatch.ffmpeg.progress import ProgressParser
from vhsbatch.ffmpeg.stream_mapping import kept_subtitles
from vhsbatch.model.media import AudioTrack, MediaInfo
from vhsbatch.model.plan import JobPlan
from vhsbatch.probe.probe import packet_times, probe_result
from vhsbatch.process.chain import StageSpec, run_chain
from vhsbatch.process.spawn import LineSink

# Half of the longest delay that is hardly ever noticed, and more than one frame of any audio codec
# here can shift a track's first or last packet.
SOUND_TOLERANCE_S = Fraction(1, 20)
# Samples in a frame of AAC, which of a low sample rate is long.
_LONGEST_FRAME = 1024

FrameSink = Callable[[int], None]

# How it is proven that the picture of an output decodes, in a record's words.
SAME_PACKETS = "its video equals the segments', packet for packet, and its audio decodes"
DECODED = "the whole decodes without an error"

# FFmpeg's `streamhash` prints the number and the kind of a stream before its digest.
_DIGEST = "0,v,"


async def count_frames(
    path: Path, *, ffmpeg: str, threads: int, niceness: int = 0, on_frames: FrameSink = lambda _: None
) -> int:
    """Decode everything in `path`; the number of its video frames.

    Raises:
        UndecodableError: something in it does not decode.
    """
    return await _read(
        path, check_command(ffmpeg, path, threads=threads), niceness, on_frames, lambda _: None
    )


async def _read(
    path: Path, command: tuple[str, ...], niceness: int, on_frames: FrameSink, on_stdout: LineSink
) -> int:
    """Run an FFmpeg that reads all of `path`; the number of video frames that it counted.

    Raises:
        VerificationError: it complained.
    """
    parser = ProgressParser()
    frames = 0

    def take(line: str) -> None:
        nonlocal frames
        if (progress := parser.feed(line)) is not None:
            frames = progress.frames
            on_frames(frames)
        on_stdout(line)

    complaints: list[str] = []

    def on_stderr(_stage: str, line: str) -> None:
        if is_error(line):
            complaints.append(line)

    try:
        await run_chain(
            (StageSpec(name="verify", argv=command),),
            on_stdout=take,
            on_stderr=on_stderr,
            niceness=niceness,
        )
    except ChainError as error:
        raise UndecodableError(f"{path.name} does not decode: {error.cause}") from error
    if complaints:
        raise UndecodableError(f"{path.name} does not decode cleanly: {complaints[0]}")
    return frames


def packet_digest(line: str) -> str | None:
    """The digest of a stream's packets in a line of FFmpeg's stdout; None in any other line.

    >>> packet_digest("0,v,murmur3=117ba31d18884d95119017f88d3bc5c5")
    'murmur3=117ba31d18884d95119017f88d3bc5c5'
    >>> packet_digest("frame=360")
    """
    return line.strip().removeprefix(_DIGEST) if line.startswith(_DIGEST) else None


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
    packets: str | None,
    audio: Sequence[AudioEncode] | None = None,
    times_s: Sequence[Fraction] | None = None,
    ffmpeg: str,
    threads: int,
    niceness: int = 0,
    on_frames: FrameSink = lambda _: None,
) -> str:
    """Prove that an assembled output is what was planned.

    Args:
        path: the output under its temporary name.
        plan: its plan.
        packets: the digest of the packets that were read from its segments, each of which has been
            decoded and counted; None where it is not known.
        audio: how each of its tracks was to come from the source; None where each of those is one of it.
        times_s: when each frame is to be shown, where frames keep their own times.
        ffmpeg: the program.
        threads: how many threads its decoder may use.
        niceness: added to the niceness of this process.
        on_frames: takes the number of frames that have been read so far.

    Returns:
        How it was proven that the picture decodes.

    Raises:
        VerificationError: the first difference.
    """
    reread: list[str] = []
    await _read(
        path,
        reread_command(ffmpeg, plan, path),
        niceness,
        on_frames,
        lambda line: reread.extend(filter(None, [packet_digest(line)])),
    )
    how = SAME_PACKETS
    if packets is None or reread != [packets]:
        # Decoding is the proof that needs no other.
        how = DECODED
        frames = await count_frames(
            path, ffmpeg=ffmpeg, threads=threads, niceness=niceness, on_frames=on_frames
        )
        _expect(frames == plan.frames, f"{frames} frames instead of {plan.frames}")
    if times_s is not None:
        expect_times(await packet_times(path), times_s)
    sources = heard_tracks(plan) if audio is None else [encode.track for encode in audio]
    compare(await probe_result(path, ffmpeg=ffmpeg), plan, sources)
    return how


def compare(made: MediaInfo, plan: JobPlan, sources: Sequence[AudioTrack]) -> None:
    """Hold what a probe read of an output against its plan. Pure.

    Args:
        made: the output.
        plan: its plan.
        sources: of which track of the source each of its tracks is made.

    Raises:
        VerificationError: the first difference.
    """
    video = made.video
    if plan.shown_s is None:
        _expect(video.frames == plan.frames, f"{video.frames} frame times instead of {plan.frames}")
        _expect(
            abs(video.frames / video.rate - plan.duration_s) <= 1 / plan.rate,
            f"a picture of {_s(video.frames / video.rate)} instead of {_s(plan.duration_s)}",
        )
    size, planned_size = (video.width, video.height), (plan.width, plan.height)
    _expect(size == planned_size, f"{size} pixels instead of {planned_size}")
    sar = video.sar if video.sar is not None else Fraction(1)
    # Some containers state the width as it is shown, in whole pixels.
    _expect(abs(sar - plan.sar) * plan.width <= 1, f"sample aspect ratio {sar} instead of {plan.sar}")
    colour = plan.recipe.target
    tagged = (video.colour.matrix, video.colour.primaries, video.colour.transfer)
    planned = (colour.matrix, colour.primaries, colour.transfer)
    _expect(tagged == planned, f"colour tags {tagged} instead of {planned}")
    _expect(len(made.audio) == len(sources), f"{len(made.audio)} audio tracks instead of {len(sources)}")
    subtitles = len(kept_subtitles(plan.info, plan.container)) + bool(srt_text(plan.info, plan.excerpt))
    _expect(len(made.subtitles) == subtitles, f"{len(made.subtitles)} subtitle tracks instead of {subtitles}")
    for number, (track, source) in enumerate(zip(made.audio, sources, strict=True), start=1):
        _compare_sound(number, track, source, made, plan)


def _compare_sound(
    number: int, track: AudioTrack, source: AudioTrack, made: MediaInfo, plan: JobPlan
) -> None:
    """Times are those of what decodes, and count from the first picture.

    Sound from before it may be cut there, never moved.
    """
    start_s = track.start_s - made.video.start_s
    end_s = track.end_s - made.video.start_s
    audio, video = plan.preset.audio, plan.info.video
    longer = stretch(source, video, audio) or 1
    source_start_s, source_end_s = heard(source, video, audio, plan.excerpt)
    earliest_s, latest_s = source_start_s, max(source_start_s, Fraction(0))
    _expect(
        earliest_s - SOUND_TOLERANCE_S <= start_s <= latest_s + SOUND_TOLERANCE_S,
        f"audio track {number} begins at {_s(start_s)} instead of {_s(source_start_s)}",
    )
    # What was encoded ends with a whole frame.
    frame_s = Fraction(_LONGEST_FRAME, track.sample_rate_hz)
    _expect(
        -2 * SOUND_TOLERANCE_S <= end_s - source_end_s <= 2 * SOUND_TOLERANCE_S + frame_s,
        f"audio track {number} ends at {_s(end_s)} instead of {_s(source_end_s)}",
    )
    if track.heard_s is not None and source.heard_s is not None:
        # What overlaps is heard once, and what comes before the picture may be cut; gaps may be filled.
        # All gaps of a track may lie within the excerpt.
        missing_s = max(source.end_s - source.start_s - source.heard_s, Fraction(0)) * longer
        least_s = source_end_s - source_start_s - missing_s + min(source_start_s, Fraction(0))
        _expect(
            track.heard_s >= least_s - SOUND_TOLERANCE_S * 2,
            f"audio track {number} has {_s(track.heard_s)} of sound instead of {_s(least_s)}",
        )


def _expect(holds: bool, difference: str) -> None:
    if not holds:
        raise VerificationError(f"the output has {difference}")


def _s(value: Fraction) -> str:
    return f"{float(value):.3f} s"
