"""Child process that measures sound from several places of a tape, and prints one JSON object.

    python -P -m vhsbatch.analysis.audio_worker RATE_HZ CHANNELS PLACE_S

Samples come on stdin, 32-bit floats with the channels in turns, place after place. Levels are decibels
below full scale, null for digital silence.

Hum is a line at the mains frequency and at its multiples that stands out from its neighbours. Hiss is
what stays of the high frequencies in the quietest moments.
"""

import json
import sys
from typing import Any

import numpy as np
import numpy.typing as npt

_MOMENT_S = 0.05
_QUIETEST_PART = 10
# Music has high frequencies nearly always; what is there in its quietest moments, too, is hiss.
_QUIETEST_PART_OF_HISS = 2
_HISS_HZ = (4000, 12000)
_CLIPPED = 0.999
_CLIPPED_RUN = 3

_MAINS_HZ = (50, 60)
_HARMONICS = (1, 2, 3, 4)
# A line of hum wobbles with the tape's speed; what is beside it begins further out.
_LINE_HZ = 0.6
_BESIDE_HZ = (2.0, 9.0)
_STANDS_OUT_DB = 14.0
# The hum of a quiet track is no hum.
_AUDIBLE_DB = -75.0

Samples = npt.NDArray[np.float32]


def decibels(power: float) -> float | None:
    """`power` against that of full scale, None for nothing."""
    return round(10 * float(np.log10(power)), 1) if power > 1e-14 else None


def channel(samples: Samples, rate_hz: int, place_samples: int) -> dict[str, Any]:
    """What one channel is like."""
    moments = _moments(samples, round(rate_hz * _MOMENT_S))
    powers = (moments.astype(np.float64) ** 2).mean(axis=1)
    sounding = powers[powers > 0]
    hum = [mains_hum(place, rate_hz) for place in _places(samples, place_samples)]
    return {
        "level_db": decibels(float(powers.mean())) if len(powers) else None,
        "peak_db": decibels(float(np.abs(samples).max(initial=0)) ** 2),
        "floor_db": decibels(float(np.percentile(sounding, _QUIETEST_PART))) if len(sounding) else None,
        "hiss_db": _hiss(moments[powers > 0], rate_hz),
        "clipped_samples": clipped(samples),
        "hum": [{"hz": hz, "level_db": level} for hz, level in hum],
    }


def mains_hum(place: Samples, rate_hz: int) -> tuple[int, float | None]:
    """The mains frequency whose lines stand out in one place, and their level; 0 where none does."""
    if len(place) < 2 * rate_hz:
        return 0, None
    window = np.hanning(len(place))
    powers = np.abs(np.fft.rfft(place * window)) ** 2 * 2 / (window.sum() ** 2)
    hz = np.fft.rfftfreq(len(place), 1 / rate_hz)
    found = [(*_lines(powers, hz, mains), mains) for mains in _MAINS_HZ]
    count, level, mains = max(found)
    audible = decibels(level)
    if count < 2 or audible is None or audible < _AUDIBLE_DB:
        return 0, None
    return mains, audible


def _lines(powers: npt.NDArray[np.float64], hz: npt.NDArray[np.float64], mains_hz: int) -> tuple[int, float]:
    """How many of the first harmonics stand out, and the power of those that do.

    One of the first two has to: a note of music has harmonics too, and seldom both.
    """
    standing, power = [], 0.0
    for harmonic in _HARMONICS:
        away = np.abs(hz - harmonic * mains_hz)
        line = powers[away <= _LINE_HZ]
        beside = np.median(powers[(away >= _BESIDE_HZ[0]) & (away <= _BESIDE_HZ[1])])
        if float(np.max(line)) > float(beside) * 10 ** (_STANDS_OUT_DB / 10):
            standing.append(harmonic)
            power += float(line.sum()) / 1.5  # a Hann window spreads a line's power
    return (len(standing), power) if {1, 2} & set(standing) else (0, 0.0)


def _hiss(moments: Samples, rate_hz: int) -> float | None:
    """The level of high frequencies in the quietest moments that sound at all."""
    if len(moments) < 20:
        return None
    window = np.hanning(moments.shape[1])
    powers = np.abs(np.fft.rfft(moments * window, axis=1)) ** 2 * 2 / (window**2).sum() / moments.shape[1]
    hz = np.fft.rfftfreq(moments.shape[1], 1 / rate_hz)
    high = powers[:, (hz >= _HISS_HZ[0]) & (hz <= _HISS_HZ[1])].sum(axis=1)
    return decibels(float(np.percentile(high, _QUIETEST_PART_OF_HISS)))


def clipped(samples: Samples) -> int:
    """Samples at full scale that have others beside them: one alone may be the peak of a wave."""
    full = (np.abs(samples) >= _CLIPPED).astype(np.int8)
    edges = np.flatnonzero(np.diff(np.concatenate(([0], full, [0]))))
    runs = edges[1::2] - edges[0::2]
    return int(runs[runs >= _CLIPPED_RUN].sum())


def correlation(left: Samples, right: Samples) -> float | None:
    """How alike two channels are: 1 the same, 0 nothing in common, -1 the same with the sign reversed."""
    energy = float(np.dot(left, left)) * float(np.dot(right, right))
    return round(float(np.dot(left, right)) / energy**0.5, 3) if energy > 0 else None


def _moments(samples: Samples, length: int) -> Samples:
    whole = len(samples) // length
    return samples[: whole * length].reshape(whole, length)


def _places(samples: Samples, length: int) -> list[Samples]:
    return [samples[first : first + length] for first in range(0, len(samples), length)]


def measure(samples: Samples, rate_hz: int, place_s: float) -> dict[str, Any]:
    """What sound is like.

    Args:
        samples: (samples, channels).
        rate_hz: samples per second.
        place_s: length of each of the places from which they come.
    """
    channels = [np.ascontiguousarray(samples[:, number]) for number in range(samples.shape[1])]
    return {
        "measured_s": round(len(samples) / rate_hz, 3),
        "channels": [channel(one, rate_hz, round(place_s * rate_hz)) for one in channels],
        "correlation": correlation(*channels) if len(channels) == 2 else None,
    }


def main() -> None:
    """Measure what comes on stdin."""
    rate_hz, channels, place_s = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    data = np.frombuffer(sys.stdin.buffer.read(), np.float32)
    samples = data[: len(data) // channels * channels].reshape(-1, channels)
    sys.stdout.write(json.dumps(measure(samples, rate_hz, place_s)) + "\n")


if __name__ == "__main__":
    main()
