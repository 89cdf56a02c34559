"""A second model of tape, built in another way: what a camera, a recorder and a deck do, in their order.

`tape.py` limits bands and adds noise. Here the parts of the equipment are modelled, where decks differ:

1. The camera adds two lines for each line of a field, and sharpens what it sees (aperture correction).
2. The recorder limits luma as an analogue filter does, with its skirt and its ringing, and each generation
   does so again. The noise of the FM channel grows with the frequency until the de-emphasis flattens it.
3. The deck sharpens with a delay line (*peaking*): detail at about 2 MHz is raised, and edges get an
   outline on both sides.
4. Luma and chroma travel as one signal (*composite*) and are separated by the capture device: by a notch,
   which softens luma and leaves dots along edges of colour, or by a comb of two lines.
5. Chroma is limited, late, a line low, and noisy in streaks. Lines begin early and late with the
   wobble of the drum. Blanking is captured at both ends of a line.

Pure numpy, seeded. Not modelled: tracking errors, automatic gain, sound.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from benchmarks.quality.tape import SAMPLE_RATE_MHZ, SAMPLES, Order, Picture

_MARGIN = 64
_LINES_PER_FRAME = {480: 525, 576: 625}
_CARRIER_MHZ = {480: 3.579545, 576: 4.433619}
# The corner of VHS's de-emphasis, above which the noise of an FM channel no longer grows.
_DE_EMPHASIS_MHZ = 0.12

Lines = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deck:
    """A recording and what plays it.

    Attributes:
        luma_mhz: where the luma's response has fallen by 3 dB.
        chroma_mhz: the same of the chroma.
        luma_noise: standard deviation in 8-bit levels, before the deck sharpens it.
        chroma_noise: the same of each colour difference.
        camera_db: by how much the camera raises detail at 2 MHz.
        peaking_db: by how much the deck does, in each generation.
        generations: how often it was recorded.
        separation: how luma and chroma are told apart: they never were one signal (S-Video), or by a
            notch or a comb.
        chroma_late_samples: by how much chroma comes after luma, in each generation.
        wobble_samples: how far lines begin early and late.
        dropouts_per_field: mean number.
        switch_lines: lines of each field behind the head switch.
        blanking_samples: of each end of a line, black.
    """

    luma_mhz: float = 3.0
    chroma_mhz: float = 0.45
    luma_noise: float = 3.0
    chroma_noise: float = 5.0
    camera_db: float = 2.0
    peaking_db: float = 0.0
    generations: int = 1
    separation: Literal["none", "notch", "comb"] = "comb"
    chroma_late_samples: float = 1.5
    wobble_samples: float = 0.3
    dropouts_per_field: float = 0.3
    switch_lines: int = 3
    blanking_samples: int = 6


# A camcorder's own tape in long play, on a deck whose sharpness is turned down.
SOFT = Deck(luma_mhz=2.2, luma_noise=4.0, chroma_noise=7.0, camera_db=0.0, separation="notch")
# The decks of most living rooms: sharpened, so that the picture looks crisp.
PEAKED = Deck(peaking_db=4.0)
# A copy of a copy, each of them sharpened.
COPY = Deck(peaking_db=2.5, generations=2, luma_noise=3.5, chroma_noise=6.0, separation="notch",
            wobble_samples=0.6, dropouts_per_field=1.5)  # fmt: skip
# A copy of that copy.
THIRD = replace(COPY, generations=3)
# Hi8 by S-Video, well kept.
HI8 = Deck(luma_mhz=4.0, chroma_mhz=0.55, luma_noise=1.5, chroma_noise=2.5, separation="none",
           chroma_late_samples=0.5, wobble_samples=0.1, dropouts_per_field=0.05, switch_lines=2)  # fmt: skip


def record_and_play(frames: Iterable[Picture], order: Order, deck: Deck, *, seed: int) -> Iterator[Picture]:
    """What a recording of `frames` looks like when it is digitised.

    Args:
        frames: the scene, one picture for each field, of twice as many lines as the frames have.
        order: which field comes first.
        deck: the equipment.
        seed: two recordings with the same one are the same.

    Yields:
        interlaced frames, one for two of `frames`; a last one without a partner is left out.
    """
    first, second = (0, 1) if order == "tff" else (1, 0)
    woven: Picture | None = None
    for number, frame in enumerate(frames):
        parity = second if number % 2 else first
        random = np.random.default_rng((seed, number, 77))
        lines = frame.shape[1] // 2
        field = _field(_camera(frame, parity, deck), number, lines, deck, random)
        if woven is None:
            woven = np.empty((3, lines, SAMPLES), np.float32)
            woven[:, first::2] = field
        else:
            woven[:, second::2] = field
            yield woven
            woven = None


def _camera(scene: Picture, parity: int, deck: Deck) -> Lines:
    """Each line of a field sees the height of two lines of the frame: four of the scene's."""
    lines = np.pad(scene.astype(np.float64), ((0, 0), (1, 2), (0, 0)), mode="edge")
    seen = (lines[:, :-3] + lines[:, 1:-2] + lines[:, 2:-1] + lines[:, 3:]) / 4
    field: Lines = seen[:, 2 * parity :: 4]
    field[0] = peaked(field[0], deck.camera_db)
    return field


def _field(field: Lines, number: int, lines: int, deck: Deck, random: np.random.Generator) -> Picture:
    luma, chroma = field[0], field[1:]
    for _ in range(deck.generations):
        luma, chroma = _generation(luma, chroma, deck, random)
    starts = _wobble(len(luma), deck, random)
    luma, chroma = _begin_at(luma, starts), _begin_at(chroma, starts)
    played = np.concatenate((luma[None], chroma)).astype(np.float32)
    for _ in range(random.poisson(deck.dropouts_per_field)):
        _drop_out(played, random)
    if deck.separation != "none":
        played = through_composite(played.astype(np.float64), number, lines, deck.separation)
    if deck.blanking_samples:
        ramp = np.clip((np.arange(SAMPLES) + 0.5 - deck.blanking_samples) / 2, 0, 1)
        ramp *= ramp[::-1]
        played[0] = 16 + (played[0] - 16) * ramp
        played[1:] = 128 + (played[1:] - 128) * ramp
    return played.clip(1, 254).astype(np.float32)


def _generation(luma: Lines, chroma: Lines, deck: Deck, random: np.random.Generator) -> tuple[Lines, Lines]:
    luma = filtered(luma, analogue(_frequencies(), deck.luma_mhz))
    luma = luma + _fm_noise(luma.shape, deck, random)
    luma = peaked(luma, deck.peaking_db)
    # The deck cancels crosstalk with the line before, in the chroma only.
    chroma = (chroma + np.concatenate((chroma[:, :1], chroma[:, :-1]), axis=1)) / 2
    late = np.exp(-2j * np.pi * _frequencies() * deck.chroma_late_samples / SAMPLE_RATE_MHZ)
    chroma = filtered(chroma, analogue(_frequencies(), deck.chroma_mhz) * late)
    return luma, chroma + _chroma_noise(chroma.shape, deck, random)


def peaked(luma: Lines, decibels: float) -> Lines:
    """Luma behind a delay line of a quarter of a microsecond that raises 2 MHz by so much."""
    if not decibels:
        return luma
    amount = (10 ** (decibels / 20) - 1) / 2
    delay = np.exp(-2j * np.pi * _frequencies() * 0.25)
    detail = 1 - (delay + np.conj(delay)).real / 2
    return filtered(luma, 1 + amount * detail)


def analogue(frequency_mhz: Lines, corner_mhz: float) -> NDArray[np.complex128]:
    """A Butterworth filter of the fourth order, with the delay at low frequencies taken out."""
    s = 1j * frequency_mhz / corner_mhz
    response = np.ones_like(s)
    delay = 0.0
    for damping in (0.7654, 1.8478):
        response /= s**2 + damping * s + 1
        delay += damping
    return response * np.exp(1j * delay * frequency_mhz / corner_mhz)


def through_composite(field: Lines, number: int, lines: int, separation: str) -> Picture:
    """Luma and chroma as one signal, and apart again.

    Args:
        field: Y, Cb and Cr of its lines.
        number: of the field since the beginning, which says where the subcarrier stands.
        lines: 480 or 576, of the frame.
        separation: ``notch`` or ``comb``.
    """
    turns = _turns(number, len(field[0]), lines)
    sine, cosine = np.sin(2 * np.pi * turns), np.cos(2 * np.pi * turns)
    if lines == 576:  # PAL turns one of the two over on every other line
        cosine = cosine * np.where(np.arange(len(cosine)) % 2, -1, 1)[:, None]
    u, v = field[1] - 128, field[2] - 128
    signal = field[0] + u * sine + v * cosine
    band = _band(_CARRIER_MHZ[lines])
    coloured = filtered(signal - field[0].mean(), band)
    if separation == "comb" and lines == 480:
        # The subcarrier is turned by half a cycle from line to line; detail that goes down is not.
        before = np.concatenate((coloured[:1], coloured[:-1]))
        after = np.concatenate((coloured[1:], coloured[-1:]))
        coloured = coloured / 2 - (before + after) / 4
    luma = signal - coloured
    low = analogue(_frequencies(), 0.8)
    planes = [luma, *(128 + filtered(2 * coloured * carrier, low) for carrier in (sine, cosine))]
    return np.stack(planes).astype(np.float32)


def _turns(number: int, field_lines: int, lines: int) -> Lines:
    """The phase of the subcarrier at each sample of a field, in cycles."""
    cycles_a_line = 227.5 if lines == 480 else 283.7516
    whole = number * _LINES_PER_FRAME[lines] / 2 * cycles_a_line
    starts = whole + np.arange(field_lines)[:, None] * cycles_a_line
    turns: Lines = (starts + np.arange(SAMPLES)[None, :] * _CARRIER_MHZ[lines] / SAMPLE_RATE_MHZ) % 1
    return turns


def _band(carrier_mhz: float) -> Lines:
    """What a decoder takes for chroma: 0.7 MHz to both sides, with soft ends."""
    away = np.abs(_frequencies() - carrier_mhz)
    return np.clip(1.5 - away / 0.7, 0, 1)


def _frequencies() -> Lines:
    return np.fft.rfftfreq(SAMPLES + 2 * _MARGIN, 1 / SAMPLE_RATE_MHZ)


def filtered(lines: Lines, response: NDArray[np.complexfloating] | Lines) -> Lines:
    """Lines behind a filter; the ends are continued as a mirror would."""
    wide = np.pad(lines, ((0, 0),) * (lines.ndim - 1) + ((_MARGIN, _MARGIN),), mode="reflect")
    narrow: Lines = np.fft.irfft(np.fft.rfft(wide) * response, wide.shape[-1])
    return narrow[..., _MARGIN:-_MARGIN]


def _begin_at(planes: Lines, starts: Lines) -> Lines:
    frequency = _frequencies()
    late = np.exp(-2j * np.pi * starts[:, None] * frequency / SAMPLE_RATE_MHZ)
    return filtered(planes, late)


def _fm_noise(shape: tuple[int, ...], deck: Deck, random: np.random.Generator) -> Lines:
    frequency = _frequencies()
    grows = frequency / np.hypot(frequency, _DE_EMPHASIS_MHZ)
    return _noise(shape, grows * np.abs(analogue(frequency, deck.luma_mhz)), deck.luma_noise, random)


def _chroma_noise(shape: tuple[int, ...], deck: Deck, random: np.random.Generator) -> Lines:
    noise = _noise(shape, np.abs(analogue(_frequencies(), deck.chroma_mhz)), deck.chroma_noise, random)
    # The comb against crosstalk averages it over two lines too.
    averaged: Lines = (noise + np.roll(noise, 1, axis=1)) / np.sqrt(2)
    return averaged


def _noise(shape: tuple[int, ...], spectrum: Lines, deviation: float, random: np.random.Generator) -> Lines:
    white = random.standard_normal((*shape[:-1], SAMPLES + 2 * _MARGIN))
    noise: Lines = np.fft.irfft(np.fft.rfft(white) * spectrum, white.shape[-1])[..., _MARGIN:-_MARGIN]
    return noise * (deviation / noise.std())


def _wobble(lines: int, deck: Deck, random: np.random.Generator) -> Lines:
    """A slow wave down the field, a little of each line's own, and the skew behind the head switch."""
    at = np.arange(lines) / lines
    wave = np.sin(2 * np.pi * (random.uniform(1, 3) * at + random.uniform()))
    starts: Lines = deck.wobble_samples * (wave + 0.5 * random.standard_normal(lines))
    if torn := min(deck.switch_lines, lines):
        starts[-torn:] += random.uniform(15, 50) * np.exp(-np.arange(torn)[::-1] / 2)
    return starts


def _drop_out(field: Picture, random: np.random.Generator) -> None:
    """The deck fills what is missing with the line above, a little late, and not quite to its end."""
    line, start = int(random.integers(1, field.shape[1])), int(random.integers(SAMPLES - 20))
    length = min(int(random.integers(15, 120)), SAMPLES - start)
    field[:, line, start : start + length] = field[:, line - 1, start : start + length]
    end = slice(start + length - min(8, length), start + length)
    field[0, line, end] = 235
