"""Files of weights: tensors come out as they went in, and nothing else in a file is run or believed."""

import pickle
import resource
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import weights
from vhsbatch.engines.param_file import UnsuitableModelError
from vhsbatch.engines.weights_file import Tensors, read_weights

WEIGHTS = weights.compact(2)


def same(tensors: Tensors, expected: Tensors, *, relative: float = 0.0) -> bool:
    return tensors.keys() == expected.keys() and all(
        np.allclose(tensors[name], expected[name], rtol=relative, atol=0) for name in expected
    )


@pytest.mark.parametrize(("kind", "relative"), [("f4", 0), ("f8", 0), ("f2", 1e-3), ("bf16", 1e-2)])
def test_tensors_of_every_kind_of_numbers(kind: str, relative: float, tmp_path: Path) -> None:
    one = weights.pth(tmp_path / "one.pth", WEIGHTS, kind=kind)
    assert same(read_weights(one).tensors, WEIGHTS, relative=relative)
    other = weights.safetensors(tmp_path / "other.safetensors", WEIGHTS, kind=kind)
    assert same(read_weights(other).tensors, WEIGHTS, relative=relative)


def test_the_format_before_zip(tmp_path: Path) -> None:
    assert same(read_weights(weights.legacy_pth(tmp_path / "old.pth", WEIGHTS)).tensors, WEIGHTS)


@pytest.mark.parametrize("within", ["params_ema", "params", "state_dict", "model"])
def test_weights_among_other_things(within: str, tmp_path: Path) -> None:
    assert same(read_weights(weights.pth(tmp_path / "a.pth", WEIGHTS, within=within)).tensors, WEIGHTS)


def test_a_common_prefix_is_left_out(tmp_path: Path) -> None:
    prefixed = {f"module.{name}": one for name, one in WEIGHTS.items()}
    assert same(read_weights(weights.pth(tmp_path / "a.pth", prefixed)).tensors, WEIGHTS)


def test_a_view_with_strides_of_its_own(tmp_path: Path) -> None:
    numbers = np.arange(6, dtype=np.float32)
    state = weights.dictionary({"turned": weights.tensor("t", (3, 2), strides=(1, 3))})
    path = weights.pth(tmp_path / "a.pth", {"t": numbers}, state=state)
    assert np.array_equal(read_weights(path).tensors["turned"], numbers.reshape(2, 3).T)


class _Hostile:
    """Pickled, it writes a file when it is read."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return (Path.touch, (self.place,))


GADGETS = {
    "os.system": b"cos\nsystem\n(X\x10\x00\x00\x00touch hostile-rantR.",
    "posix.system": b"cposix\nsystem\n(X\x10\x00\x00\x00touch hostile-rantR.",
    "builtins.eval": b"cbuiltins\neval\n(X\x1e\x00\x00\x00open('hostile-ran','w').write('')tR.",
    "builtins.getattr": b"\x80\x04\x8c\x08builtins\x8c\x07getattr\x93.",
    "torch.storage._load_from_bytes": b"ctorch.storage\n_load_from_bytes\n(tR.",
    "torch.jit._pickle.build_intlist": b"ctorch.jit._pickle\nbuild_intlist\n(tR.",
    "numpy.core.multiarray._reconstruct": b"cnumpy.core.multiarray\n_reconstruct\n(tR.",
    "collections.OrderedDict.__init__": b"\x80\x04\x8c\x0bcollections\x8c\x14OrderedDict.__init__\x93.",
    "torch._utils._rebuild_tensor_v2.__globals__": (
        b"\x80\x04\x8c\x0ctorch._utils\x8c\x1e_rebuild_tensor_v2.__globals__\x93."
    ),
}


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("gadget", GADGETS)
def test_a_hostile_file_runs_nothing(
    gadget: str, legacy: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "hostile.pth"
    if legacy:
        path.write_bytes(GADGETS[gadget])
    else:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("archive/data.pkl", GADGETS[gadget])
    with pytest.raises(UnsuitableModelError, match="holds more than weights") as caught:
        read_weights(path)
    assert gadget in str(caught.value)
    assert [one.name for one in tmp_path.iterdir()] == ["hostile.pth"]


def test_the_hostile_pickle_would_have_run(tmp_path: Path) -> None:
    data, ran = pickle.dumps(_Hostile(tmp_path / "ran")), tmp_path / "ran"
    (tmp_path / "hostile.pth").write_bytes(data)
    with pytest.raises(UnsuitableModelError):
        read_weights(tmp_path / "hostile.pth")
    assert not ran.exists()
    pickle.loads(data)
    assert ran.exists()


LIES = {
    "past the end": weights.tensor("t", (7,)),
    "strides past the end": weights.tensor("t", (2, 3), strides=(6, 1)),
    "more than there is": weights.tensor("t", (10**4, 10**4), strides=(0, 0)),
    "negative stride": weights.tensor("t", (2, 3), strides=(-1, 1)),
    "negative edge": weights.tensor("t", (-2, -3), strides=(3, 1)),
    "edges without strides": weights.tensor("t", (2, 3), strides=(1,)),
    "no storage": weights.tensor("gone", (6,)),
    "not a tensor": b"cos\nno\n",
}


@pytest.mark.parametrize("lie", LIES)
def test_a_file_that_lies_about_its_tensors_is_refused(lie: str, tmp_path: Path) -> None:
    state = weights.dictionary({"t": LIES[lie]})
    path = weights.pth(tmp_path / "a.pth", {"t": np.zeros(6, np.float32)}, state=state)
    with pytest.raises(UnsuitableModelError):
        read_weights(path)


def test_a_state_set_from_outside_changes_no_tensor(tmp_path: Path) -> None:
    # The pickle's BUILD sets attributes of what was made.
    tampered = weights.tensor("t", (6,)) + weights.dictionary({"shape": b"(J\x09\x00\x00\x00t"}) + b"b"
    path = weights.pth(
        tmp_path / "a.pth", {"t": np.zeros(6, np.float32)}, state=weights.dictionary({"t": tampered})
    )
    with pytest.raises(UnsuitableModelError):
        read_weights(path)


NO_WEIGHTS = {
    "empty": b"",
    "text": b"hello\n",
    "cut zip": b"PK\x03\x04 nothing",
    "a number": b"\x80\x02K\x01.",
    "cut pickle": b"\x80\x02cos",
    "huge header": struct.pack("<Q", 2**60) + b"{}",
    "header of text": struct.pack("<Q", 5) + b"hello",
    "header of a list": struct.pack("<Q", 2) + b"[]",
    "empty header": struct.pack("<Q", 2) + b"{}",
    "offsets past the end": struct.pack("<Q", 56)
    + b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,400]}}',
}


@pytest.mark.parametrize("ending", [".pth", ".safetensors"])
@pytest.mark.parametrize("content", NO_WEIGHTS)
def test_what_is_no_file_of_weights_is_refused(content: str, ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"a{ending}"
    path.write_bytes(NO_WEIGHTS[content])
    with pytest.raises(UnsuitableModelError):
        read_weights(path)


def test_a_byte_that_reserves_memory_reserves_none(tmp_path: Path) -> None:
    path = tmp_path / "a.pth"
    # An empty dictionary, to be remembered as number 67,108,863.
    path.write_bytes(b"\x80\x02}r\xff\xff\xff\x03.")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(UnsuitableModelError):
        read_weights(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # KiB; it was a million


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    place=st.integers(0, 10**6), byte=st.integers(0, 255), ending=st.sampled_from([".pth", ".safetensors"])
)
def test_a_damaged_file_is_read_or_refused(place: int, byte: int, ending: str, tmp_path: Path) -> None:
    write = weights.legacy_pth if ending == ".pth" else weights.safetensors
    path = write(tmp_path / f"a{ending}", {"w": np.zeros((2, 3), np.float32)})
    data = bytearray(path.read_bytes())
    data[place % len(data)] = byte
    path.write_bytes(data)
    try:
        assert read_weights(path).tensors
    except UnsuitableModelError as error:
        assert str(error)
