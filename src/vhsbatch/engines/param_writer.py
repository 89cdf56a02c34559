"""Writing a model as ncnn's ``.param`` and ``.bin``."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

# What begins weights of 16 bits; ncnn reads those of 32 after a zero.
_HALF = np.uint32(0x01306B47).tobytes()
_SINGLE = np.uint32(0).tobytes()
# Weights are kept in 16 bits where that changes none by more than this part of the layer's largest.
_HALF_IS_EXACT_TO = 2.0**-11


class ModelWriter:
    """A model that grows layer by layer; each method gives the name of the blob that the layer makes.

    Attributes:
        picture: the blob that goes in.
        keeps_32_bits: whether weights are kept as they are, as those of models that add up large numbers.
    """

    def __init__(self) -> None:
        """Begin with the picture."""
        self.picture = "data"
        self.keeps_32_bits = False
        self._layers: list[tuple[str, tuple[str, ...], tuple[str, ...], str]] = []
        self._weights: list[bytes] = []

    def convolution(
        self, blob: str, weight: Floats, bias: Floats | None, *, leaky_slope: float | None = None
    ) -> str:
        """A convolution that keeps the size, perhaps with a leaky ReLU behind it."""
        outputs, _, height, width = weight.shape
        options = (
            f"0={outputs} 1={width} 11={height} 4={width // 2} 14={height // 2} 5={int(bias is not None)}"
        )
        options += f" 6={weight.size}"
        if leaky_slope is not None:
            options += f" 9=2 -23310=1,{leaky_slope:.9g}"
        self._weights.append(_single(weight) if self.keeps_32_bits else _stored(weight))
        if bias is not None:
            self._weights.append(bias.astype("<f4").tobytes())
        return self._layer("Convolution", (blob,), options)

    def prelu(self, blob: str, slopes: Floats) -> str:
        """A ReLU with a slope for each channel."""
        self._weights.append(slopes.astype("<f4").tobytes())
        return self._layer("PReLU", (blob,), f"0={slopes.size}")

    def normalise(self, blob: str, factors: Sequence[float], offsets: Sequence[float]) -> str:
        """Each channel multiplied by a factor, and an offset added."""
        self._weights += [np.array(numbers, "<f4").tobytes() for numbers in (factors, offsets)]
        return self._layer("Scale", (blob,), f"0={len(factors)} 1=1")

    def activation(self, kind: str, blob: str) -> str:
        """A layer without options, such as ``Sigmoid``."""
        return self._layer(kind, (blob,), "")

    def nearest(self, blob: str, factor: int) -> str:
        """Repeat pixels."""
        return self._layer("Interp", (blob,), f"0=1 1={factor}.0 2={factor}.0") if factor > 1 else blob

    def shuffle(self, blob: str, factor: int) -> str:
        """Make pixels of channels."""
        return self._layer("PixelShuffle", (blob,), f"0={factor}") if factor > 1 else blob

    def unshuffle(self, blob: str, factor: int) -> str:
        """Make channels of pixels."""
        return self._layer("Reorg", (blob,), f"0={factor}") if factor > 1 else blob

    def concat(self, blobs: Sequence[str]) -> str:
        """Channels behind each other."""
        return self._layer("Concat", tuple(blobs), "0=0")

    def add(self, one: str, other: str) -> str:
        """The sum of two blobs."""
        return self._layer("BinaryOp", (one, other), "0=0")

    def multiply(self, one: str, other: str) -> str:
        """The product of two blobs."""
        return self._layer("BinaryOp", (one, other), "0=2")

    def offset(self, blob: str, number: float) -> str:
        """A number added to each."""
        return self._layer("BinaryOp", (blob,), f"0=0 1=1 2={number:.9g}")

    def scale(self, blob: str, number: float) -> str:
        """Each multiplied by a number."""
        return self._layer("BinaryOp", (blob,), f"0=2 1=1 2={number:.9g}")

    def leaky(self, blob: str, slope: float) -> str:
        """A leaky ReLU."""
        return self._layer("ReLU", (blob,), f"0={slope:.9g}")

    def resize(self, blob: str, factor: float) -> str:
        """A picture of another size, interpolated linearly."""
        return self._layer("Interp", (blob,), f"0=2 1={factor:.9g} 2={factor:.9g}")

    def linear(self, blob: str, weight: Floats, bias: Floats) -> str:
        """A fully connected layer; `weight` is outputs x inputs."""
        self._weights += [_stored(weight), bias.astype("<f4").tobytes()]
        return self._layer("InnerProduct", (blob,), f"0={bias.size} 1=1 2={weight.size}")

    def square(self, blob: str) -> str:
        """Each number times itself."""
        return self._layer("UnaryOp", (blob,), "0=4")

    def reciprocal_root(self, blob: str) -> str:
        """One divided by the square root of each number."""
        return self._layer("UnaryOp", (blob,), "0=6")

    def for_channels(self, blob: str, channels: int) -> str:
        """A row of numbers as a picture of one pixel with so many channels."""
        return self._layer("Reshape", (blob,), f"0=1 1=1 2={channels}")

    def constant(self, planes: Floats) -> str:
        """A picture that is the same each time, channels x height x width."""
        self._weights.append(planes.astype("<f4").tobytes())
        channels, height, width = planes.shape
        return self._layer("MemoryData", (), f"0={width} 1={height} 2={channels}")

    def bias(self, blob: str, numbers: Floats) -> str:
        """A number added to each channel."""
        self._weights.append(numbers.astype("<f4").tobytes())
        return self._layer("Bias", (blob,), f"0={numbers.size}")

    def halves(self, blob: str) -> tuple[str, str]:
        """The first half of the channels, and the second."""
        name = f"b{len(self._layers)}"
        outputs = (f"{name}_first", f"{name}_second")
        self._layers.append(("Slice", (blob,), outputs, "-23300=2,-233,-233 1=0"))
        return outputs

    def finish(self, result: str) -> tuple[str, bytes]:
        """The texts of the files; `result` is called ``output``.

        A blob goes to one layer in ncnn: where several want it, it is split.
        """
        uses = Counter(name for _, inputs, _, _ in self._layers for name in inputs)
        taken: Counter[str] = Counter()
        blobs = 1
        lines = ["Input data 0 1 data", *_split("data", uses["data"])]
        for number, (kind, inputs, outputs, options) in enumerate(self._layers):
            names = []
            for name in inputs:
                names.append(f"{name}_{taken[name]}" if uses[name] > 1 else name)
                taken[name] += 1
            named = ["output" if output == result else output for output in outputs]
            words = (kind, f"l{number}", str(len(names)), str(len(named)), *names, *named, options)
            lines.append(" ".join(words).rstrip())
            for output, name in zip(outputs, named, strict=True):
                lines += _split(name, uses[output])
            blobs += len(named)
        blobs += sum(count for count in uses.values() if count > 1)
        return "\n".join(["7767517", f"{len(lines)} {blobs}", *lines, ""]), b"".join(self._weights)

    def _layer(self, kind: str, inputs: tuple[str, ...], options: str) -> str:
        output = f"b{len(self._layers)}"
        self._layers.append((kind, inputs, (output,), options))
        return output


def _single(weight: Floats) -> bytes:
    return _SINGLE + weight.astype("<f4").tobytes()


def _stored(weight: Floats) -> bytes:
    """Weights of a convolution: in 16 bits, but for those too large or too small for them."""
    with np.errstate(over="ignore"):
        half = weight.astype("<f2")
    # What is too large becomes infinite, and is not near.
    if not np.abs(weight - half).max(initial=0) <= _HALF_IS_EXACT_TO * np.abs(weight).max(initial=0):
        return _single(weight)
    data = half.tobytes()
    return _HALF + data + bytes(-len(data) % 4)


def _split(name: str, count: int) -> list[str]:
    if count < 2:
        return []
    parts = " ".join(f"{name}_{number}" for number in range(count))
    return [f"Split split_{name} 1 {count} {name} {parts}"]
