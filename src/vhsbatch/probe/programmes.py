"""The programmes of a broadcast, as FFmpeg lists them when it opens the file: one is restored. Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from vhsbatch.probe.scan import Scan

_PROGRAMME = re.compile(r"^  Program (\d+)")
_NAME = re.compile(r"^ {6}service_name *: (.*)")
_STREAM = re.compile(r"^  Stream #0:(\d+)")


@dataclass(frozen=True, slots=True)
class Programme:
    """One programme: its number, its name where it has one, and the indices of its streams."""

    number: int
    name: str = ""
    streams: frozenset[int] = frozenset()

    def __str__(self) -> str:
        """Its number, and its name where it has one."""
        return f"{self.number} ({self.name})" if self.name else str(self.number)


def parse_programmes(lines: Iterable[str]) -> tuple[Programme, ...]:
    """The programmes that FFmpeg listed of its first input; none of a file that has no such thing."""
    found: list[Programme] = []
    for line in lines:
        if match := _PROGRAMME.match(line):
            found.append(Programme(int(match[1])))
        elif line.startswith(("  No Program", "Stream mapping", "Output #")):
            break
        elif found and (match := _NAME.match(line)):
            found[-1] = replace(found[-1], name=match[1].strip())
        elif found and (match := _STREAM.match(line)):
            found[-1] = replace(found[-1], streams=found[-1].streams | {int(match[1])})
    return tuple(found)


def of_one_programme(packets: Scan, programmes: Iterable[Programme]) -> Scan:
    """`packets` without the sound and the subtitles of programmes other than the picture's."""
    programmes = tuple(programmes)
    own = next((one for one in programmes if packets.index in one.streams), None)
    if own is None:
        return packets
    others = [one for one in programmes if one is not own and one.streams]
    foreign = frozenset[int]().union(*(one.streams for one in others)) - own.streams
    return replace(
        packets,
        audio=tuple(track for track in packets.audio if track.index not in foreign),
        subtitles=tuple(track for track in packets.subtitles if track.index not in foreign),
        other_programmes=tuple(map(str, others)),
    )
