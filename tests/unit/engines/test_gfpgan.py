"""Which weights of face models are refused, and in which words."""

from collections.abc import Callable

import numpy as np
import pytest

import weights
from vhsbatch.engines.gfpgan import infer_face_model
from vhsbatch.engines.param_file import UnsuitableModelError, read_blobs
from weights import Tensors

STYLE = "stylegan_decoder.style_conv1"


def changed(name: str, *shape: int) -> Tensors:
    return {**weights.gfpgan(), name: np.zeros(shape, np.float32)}


def without(name: str) -> Tensors:
    return {key: one for key, one in weights.gfpgan().items() if key != name}


REFUSED: dict[str, tuple[Callable[[], Tensors], str]] = {
    "a model that upscales": (lambda: weights.compact(2), "is no GFPGAN (body.0.weight"),
    "CodeFormer": (lambda: {"quantize.embedding.weight": np.zeros(1, np.float32)}, "CodeFormer"),
    "the first GFPGAN": (lambda: {"conv_body_first.0.weight": np.zeros(1, np.float32)}, "not the clean one"),
    "one style for all": (
        lambda: changed("final_linear.weight", 512, 64),
        "final_linear.weight has the shape",
    ),
    "no way up": (lambda: without("conv_body_up.1.conv1.weight"), "as many levels up as down"),
    "no bias": (lambda: without(f"{STYLE}.bias"), f"'{STYLE}.bias'"),
    "noise of another size": (
        lambda: changed("stylegan_decoder.noises.noise1", 1, 1, 4, 4),
        "noise1 has the shape (1, 1, 4, 4) instead of (1, 1, 8, 8)",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_other_weights_are_refused(case: str) -> None:
    make, words = REFUSED[case]
    with pytest.raises(UnsuitableModelError) as caught:
        infer_face_model(make())
    assert words in str(caught.value)


def test_the_model_takes_a_face_and_gives_one() -> None:
    model = infer_face_model(weights.gfpgan(3))
    assert read_blobs(model.param) == ("data", "output")
    assert model.name == "GFPGAN (clean)"


def test_noise_that_a_file_lacks_is_left_out() -> None:
    quiet = {name: one for name, one in weights.gfpgan().items() if "noises" not in name}
    assert infer_face_model(quiet).param.count("MemoryData") == 1
    assert infer_face_model(weights.gfpgan()).param.count("MemoryData") == 6
