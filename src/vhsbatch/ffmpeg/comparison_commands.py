"""Command lines for pictures side by side, and the labels in them."""

from collections.abc import Sequence
from fractions import Fraction
from math import ceil, sqrt
from pathlib import Path

from vhsbatch.ffmpeg.graph import Node, merge, read_file, write_file

TILE_WIDTH = 640
TILE_HEIGHT = 480
LABEL_HEIGHT = 36

_QUIET = ("-hide_banner", "-nostdin", "-nostats", "-loglevel", "level+warning")


def draw_label(text: str, path: Path) -> None:
    """A strip of `TILE_WIDTH` x `LABEL_HEIGHT` pixels with `text` on it, as a PNG.

    The font comes with Pillow: a fresh server has none.
    """
    from PIL import Image, ImageDraw, ImageFont

    path.parent.mkdir(parents=True, exist_ok=True)
    strip = Image.new("RGB", (TILE_WIDTH, LABEL_HEIGHT), (16, 16, 16))
    font = ImageFont.load_default(size=22)
    ImageDraw.Draw(strip).text((12, LABEL_HEIGHT // 2), text, font=font, fill=(235, 235, 235), anchor="lm")
    strip.save(path)


def columns_of_grid(count: int) -> int:
    """Columns of the grid in which `count` tiles are shown.

    >>> [columns_of_grid(count) for count in (1, 2, 3, 4, 5, 9)]
    [1, 2, 3, 2, 3, 3]
    """
    return count if count <= 3 else ceil(sqrt(count))


def comparison_command(
    program: str, clips: Sequence[Path], labels: Sequence[Path], output: Path, *, rate: Fraction
) -> tuple[str, ...]:
    """All clips at once in a grid, each under its label, at `rate` frames per second."""
    fps = f"{rate.numerator}/{rate.denominator}"
    tiles = [
        _under_label(_tile(read_file(clip)).filter("fps", fps=fps), label)
        for clip, label in zip(clips, labels, strict=True)
    ]
    grid = _grid(tiles, columns_of_grid(len(tiles))).filter("format", pix_fmts="yuv420p")
    encode = write_file(grid, output, vcodec="libx264", crf=16, preset="fast", movflags="+faststart")
    return (program, *_QUIET, *encode)


def contact_sheet_command(
    program: str, clips: Sequence[Path], labels: Sequence[Path], moments_s: Sequence[Fraction], output: Path
) -> tuple[str, ...]:
    """A still: a row for each moment, a column for each clip, under the labels."""
    columns = []
    for clip, label in zip(clips, labels, strict=True):
        moments = [
            _tile(read_file(clip, ss=f"{float(moment_s):.3f}")).filter("trim", end_frame=1)
            for moment_s in moments_s
        ]
        strip = read_file(label).filter("format", pix_fmts="yuv444p")
        columns.append(merge([strip, *moments], "vstack", inputs=len(moments) + 1))
    sheet = columns[0] if len(columns) == 1 else merge(columns, "hstack", inputs=len(columns))
    return (program, *_QUIET, *write_file(sheet, output, vframes=1, update=1, r=25, pix_fmt="rgb24"))


def _tile(video: Node) -> Node:
    """The picture fitted into a tile, never stretched; clips start together."""
    video = video.filter("setpts", "PTS-STARTPTS")
    video = video.filter(
        "scale", w=TILE_WIDTH, h=TILE_HEIGHT, force_original_aspect_ratio="decrease", flags="lanczos"
    )
    video = video.filter("pad", w=TILE_WIDTH, h=TILE_HEIGHT, x="(ow-iw)/2", y="(oh-ih)/2")
    return video.filter("setsar", sar=1).filter("format", pix_fmts="yuv444p")


def _under_label(video: Node, label: Path) -> Node:
    """The picture with its label above it; the label's one frame is held, the picture sets the time."""
    padded = video.filter("pad", h=f"ih+{LABEL_HEIGHT}", y=LABEL_HEIGHT)
    return merge([padded, read_file(label)], "overlay", eof_action="repeat", format="yuv444")


def _grid(tiles: list[Node], columns: int) -> Node:
    if len(tiles) == 1:
        return tiles[0]
    width, height = TILE_WIDTH, TILE_HEIGHT + LABEL_HEIGHT
    places = [f"{number % columns * width}_{number // columns * height}" for number in range(len(tiles))]
    return merge(tiles, "xstack", inputs=len(tiles), layout="|".join(places), fill="black", shortest=1)
