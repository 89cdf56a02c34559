"""The clean GFPGAN as layers of ncnn.

An encoder and decoder of U shape find out what the face is like; from that, a StyleGAN 2 redraws it, and
half of what that draws is scaled and shifted by what the first part saw. The weights of its convolutions
are multiplied by the style of each face. What comes in is multiplied here instead, and what goes out is
brought back to the same size, which is equal and needs standard layers only.

Its noise is that of the weights, as training left it, so that a face always comes out the same.
"""

import math

import numpy as np

from vhsbatch.engines.architectures import Architecture, NamedTensors
from vhsbatch.engines.param_file import UnsuitableModelError
from vhsbatch.engines.param_writer import Floats, ModelWriter
from vhsbatch.engines.weights_file import Tensors

_NAME = "GFPGAN (clean)"
_LEAKY = 0.2
_STYLE = 512
_EPSILON = 1e-8
_DECODER = "stylegan_decoder"
_FIRST = "conv_body_first.weight"
_OF_ALL = f"{_DECODER}.style_conv1.modulated_conv.weight"
_CODEFORMER = "quantize.embedding.weight"


def infer_face_model(tensors: Tensors) -> Architecture:
    """The model for faces that weights are of.

    Raises:
        UnsuitableModelError: it is of another architecture, or a variant that is not known.
    """
    if not {_FIRST, _OF_ALL} <= tensors.keys():
        raise UnsuitableModelError(
            f"is {_other(tensors)}, and of .pth files only the clean GFPGAN is converted"
        )
    writer = ModelWriter()
    named = NamedTensors(tensors, _NAME)
    try:
        result = _Gfpgan(named, writer).build()
    except (KeyError, ValueError, IndexError) as error:
        raise UnsuitableModelError(f"is a damaged or unknown variant of {_NAME}: {error}") from error
    return Architecture(_NAME, 1, *writer.finish(result))


def _other(tensors: Tensors) -> str:
    if "conv_body_first.0.weight" in tensors:
        return "the first GFPGAN, which is not the clean one"
    if _CODEFORMER in tensors:
        return "CodeFormer or RestoreFormer"
    first = ", ".join(list(tensors)[:3])
    return f"no GFPGAN ({first} …)"


class _Gfpgan:
    """Writes the layers of one set of weights."""

    def __init__(self, tensors: NamedTensors, writer: ModelWriter) -> None:
        self._tensors = tensors
        self._writer = writer
        # Each level halves the edge of the picture; at the last one it is 4 pixels.
        self._levels = tensors.count(r"conv_body_down\.(\d+)\.conv1\.weight")

    def build(self) -> str:
        tensors, writer = self._tensors, self._writer
        if self._levels < 1 or tensors.count(r"conv_body_up\.(\d+)\.conv1\.weight") != self._levels:
            raise ValueError("it has not as many levels up as down")
        blob = self._leaky_convolution(writer.picture, "conv_body_first")
        seen = []
        for level in range(self._levels):
            blob = self._block(blob, f"conv_body_down.{level}", 0.5)
            seen.append(blob)
        blob = self._leaky_convolution(blob, "final_conv")
        styles = self._styles(blob)
        conditions = []
        for level in range(self._levels):
            blob = self._block(writer.add(blob, seen.pop()), f"conv_body_up.{level}", 2)
            conditions.append((self._condition(blob, "scale", level), self._condition(blob, "shift", level)))
        return self._drawn(styles, conditions)

    def _leaky_convolution(self, blob: str, name: str) -> str:
        return self._writer.convolution(blob, *self._tensors.convolution(name), leaky_slope=_LEAKY)

    def _block(self, blob: str, name: str, factor: float) -> str:
        writer = self._writer
        inner = writer.resize(self._leaky_convolution(blob, f"{name}.conv1"), factor)
        inner = self._leaky_convolution(inner, f"{name}.conv2")
        beside = writer.convolution(writer.resize(blob, factor), *self._tensors.convolution(f"{name}.skip"))
        return writer.add(inner, beside)

    def _condition(self, blob: str, what: str, level: int) -> str:
        name = f"condition_{what}.{level}"
        inner = self._leaky_convolution(blob, f"{name}.0")
        return self._writer.convolution(inner, *self._tensors.convolution(f"{name}.2"))

    def _styles(self, blob: str) -> list[str]:
        """A style for each convolution that is modulated."""
        count = 2 * self._levels + 2
        inputs = self._tensors.convolution("final_conv")[0].shape[0] * 16
        weight = self._tensors.numbers_of("final_linear.weight", count * _STYLE, inputs)
        bias = self._tensors.numbers_of("final_linear.bias", count * _STYLE)
        parts = (slice(number * _STYLE, (number + 1) * _STYLE) for number in range(count))
        return [self._writer.linear(blob, weight[part], bias[part]) for part in parts]

    def _drawn(self, styles: list[str], conditions: list[tuple[str, str]]) -> str:
        """What StyleGAN 2 draws, with half of its channels changed by `conditions`."""
        tensors, writer = self._tensors, self._writer
        first = tensors[f"{_DECODER}.constant_input.weight"][0]
        blob = self._style_convolution(writer.constant(first), f"{_DECODER}.style_conv1", styles[0], 0)
        picture = self._rgb(blob, f"{_DECODER}.to_rgb1", styles[1])
        for level, (scale, shift) in enumerate(conditions):
            number = 2 * level
            wide, narrow = (f"{_DECODER}.style_convs.{number + part}" for part in (0, 1))
            blob = self._style_convolution(blob, wide, styles[number + 1], number + 1, enlarges=True)
            same, changed = writer.halves(blob)
            blob = writer.concat([same, writer.add(writer.multiply(changed, scale), shift)])
            blob = self._style_convolution(blob, narrow, styles[number + 2], number + 2)
            colours = self._rgb(blob, f"{_DECODER}.to_rgbs.{level}", styles[number + 3])
            picture = writer.add(colours, writer.resize(picture, 2))
        return picture

    def _modulated(self, blob: str, name: str, style: str) -> tuple[str, str, Floats]:
        """A blob multiplied by the style, the style of its channels, and the weights of the convolution."""
        tensors, writer = self._tensors, self._writer
        weight = tensors[f"{name}.modulated_conv.weight"][0]
        channels = weight.shape[1]
        modulation = writer.linear(
            style,
            tensors.numbers_of(f"{name}.modulated_conv.modulation.weight", channels, _STYLE),
            tensors.numbers_of(f"{name}.modulated_conv.modulation.bias", channels),
        )
        return writer.multiply(blob, writer.for_channels(modulation, channels)), modulation, weight

    def _style_convolution(
        self, blob: str, name: str, style: str, number: int, *, enlarges: bool = False
    ) -> str:
        tensors, writer = self._tensors, self._writer
        blob, modulation, weight = self._modulated(blob, name, style)
        blob = writer.convolution(writer.resize(blob, 2) if enlarges else blob, weight, None)
        outputs = weight.shape[0]
        # Half of it, so that the root of two that follows upstream is in it.
        energy = np.square(weight).sum((2, 3)) * np.float32(0.5)
        norm = writer.linear(writer.square(modulation), energy, np.full(outputs, _EPSILON / 2, np.float32))
        norm = writer.for_channels(writer.reciprocal_root(norm), outputs)
        blob = writer.multiply(blob, norm)
        if (noise := f"{_DECODER}.noises.noise{number}") in tensors:
            strength = tensors.numbers_of(f"{name}.weight", 1)
            edge = 4 * 2 ** math.ceil(number / 2)
            blob = writer.add(
                blob, writer.constant(tensors.numbers_of(noise, 1, 1, edge, edge)[0] * strength)
            )
        blob = writer.bias(blob, tensors.numbers_of(f"{name}.bias", 1, outputs, 1, 1).reshape(-1))
        return writer.leaky(blob, _LEAKY)

    def _rgb(self, blob: str, name: str, style: str) -> str:
        blob, _, weight = self._modulated(blob, name, style)
        return self._writer.convolution(
            blob, weight, self._tensors.numbers_of(f"{name}.bias", 1, 3, 1, 1)[0, :, 0, 0]
        )
