"""Pictures side by side: the same part of the same frame, as it was and as each preset makes it."""

from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from benchmarks.quality import video
from benchmarks.quality.video import Shape

WIDTH, HEIGHT = 320, 240
_LABEL_HEIGHT = 22
_ORIGINAL = "original"


def keep(
    unpacked: Path,
    shape: Shape,
    frame: int,
    folder: Path,
    name: str = _ORIGINAL,
    *,
    corner: tuple[int, int] | None = None,
) -> None:
    """Put a part of a frame, `WIDTH` x `HEIGHT` at its own size, into `folder` under a name.

    Args:
        unpacked: bare yuv420p frames.
        shape: of these.
        frame: its number.
        folder: where the part goes.
        name: what stands over it.
        corner: columns left of the part and lines above it; None for the middle.
    """
    folder.mkdir(parents=True, exist_ok=True)
    left, top = corner or ((shape.width - WIDTH) // 2, (shape.height - HEIGHT) // 2)
    part = (
        f"select='eq(n,{frame})',crop={WIDTH}:{HEIGHT}:{left}:{top},scale=in_color_matrix=bt709:in_range=tv"
    )
    video.run(
        *("-f", "rawvideo", "-pix_fmt", "yuv420p", "-video_size", f"{shape.width}x{shape.height}"),
        *("-i", unpacked, "-vf", part, "-frames:v", "1", "-pix_fmt", "rgb24", folder / f"{name}.png"),
    )


def join(folder: Path) -> Path:
    """All parts of a folder in a row under their names, the original first, as a JPEG beside the folder."""
    paths = sorted(folder.glob("*.png"), key=lambda path: (path.stem != _ORIGINAL, path.stem))
    sheet = Image.new("RGB", (len(paths) * WIDTH, HEIGHT + _LABEL_HEIGHT), (16, 16, 16))
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=14)
    for column, path in enumerate(paths):
        pen.text((column * WIDTH + 6, 3), path.stem, font=font, fill=(235, 235, 235))
        with Image.open(path) as part:
            sheet.paste(part, (column * WIDTH, _LABEL_HEIGHT))
    joined = folder.with_suffix(".jpg")
    sheet.save(joined, quality=88)
    return joined
