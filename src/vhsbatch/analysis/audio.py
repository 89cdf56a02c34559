"""What a source's sound is like, measured in a few places: level, hum, hiss, and channels that are amiss."""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from vhsbatch.ffmpeg.formats import input_arguments
from vhsbatch.model.media import AudioTrack
from vhsbatch.model.source import Source
from vhsbatch.probe.places import Place, measure_places

_RATE_HZ = 48_000
_PLACE_S = 6
_PLACES = tuple(Fraction(part, 16) for part in (1, 3, 5, 8, 11, 13, 15))

# A channel this far below full scale, or below its neighbour, carries nothing.
_SILENT_DB = -70.0
_DEAD_BELOW_OTHER_DB = 35.0
_SAME = 0.98
_INVERTED = -0.7

# Hiss of the linear track of a tape is above this, that of a good recording below.
HISS_DB = -66.0
# By how much white noise of 48 kHz is louder than its part of 4 to 12 kHz.
_WHITE_DB = 10 * math.log10(24 / 8)


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """What one channel is like; levels are decibels below full scale, None for digital silence.

    Attributes:
        level_db: of all that was heard.
        peak_db: the highest sample.
        floor_db: of the quietest moments.
        hiss_db: of their high frequencies.
        clipped_samples: samples at full scale, three and more in a row.
        hum_hz: the mains frequency that hums in most places, 0 for none.
        hum_db: its level there.
        hum_agreement: in which part of the places it is so.
    """

    level_db: float | None
    peak_db: float | None
    floor_db: float | None
    hiss_db: float | None
    clipped_samples: int
    hum_hz: int
    hum_db: float | None
    hum_agreement: float

    @property
    def is_silent(self) -> bool:
        """Whether it carries nothing that can be heard."""
        return self.level_db is None or self.level_db < _SILENT_DB


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioMeasurement:
    """What one track is like.

    Attributes:
        index: the stream's index in the container.
        measured_s: how much of it was heard.
        channels: each of its channels.
        correlation: of two channels: 1 the same, 0 nothing in common, -1 the same with the sign reversed.
    """

    index: int
    measured_s: float
    channels: tuple[Channel, ...]
    correlation: float | None

    @property
    def hiss_db(self) -> float | None:
        """How loud hiss is that all channels have, as if it were white noise; None where it is not heard."""
        heard = [channel.hiss_db for channel in self.channels if not channel.is_silent]
        least_db = min((-math.inf if hiss_db is None else hiss_db for hiss_db in heard), default=-math.inf)
        return least_db + _WHITE_DB if least_db > HISS_DB else None

    @property
    def is_silent(self) -> bool:
        """Whether no channel carries anything."""
        return all(channel.is_silent for channel in self.channels)

    @property
    def dead_channel(self) -> int | None:
        """Which of two channels carries nothing while the other does."""
        if len(self.channels) != 2 or self.is_silent:
            return None
        levels = [channel.level_db if channel.level_db is not None else -200.0 for channel in self.channels]
        quiet = min((0, 1), key=lambda number: levels[number])
        return quiet if abs(levels[0] - levels[1]) > _DEAD_BELOW_OTHER_DB else None

    @property
    def is_inverted(self) -> bool:
        """Whether two channels cancel each other out when they are mixed."""
        return self.correlation is not None and self.correlation <= _INVERTED

    @property
    def is_twice_the_same(self) -> bool:
        """Whether two channels carry one sound."""
        return self.correlation is not None and self.correlation >= _SAME


async def measure_audio(
    source: Source, track: AudioTrack, *, ffmpeg: str, seekable: bool
) -> AudioMeasurement | None:
    """Measure one track, in places spread over the tape where it can be sought.

    Returns:
        None where nothing of it decodes.

    Raises:
        ToolError: FFmpeg or Python cannot be started.
    """
    # A change of format rebuilds the graph, which is safe with one input alone.
    seekable = seekable and track.changes_at_s is None
    places = (
        Place(
            opens=("-t", f"{float(length_s):.3f}", *input_arguments(source, from_s=from_s)),
            filters=f"aresample={_RATE_HZ}",
        )
        for from_s, length_s in _places(track, seekable=seekable)
    )
    lines = await measure_places(
        places,
        stream=track.index,
        kind="a",
        output=("-ac", str(track.channels), "-f", "f32le"),
        worker=("vhsbatch.analysis.audio_worker", str(_RATE_HZ), str(track.channels), str(_PLACE_S)),
        ffmpeg=ffmpeg,
    )
    return parse_answer(track.index, json.loads("".join(lines))) if lines else None


def _places(track: AudioTrack, *, seekable: bool) -> Iterator[tuple[Fraction | None, Fraction]]:
    """Where to listen, in seconds on the container's clock (None: from the beginning), and how long."""
    whole_s = Fraction(_PLACE_S) * len(_PLACES)
    length_s = track.end_s - track.start_s
    if not seekable or length_s <= whole_s:
        yield None, whole_s
        return
    for part in _PLACES:
        yield track.start_s + (length_s - _PLACE_S) * part, Fraction(_PLACE_S)


def parse_answer(index: int, answer: Mapping[str, Any]) -> AudioMeasurement | None:
    """What the worker printed; None if it heard nothing."""
    if not answer["measured_s"]:
        return None
    channels = [
        Channel(**{key: value for key, value in found.items() if key != "hum"}, **_usual_hum(found["hum"]))
        for found in answer["channels"]
    ]
    return AudioMeasurement(
        index=index,
        measured_s=answer["measured_s"],
        channels=tuple(channels),
        correlation=answer["correlation"],
    )


def _usual_hum(places: list[dict[str, Any]]) -> dict[str, Any]:
    """The hum of most places."""
    for hz in (50, 60):
        levels = sorted(place["level_db"] for place in places if place["hz"] == hz)
        if 2 * len(levels) > len(places):
            agreement = len(levels) / len(places)
            return {"hum_hz": hz, "hum_db": levels[len(levels) // 2], "hum_agreement": agreement}
    quiet = sum(place["hz"] == 0 for place in places)
    return {"hum_hz": 0, "hum_db": None, "hum_agreement": quiet / max(1, len(places))}
