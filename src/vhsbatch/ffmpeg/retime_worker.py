"""Child process that joins segments and gives each frame its own time back.

    python -P -m vhsbatch.ffmpeg.retime_worker JOB.json OUTPUT

Segments hold their frames at a constant rate. The job names them, each with the number of its first frame,
the rate, and when each frame of the whole is shown, in ticks. Packets are copied, never decoded.
"""

import json
import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from vhsbatch.model.timeline import TICKS_PER_S


def main(job_file: str, output: str) -> None:
    """Write `output`."""
    job = json.loads(Path(job_file).read_text(encoding="utf-8", errors="surrogateescape"))
    files, rate, ticks = job["files"], Fraction(job["rate"]), job["ticks"]
    # How many packets a frame is sent before it is shown, at most.
    delay = max(position - number for position, number in enumerate(_numbers(files, rate)))
    step = round(TICKS_PER_S / rate)
    with (
        av.open(files[0][0]) as first,
        av.open(
            output,
            "w",
            format="mov" if files[0][0].endswith(".mov") else "mp4",
            options={"video_track_timescale": str(TICKS_PER_S)},
        ) as made,
    ):
        stream = made.add_stream_from_template(first.streams.video[0])
        stream.time_base = Fraction(1, TICKS_PER_S)
        for position, (packet, number) in enumerate(_packets(files, rate)):
            sent = position - delay
            packet.time_base = stream.time_base
            packet.pts = ticks[number]
            packet.dts = ticks[sent] if sent >= 0 else ticks[0] + sent * step
            packet.duration = (ticks[number + 1] - ticks[number]) if number + 1 < len(ticks) else step
            packet.stream = stream
            made.mux(packet)


def _numbers(files: list[tuple[str, int]], rate: Fraction) -> Iterator[int]:
    return (number for _, number in _packets(files, rate))


def _packets(files: list[tuple[str, int]], rate: Fraction) -> Iterator[tuple[Any, int]]:
    """Every packet in the order in which it is sent, with the number of its frame in the whole."""
    for path, first in files:
        with av.open(path) as container:
            for packet in container.demux(video=0):
                # The last one is none.
                if packet.pts is not None and packet.time_base is not None:
                    yield packet, first + round(packet.pts * packet.time_base * rate)


if __name__ == "__main__":
    main(*sys.argv[1:])
