"""Decode a source in several places, and have a worker of ours measure what comes."""

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from vhsbatch.errors import ChainError
from vhsbatch.ffmpeg.formats import input_arguments
from vhsbatch.model.media import VideoTrack
from vhsbatch.model.source import Source
from vhsbatch.process.chain import StageSpec, run_chain

# What a worker reads of a picture: its frames, as they are.
PICTURE = ("-fps_mode", "passthrough", "-f", "rawvideo")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One of the places.

    Attributes:
        opens: FFmpeg's arguments that open the source there. One graph joins all places. FFmpeg can hang
            when it has to rebuild such a graph, so the format must not change on the way.
        filters: FFmpeg's notation of what becomes of it.
    """

    opens: tuple[str, ...]
    filters: str


def picture_place(source: Source, video: VideoTrack, from_s: Fraction | None, filters: str) -> Place:
    """A place of a picture; its graph outlives a change of size, which `filters` must allow for."""
    kept = ("-reinit_filter", "0") if video.changes else ()
    return Place(
        opens=(*kept, *input_arguments(source, from_s=from_s, mend_matrix=video.mends_matrix)),
        filters=filters,
    )


async def measure_places(
    places: Iterable[Place],
    *,
    stream: int,
    kind: str,
    output: Sequence[str],
    worker: Sequence[str],
    ffmpeg: str,
) -> tuple[str, ...]:
    """Decode the places, one after the other, into a worker.

    Args:
        places: where; at least one.
        stream: the stream's index in the container.
        kind: ``v`` for picture, ``a`` for sound.
        output: FFmpeg's arguments for what the worker reads.
        worker: its module and its arguments.
        ffmpeg: the program.

    Returns:
        The lines that the worker printed; none where the decoder or the worker failed.

    Raises:
        ToolError: FFmpeg or Python cannot be started.
    """
    places = tuple(places)
    parts = [f"[{number}:{stream}]{place.filters}[p{number}]" for number, place in enumerate(places)]
    joined = "".join(f"[p{number}]" for number in range(len(places)))
    streams = ":v=0:a=1" if kind == "a" else ""
    graph = ";".join([*parts, f"{joined}concat=n={len(places)}{streams}[out]"])
    decode = (
        *(ffmpeg, "-nostdin", "-hide_banner", "-nostats", "-loglevel", "error"),
        *(word for place in places for word in place.opens),
        *("-filter_complex", graph, "-map", "[out]", *output, "pipe:1"),
    )
    lines: list[str] = []
    try:
        await run_chain(
            (
                StageSpec(name="decode", argv=decode),
                StageSpec(name="measure", argv=(sys.executable, "-P", "-m", *worker)),
            ),
            on_stdout=lines.append,
            on_stderr=lambda _stage, _line: None,
        )
    except ChainError:
        return ()
    return tuple(lines)
