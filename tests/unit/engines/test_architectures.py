"""What is told of weights that cannot be converted, and which files their model becomes."""

from collections.abc import Callable

import numpy as np
import pytest

import weights
from vhsbatch.engines.architectures import infer
from vhsbatch.engines.param_file import UnsuitableModelError
from vhsbatch.engines.param_writer import ModelWriter
from weights import Tensors


def changed(tensors: Tensors, **changes: tuple[int, ...]) -> Tensors:
    """With tensors of other shapes; two underscores stand for a dot."""
    zeros = {name.replace("__", "."): np.zeros(shape, np.float32) for name, shape in changes.items()}
    return {**tensors, **zeros}


def without(tensors: Tensors, name: str) -> Tensors:
    return {key: one for key, one in tensors.items() if key != name}


REFUSED: dict[str, tuple[Callable[[], Tensors], str]] = {
    "unknown": (lambda: {"a.b": np.zeros(1, np.float32)}, "unknown architecture (a.b …), which this program"),
    "SwinIR": (
        lambda: {"layers.0.attn.relative_position_bias_table": np.zeros(1, np.float32)},
        "is of the architecture SwinIR or HAT, which this program cannot convert",
    ),
    "GFPGAN": (weights.gfpgan, "restores faces, and enlarges nothing"),
    "grey": (
        lambda: changed(weights.compact(2), body__0__weight=(8, 1, 3, 3)),
        "takes 1 channels instead of",
    ),
    "grey out": (
        lambda: changed(weights.esrgan(2), conv_last__weight=(1, 8, 3, 3), conv_last__bias=(1,)),
        "gives 1",
    ),
    "ReLU": (
        lambda: {name: one for name, one in weights.compact(2).items() if one.ndim == 4},
        "damaged or unknown variant of Compact: parts are missing",
    ),
    "no bias of its shape": (
        lambda: changed(weights.compact(2), body__2__bias=(3,)),
        "variant of Compact: body.2 has a bias of the shape (3,)",
    ),
    "even kernel": (
        lambda: changed(weights.compact(2), body__2__weight=(8, 8, 2, 2)),
        "variant of Compact: body.2 has the shape (8, 8, 2, 2)",
    ),
    "slopes": (lambda: changed(weights.compact(2), body__3__weight=(2, 2)), "body.3 has the shape (2, 2)"),
    "a part is missing": (
        lambda: without(weights.esrgan(2), "body.1.rdb2.conv3.weight"),
        "variant of ESRGAN: 'body.1.rdb2.conv3.weight'",
    ),
    "ESRGAN+": (
        lambda: changed(
            weights.with_old_names(weights.esrgan(2), 2), model__1__sub__0__RDB1__conv1x1__weight=(4, 8, 1, 1)
        ),
        "is of the architecture ESRGAN+",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_converted_is_named(case: str) -> None:
    make, line = REFUSED[case]
    with pytest.raises(UnsuitableModelError) as caught:
        infer(make())
    assert line in str(caught.value)


def test_a_blob_that_several_layers_want_is_split() -> None:
    writer = ModelWriter()
    param, content = writer.finish(writer.add(writer.picture, writer.scale(writer.picture, 0.5)))
    assert param == (
        "7767517\n4 5\nInput data 0 1 data\nSplit split_data 1 2 data data_0 data_1\n"
        "BinaryOp l0 1 1 data_0 b0 0=2 1=1 2=0.5\nBinaryOp l1 2 1 data_1 b0 output 0=0\n"
    )
    assert content == b""


def test_weights_of_16_bits_end_at_a_multiple_of_four_bytes() -> None:
    writer = ModelWriter()
    ones = np.ones((1, 3, 1, 1), np.float32)
    param, content = writer.finish(writer.convolution(writer.picture, ones, None, leaky_slope=0.2))
    assert (
        param.splitlines()[-1]
        == "Convolution l0 1 1 data output 0=1 1=1 11=1 4=0 14=0 5=0 6=3 9=2 -23310=1,0.2"
    )
    assert content == bytes.fromhex("476b3001") + 3 * bytes.fromhex("003c") + bytes(2)
