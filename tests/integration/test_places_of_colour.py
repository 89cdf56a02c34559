"""Colour comes out where brightness does, wherever a source has its samples of colour."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import numpy as np
import pytest
from numpy.typing import NDArray

import program
from clips import ffmpeg
from vhsbatch.engines.devices import runtime_fix, runtime_problem
from vhsbatch.errors import ToolError
from vhsbatch.ffmpeg.cleaning import chroma_subsampling
from vhsbatch.ffmpeg.qtgmc import qtgmc_versions

Floats = NDArray[np.float64]


def edge(middle: float, at: Floats) -> Floats:
    """Levels of a soft edge, at columns of the luma."""
    levels: Floats = 60 + 120 / (1 + np.exp((middle - at) / 4))
    return levels


def crossing(line: Floats, per_sample: int) -> float:
    """The column of the luma at which a rising line crosses the middle."""
    after = int(np.argmax(line > 120))
    return per_sample * float(after - 1 + (120 - line[after - 1]) / (line[after] - line[after - 1]))


@pytest.mark.parametrize(
    ("pixel_format", "fields", "method"),
    [("yuv420p", "progressive", "bwdif"), ("yuv411p", "bff", "bwdif"), ("yuv420p", "tff", "qtgmc")],
)
def test_colour_lies_where_brightness_does(
    pixel_format: str, fields: str, method: str, tmp_path: Path
) -> None:
    if method == "qtgmc":
        try:
            anyio.run(qtgmc_versions, None)
        except ToolError as error:
            pytest.skip(str(error))
    across, down = chroma_subsampling(pixel_format)
    width, lines, frames = 160, 96, 6
    luma = np.tile(edge(79.3, np.arange(width) / 1.0), (lines, 1))
    # A chroma sample is level with the first of the luma samples that it is for.
    chroma = np.tile(edge(79.3, np.arange(0, width, across) / 1.0), (lines // down, 1))
    planes = [np.rint(plane).astype(np.uint8).tobytes() for plane in (luma, chroma, chroma)]
    raw = tmp_path / "raw.yuv"
    raw.write_bytes(b"".join(planes) * frames)
    size = ("-f", "rawvideo", "-pix_fmt", pixel_format, "-video_size", f"{width}x{lines}", "-framerate", "25")
    ffmpeg(*size, "-i", raw, "-c:v", "ffv1", tmp_path / "tape.mkv")
    (tmp_path / "own.toml").write_text(
        f"[own]\ntarget_height = {2 * lines}\ndeinterlace = {{ method = '{method}' }}\n"
        "video = { encoder = 'ffv1' }\ndenoise = { method = 'none' }\nsharpen = { amount = 0 }\n"
    )
    (tmp_path / "vhsbatch.toml").write_text("presets = ['own.toml']\n")
    words = ("upscale", "tape.mkv", "-o", "made.mkv", "-p", "own", "--engine", "ffmpeg", "--aspect", "5:3")
    done = program.run(*words, "--field-order", fields, "--no-tui", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    ffmpeg("-i", tmp_path / "made.mkv", "-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "yuv420p", raw)
    made = np.frombuffer(raw.read_bytes(), np.uint8) / 1.0
    columns, pixels = 2 * width, 4 * width * lines
    brightness = made[:pixels].reshape(-1, columns)[lines]
    colour = made[pixels : pixels * 5 // 4].reshape(-1, columns // 2)[lines // 2]
    # With samples taken for those in the middle it would be 0.75 and more.
    assert abs(crossing(colour, 2) - crossing(brightness, 1)) < 0.35


# PAL DV, and a film of fewer lines than HD has, so that its colours stay and do not mix with brightness.
COLUMNS, LINES, FRAMES = 720, 576, 4
MADE_COLUMNS, MADE_LINES = 880, 704
FIRST_LINE, LINES_A_FIELD, COLUMN = 280.4, 3.0, 531.3


def slope(at: NDArray[np.floating[Any]]) -> Floats:
    """Levels of an edge at 0, all within what RGB can hold, and without tails that are rounded away."""
    levels: Floats = 120 + np.clip(4 * at, -30, 30)
    return levels


def make_pal_dv(path: Path, scan: str) -> None:
    """An edge that moves down with each field in the left half, one that stands in the right half.

    In each field the first line of two has the samples of Cr, and the second those of Cb.
    """
    places: tuple[tuple[int, Callable[[NDArray[np.int_]], NDArray[np.int_]]], ...] = (
        (1, lambda row: row),
        (2, lambda row: 4 * (row // 2) + row % 2 + 2),
        (2, lambda row: 4 * (row // 2) + row % 2),
    )
    raw = path.with_suffix(".yuv")
    with raw.open("wb") as file:
        for frame in range(FRAMES):
            for share, line_of in places:
                rows = np.arange(LINES // share)
                field = 2 * frame + {"tff": rows % 2, "bff": 1 - rows % 2}.get(scan, 0)
                down = slope(line_of(rows) - FIRST_LINE - LINES_A_FIELD * field)
                across = slope(np.arange(0, COLUMNS, share) - COLUMN)
                plane = np.tile(across, (len(rows), 1))
                plane[:, : COLUMNS // share // 2] = down[:, None]
                file.write(np.rint(plane).astype(np.uint8).tobytes())
    size = ("-pix_fmt", "yuv420p", "-video_size", f"{COLUMNS}x{LINES}", "-framerate", "25")
    ffmpeg("-f", "rawvideo", *size, "-i", raw, "-aspect", "4:3", "-f", "dv", path)


def place(line: Floats, per_sample: float, first: float) -> float:
    """Where along the source the edge in a line of samples is; the first of them lies at `first`."""
    low, high = line[:40].mean(), line[-40:].mean()
    return float(len(line) - 0.5 - ((line - low) / (high - low)).sum()) * per_sample + first


def places(path: Path) -> list[list[tuple[float, float]]]:
    """Lines, and columns of the right half, of the two edges in each plane of each frame."""
    raw = path.with_suffix(".yuv")
    ffmpeg("-i", path, "-f", "rawvideo", "-pix_fmt", "yuv422p", raw)
    size = MADE_COLUMNS * MADE_LINES
    frames = np.fromfile(raw, np.uint8).reshape(-1, 2 * size) / 1.0
    down, across = LINES / MADE_LINES, COLUMNS / MADE_COLUMNS
    found = []
    for frame in frames:
        planes = (frame[:size], frame[size : size * 3 // 2], frame[size * 3 // 2 :])
        in_frame = []
        for share, plane in zip((1, 2, 2), planes, strict=True):
            lines = plane.reshape(MADE_LINES, -1)
            width = lines.shape[1]
            first_line, first_column = 0.5 * down - 0.5, 0.5 * across - 0.5
            line = place(lines[:, width // 4], down, first_line)
            column = place(lines[MADE_LINES // 4, width // 2 + 20 // share :], share * across, first_column)
            in_frame.append((line, column))
        found.append(in_frame)
    return found


def network(folder: Path) -> tuple[str, ...]:
    """A network without weights, which repeats each pixel."""
    if problem := anyio.run(runtime_problem, "ncnn"):
        pytest.skip(f"ncnn does not work here: {problem}: {runtime_fix(problem)}")
    param = "7767517\n2 2\nInput in 0 1 data\nInterp nearest 1 1 data output 0=1 1=2.0 2=2.0\n"
    (folder / "nearest-x2.param").write_text(param)
    (folder / "nearest-x2.bin").touch()
    return ("--engine", "realesrgan", "--device", "cpu", "--runtime", "ncnn", "--model", "nearest-x2.param")


@pytest.mark.parametrize(
    ("engine", "scan"),
    [("ffmpeg", "tff"), ("realesrgan", "bff"), ("ffmpeg", "progressive")],
)
def test_colour_of_pal_dv_lies_where_brightness_does(engine: str, scan: str, tmp_path: Path) -> None:
    chosen = network(tmp_path) if engine == "realesrgan" else ("--engine", engine)
    make_pal_dv(tmp_path / "tape.dv", scan)
    (tmp_path / "own.toml").write_text(
        f"[own]\ntarget_height = {MADE_LINES}\nvideo = {{ encoder = 'ffv1' }}\n"
        "denoise = { method = 'none' }\nsharpen = { amount = 0 }\n"
    )
    (tmp_path / "vhsbatch.toml").write_text("presets = ['own.toml']\n")
    words = ("upscale", "tape.dv", "-o", "made.mkv", "-p", "own", "--keep-sar", "--field-order", scan)
    done = program.run(*words, *chosen, "--no-tui", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    found = np.array(places(tmp_path / "made.mkv"))
    apart = found[:, 1:] - found[:, :1]
    for in_fields in (apart[::2], apart[1::2]):
        # With both colours on one line it would be a line and more, in each field another way.
        assert (abs(in_fields.mean(axis=0)) < (0.5, 0.35)).all(), apart.round(2)
