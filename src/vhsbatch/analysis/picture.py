"""What a source's picture is like, measured in a few places: noise, edges, levels, colour, torn lines."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from statistics import median, median_low
from typing import Any, Literal

from vhsbatch.errors import InputError
from vhsbatch.ffmpeg.cleaning import chroma_subsampling
from vhsbatch.ffmpeg.planar import recorded_format
from vhsbatch.ffmpeg.shape import sample_aspect
from vhsbatch.model.media import VideoTrack
from vhsbatch.model.source import Source
from vhsbatch.probe.places import PICTURE, measure_places, picture_place

_FRAMES = 6
# Less noise than this is hardly any.
_CLEAN = 1.0
_PLACES = tuple(Fraction(part, 16) for part in (1, 3, 5, 8, 11, 13, 15))
# Torn lines are the deck's doing, so they are there all through the tape.
_SAME_LINES = 2
_SAME_BORDER = 2
# Edges agree in shape at this correlation, and in place within this number of samples and lines.
_EDGES_AGREE = 0.12
_SAME_SHIFT = 1.0
_FEWEST_PLACES = 3
# Simulated captures without any sharpening read 0.98 to 1.18, those that camera and deck sharpened by 6 dB
# 1.25 to 1.47. Between _EVEN and _SHARPENED nothing is sure enough to be changed.
_SOFT, _EVEN, _SHARPENED = 1.0, 1.12, 1.2
_SURE = 0.6
# Scenes of one simulated tape read the same within this.
_SAME_RATIO = 0.15

Answer = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Borders:
    """Columns and lines at the edges that are black all through the tape.

    Attributes:
        left: columns.
        right: columns.
        top: lines.
        bottom: lines.
        agreement: in which part of the places it was the same.
    """

    left: int
    right: int
    top: int
    bottom: int
    agreement: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    """How dark and how bright the luma gets, of 255.

    Attributes:
        darkest: a thousandth of the picture is darker.
        brightest: a thousandth is brighter.
        above_white: which part is brighter than white (235).
        at_ceiling: which part is at the upper end of the scale, where converters clip.
        at_floor: which part is at the lower end.
    """

    darkest: int
    brightest: int
    above_white: float
    at_ceiling: float
    at_floor: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ChromaShift:
    """How far the colour lies beside the brightness.

    Attributes:
        x: source pixels to the right.
        y: source lines down.
        agreement: in which part of the places that tell it was the same.
        places: in how many places it could be told.
    """

    x: float
    y: float
    agreement: float
    places: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What recorder and deck do to detail along a line.

    Attributes:
        ratio: how steep edges across the picture are, beside those down it: 1 where they are alike, less
            where the deck is soft, more where it sharpens.
        agreement: in which part of the places it was about the same.
        places: in how many places it could be told.
    """

    ratio: float
    agreement: float
    places: int

    @property
    def softness(self) -> float:
        """From 0, where detail is sharp, to 1, where there is room for all sharpening."""
        return min(1.0, max(0.0, (_EVEN - self.ratio) / (_EVEN - _SOFT)))

    @property
    def excess(self) -> float:
        """By how much the ratio is above what is not sharpened; 0 where that is not sure."""
        sure = self.places >= _FEWEST_PLACES and self.agreement >= _SURE
        return max(0.0, self.ratio - _SHARPENED) if sure else 0.0

    @property
    def kind(self) -> Literal["soft", "even", "sharpened"]:
        """The same in a word."""
        return "soft" if self.ratio <= _SOFT else "even" if self.ratio < _SHARPENED else "sharpened"


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoMeasurement:
    """What a picture is like.

    Attributes:
        luma_noise: standard deviation in steps of 8 bits, None where nothing is still.
        chroma_noise: likewise, of the noisier of the two chroma planes.
        noise_agreement: in which part of the places noise could be told, and was about that of the luma.
        torn_lines: lines at the bottom that the head switch displaced.
        torn_agreement: in which part of the places it was so.
        borders: None where the picture is too dark to tell.
        levels: None where every place is blank.
        chroma_shift: None where there are too few coloured edges.
        response: None where there are too few edges, and for HD.
        blank_places: in how many places there was nothing but one colour.
        places: in how many places of the tape it was measured.
    """

    luma_noise: float | None
    chroma_noise: float | None
    noise_agreement: float = 1.0
    torn_lines: int
    torn_agreement: float = 1.0
    borders: Borders | None = None
    levels: Levels | None = None
    chroma_shift: ChromaShift | None = None
    response: Response | None = None
    blank_places: int = 0
    places: int

    @property
    def is_clean(self) -> bool:
        """Whether there is hardly any noise; not where that cannot be told."""
        return self.luma_noise is not None and self.luma_noise < _CLEAN


async def measure_video(
    source: Source, video: VideoTrack, *, ffmpeg: str, seekable: bool
) -> VideoMeasurement:
    """Measure the picture, in places spread over the tape where it can be sought.

    Raises:
        InputError: nothing of it decodes.
        ToolError: FFmpeg or Python cannot be started.
    """
    horizontal, vertical = chroma_subsampling(recorded_format(video))
    pixel_format = {(4, 1): "yuv411p", (2, 1): "yuv422p", (2, 2): "yuv420p"}.get(
        (horizontal, vertical), "yuv444p"
    )
    if pixel_format == "yuv444p":
        horizontal = vertical = 1
    size = (video.width, video.height, -(-video.width // horizontal), -(-video.height // vertical))
    size_of_most = f"scale={video.width}:{video.height}," if video.changes else ""
    # Of each place as many frames come as the worker expects; a still one shows no noise.
    filters = (
        f"trim=end_frame={_FRAMES},tpad=stop={_FRAMES}:stop_mode=clone,"
        f"{size_of_most}trim=end_frame={_FRAMES},setsar=1,format={pixel_format}"
    )
    fields = 2 if video.field_order.has_fields else 1
    lines = await measure_places(
        (picture_place(source, video, from_s, filters) for from_s in _places(video, seekable=seekable)),
        stream=video.index,
        kind="v",
        output=PICTURE,
        worker=("vhsbatch.analysis.picture_worker", *map(str, (*size, _FRAMES, fields))),
        ffmpeg=ffmpeg,
    )
    # Samples and lines of a field for the same part of a picture.
    squareness = fields / float(sample_aspect(video))
    return summarise(json.loads("".join(lines)) if lines else [], squareness=squareness)


def _places(video: VideoTrack, *, seekable: bool) -> Iterator[Fraction | None]:
    count = min(len(_PLACES), video.frames // _FRAMES)
    if not seekable or count < _FEWEST_PLACES:
        yield None
        return
    parts = _PLACES if count == len(_PLACES) else [Fraction(number, count - 1) for number in range(count)]
    for part in parts:
        yield video.start_s + int((video.frames - _FRAMES) * part) / video.rate


def summarise(answers: Sequence[Answer], *, squareness: float = 1.0) -> VideoMeasurement:
    """The picture of a whole tape, from what the worker says of single places. Pure.

    Args:
        answers: the worker's.
        squareness: how many samples of a line are as long as the step to the next line of a field.

    Raises:
        InputError: there is no place.
    """
    if not answers:
        raise InputError("its picture cannot be measured", fix="name a preset with -p")
    shown = [answer for answer in answers if not answer["blank"]]
    torn, torn_agreement = _torn_lines([answer["torn_lines"] for answer in shown])
    return VideoMeasurement(
        luma_noise=_median([answer["luma_noise"] for answer in shown]),
        chroma_noise=_median([answer["chroma_noise"] for answer in shown]),
        noise_agreement=_noise_agreement([answer["luma_noise"] for answer in shown]),
        torn_lines=torn,
        torn_agreement=torn_agreement,
        borders=_borders([answer["borders"] for answer in shown if answer["borders"] is not None]),
        levels=_levels([answer["levels"] for answer in shown]),
        chroma_shift=_chroma_shift([answer["chroma_shift"] for answer in shown if answer["chroma_shift"]]),
        response=_response([answer["steepness"] for answer in shown if answer["steepness"]], squareness),
        blank_places=len(answers) - len(shown),
        places=len(answers),
    )


def _noise_agreement(values: Sequence[float | None]) -> float:
    """Noise of half to twice the median is about the same: it differs with the picture's brightness."""
    usual = _median(values)
    if usual is None:
        return 0.0
    return sum(value is not None and usual / 2 <= value <= 2 * usual for value in values) / len(values)


def _torn_lines(counts: Sequence[int]) -> tuple[int, float]:
    """Their usual number, and in which part of the places it is that."""
    if not counts:
        return 0, 0.0
    usual = median_low(counts)
    agreeing = sum(abs(count - usual) <= _SAME_LINES for count in counts if count)
    if 2 * agreeing > len(counts):
        return usual, agreeing / max(_FEWEST_PLACES, len(counts))
    return 0, sum(count == 0 for count in counts) / len(counts)


def _borders(places: Sequence[Mapping[str, int]]) -> Borders | None:
    """What is black everywhere: a dark scene has more of it, and no place less."""
    if not places:
        return None
    edges = {edge: min(place[edge] for place in places) for edge in ("left", "right", "top", "bottom")}
    same = [all(place[edge] - count <= _SAME_BORDER for edge, count in edges.items()) for place in places]
    return Borders(**edges, agreement=sum(same) / max(_FEWEST_PLACES, len(places)))


def _levels(places: Sequence[Mapping[str, float]]) -> Levels | None:
    if not places:
        return None
    parts = {
        key: sum(place[key] for place in places) / len(places)
        for key in ("above_white", "at_ceiling", "at_floor")
    }
    return Levels(
        darkest=int(min(place["darkest"] for place in places)),
        brightest=int(max(place["brightest"] for place in places)),
        **parts,
    )


def _chroma_shift(places: Sequence[Mapping[str, float]]) -> ChromaShift | None:
    telling = [place for place in places if min(place["x_fit"], place["y_fit"]) >= _EDGES_AGREE]
    if not telling:
        return None
    x, y = (median(place[axis] for place in telling) for axis in ("x", "y"))
    same = sum(max(abs(place["x"] - x), abs(place["y"] - y)) <= _SAME_SHIFT for place in telling)
    return ChromaShift(
        x=round(x, 1), y=round(y, 1), agreement=same / max(_FEWEST_PLACES, len(telling)), places=len(telling)
    )


def _response(places: Sequence[Sequence[float]], squareness: float) -> Response | None:
    """The usual ratio: how soft a scene is cancels out, but how far one place can be trusted does not."""
    ratios = [squareness * across / down for across, down in places]
    if not ratios:
        return None
    usual = median(ratios)
    # Of two that are both sharp, neither speaks against it.
    same = sum(abs(ratio - usual) <= _SAME_RATIO or min(ratio, usual) >= _SHARPENED for ratio in ratios)
    return Response(
        ratio=round(usual, 2), agreement=same / max(_FEWEST_PLACES, len(ratios)), places=len(ratios)
    )


def _median(values: Sequence[float | None]) -> float | None:
    told = [value for value in values if value is not None]
    return median(told) if told else None
