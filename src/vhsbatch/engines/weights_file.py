"""The tensors of a ``.pth`` or ``.safetensors`` file, without torch and without running anything in it.

A ``.pth`` file is a pickle, which is a program. The unpickler here knows tensors and ordered dictionaries; a
file that names anything else is refused, and none of what it names is imported.
"""

import io
import json
import math
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vhsbatch.engines.param_file import UnsuitableModelError
from vhsbatch.fs import open_regular

Tensors = dict[str, NDArray[np.float32]]

_LARGEST_BYTES = 2 * 2**30
_LARGEST_HEADER_BYTES = 100 * 2**20
_DEEPEST = 6
# Where training programs put the weights, the averaged ones first.
_NESTED = ("params_ema", "params", "state_dict", "model_state_dict", "model", "net", "generator", "g_ema")
_PREFIXES = ("module.", "netG.", "net_g.", "generator.", "model_g.")
_DAMAGED = "is damaged, or not a file of weights"


class _Numbers(NamedTuple):
    """How a kind of numbers is kept: NumPy has no bfloat16, which is the upper half of a float32."""

    dtype: str
    is_bfloat16: bool = False


_STORAGES = {
    "FloatStorage": _Numbers("<f4"),
    "HalfStorage": _Numbers("<f2"),
    "DoubleStorage": _Numbers("<f8"),
    "BFloat16Storage": _Numbers("<u2", is_bfloat16=True),
    "LongStorage": _Numbers("<i8"),
    "IntStorage": _Numbers("<i4"),
    "ShortStorage": _Numbers("<i2"),
    "CharStorage": _Numbers("i1"),
    "ByteStorage": _Numbers("u1"),
    "BoolStorage": _Numbers("u1"),
}
_SAFE_TYPES = {
    "F32": _Numbers("<f4"),
    "F16": _Numbers("<f2"),
    "F64": _Numbers("<f8"),
    "BF16": _Numbers("<u2", is_bfloat16=True),
}


class _Storage(NamedTuple):
    """A piece of the file that tensors lie in."""

    key: str
    numbers: _Numbers


class _TensorRef(NamedTuple):
    """A tensor that has not been read. As a tuple it has no state that a pickle could set."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Weights:
    """What a file of weights holds.

    Attributes:
        tensors: by name.
        licence: what its metadata say of it, empty where they do not.
    """

    tensors: Tensors
    licence: str = ""


def read_weights(path: Path) -> Weights:
    """The weights in a file; what is beside them (training state, settings) is left aside.

    Raises:
        UnsuitableModelError: it is no such file, is damaged, or holds a program.
        OSError: it cannot be read.
    """
    with open_regular(path) as file:
        if path.stat().st_size > _LARGEST_BYTES:
            raise UnsuitableModelError(f"has more than {_LARGEST_BYTES >> 30} GB")
        try:
            if path.suffix.lower() == ".safetensors":
                return _read_safetensors(file)
            return Weights(_read_zip(file) if zipfile.is_zipfile(file) else _read_legacy(file))
        except UnsuitableModelError:
            raise
        except Exception as error:  # a pickle can fail in any way
            raise UnsuitableModelError(_DAMAGED) from error


# --- safetensors -----------------------------------------------------------------------------------


def _read_safetensors(file: BinaryIO) -> Weights:
    length = int.from_bytes(file.read(8), "little")
    if length > _LARGEST_HEADER_BYTES:
        raise UnsuitableModelError(_DAMAGED)
    header = json.loads(file.read(length))
    data = file.read()
    metadata = header.pop("__metadata__", {})
    tensors = {}
    for name, entry in header.items():
        if entry["dtype"] not in _SAFE_TYPES:
            continue  # counters and the like
        start, stop = entry["data_offsets"]
        if not 0 <= start <= stop <= len(data):
            raise UnsuitableModelError(_DAMAGED)
        numbers = _floats(data[start:stop], _SAFE_TYPES[entry["dtype"]])
        tensors[name] = numbers.reshape([int(edge) for edge in entry["shape"]])
    licence = metadata.get("modelspec.license") or metadata.get("license") or ""
    return Weights(_state_of(tensors), str(licence)[:200])


# --- pickles ---------------------------------------------------------------------------------------


def _rebuild(
    storage: Any, offset: Any, shape: Any, strides: Any, *_rest: object
) -> _TensorRef:  # what torch._utils._rebuild_tensor_v2 is called with
    if not isinstance(storage, _Storage):
        raise UnsuitableModelError(_DAMAGED)
    numbers = (offset, *shape, *strides)
    if len(shape) != len(strides) or not all(type(one) is int and one >= 0 for one in numbers):
        raise UnsuitableModelError(_DAMAGED)
    return _TensorRef(storage, offset, tuple(shape), tuple(strides))


def _parameter(data: Any, *_rest: object) -> Any:  # what torch._utils._rebuild_parameter is called with
    return data


_ALLOWED: Mapping[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch._utils", "_rebuild_tensor_v2"): _rebuild,
    ("torch._utils", "_rebuild_parameter"): _parameter,
    **{("torch", name): numbers for name, numbers in _STORAGES.items()},
}


class _Unpickler(pickle._Unpickler):  # noqa: SLF001
    """Knows tensors and ordered dictionaries, and nothing else.

    It is the one written in Python: in the other one a single byte reserves gigabytes for what is to come.
    """

    def find_class(self, module: str, name: str, /) -> Any:
        try:
            return _ALLOWED[module, name]
        except KeyError:
            raise UnsuitableModelError(
                f"holds more than weights ({module[:60]}.{name[:60]}), and none of it was run"
            ) from None

    def persistent_load(self, pid: Any, /) -> _Storage:
        kind, numbers, key, *_ = pid
        if kind != "storage" or not isinstance(numbers, _Numbers):
            raise UnsuitableModelError(_DAMAGED)
        return _Storage(str(key), numbers)


def _read_zip(file: BinaryIO) -> Tensors:
    """What torch writes since version 1.6: a zip with a pickle, and a file for each storage."""
    with zipfile.ZipFile(file) as archive:
        infos = {info.filename: info for info in archive.infolist()}
        if sum(info.file_size for info in infos.values()) > _LARGEST_BYTES:
            raise UnsuitableModelError(_DAMAGED)
        (pickled,) = (name for name in infos if name.split("/", 1)[-1] == "data.pkl")
        folder = pickled.removesuffix("data.pkl")
        if archive.read(folder + "byteorder") != b"little" if folder + "byteorder" in infos else False:
            raise UnsuitableModelError("was written by a machine of another byte order")
        state = _Unpickler(io.BytesIO(archive.read(pickled))).load()
        return _materialised(state, lambda storage: archive.read(f"{folder}data/{storage.key}"))


def _read_legacy(file: BinaryIO) -> Tensors:
    """What torch wrote before: pickles one behind the other, then the storages."""
    file.seek(0)
    magic, protocol, _system = (_Unpickler(file).load() for _ in range(3))
    if magic != 0x1950A86A20F9469CFC6C or protocol != 1001:
        raise UnsuitableModelError(_DAMAGED)
    state, keys = (_Unpickler(file).load() for _ in range(2))
    kinds = {ref.storage.key: ref.storage for _, ref in _refs(state, 0)}
    data: dict[str, bytes] = {}
    for key in map(str, keys):
        count = int.from_bytes(file.read(8), "little")
        # A storage that no tensor lies in has a length that nothing tells.
        data[key] = file.read(count * np.dtype(kinds[key].numbers.dtype).itemsize)
    return _materialised(state, lambda storage: data[storage.key])


def _materialised(state: object, read: Callable[[_Storage], bytes]) -> Tensors:
    storages: dict[_Storage, NDArray[np.float32]] = {}
    tensors = {}
    for name, ref in _refs(_weights_in(state), 0):
        if ref.storage not in storages:
            storages[ref.storage] = _floats(read(ref.storage), ref.storage.numbers)
        tensors[name] = _view(storages[ref.storage], ref)
    return _state_of(tensors)


def _view(numbers: NDArray[np.float32], ref: _TensorRef) -> NDArray[np.float32]:
    last = ref.offset + sum((edge - 1) * stride for edge, stride in zip(ref.shape, ref.strides, strict=True))
    count = math.prod(ref.shape)
    if count > numbers.size or (count and last >= numbers.size):
        raise UnsuitableModelError(_DAMAGED)
    strides = [stride * numbers.itemsize for stride in ref.strides]
    view = np.lib.stride_tricks.as_strided(numbers[ref.offset :], ref.shape, strides, writeable=False)
    return np.ascontiguousarray(view)


def _weights_in(state: object) -> object:
    """The dictionary of the weights, where a training program has put it among other things."""
    for _ in range(_DEEPEST):
        if not isinstance(state, Mapping):
            raise UnsuitableModelError("holds no dictionary of weights")
        inner = next((state[key] for key in _NESTED if isinstance(state.get(key), Mapping)), None)
        if inner is None:
            break
        state = inner
    return state


def _refs(state: object, depth: int) -> Iterator[tuple[str, _TensorRef]]:
    """Every tensor, with a name of all keys on the way to it."""
    if isinstance(state, _TensorRef):
        yield "", state
    elif isinstance(state, Mapping) and depth < _DEEPEST:
        for key, value in state.items():
            for name, ref in _refs(value, depth + 1):
                yield f"{key}.{name}" if name else str(key), ref


def _floats(data: bytes, numbers: _Numbers) -> NDArray[np.float32]:
    raw = np.frombuffer(data, numbers.dtype)
    if numbers.is_bfloat16:
        return (raw.astype(np.uint32) << 16).view(np.float32)
    return raw.astype(np.float32)


def _state_of(tensors: Tensors) -> Tensors:
    """The weights without what some programs put before their names."""
    if not tensors:
        raise UnsuitableModelError("holds no weights")
    for prefix in _PREFIXES:
        if all(name.startswith(prefix) for name in tensors):
            return {name.removeprefix(prefix): tensor for name, tensor in tensors.items()}
    return tensors
