"""Noise of known strength, in scenes that stand, move, flicker and are cut, is read within 20 %."""

import numpy as np
import numpy.typing as npt
import pytest

from vhsbatch.analysis.noise import Frame, noise

HEIGHT, WIDTH, COUNT = 192, 288, 3
Scene = list[npt.NDArray[np.float64]]


def surface(seed: int, height: int = HEIGHT + 64, width: int = WIDTH + 64) -> npt.NDArray[np.float64]:
    """Rooms and roofs rather than gravel: plain areas with edges, a part of them textured."""
    random = np.random.default_rng(seed)
    picture = np.full((height, width), 110.0)
    for _ in range(14):
        y, x = random.integers(0, height - 30), random.integers(0, width - 40)
        h, w = random.integers(20, 80), random.integers(30, 120)
        picture[y : y + h, x : x + w] = random.uniform(50, 200)
    grain = random.standard_normal((height // 2, width // 2)).repeat(2, 0).repeat(2, 1) * 18
    picture[:, : width // 3] += grain[:, : width // 3]
    return picture


def shifted(picture: npt.NDArray[np.float64], y: float, x: float) -> npt.NDArray[np.float64]:
    """A part of the picture, from a place between its samples."""
    top, left = int(np.floor(y)), int(np.floor(x))
    fy, fx = y - top, x - left
    part = picture[top : top + HEIGHT + 1, left : left + WIDTH + 1]
    lines = part[:-1] * (1 - fy) + part[1:] * fy
    return lines[:, :-1] * (1 - fx) + lines[:, 1:] * fx


def scene(kind: str) -> Scene:
    if kind == "plain":
        return [np.full((HEIGHT, WIDTH), 110.0) + np.linspace(0, 40, WIDTH)] * COUNT
    picture = surface(3)
    down, across = {"pan": (0.4, 5.3), "tilt": (2.6, 0.0)}.get(kind, (0.0, 0.0))
    pictures = [shifted(picture, 10 + down * t, 10 + across * t) for t in range(COUNT)]
    if kind == "flicker":
        pictures = [frame * (1 + 0.03 * (-1) ** t) for t, frame in enumerate(pictures)]
    if kind == "walk":
        walker = surface(9)
        for t, frame in enumerate(pictures):
            frame[40:160, 30 + 7 * t : 130 + 7 * t] = walker[40:160, 40:140]
    return pictures


def grain(shape: tuple[int, int], seed: int, *, band: float = 0.22) -> npt.NDArray[np.float64]:
    """Noise as a tape has it: within a band along a line, more of it in high frequencies."""
    frequency = np.fft.rfftfreq(shape[1])
    spectrum = np.where(frequency < band, 0.2 + frequency / band, 0)
    white = np.random.default_rng(seed).standard_normal(shape)
    noisy = np.fft.irfft(np.fft.rfft(white) * spectrum, shape[1])
    deviation: npt.NDArray[np.float64] = noisy / noisy.std()
    return deviation


def frames(pictures: Scene, luma: float, chroma: float) -> list[Frame]:
    """The scene with noise added, in 4:2:2."""
    made = []
    for number, picture in enumerate(pictures):
        colour = picture[:, ::2] * 0.3 + 90
        planes = [
            np.clip(np.rint(values + strength * grain(values.shape, 10 * number + plane)), 1, 254)
            for plane, (values, strength) in enumerate(
                [(picture, luma), (colour, chroma), (255 - colour, chroma)]
            )
        ]
        made.append(tuple(plane.astype(np.uint8) for plane in planes))
    return made  # type: ignore[return-value]


MOVING = ("plain", "still", "pan", "tilt", "flicker", "walk")


@pytest.mark.parametrize("fields", [1, 2])
@pytest.mark.parametrize("kind", MOVING)
@pytest.mark.parametrize(("luma", "chroma"), [(1.5, 3.0), (4.0, 6.0), (8.0, 12.0)])
def test_known_noise_is_read_within_a_fifth(kind: str, luma: float, chroma: float, fields: int) -> None:
    read_luma, read_chroma = noise(frames(scene(kind), luma, chroma), fields=fields)
    assert read_luma == pytest.approx(luma, rel=0.2)
    assert read_chroma == pytest.approx(chroma, rel=0.2)


@pytest.mark.parametrize("fields", [1, 2])
@pytest.mark.parametrize("kind", [kind for kind in MOVING if kind not in ("plain", "still")])
def test_motion_without_noise_is_no_noise(kind: str, fields: int) -> None:
    read_luma, read_chroma = noise(frames(scene(kind), 0, 0), fields=fields)
    assert read_luma is not None
    assert read_luma < 0.6
    assert read_chroma is not None
    assert read_chroma < 0.6


def test_a_frozen_picture_tells_nothing() -> None:
    assert noise(frames(scene("still"), 0, 0), fields=2) == (None, None)


@pytest.mark.parametrize("level", [16, 240])
def test_a_clipped_picture_tells_nothing(level: int) -> None:
    clipped = [np.full((HEIGHT, WIDTH), float(level))] * COUNT
    assert noise(frames(clipped, 1.0, 1.0), fields=2) == (None, None)


def test_nothing_is_made_up_where_all_is_detail() -> None:
    height, width = HEIGHT + 64, WIDTH + 64
    lines, samples = np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None]
    falling = np.maximum(np.hypot(lines, samples), 1 / width) ** -1.2
    white = np.random.default_rng(1).standard_normal((height, width))
    leaves = np.fft.irfft2(np.fft.rfft2(white) * falling, (height, width))
    leaves = 120 + 40 * (leaves - leaves.mean()) / leaves.std()
    moving = [shifted(leaves, 10 + 1.4 * t, 10 + 3.5 * t) for t in range(COUNT)]
    assert noise(frames(moving, 2.0, 2.0), fields=2)[0] is None


def test_the_middle_of_a_large_picture_tells_of_all_of_it() -> None:
    wide = [np.tile(picture, (5, 5)) for picture in scene("walk")]
    read_luma, read_chroma = noise(frames(wide, 4.0, 6.0), fields=1)
    assert read_luma == pytest.approx(4.0, rel=0.2)
    assert read_chroma == pytest.approx(6.0, rel=0.2)


def test_narrow_chroma_and_odd_sizes_are_measured() -> None:
    made = frames(scene("pan"), 3.0, 5.0)
    odd = [(luma[:-3, :-5], cb[:-3:2, :-2], cr[:-3:2, :-2]) for luma, cb, cr in made]
    read_luma, read_chroma = noise(odd, fields=1)
    assert read_luma == pytest.approx(3.0, rel=0.2)
    assert read_chroma == pytest.approx(5.0, rel=0.3)
