"""Files of weights as PyTorch writes them, without PyTorch; and what the architectures do, in NumPy."""

import io
import json
import struct
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Tensors = dict[str, Floats]

_STORAGE = {"f4": "FloatStorage", "f2": "HalfStorage", "bf16": "BFloat16Storage", "f8": "DoubleStorage"}
_SAFE = {"f4": "F32", "f2": "F16", "bf16": "BF16", "f8": "F64"}


def _global(module: str, name: str) -> bytes:
    return f"c{module}\n{name}\n".encode()


def _text(value: str) -> bytes:
    data = value.encode()
    return b"X" + struct.pack("<I", len(data)) + data


def _int(value: int) -> bytes:
    return b"J" + struct.pack("<i", value)


def _tuple(*parts: bytes) -> bytes:
    return b"(" + b"".join(parts) + b"t"


_EMPTY_DICT = _global("collections", "OrderedDict") + b")R"


def tensor(
    key: str, shape: tuple[int, ...], *, kind: str = "f4", strides: tuple[int, ...] | None = None
) -> bytes:
    """The opcodes of a tensor in the storage `key`."""
    if strides is None:
        strides = tuple(int(np.prod(shape[axis + 1 :])) for axis in range(len(shape)))
    storage = _tuple(
        _text("storage"),
        _global("torch", _STORAGE[kind]),
        _text(key),
        _text("cpu"),
        _int(int(np.prod(shape))),
    )
    edges = [_tuple(*map(_int, numbers)) for numbers in (shape, strides)]
    arguments = _tuple(storage + b"Q", _int(0), *edges, b"\x89", _EMPTY_DICT)
    return _global("torch._utils", "_rebuild_tensor_v2") + arguments + b"R"


def dictionary(entries: Mapping[str, bytes]) -> bytes:
    """The opcodes of an ordered dictionary."""
    return _EMPTY_DICT + b"".join(_text(name) + value + b"s" for name, value in entries.items())


def pickled(value: bytes) -> bytes:
    """A whole pickle of opcodes that leave one value."""
    return b"\x80\x02" + value + b"."


def raw(numbers: Floats, kind: str) -> bytes:
    """Numbers as a storage has them."""
    if kind == "bf16":
        return (numbers.astype("<f4").view(np.uint32) >> 16).astype("<u2").tobytes()
    return numbers.astype(f"<{kind}").tobytes()


def pth(
    path: Path, tensors: Tensors, *, kind: str = "f4", within: str | None = None, state: bytes | None = None
) -> Path:
    """What `torch.save` writes.

    Args:
        path: the file.
        tensors: the weights.
        kind: of numbers.
        within: the key under which a training program keeps them.
        state: opcodes that take the place of the weights'.
    """
    if state is None:
        state = dictionary({name: tensor(name, one.shape, kind=kind) for name, one in tensors.items()})
        state = state if within is None else dictionary({"epoch": _int(3), within: state})
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", pickled(state))
        archive.writestr("archive/byteorder", "little")
        for name, one in tensors.items():
            archive.writestr(f"archive/data/{name}", raw(one, kind))
    return path


def legacy_pth(path: Path, tensors: Tensors) -> Path:
    """What `torch.save` wrote before version 1.6."""
    storages = {str(number): one for number, one in enumerate(tensors.values())}
    named = zip(tensors, storages.items(), strict=True)
    entries = {name: tensor(key, one.shape).replace(b"tQ", b"NtQ") for name, (key, one) in named}
    file = io.BytesIO()
    magic = (0x1950A86A20F9469CFC6C).to_bytes(10, "little")
    file.write(pickled(b"\x8a\x0a" + magic) + pickled(_int(1001)) + pickled(dictionary({})))
    file.write(pickled(dictionary(entries)) + pickled(b"]" + b"".join(_text(key) + b"a" for key in storages)))
    for one in storages.values():
        file.write(struct.pack("<q", one.size) + raw(one, "f4"))
    path.write_bytes(file.getvalue())
    return path


def safetensors(path: Path, tensors: Tensors, *, kind: str = "f4", licence: str = "") -> Path:
    """A file of that kind."""
    header: dict[str, object] = {"__metadata__": {"license": licence}} if licence else {}
    data = b""
    for name, one in tensors.items():
        part = raw(one, kind)
        offsets = [len(data), len(data) + len(part)]
        header[name] = {"dtype": _SAFE[kind], "shape": one.shape, "data_offsets": offsets}
        data += part
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)
    return path


# --- random weights --------------------------------------------------------------------------------


class _Random:
    def __init__(self, seed: int) -> None:
        self._random = np.random.default_rng(seed)
        self.tensors: Tensors = {}

    def convolution(self, name: str, inputs: int, outputs: int, edge: int = 3) -> None:
        spread = (2 / (inputs * edge**2)) ** 0.5
        self.tensors[f"{name}.weight"] = self._random.normal(0, spread, (outputs, inputs, edge, edge)).astype(
            np.float32
        )
        self.tensors[f"{name}.bias"] = self._random.normal(0, 0.1, outputs).astype(np.float32)

    def slopes(self, name: str, count: int) -> None:
        self.tensors[f"{name}.weight"] = self._random.uniform(-0.2, 0.5, count).astype(np.float32)

    def numbers(self, name: str, *shape: int, spread: float = 1.0) -> None:
        self.tensors[name] = self._random.normal(0, spread, shape).astype(np.float32)

    def modulated(self, name: str, inputs: int, outputs: int, edge: int) -> None:
        spread = 1 / (inputs * edge**2) ** 0.5
        self.numbers(f"{name}.modulated_conv.weight", 1, outputs, inputs, edge, edge, spread=spread)
        self.numbers(f"{name}.modulated_conv.modulation.weight", inputs, 512, spread=0.03)
        self.numbers(f"{name}.modulated_conv.modulation.bias", inputs, spread=0.3)


def compact(scale: int, *, features: int = 8, layers: int = 3) -> Tensors:
    """Random weights of SRVGGNetCompact."""
    made = _Random(scale)
    made.convolution("body.0", 3, features)
    made.slopes("body.1", features)
    for number in range(1, layers + 1):
        made.convolution(f"body.{2 * number}", features, features)
        made.slopes(f"body.{2 * number + 1}", features)
    made.convolution(f"body.{2 * layers + 2}", features, 3 * scale**2)
    return made.tensors


def colour_changer(scale: int, shares: Sequence[Sequence[float]], offsets: Sequence[float]) -> Tensors:
    """Weights of Compact that change colours, and nothing else.

    Args:
        scale: how many times larger the picture becomes.
        shares: for each of red, green and blue that come out, how much of each goes in.
        offsets: what is added to each, from 0 to 1.
    """
    made = {name: 0 * one for name, one in compact(scale, features=3, layers=1).items()}
    for name in ("body.1", "body.3"):
        made[f"{name}.weight"] += 1
    for name in ("body.0", "body.2"):
        made[f"{name}.weight"][:, :, 1, 1] = np.eye(3)
    # The picture itself is added to what the last one makes.
    made["body.4.weight"][:, :, 1, 1] = np.repeat(np.array(shares) - np.eye(3), scale**2, axis=0)
    made["body.4.bias"][:] = np.repeat(offsets, scale**2)
    return made


def esrgan(ups: int, *, unshuffle: int = 1, features: int = 8, growth: int = 4, blocks: int = 2) -> Tensors:
    """Random weights of RRDBNet, with the names of BasicSR."""
    made = _Random(10 + ups)
    made.convolution("conv_first", 3 * unshuffle**2, features)
    for block in range(blocks):
        for part in (1, 2, 3):
            for number in range(1, 6):
                outputs = growth if number < 5 else features
                name = f"body.{block}.rdb{part}.conv{number}"
                made.convolution(name, features + (number - 1) * growth, outputs)
    for name in ("conv_body", *(f"conv_up{number}" for number in range(1, ups + 1)), "conv_hr"):
        made.convolution(name, features, features)
    made.convolution("conv_last", features, 3)
    return made.tensors


def span(scale: int, *, features: int = 8, normalised: bool = True) -> Tensors:
    """Random weights of SPAN."""
    made = _Random(20 + scale)
    parts = [("conv_1", 3), ("conv_2", features)]
    parts += [(f"block_{block}.c{part}_r", features) for block in range(1, 7) for part in (1, 2, 3)]
    for name, inputs in parts:
        made.convolution(f"{name}.sk", inputs, features, 1)
        made.convolution(f"{name}.conv.0", inputs, 2 * inputs, 1)
        made.convolution(f"{name}.conv.1", 2 * inputs, 2 * features)
        made.convolution(f"{name}.conv.2", 2 * features, features, 1)
        # Together they are to change sizes as little as one convolution does.
        for part in ("sk", "conv.2"):
            made.tensors[f"{name}.{part}.weight"] *= np.float32(0.5)
        # It is computed from the others, and what a file has of it may be old.
        made.convolution(f"{name}.eval_conv", inputs, features)
    if normalised:  # the levels from -127 to 127 are brought back
        made.tensors["conv_1.sk.weight"] /= 127
        made.tensors["conv_1.conv.0.weight"] /= 127
    else:
        made.tensors["no_norm"] = np.zeros(1, np.float32)
    made.convolution("conv_cat", 4 * features, features, 1)
    made.convolution("upsampler.0", features, 3 * scale**2)
    return made.tensors


def gfpgan(levels: int = 2, *, features: int = 4, drawn: int = 6) -> Tensors:
    """Random weights of the clean GFPGAN, for faces of 4 pixels times 2 for each of `levels`."""
    made = _Random(30 + levels)
    made.convolution("conv_body_first", 3, features, 1)
    for level in range(levels):
        for way in ("down", "up"):
            made.convolution(f"conv_body_{way}.{level}.conv1", features, features)
            made.convolution(f"conv_body_{way}.{level}.conv2", features, features)
            made.convolution(f"conv_body_{way}.{level}.skip", features, features, 1)
            del made.tensors[f"conv_body_{way}.{level}.skip.bias"]
        for what in ("scale", "shift"):
            made.convolution(f"condition_{what}.{level}.0", features, features)
            made.convolution(f"condition_{what}.{level}.2", features, drawn // 2)
        made.convolution(f"toRGB.{level}", features, 3, 1)
    made.convolution("final_conv", features, features)
    styles = 512 * (2 * levels + 2)
    made.numbers("final_linear.weight", styles, features * 16, spread=0.05)
    made.numbers("final_linear.bias", styles, spread=0.5)
    decoder = "stylegan_decoder"
    made.numbers(f"{decoder}.constant_input.weight", 1, drawn, 4, 4)
    names = [f"{decoder}.style_conv1", *(f"{decoder}.style_convs.{number}" for number in range(2 * levels))]
    for number, name in enumerate(names):
        edge = 4 * 2 ** -(-number // 2)
        made.numbers(f"{decoder}.noises.noise{number}", 1, 1, edge, edge)
        made.numbers(f"{name}.weight", 1)
        made.numbers(f"{name}.bias", 1, drawn, 1, 1)
        made.modulated(name, drawn, drawn, 3)
    for name in (f"{decoder}.to_rgb1", *(f"{decoder}.to_rgbs.{level}" for level in range(levels))):
        made.numbers(f"{name}.bias", 1, 3, 1, 1, spread=0.1)
        made.modulated(name, drawn, 3, 1)
        # So that colours come out between -1 and 1, mostly.
        made.tensors[f"{name}.modulated_conv.weight"] *= np.float32(0.1)
    return made.tensors


def with_old_names(tensors: Tensors, ups: int, blocks: int = 2) -> Tensors:
    """The same weights as the first ESRGAN called them."""
    names = {"conv_first": "model.0", "conv_body": f"model.1.sub.{blocks}"}
    names |= {f"conv_up{number}": f"model.{3 * number}" for number in range(1, ups + 1)}
    names |= {"conv_hr": f"model.{3 * ups + 2}", "conv_last": f"model.{3 * ups + 4}"}
    renamed = {}
    for name, one in tensors.items():
        place, _, what = name.rpartition(".")
        if place.startswith("body."):
            _, block, part, number = place.split(".")
            place = f"model.1.sub.{block}.{part.upper()}.{number}.0"
        renamed[f"{names.get(place, place)}.{what}"] = one
    return renamed


def with_middle_names(tensors: Tensors) -> Tensors:
    """The same weights as the second ESRGAN called them."""
    changes = {"rdb": "RDB", "conv_body": "trunk_conv", "conv_up": "upconv", "conv_hr": "HRconv"}
    renamed = {}
    for name, one in tensors.items():
        for old, new in changes.items():
            name = name.replace(old, new)  # noqa: PLW2901
        renamed[name.replace("body.", "RRDB_trunk.", 1) if name.startswith("body.") else name] = one
    return renamed


# --- what they do ----------------------------------------------------------------------------------


def _convolved(planes: Floats, tensors: Tensors, name: str, *, border: int | None = None) -> Floats:
    weight = tensors[f"{name}.weight"]
    bias = tensors.get(f"{name}.bias", np.zeros(len(weight), np.float32))
    edge = weight.shape[2]
    side = edge // 2 if border is None else border
    padded = np.pad(planes, ((0, 0), (side, side), (side, side)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (edge, edge), axis=(1, 2))
    result: Floats = np.einsum("oikl,ihwkl->ohw", weight, windows, optimize=True) + bias[:, None, None]
    return result


def _leaky(planes: Floats) -> Floats:
    return np.where(planes > 0, planes, planes * np.float32(0.2))


def _repeated(planes: Floats, factor: int) -> Floats:
    return planes.repeat(factor, axis=1).repeat(factor, axis=2)


def _shuffled(planes: Floats, factor: int) -> Floats:
    channels, height, width = planes.shape
    split = planes.reshape(channels // factor**2, factor, factor, height, width)
    return split.transpose(0, 3, 1, 4, 2).reshape(-1, height * factor, width * factor)


def _unshuffled(planes: Floats, factor: int) -> Floats:
    channels, height, width = planes.shape
    split = planes.reshape(channels, height // factor, factor, width // factor, factor)
    return split.transpose(0, 2, 4, 1, 3).reshape(-1, height // factor, width // factor)


def run_compact(tensors: Tensors, planes: Floats) -> Floats:
    """What SRVGGNetCompact makes of a picture of 3 x height x width."""
    result, last = planes, max(int(name.split(".")[1]) for name in tensors)
    for number in range(last + 1):
        if number % 2:
            slopes = tensors[f"body.{number}.weight"][:, None, None]
            result = np.where(result > 0, result, result * slopes)
        else:
            result = _convolved(result, tensors, f"body.{number}")
    scale = int((result.shape[0] / 3) ** 0.5)
    return _shuffled(result, scale) + _repeated(planes, scale)


def run_esrgan(tensors: Tensors, planes: Floats, *, ups: int, unshuffle: int = 1, blocks: int = 2) -> Floats:
    """What RRDBNet makes of a picture of 3 x height x width."""
    first = _convolved(_unshuffled(planes, unshuffle), tensors, "conv_first")
    result = first
    for block in range(blocks):
        start = result
        for part in (1, 2, 3):
            seen = [result]
            for number in range(1, 5):
                name = f"body.{block}.rdb{part}.conv{number}"
                seen.append(_leaky(_convolved(np.concatenate(seen), tensors, name)))
            last = _convolved(np.concatenate(seen), tensors, f"body.{block}.rdb{part}.conv5")
            result = result + last * np.float32(0.2)
        result = result * np.float32(0.2) + start
    result = first + _convolved(result, tensors, "conv_body")
    for number in range(1, ups + 1):
        result = _leaky(_convolved(_repeated(result, 2), tensors, f"conv_up{number}"))
    return _convolved(_leaky(_convolved(result, tensors, "conv_hr")), tensors, "conv_last")


def run_span(tensors: Tensors, planes: Floats) -> Floats:
    """What SPAN makes of a picture of 3 x height x width, away from its edges.

    As in training, where its convolutions are not merged; that differs by what the biases are outside.
    """

    def convolved(one: Floats, name: str) -> Floats:
        beside = _convolved(one, tensors, f"{name}.sk")
        inner = _convolved(one, tensors, f"{name}.conv.0")
        middle = _convolved(inner, tensors, f"{name}.conv.1")
        return _convolved(middle, tensors, f"{name}.conv.2") + beside

    if "no_norm" not in tensors:
        planes = (planes - np.array([0.4488, 0.4371, 0.4040], np.float32)[:, None, None]) * 255
    first = blob = convolved(planes, "conv_1")
    made, inner = [], first
    for block in range(1, 7):
        inner = _swish(convolved(blob, f"block_{block}.c1_r"))
        third = convolved(_swish(convolved(inner, f"block_{block}.c2_r")), f"block_{block}.c3_r")
        attention = 1 / (1 + np.exp(-third)) - 0.5
        blob = ((third + blob) * attention).astype(np.float32)
        made.append(blob)
    every = np.concatenate([first, convolved(blob, "conv_2"), made[0], inner])
    last = _convolved(_convolved(every, tensors, "conv_cat"), tensors, "upsampler.0")
    return _shuffled(last, int((last.shape[0] / 3) ** 0.5))


def run_gfpgan(tensors: Tensors, planes: Floats) -> Floats:
    """What the clean GFPGAN makes of a face of 3 x edge x edge, from -1 to 1."""
    levels = max(int(name.split(".")[1]) for name in tensors if name.startswith("conv_body_up")) + 1

    def block(blob: Floats, name: str, resized: Callable[[Floats], Floats]) -> Floats:
        inner = resized(_leaky(_convolved(blob, tensors, f"{name}.conv1")))
        inner = _leaky(_convolved(inner, tensors, f"{name}.conv2"))
        return inner + _convolved(resized(blob), tensors, f"{name}.skip")

    blob = _leaky(_convolved(planes, tensors, "conv_body_first"))
    seen = []
    for level in range(levels):
        blob = block(blob, f"conv_body_down.{level}", _halved)
        seen.append(blob)
    blob = _leaky(_convolved(blob, tensors, "final_conv"))
    latent = tensors["final_linear.weight"] @ blob.reshape(-1) + tensors["final_linear.bias"]
    styles = latent.reshape(-1, 512)
    conditions = []
    for level in range(levels):
        blob = block(blob + seen[-1 - level], f"conv_body_up.{level}", _doubled)
        for what in ("scale", "shift"):
            inner = _leaky(_convolved(blob, tensors, f"condition_{what}.{level}.0"))
            conditions.append(_convolved(inner, tensors, f"condition_{what}.{level}.2"))

    decoder = "stylegan_decoder"
    drawn = tensors[f"{decoder}.constant_input.weight"][0]
    drawn = _style_convolved(drawn, tensors, f"{decoder}.style_conv1", styles[0], 0)
    picture = (
        _modulated(drawn, tensors, f"{decoder}.to_rgb1", styles[1]) + tensors[f"{decoder}.to_rgb1.bias"][0]
    )
    for level in range(levels):
        one = 2 * level
        drawn = _doubled(drawn)
        drawn = _style_convolved(drawn, tensors, f"{decoder}.style_convs.{one}", styles[one + 1], one + 1)
        same, changed = np.split(drawn, 2)
        drawn = np.concatenate([same, changed * conditions[one] + conditions[one + 1]])
        drawn = _style_convolved(drawn, tensors, f"{decoder}.style_convs.{one + 1}", styles[one + 2], one + 2)
        name = f"{decoder}.to_rgbs.{level}"
        picture = (
            _modulated(drawn, tensors, name, styles[one + 3]) + tensors[f"{name}.bias"][0] + _doubled(picture)
        )
    result: Floats = picture.astype(np.float32)
    return result


def _modulated(planes: Floats, tensors: Tensors, name: str, style: Floats, *, evens: bool = False) -> Floats:
    name = f"{name}.modulated_conv"
    shares = tensors[f"{name}.modulation.weight"] @ style + tensors[f"{name}.modulation.bias"]
    weight = tensors[f"{name}.weight"][0] * shares[None, :, None, None]
    if evens:
        weight = weight / np.sqrt(np.square(weight).sum((1, 2, 3), keepdims=True) + 1e-8)
    return _convolved(planes, {"one.weight": weight}, "one")


def _style_convolved(planes: Floats, tensors: Tensors, name: str, style: Floats, number: int) -> Floats:
    result = _modulated(planes, tensors, name, style, evens=True) * np.float32(2**0.5)
    noise = tensors[f"stylegan_decoder.noises.noise{number}"][0]
    return _leaky(result + tensors[f"{name}.weight"] * noise + tensors[f"{name}.bias"][0])


def _halved(planes: Floats) -> Floats:
    channels, height, width = planes.shape
    return planes.reshape(channels, height // 2, 2, width // 2, 2).mean((2, 4))


def _doubled(planes: Floats) -> Floats:
    """Twice as large, interpolated linearly between the middles of pixels."""
    for axis in (1, 2):
        edges = [(0, 0)] * 3
        edges[axis] = (1, 1)
        padded = np.pad(planes, edges, mode="edge")
        before, here, after = (
            padded.take(range(start, start + planes.shape[axis]), axis) for start in range(3)
        )
        pair = np.stack([0.25 * before + 0.75 * here, 0.75 * here + 0.25 * after], axis + 1)
        shape = list(planes.shape)
        shape[axis] *= 2
        planes = pair.reshape(shape)
    return planes.astype(np.float32)


def _swish(planes: Floats) -> Floats:
    result: Floats = planes / (1 + np.exp(-planes))
    return result


# --- ONNX ------------------------------------------------------------------------------------------


def _varint(value: int) -> bytes:
    data = bytearray()
    while value > 127:
        data.append(value & 127 | 128)
        value >>= 7
    return bytes([*data, value])


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _bytes(field: int, data: bytes | str) -> bytes:
    data = data.encode() if isinstance(data, str) else data
    return _varint(field << 3 | 2) + _varint(len(data)) + data


def _attribute(name: str, value: int | str | list[int]) -> bytes:
    if isinstance(value, int):
        return _bytes(1, name) + _number(3, value) + _number(20, 2)
    if isinstance(value, str):
        return _bytes(1, name) + _bytes(4, value) + _number(20, 3)
    return _bytes(1, name) + b"".join(_number(8, one) for one in value) + _number(20, 7)


def _node(kind: str, inputs: list[str], output: str, **attributes: int | str | list[int]) -> bytes:
    named = b"".join(_bytes(5, _attribute(name, value)) for name, value in attributes.items())
    return b"".join(_bytes(1, name) for name in inputs) + _bytes(2, output) + _bytes(4, kind) + named


def _initializer(name: str, numbers: Floats) -> bytes:
    shape = b"".join(_number(1, edge) for edge in numbers.shape)
    return shape + _number(2, 1) + _bytes(8, name) + _bytes(9, numbers.astype("<f4").tobytes())


def _picture(name: str, channels: int) -> bytes:
    edges = [_number(1, 1), _number(1, channels), _bytes(2, "h"), _bytes(2, "w")]
    shape = b"".join(_bytes(1, edge) for edge in edges)
    return _bytes(1, name) + _bytes(2, _bytes(1, _number(1, 1) + _bytes(2, shape)))


def onnx(path: Path, tensors: Tensors, *, channels: int = 3) -> Path:
    """Compact as an ONNX file, of any size of picture."""
    last = max(int(name.split(".")[1]) for name in tensors)
    scale = int((tensors[f"body.{last}.weight"].shape[0] / 3) ** 0.5)
    constants, nodes, blob = dict(tensors), [], "picture"
    for number in range(last + 1):
        made = f"b{number}"
        if number % 2:
            constants[f"body.{number}.weight"] = tensors[f"body.{number}.weight"][:, None, None]
            nodes.append(_node("PRelu", [blob, f"body.{number}.weight"], made))
        else:
            inputs = [blob, f"body.{number}.weight", f"body.{number}.bias"]
            nodes.append(_node("Conv", inputs, made, kernel_shape=[3, 3], pads=[1, 1, 1, 1]))
        blob = made
    constants["scales"] = np.array([1, 1, scale, scale], np.float32)
    nodes += [
        _node("DepthToSpace", [blob], "detail", blocksize=scale, mode="CRD"),
        _node(
            *("Resize", ["picture", "", "scales"], "repeated"),
            mode="nearest",
            nearest_mode="floor",
            coordinate_transformation_mode="asymmetric",
        ),
        _node("Add", ["detail", "repeated"], "larger"),
    ]
    graph = b"".join(_bytes(1, node) for node in nodes) + _bytes(2, "compact")
    graph += b"".join(_bytes(5, _initializer(name, one)) for name, one in constants.items())
    graph += _bytes(11, _picture("picture", channels)) + _bytes(12, _picture("larger", channels))
    path.write_bytes(_number(1, 8) + _bytes(7, graph) + _bytes(8, _bytes(1, "") + _number(2, 17)))
    return path
