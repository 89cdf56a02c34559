"""How loud the sound of a source is, measured from end to end: the first pass of two."""

import json
import math
from collections.abc import Iterable, Mapping, Sequence

from vhsbatch.ffmpeg.audio import Loudness, has_loudness_to_measure, heard_tracks
from vhsbatch.ffmpeg.output_commands import changing_tracks, loudness_command, uniform_command
from vhsbatch.model.media import AudioTrack
from vhsbatch.model.plan import JobPlan
from vhsbatch.process.chain import StageSpec, run_chain


async def measure_loudness(
    plan: JobPlan, hiss_db: Mapping[int, float], *, ffmpeg: str, niceness: int = 0
) -> Mapping[int, Loudness]:
    """The loudness of every track that is to be levelled, by its index; silence has none.

    Args:
        plan: the plan.
        hiss_db: how loud the hiss is that is reduced before, by the track's index.
        ffmpeg: the program.
        niceness: of its process.

    Raises:
        ChainError: a track does not decode.
    """
    if not has_loudness_to_measure(plan.preset.audio):
        return {}
    measured: dict[int, Loudness] = {}
    for track in heard_tracks(plan):
        lines: list[str] = []
        measure = StageSpec(
            name="measure", argv=loudness_command(ffmpeg, plan, track, hiss_db.get(track.index))
        )
        await run_chain(
            (*uniform_stage(plan, [track], ffmpeg=ffmpeg), measure),
            on_stdout=lambda _: None,
            on_stderr=lambda name, line, lines=lines: lines.append(line) if name == "measure" else None,  # type: ignore[misc]
            niceness=niceness,
        )
        if (loudness := parse_loudness(lines)) is not None:
            measured[track.index] = loudness
    return measured


def uniform_stage(plan: JobPlan, tracks: Sequence[AudioTrack], *, ffmpeg: str) -> tuple[StageSpec, ...]:
    """The stage before a command that reads `tracks`, where any of them changes on the way."""
    changing = [track for track in changing_tracks(plan) if track in tracks]
    if not changing:
        return ()
    return (StageSpec(name="sound", argv=uniform_command(ffmpeg, plan, changing)),)


def parse_loudness(lines: Iterable[str]) -> Loudness | None:
    """What `loudnorm` printed among FFmpeg's other lines; None for silence.

    >>> parse_loudness(["[Parsed_loudnorm_1 @ 0x1] [info] ", "{", '"input_i" : "-inf"', "}"]) is None
    True
    """
    text = "\n".join(lines)
    end = text.rfind("}")
    start = text.rfind("{", 0, end)
    if start < 0:
        return None
    found: dict[str, str] = json.loads(text[start : end + 1])
    if not math.isfinite(float(found["input_i"])):
        return None
    return Loudness(
        integrated=float(found["input_i"]),
        range=float(found["input_lra"]),
        true_peak=float(found["input_tp"]),
        threshold=float(found["input_thresh"]),
    )
