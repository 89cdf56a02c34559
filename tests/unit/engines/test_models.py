"""Which model a video needs, and what a model's description says about its scale."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vhsbatch.engines.models import (
    choose_model,
    digest,
    is_small,
    model_scale,
    models_folder,
    shipped_models,
    user_model,
)
from vhsbatch.errors import UsageError

SHIPPED = {
    "realesr-animevideov3-x2": 2,
    "realesr-animevideov3-x3": 3,
    "realesr-animevideov3-x4": 4,
    "realesrgan-x4plus": 4,
    "realesrgan-x4plus-anime": 4,
}
SCALES = {"animevideov3": (2, 3, 4), "x4plus": (4,), "x4plus-anime": (4,)}
LAYERS = {"Interp": "0=1 1={0}.0 2={0}.0", "PixelShuffle": "0={0}", "Deconvolution": "0=3 1=4 2=1 3={0}"}


def param(*layers: str) -> str:
    """A model's description: the input, then `layers`."""
    return "\n".join(["7767517", f"{len(layers) + 1} 9", "Input in 0 1 data", *layers, ""])


def chain(*layers: tuple[str, str]) -> str:
    """A model of layers one behind the other, each a kind and its options."""
    blobs = ["data", *(f"b{index}" for index in range(1, len(layers))), "output"]
    return param(
        *(
            f"{kind} layer{index} 1 1 {blobs[index]} {blobs[index + 1]} {options}"
            for index, (kind, options) in enumerate(layers)
        )
    )


def test_every_shipped_model_has_the_scale_in_its_name() -> None:
    scales = {file.stem: model_scale(file.read_text()) for file in models_folder().glob("*.param")}
    assert scales == SHIPPED


@given(
    model=st.sampled_from(sorted(SCALES)),
    source_height=st.integers(16, 1080),
    target_height=st.integers(60, 2160).map(lambda half: half * 2),
)
def test_the_smallest_scale_that_reaches_the_target(
    model: str, source_height: int, target_height: int
) -> None:
    files = choose_model(model, source_height=source_height, target_height=target_height)
    reaching = [scale for scale in SCALES[model] if source_height * scale >= target_height]
    assert files.scale == (min(reaching) if reaching else max(SCALES[model]))


@pytest.mark.parametrize(
    ("model", "source_height", "target_height", "name", "stem"),
    [
        ("animevideov3", 480, 960, "animevideov3-x2", "realesr-animevideov3-x2"),
        ("animevideov3", 480, 962, "animevideov3-x3", "realesr-animevideov3-x3"),
        ("animevideov3", 480, 1080, "animevideov3-x3", "realesr-animevideov3-x3"),
        ("animevideov3", 576, 1080, "animevideov3-x2", "realesr-animevideov3-x2"),
        ("animevideov3", 480, 2160, "animevideov3-x4", "realesr-animevideov3-x4"),
        ("x4plus", 480, 720, "x4plus", "realesrgan-x4plus"),
        ("x4plus-anime", 480, 1080, "x4plus-anime", "realesrgan-x4plus-anime"),
    ],
)
def test_a_model_and_its_files(
    model: str, source_height: int, target_height: int, name: str, stem: str
) -> None:
    files = choose_model(model, source_height=source_height, target_height=target_height)
    assert files.name == name
    assert (files.param.name, files.weights.name) == (f"{stem}.param", f"{stem}.bin")
    assert files.scale == SHIPPED[stem]


@given(st.lists(st.tuples(st.sampled_from(sorted(LAYERS)), st.integers(1, 4)), min_size=1, max_size=5))
def test_the_scales_of_layers_are_multiplied(layers: list[tuple[str, int]]) -> None:
    expected = 1
    for _, scale in layers:
        expected *= scale
    text = chain(*((kind, LAYERS[kind].format(scale)) for kind, scale in layers))
    assert model_scale(text) == expected


def test_a_convolution_with_a_stride_makes_it_smaller() -> None:
    stride_2 = ("Convolution", "0=64 1=3 3=2 4=1")
    assert model_scale(chain(stride_2, ("PixelShuffle", "0=4"))) == 2
    assert model_scale(chain(("Convolution", "0=64 1=3 4=1"), ("PixelShuffle", "0=4"))) == 4
    assert model_scale(chain(("Reorg", "0=2"), ("Interp", "1=4.0 2=4.0"))) == 2
    assert model_scale(chain(("Pooling", "0=0 1=2 2=2"), ("PixelShuffle", "0=4"))) == 2


def test_two_ways_to_the_output() -> None:
    # As in animevideov3: the picture itself, enlarged, is added to what the model makes of it.
    text = param(
        "Split split 1 2 data a b",
        "Convolution conv 1 1 a c 0=12 1=3 4=1",
        "PixelShuffle shuffle 1 1 c d 0=2",
        "Interp nearest 1 1 b e 0=1 1=2.0 2=2.0",
        "BinaryOp add 2 1 d e output 0=0",
    )
    assert model_scale(text) == 2


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello\n",
        "7767517",
        "7767518\n" + chain(("Interp", "1=2.0 2=2.0")).partition("\n")[2],
        param("Interp up 1 1 data out0 0=1 1=2.0 2=2.0"),
        chain(("Interp", "0=1 1=2.0 2=2.0")).replace("data", "in0"),
        chain(("Interp", "0=1 1=1.5 2=1.5")),
        chain(("Interp", "0=1 1=0.5 2=0.5")),
        chain(("Convolution", "0=3 1=3 3=2")),
    ],
    ids=["empty", "text", "cut", "magic", "no output", "no data", "one and a half", "half", "stride"],
)
def test_what_is_no_model_of_a_whole_scale(text: str) -> None:
    assert model_scale(text) is None


def test_line_breaks_of_windows() -> None:
    assert model_scale(chain(("Interp", "0=1 1=2.0 2=2.0")).replace("\n", "\r\n")) == 2


def own_model(folder: Path, text: str) -> Path:
    (folder / "mine.param").write_text(text)
    (folder / "mine.bin").touch()
    return folder / "mine.param"


@pytest.mark.parametrize("name", ["mine.param", "mine"])
def test_a_model_of_the_users_own(name: str, tmp_path: Path) -> None:
    own_model(tmp_path, chain(("Interp", "0=1 1=3.0 2=3.0")))
    files = user_model(tmp_path / name)
    assert (files.name, files.scale) == ("mine", 3)
    assert (files.param, files.weights) == (tmp_path / "mine.param", tmp_path / "mine.bin")


@pytest.mark.parametrize("missing", ["mine.param", "mine.bin"])
def test_a_missing_file_is_named(missing: str, tmp_path: Path) -> None:
    path = own_model(tmp_path, chain(("Interp", "0=1 1=3.0 2=3.0")))
    (tmp_path / missing).unlink()
    with pytest.raises(UsageError, match=rf"--model .*: .*{missing} is not there") as caught:
        user_model(path)
    assert caught.value.fix == "give a .param file with its .bin beside it"


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    path = own_model(tmp_path, "not a model\n")
    with pytest.raises(UsageError, match="not a model that takes 'data' and gives 'output'") as caught:
        user_model(path)
    assert caught.value.fix is not None


def test_a_digest_is_that_of_the_bytes(tmp_path: Path) -> None:
    file = tmp_path / "mine.bin"
    file.write_bytes(b"abc")
    assert digest(file) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_which_models_take_a_frame_whole() -> None:
    small = {model.name for model in shipped_models() if is_small(model.weights)}
    assert small == {"animevideov3-x2", "animevideov3-x3", "animevideov3-x4"}
