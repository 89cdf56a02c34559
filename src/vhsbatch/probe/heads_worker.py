"""Child process that looks into files and prints what kind of video each is, a JSON object in a line.

    python -P -m vhsbatch.probe.heads_worker < PATHS, each ended by a zero byte

Only headers and, of streams without any, both ends are read. A file that cannot be read gives an empty
object. It is a separate process because a hostile file can crash the libraries that read it.
"""

import json
import os
import sys
from fractions import Fraction
from typing import Any

import av
import av.logging

from vhsbatch.ffmpeg.formats import FORMAT_WHITELIST, PROTOCOL_WHITELIST


def main() -> int:
    """Look into the files that standard input names."""
    answer = os.fdopen(os.dup(1), "w", encoding="ascii")
    os.dup2(2, 1)
    av.logging.set_level(av.logging.PANIC)
    with answer:
        for name in filter(None, sys.stdin.buffer.read().split(b"\0")):
            print(json.dumps(head(os.fsdecode(name))), file=answer, flush=True)
    return 0


def head(path: str) -> dict[str, Any]:
    """What a file's beginning, or its ends, say of it."""
    options = {"protocol_whitelist": PROTOCOL_WHITELIST, "format_whitelist": FORMAT_WHITELIST}
    try:
        with av.open(f"file:{path}", options=options) as container:
            return _described(container)
    except (av.FFmpegError, OSError, ValueError):
        return {}


def _described(container: Any) -> dict[str, Any]:
    videos = [stream for stream in container.streams.video if stream.codec_context is not None]
    if not videos:
        return {}
    video, codec = videos[0], videos[0].codec_context
    rate = video.guessed_rate or video.average_rate
    base = Fraction(video.time_base)
    return {
        "kind": [
            *(container.format.name, codec.codec.canonical_name, codec.width, codec.height, str(rate)),
            [
                [sound.codec.canonical_name, sound.sample_rate, sound.layout.nb_channels]
                for stream in container.streams.audio
                if (sound := stream.codec_context) is not None
            ],
        ],
        "rate": None if rate is None else str(rate),
        "start_s": None if video.start_time is None else float(video.start_time * base),
        "length_s": None if video.duration is None else float(video.duration * base),
        "timecode": container.metadata.get("timecode") or video.metadata.get("timecode"),
    }


if __name__ == "__main__":
    sys.exit(main())
