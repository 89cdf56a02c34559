"""Which architecture weights are of, told by the names and the shapes of tensors, and its layers."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from vhsbatch.engines.param_file import UnsuitableModelError
from vhsbatch.engines.param_writer import Floats, ModelWriter
from vhsbatch.engines.weights_file import Tensors

_RGB = 3
_LEAKY = 0.2


@dataclass(frozen=True, slots=True)
class Architecture:
    """A model with its layers.

    Attributes:
        name: of the architecture.
        scale: how many times larger it makes a picture.
        param: text of its ``.param`` file.
        weights: content of its ``.bin`` file.
    """

    name: str
    scale: int
    param: str
    weights: bytes


_OF_FACES = re.compile(r"stylegan_decoder|final_linear|quantize\.embedding")


def infer(tensors: Tensors) -> Architecture:
    """The model that weights are of, one that enlarges pictures.

    Raises:
        UnsuitableModelError: it is of an architecture that is not known, or a variant of one.
    """
    for is_it, name, build in _KNOWN:
        if is_it(tensors):
            writer = ModelWriter()
            try:
                result, scale = build(NamedTensors(tensors, name), writer)
            except (KeyError, ValueError, IndexError) as error:
                raise UnsuitableModelError(f"is a damaged or unknown variant of {name}: {error}") from error
            return Architecture(name, scale, *writer.finish(result))
    if any(map(_OF_FACES.search, tensors)):
        raise UnsuitableModelError("restores faces, and enlarges nothing", fix="use it with --face-restore")
    other = next((name for pattern, name in _OTHERS if any(map(re.compile(pattern).search, tensors))), None)
    first = ", ".join(list(tensors)[:3])
    what = f"is of the architecture {other}" if other else f"is of an unknown architecture ({first} …)"
    raise UnsuitableModelError(f"{what}, which this program cannot convert")


class NamedTensors:
    """The tensors of an architecture, each with the shape that it must have."""

    def __init__(self, tensors: Tensors, name: str) -> None:
        self._tensors = tensors
        self._name = name

    def __contains__(self, name: str) -> bool:
        return name in self._tensors

    def __getitem__(self, name: str) -> Floats:
        return self._tensors[name]

    def count(self, pattern: str, *, start: int = 0) -> int:
        """How many numbers stand where `pattern` has its group; none is missing from `start` on."""
        found = self.numbers(pattern)
        if found != list(range(start, start + len(found))):
            raise ValueError(f"parts are missing of {pattern}")
        return len(found)

    def numbers(self, pattern: str) -> list[int]:
        """The numbers where `pattern` has its group."""
        return sorted({int(match[1]) for name in self._tensors if (match := re.fullmatch(pattern, name))})

    def convolution(self, name: str) -> tuple[Floats, Floats | None]:
        """Its weights and its bias."""
        weight = self._tensors[f"{name}.weight"]
        bias = self._tensors.get(f"{name}.bias")
        if weight.ndim != 4 or weight.shape[2] != weight.shape[3] or weight.shape[2] % 2 == 0:
            raise ValueError(f"{name} has the shape {weight.shape}")
        if bias is not None and bias.shape != weight.shape[:1]:
            raise ValueError(f"{name} has a bias of the shape {bias.shape}")
        return weight, bias

    def numbers_of(self, name: str, *shape: int) -> Floats:
        """A tensor that must have this shape."""
        tensor = self._tensors[name]
        if tensor.shape != shape:
            raise ValueError(f"{name} has the shape {tensor.shape} instead of {shape}")
        return tensor

    def slopes(self, name: str) -> Floats:
        """The slopes of a PReLU."""
        slopes = self._tensors[f"{name}.weight"]
        if slopes.ndim != 1:
            raise ValueError(f"{name} has the shape {slopes.shape}")
        return slopes


def _rgb(tensors: NamedTensors, name: str, *, first: bool, factors: Sequence[int] = (1,)) -> int:
    """By which of `factors` pixels are channels in a convolution that takes (or gives) RGB."""
    weight, _ = tensors.convolution(name)
    channels = weight.shape[1 if first else 0]
    for factor in factors:
        if channels == _RGB * factor**2:
            return factor
    verb = "takes" if first else "gives"
    raise UnsuitableModelError(f"{verb} {channels} channels instead of red, green and blue")


# --- Compact (SRVGGNetCompact) ---------------------------------------------------------------------


def _is_compact(tensors: Tensors) -> bool:
    return "body.0.weight" in tensors and all(
        re.fullmatch(r"body\.\d+\.(weight|bias)", one) for one in tensors
    )


def _compact(tensors: NamedTensors, writer: ModelWriter) -> tuple[str, int]:
    count = tensors.count(r"body\.(\d+)\.weight")
    if count % 2 == 0 or count < 3:
        raise UnsuitableModelError("is a Compact model with an activation that has no weights")
    _rgb(tensors, "body.0", first=True)
    scale = _rgb(tensors, f"body.{count - 1}", first=False, factors=range(1, 17))
    blob = writer.picture
    for number in range(count):
        if number % 2:
            blob = writer.prelu(blob, tensors.slopes(f"body.{number}"))
        else:
            blob = writer.convolution(blob, *tensors.convolution(f"body.{number}"))
    larger = writer.shuffle(blob, scale)
    return writer.add(larger, writer.nearest(writer.picture, scale)), scale


# --- ESRGAN (RRDBNet) ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Names:
    """What three generations of the same code call the parts of ESRGAN."""

    first: str
    dense: str
    body: str
    ups: Sequence[str]
    high: str
    last: str


def _is_esrgan(tensors: Tensors) -> bool:
    return (
        any(name in tensors for name in ("body.0.rdb1.conv1.weight", "RRDB_trunk.0.RDB1.conv1.weight"))
        or "model.1.sub.0.RDB1.conv1.0.weight" in tensors
    )


def _esrgan_names(tensors: NamedTensors) -> tuple[_Names, int]:
    """Its names, and how many blocks it has."""
    if "body.0.rdb1.conv1.weight" in tensors:
        ups = [f"conv_up{number}" for number in tensors.numbers(r"conv_up(\d+)\.weight")]
        dense = "body.{0}.rdb{1}.conv{2}"
        names = _Names("conv_first", dense, "conv_body", ups, "conv_hr", "conv_last")
        return names, tensors.count(r"body\.(\d+)\.rdb1\.conv1\.weight")
    if "RRDB_trunk.0.RDB1.conv1.weight" in tensors:
        ups = [f"upconv{number}" for number in tensors.numbers(r"upconv(\d+)\.weight")]
        dense = "RRDB_trunk.{0}.RDB{1}.conv{2}"
        names = _Names("conv_first", dense, "trunk_conv", ups, "HRconv", "conv_last")
        return names, tensors.count(r"RRDB_trunk\.(\d+)\.RDB1\.conv1\.weight")
    blocks = tensors.count(r"model\.1\.sub\.(\d+)\.RDB1\.conv1\.0\.weight")
    *before, high, last = (f"model.{number}" for number in tensors.numbers(r"model\.(\d+)\.weight"))
    dense = "model.1.sub.{0}.RDB{1}.conv{2}.0"
    return _Names(before[0], dense, f"model.1.sub.{blocks}", before[1:], high, last), blocks


def _esrgan(tensors: NamedTensors, writer: ModelWriter) -> tuple[str, int]:
    names, blocks = _esrgan_names(tensors)
    if tensors.numbers(r".*\.RDB(\d)\.conv1x1\.weight"):
        raise UnsuitableModelError("is of the architecture ESRGAN+, which this program cannot convert")
    unshuffle = _rgb(tensors, names.first, first=True, factors=(1, 2, 4))
    _rgb(tensors, names.last, first=False)
    if 2 ** len(names.ups) < unshuffle:
        raise ValueError("it makes pictures smaller")
    first = writer.convolution(writer.unshuffle(writer.picture, unshuffle), *tensors.convolution(names.first))
    blob = first
    for block in range(blocks):
        start = blob
        for part in (1, 2, 3):
            blob = _dense_block(
                tensors, writer, blob, [names.dense.format(block, part, n) for n in range(1, 6)]
            )
        blob = writer.add(writer.scale(blob, _LEAKY), start)
    blob = writer.add(first, writer.convolution(blob, *tensors.convolution(names.body)))
    for up in names.ups:
        blob = writer.convolution(writer.nearest(blob, 2), *tensors.convolution(up), leaky_slope=_LEAKY)
    blob = writer.convolution(blob, *tensors.convolution(names.high), leaky_slope=_LEAKY)
    return writer.convolution(blob, *tensors.convolution(names.last)), 2 ** len(names.ups) // unshuffle


def _dense_block(tensors: NamedTensors, writer: ModelWriter, blob: str, names: Sequence[str]) -> str:
    """Five convolutions, each of which sees what all before it made."""
    seen = [blob]
    for name in names[:-1]:
        dense = seen[0] if len(seen) == 1 else writer.concat(seen)
        seen.append(writer.convolution(dense, *tensors.convolution(name), leaky_slope=_LEAKY))
    residual = writer.convolution(writer.concat(seen), *tensors.convolution(names[-1]))
    return writer.add(writer.scale(residual, 0.2), blob)


# --- SPAN ------------------------------------------------------------------------------------------

_SPAN_MEAN = (0.4488, 0.4371, 0.4040)
_SPAN_BLOCKS = 6


def _is_span(tensors: Tensors) -> bool:
    return {"conv_1.sk.weight", "block_1.c1_r.sk.weight", "upsampler.0.weight"} <= tensors.keys()


def _span(tensors: NamedTensors, writer: ModelWriter) -> tuple[str, int]:
    _rgb(tensors, "conv_1.sk", first=True)
    scale = _rgb(tensors, "upsampler.0", first=False, factors=range(1, 17))
    if tensors.count(r"block_(\d+)\.c1_r\.sk\.weight", start=1) != _SPAN_BLOCKS:
        raise ValueError("it has not six blocks")
    picture, writer.keeps_32_bits = writer.picture, True
    if "no_norm" not in tensors:
        picture = writer.normalise(picture, [255] * _RGB, [-255 * mean for mean in _SPAN_MEAN])
    blob = first = writer.convolution(picture, *_merged(tensors, "conv_1"))
    made, inner = [], blob
    for number in range(1, _SPAN_BLOCKS + 1):
        blob, inner = _attention_block(tensors, writer, blob, f"block_{number}")
        made.append(blob)
    last = writer.convolution(blob, *_merged(tensors, "conv_2"))
    # Of the last block, what its first convolution made.
    every = writer.concat([first, last, made[0], inner])
    blob = writer.convolution(every, *tensors.convolution("conv_cat"))
    return writer.shuffle(writer.convolution(blob, *tensors.convolution("upsampler.0")), scale), scale


def _attention_block(tensors: NamedTensors, writer: ModelWriter, blob: str, name: str) -> tuple[str, str]:
    """What a block makes, and what its first convolution does."""
    inner = writer.activation("Swish", writer.convolution(blob, *_merged(tensors, f"{name}.c1_r")))
    middle = writer.activation("Swish", writer.convolution(inner, *_merged(tensors, f"{name}.c2_r")))
    third = writer.convolution(middle, *_merged(tensors, f"{name}.c3_r"))
    attention = writer.offset(writer.activation("Sigmoid", third), -0.5)
    return writer.multiply(writer.add(third, blob), attention), inner


def _merged(tensors: NamedTensors, name: str) -> tuple[Floats, Floats]:
    """Three convolutions in a row, and one beside them, as the single one that they are together."""
    (first, first_bias), (middle, middle_bias), (last, last_bias), (beside, beside_bias) = (
        _with_bias(tensors, f"{name}.{part}") for part in ("conv.0", "conv.1", "conv.2", "sk")
    )
    if (first.shape[2], middle.shape[2], last.shape[2], beside.shape[2]) != (1, 3, 1, 1):
        raise ValueError(f"{name} has kernels of other sizes")
    weight = np.einsum("pokl,oi->pikl", middle, first[..., 0, 0])
    weight = np.einsum("op,pikl->oikl", last[..., 0, 0], weight)
    weight[:, :, 1, 1] += beside[..., 0, 0]
    bias = middle.sum((2, 3)) @ first_bias + middle_bias
    return weight.astype(np.float32), last[..., 0, 0] @ bias + last_bias + beside_bias


def _with_bias(tensors: NamedTensors, name: str) -> tuple[Floats, Floats]:
    weight, bias = tensors.convolution(name)
    return weight, np.zeros(weight.shape[0], np.float32) if bias is None else bias


_Build = Callable[[NamedTensors, ModelWriter], tuple[str, int]]
_KNOWN: tuple[tuple[Callable[[Tensors], bool], str, _Build], ...] = (
    (_is_compact, "Compact", _compact),
    (_is_esrgan, "ESRGAN", _esrgan),
    (_is_span, "SPAN", _span),
)

# What others are known by, so that they can be named.
_OTHERS = (
    (r"^block_1\.c1_r\.", "a variant of SPAN"),
    (r"relative_position_bias_table", "SwinIR or HAT"),
    (r"attn\.attns\.\d", "DAT"),
    (r"osa_fea", "OmniSR"),
    (r"^feats\.\d.*\.lk\.", "RealPLKSR"),
    (r"sk\.[02]\.fc", "Real-CUGAN"),
    (r"cx?_?encoder|quantize\.embedding", "CodeFormer or RestoreFormer"),
)
