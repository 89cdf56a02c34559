"""A model of VHS: what a tape and its player make of a clean picture. Pure numpy, seeded.

The signal is sampled as ITU-R BT.601 does (720 samples of 13.5 MHz a line), so that frequencies on the
tape are frequencies along a line. In order:

1. The camera reads each field from a whole frame, a line together with half of each neighbour.
2. Luma is limited to about 3 MHz, chroma to about 0.4 MHz, and averaged with the line above it in the
   same field, as the player's comb filter does, which also moves it down.
3. Noise: that of an FM channel grows with frequency, so luma has fine grain; chroma noise has the
   chroma's band, so it comes in long streaks. Each field has its own.
4. Chroma comes late. Every line begins a little early or late (time-base jitter), which drifts from
   line to line.
5. Dropouts: a bright streak that dies away, without colour. The lines at which the heads switch over
   are torn sideways and noisy.

Not modelled: edge enhancement, ringing, blanking columns, tracking errors, automatic gain, copies of
copies, sound.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

# Planes of Y, Cb, Cr, each of lines x samples, in 8-bit levels (black 16, white 235, no colour 128).
Picture = NDArray[np.floating[Any]]
Order = Literal["tff", "bff"]

SAMPLES = 720
SAMPLE_RATE_MHZ = 13.5
_MARGIN = 72  # samples by which a line is continued at its ends while it is filtered


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """How good a recording and its player are; the defaults are an ordinary tape.

    Attributes:
        luma_mhz: where the luma's response has fallen to a half.
        chroma_mhz: the same of the chroma.
        luma_noise: standard deviation in 8-bit levels.
        chroma_noise: the same of each colour difference.
        chroma_late_samples: by how much chroma comes after luma.
        jitter_samples: standard deviation of where a line begins.
        dropouts_per_field: mean number.
        switch_lines: lines of each field behind the head switch.
    """

    luma_mhz: float = 3.0
    chroma_mhz: float = 0.4
    luma_noise: float = 4.0
    chroma_noise: float = 6.0
    chroma_late_samples: float = 3.0
    jitter_samples: float = 0.25
    dropouts_per_field: float = 0.3
    switch_lines: int = 3


CLEAN = Condition(
    luma_mhz=3.2,
    chroma_mhz=0.5,
    luma_noise=2.0,
    chroma_noise=3.0,
    chroma_late_samples=1.5,
    jitter_samples=0.12,
    dropouts_per_field=0.05,
)
WORN = Condition(
    luma_mhz=2.6,
    chroma_mhz=0.35,
    luma_noise=8.0,
    chroma_noise=12.0,
    chroma_late_samples=4.0,
    jitter_samples=0.6,
    dropouts_per_field=2.0,
    switch_lines=5,
)


def play(frames: Iterable[Picture], order: Order, condition: Condition, *, seed: int) -> Iterator[Picture]:
    """What a recording of `frames` looks like when it is digitised.

    Args:
        frames: the scene, one frame for each field.
        order: which field comes first.
        condition: the tape's.
        seed: two recordings with the same one are the same.

    Yields:
        interlaced frames, one for two of `frames`; a last one without a partner is left out.
    """
    first, second = (0, 1) if order == "tff" else (1, 0)
    earlier: Picture | None = None
    for number, frame in enumerate(frames):
        parity = second if number % 2 else first
        field = _play_field(_expose(frame)[:, parity::2], condition, np.random.default_rng((seed, number)))
        if earlier is None:
            earlier = field
            continue
        woven = np.empty((3, earlier.shape[1] + field.shape[1], SAMPLES), np.float32)
        woven[:, first::2], woven[:, second::2] = earlier, field
        earlier = None
        yield woven


def response(frequency_mhz: NDArray[np.float64], half_mhz: float) -> NDArray[np.float64]:
    """Of a band limit: 1, then half a cosine down to 0, with a half at `half_mhz`."""
    position = np.clip((frequency_mhz / half_mhz - 0.7) / 0.6, 0, 1)
    fallen: NDArray[np.float64] = 0.5 + 0.5 * np.cos(np.pi * position)
    return fallen


def _expose(frame: Picture) -> Picture:
    above, below = np.roll(frame, 1, axis=1), np.roll(frame, -1, axis=1)
    above[:, 0], below[:, -1] = frame[:, 0], frame[:, -1]
    exposed: Picture = 0.25 * above + 0.5 * frame + 0.25 * below
    return exposed


def _play_field(field: Picture, condition: Condition, random: np.random.Generator) -> Picture:
    lines = field.shape[1]
    luma, chroma = field[:1], field[1:]
    chroma = 0.5 * (chroma + np.concatenate((chroma[:, :1], chroma[:, :-1]), axis=1))
    starts = _jitter(lines, condition.jitter_samples, random)
    torn = min(condition.switch_lines, lines)
    if torn:
        starts[-torn:] += random.uniform(25, 60) * np.linspace(0.4, 1, torn)
    luma = _along_lines(luma, condition.luma_mhz, starts)
    chroma = _along_lines(chroma, condition.chroma_mhz, starts + condition.chroma_late_samples)
    loudness = np.ones((lines, 1))
    if torn:
        loudness[-torn:] = 4
    luma = luma + loudness * _noise((1, lines), condition.luma_mhz, condition.luma_noise, 1, random)
    chroma = chroma + loudness * _noise((2, lines), condition.chroma_mhz, condition.chroma_noise, 0, random)
    played = np.concatenate((luma, chroma)).astype(np.float32)
    for _ in range(random.poisson(condition.dropouts_per_field)):
        _drop_out(played, random)
    return played.clip(1, 254)


def _jitter(lines: int, deviation: float, random: np.random.Generator) -> NDArray[np.float64]:
    """Where each line begins: a walk that is drawn back to its middle, over some 20 lines."""
    memory = 0.95
    steps = random.normal(0, deviation * np.sqrt(1 - memory**2), lines)
    starts = np.empty(lines)
    start = random.normal(0, deviation)
    for line, step in enumerate(steps):
        start = memory * start + step
        starts[line] = start
    return starts


def _frequencies(samples: int) -> NDArray[np.float64]:
    return np.fft.rfftfreq(samples, 1 / SAMPLE_RATE_MHZ)


def _along_lines(planes: Picture, half_mhz: float, starts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Limit the band, and begin each line `starts` samples later."""
    wide = np.pad(planes, ((0, 0), (0, 0), (_MARGIN, _MARGIN)), mode="reflect")
    frequency = _frequencies(wide.shape[-1])
    late = np.exp(-2j * np.pi * starts[:, None] * frequency / SAMPLE_RATE_MHZ)
    filtered = np.fft.irfft(np.fft.rfft(wide) * response(frequency, half_mhz) * late, wide.shape[-1])
    return filtered[..., _MARGIN:-_MARGIN]


def _noise(
    shape: tuple[int, int], half_mhz: float, deviation: float, slope: float, random: np.random.Generator
) -> NDArray[np.float64]:
    """Noise within a band, growing with the frequency to the power of `slope`."""
    frequency = _frequencies(SAMPLES)
    spectrum = response(frequency, half_mhz) * (0.2 + frequency / half_mhz) ** slope
    noise: NDArray[np.float64] = np.fft.irfft(
        np.fft.rfft(random.standard_normal((*shape, SAMPLES))) * spectrum, SAMPLES
    )
    power = (2 * (spectrum**2).sum() - spectrum[0] ** 2 - spectrum[-1] ** 2) / SAMPLES
    noise *= deviation / np.sqrt(power)
    return noise


def _drop_out(field: Picture, random: np.random.Generator) -> None:
    """The tape lost its coating for some microseconds: a streak on one line, and little below it."""
    line, start = int(random.integers(field.shape[1])), int(random.integers(SAMPLES - 20))
    length = min(int(random.integers(20, 160)), SAMPLES - start)
    place = (slice(line, line + 1), slice(start, start + length))
    fade = np.exp(-3 * np.arange(length) / length)
    level = random.choice((235.0, 40.0)) + random.normal(0, 20, length)
    field[0][place] += fade * (level - field[0][place])
    for plane in field[1:]:
        plane[place] += fade * (128 - plane[place])
