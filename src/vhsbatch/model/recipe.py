"""What follows from a preset and a source: resolved once for the plan, and only read after that."""

from dataclasses import dataclass
from fractions import Fraction

from vhsbatch.model.media import Colour


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How the frames of a source become those of its output, as far as no engine or encoder decides it.

    Sizes are width and height in pixels; pixel formats have FFmpeg's names.

    Attributes:
        deinterlacer: the deinterlacing method; ``none`` where frames are not deinterlaced.
        degrains: whether noise is averaged along the motion.
        per_field: whether each field becomes a frame.
        restores_film: whether the frames of telecined film are restored.
        decimates: whether four frames are made of five.
        rate_factor: how many times more frames per second come out than the source has.
        rate: output frames per second.
        keeps_times: whether each frame keeps its own time; fields are always at a constant rate.
        repairs_dropouts: whether dropouts are repaired.
        dropouts_stay: why they are not, although the preset asks for it.
        recorded: size of the frames as they were recorded, cropped.
        cropped: the same, turned as the source asks.
        model_input: size of the frames that the upscaler gets.
        picture: size of the picture in the output, without bars; both are even.
        width: output width in pixels, even.
        height: output height in pixels.
        sar: output sample aspect ratio.
        turns: the filters that turn the picture as the source asks.
        masked_lines: lines at the bottom that are painted over.
        planar: the planar format in which the filters before the deinterlacer work.
        front: the format behind the deinterlacer; where that is QTGMC, also the one before it.
        worked: the format of cleaned frames, in SDR colours.
        rgb: whether the source holds RGB.
        alternating_chroma: whether of two lines of a field one has all of Cr, the other all of Cb.
        centred_chroma: whether chroma samples lie in the middle of their luma samples.
        decoded: what the levels of the decoded frames mean.
        source: colours of the cleaned frames.
        target: colours of the output.
        converts_colours: whether cleaning brings the source's colours to BT.709, as later filters do not
            know them.
    """

    deinterlacer: str
    degrains: bool
    per_field: bool
    restores_film: bool
    decimates: bool
    rate_factor: Fraction
    rate: Fraction
    keeps_times: bool
    repairs_dropouts: bool
    dropouts_stay: str
    recorded: tuple[int, int]
    cropped: tuple[int, int]
    model_input: tuple[int, int]
    picture: tuple[int, int]
    width: int
    height: int
    sar: Fraction
    turns: tuple[str, ...]
    masked_lines: int
    planar: str
    front: str
    worked: str
    rgb: bool
    alternating_chroma: bool
    centred_chroma: bool
    decoded: Colour
    source: Colour
    target: Colour
    converts_colours: bool

    @property
    def deinterlaces(self) -> bool:
        """Whether frames are deinterlaced."""
        return self.deinterlacer != "none"

    @property
    def uses_vapoursynth(self) -> bool:
        """Whether a separate program, between two FFmpegs, deinterlaces or degrains."""
        return self.degrains or self.deinterlacer == "qtgmc"
