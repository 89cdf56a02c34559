"""Colours of a known picture come out as they went in, as an eye would see them on the right screen."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import program
from clips import FFMPEG, ffmpeg
from vhsbatch.probe.probe import probe

Floats = NDArray[np.float64]

PATCH_PX, COLUMNS, ROWS = 40, 4, 3
WIDTH, HEIGHT = PATCH_PX * COLUMNS, PATCH_PX * ROWS
# White, greys, the colours of bars, skin, leaves and sky, none so saturated that BT.709 cannot hold it.
PATCHES: Floats = np.array(
    [
        *([0.92, 0.92, 0.92], [0.5, 0.5, 0.5], [0.18, 0.18, 0.18], [0.7, 0.7, 0.25]),
        *([0.25, 0.7, 0.7], [0.25, 0.65, 0.25], [0.7, 0.25, 0.7], [0.65, 0.22, 0.2]),
        *([0.25, 0.25, 0.65], [0.85, 0.65, 0.55], [0.3, 0.4, 0.2], [0.45, 0.6, 0.8]),
    ]
)

# Chromaticities of red, green and blue (SMPTE 170M, BT.470 B/G, BT.709); white is D65 in all of them.
PRIMARIES = {
    "ntsc": ((0.630, 0.340), (0.310, 0.595), (0.155, 0.070)),
    "pal": ((0.640, 0.330), (0.290, 0.600), (0.150, 0.060)),
    "hd": ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060)),
}
WHITE = (0.3127, 0.3290)
# Weights of red and blue in luma (BT.601, BT.709).
LUMA = {"ntsc": (0.299, 0.114), "pal": (0.299, 0.114), "hd": (0.2126, 0.0722)}


def to_yuv(rgb: Floats, standard: str, *, full: bool) -> Floats:
    """Levels of eight bits, in the last axis Y, U and V."""
    red, blue = LUMA[standard]
    y = rgb @ np.array([red, 1 - red - blue, blue])
    u, v = (rgb[..., 2] - y) / (2 - 2 * blue), (rgb[..., 0] - y) / (2 - 2 * red)
    y_scale, y_zero, c_scale = (255, 0, 255) if full else (219, 16, 224)
    return np.stack([y_scale * y + y_zero, c_scale * u + 128, c_scale * v + 128], axis=-1)


def to_rgb(yuv: Floats, standard: str) -> Floats:
    """What limited levels of eight bits mean."""
    red, blue = LUMA[standard]
    y, u, v = (yuv[..., 0] - 16) / 219, (yuv[..., 1] - 128) / 224, (yuv[..., 2] - 128) / 224
    r, b = y + (2 - 2 * red) * v, y + (2 - 2 * blue) * u
    return np.stack([r, (y - red * r - blue * b) / (1 - red - blue), b], axis=-1)


def to_lab(rgb: Floats, standard: str) -> Floats:
    """CIE L*a*b* of what a screen with these primaries shows; all of them have the same transfer."""
    linear = np.where(rgb < 0.081, rgb / 4.5, ((np.maximum(rgb, 0) + 0.099) / 1.099) ** (1 / 0.45))
    columns = np.array([(x / y, 1, (1 - x - y) / y) for x, y in PRIMARIES[standard]]).T
    white = np.array([WHITE[0] / WHITE[1], 1, (1 - sum(WHITE)) / WHITE[1]])
    relative = linear @ (columns * np.linalg.solve(columns, white)).T / white
    bent = np.where(relative > 0.008856, np.cbrt(np.maximum(relative, 0)), 7.787 * relative + 16 / 116)
    x, y, z = bent[..., 0], bent[..., 1], bent[..., 2]
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def chart(path: Path, standard: str, rate: str, *, full: bool, tags: str) -> None:
    """Three frames of the patches."""
    levels = np.rint(to_yuv(PATCHES, standard, full=full)).astype(np.uint8).reshape(ROWS, COLUMNS, 3)
    picture = levels.repeat(PATCH_PX, axis=0).repeat(PATCH_PX, axis=1).transpose(2, 0, 1)
    # A corner that wanders, so that no frame is the one before once more.
    frames = np.stack([picture] * 3)
    for number in range(3):
        frames[number, 0, 0, 2 * number : 2 * number + 2] = 120
    raw = path.with_suffix(".raw")
    raw.write_bytes(frames.tobytes())
    ffmpeg(
        *("-f", "rawvideo", "-pix_fmt", "yuv444p", "-s", f"{WIDTH}x{HEIGHT}", "-r", rate, "-i", raw),
        *("-vf", f"setparams=field_mode=prog{tags}", "-c:v", "ffv1", path),
    )


def patches_of(path: Path) -> Floats:
    """The mean levels within each patch of the middle frame."""
    raw = path.with_suffix(".raw")
    ffmpeg("-i", path, "-frames:v", "2", "-f", "rawvideo", "-pix_fmt", "yuv444p", raw)
    frames = np.frombuffer(raw.read_bytes(), np.uint8)
    side = round((len(frames) / 2 / 3 / WIDTH / HEIGHT) ** 0.5 * PATCH_PX)
    picture = frames.reshape(2, 3, ROWS, side, COLUMNS, side)[1]
    inner = picture[:, :, side // 4 : -side // 4, :, side // 4 : -side // 4]
    means: Floats = inner.mean(axis=(2, 4), dtype=np.float64).reshape(3, -1).T
    return means


SOURCES = {
    "untagged, 30000/1001": ("ntsc", "30000/1001", False, ""),
    "untagged, 25": ("pal", "25", False, ""),
    "full range": ("ntsc", "30000/1001", True, ":range=full"),
    "tagged BT.709": ("hd", "25", False, ":colorspace=bt709:color_primaries=bt709:color_trc=bt709"),
}


# A difference of 2.3 can just be seen; the network brightens and darkens a little by itself.
# Another matrix or range gives 6 and more.
@pytest.mark.parametrize(
    ("engine", "most", "source"),
    [*(("ffmpeg", 2.0, source) for source in SOURCES), ("realesrgan", 3.0, "full range")],
)
def test_an_eye_sees_the_same_colours(engine: str, most: float, source: str, tmp_path: Path) -> None:
    standard, rate, full, tags = SOURCES[source]
    chart(tmp_path / "chart.mkv", standard, rate, full=full, tags=tags)
    where = ("--device", "cpu", "--runtime", "ncnn") if engine == "realesrgan" else ()
    done = program.run(
        *("upscale", "chart.mkv", "-o", "made.mp4", "-p", "clean", "-r", "720", "--crf", "4", "--no-tui"),
        *("--aspect", "4:3", "--engine", engine, *where),
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    seen = to_lab(to_rgb(patches_of(tmp_path / "made.mp4"), "hd"), "hd")
    differences = np.sqrt(((seen - to_lab(PATCHES, standard)) ** 2).sum(axis=1))
    assert differences.max() < most, dict(enumerate(differences.round(2)))


def preset(folder: Path, video: str) -> None:
    (folder / "vhsbatch.toml").write_text("presets = ['own.toml']\n")
    (folder / "own.toml").write_text(f"[own]\ninherits = 'clean'\n[own.video]\n{video}\n")


@pytest.mark.parametrize("pixel_format", ["yuv422p", "yuv411p"])
def test_chroma_of_every_line_is_kept(pixel_format: str, tmp_path: Path) -> None:
    """Twice as many lines have room for it in 4:2:0; had it been thinned out before, it would be grey."""
    preset(tmp_path, "encoder = 'libx264'\nquality = 2")
    stripes = "geq=lum=128:cb=128:cr='if(mod(Y,2),90,166)'"
    ffmpeg(
        *(
            "-f",
            "lavfi",
            "-i",
            f"color=gray:s=160x120:r=25:d=0.2,format={pixel_format},{stripes},setfield=prog",
        ),
        *("-c:v", "ffv1", tmp_path / "tape.mkv"),
    )
    done = program.run(
        *("upscale", "tape.mkv", "-o", "made.mp4", "-p", "own", "-r", "240", "--engine", "ffmpeg"),
        *("--aspect", "4:3", "--no-tui"),
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    raw = tmp_path / "made.raw"
    ffmpeg("-i", tmp_path / "made.mp4", "-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "yuv420p", raw)
    red = np.frombuffer(raw.read_bytes(), np.uint8)[-160 * 120 :].reshape(120, 160).astype(float)
    lines = red[20:100, 20:140].mean(axis=1)
    assert abs(lines[::2].mean() - lines[1::2].mean()) > 60


@pytest.mark.anyio
@pytest.mark.parametrize(("bit_depth", "pixel_format"), [(10, "yuv420p10le"), (8, "yuv420p")])
async def test_ten_bits_stay_ten_where_they_are_asked_for(
    bit_depth: int, pixel_format: str, tmp_path: Path
) -> None:
    preset(tmp_path, f"encoder = 'libx265'\nspeed = 'fastest'\nquality = 2\nbit_depth = {bit_depth}")
    ramp = "geq=lum='64+876*X/640':cb=512:cr=512"
    ffmpeg(
        *("-f", "lavfi", "-i", f"color=gray:s=640x480:r=25:d=0.2,format=yuv422p10le,{ramp},setfield=prog"),
        *("-c:v", "ffv1", tmp_path / "tape.mkv"),
    )
    done = program.run(
        *(
            "upscale",
            "tape.mkv",
            "-o",
            "made.mp4",
            "-p",
            "own",
            "-r",
            "480",
            "--engine",
            "ffmpeg",
            "--no-tui",
        ),
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    made = await probe(tmp_path / "made.mp4", ffmpeg=FFMPEG)
    assert (made.video.pixel_format, made.video.rate) == (pixel_format, Fraction(25))
    raw = tmp_path / "made.raw"
    ffmpeg("-i", tmp_path / "made.mp4", "-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "gray16le", raw)
    line = np.frombuffer(raw.read_bytes(), "<u2").reshape(480, 640)[240]
    assert (len(np.unique(line)) > 400) == (bit_depth == 10)
