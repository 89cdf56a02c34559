"""Every field and every frame of film comes out once, in its place, however the video is cut."""

from pathlib import Path

import anyio
import pytest

import program
from counters import make_counted, numbers
from restoring import FFV1, need_qtgmc, need_weights, restored
from vhsbatch.engines.devices import runtime_fix, runtime_problem

pytestmark = pytest.mark.sampled


@pytest.mark.parametrize(
    ("scan", "method"),
    [("tff", "bwdif"), ("bff", "w3fdif"), ("bff", "yadif"), ("bff", "nnedi"), ("bff", "qtgmc")],
)
def test_each_field_becomes_a_frame_in_its_place(scan: str, method: str, tmp_path: Path) -> None:
    if method == "qtgmc":
        need_qtgmc()
    if method == "nnedi":
        need_weights()
    fields = f"interlace=scan={scan}:lowpass=0,setfield={scan}"
    make_counted(tmp_path / "tape.mkv", *FFV1, rate="60000/1001", seconds=2, fields=fields)
    made = restored(tmp_path, f"deinterlace = {{ method = '{method}' }}", segment_s=60, name="made.mkv")
    assert numbers(made) == list(range(120))


@pytest.mark.slow
@pytest.mark.parametrize("denoise", ["none", "degrain"])
def test_qtgmc_in_segments_makes_what_it_makes_in_one(tmp_path: Path, denoise: str) -> None:
    need_qtgmc()
    fields = "interlace=scan=tff:lowpass=0,setfield=tff"
    make_counted(tmp_path / "tape.mkv", *FFV1, rate="50", seconds=2.4, fields=fields)
    preset = "deinterlace = { method = 'qtgmc' }\nsharpen = { undo = 0.2 }"
    whole = restored(tmp_path, preset, segment_s=60, name="whole.mkv", denoise=denoise)
    assert numbers(whole) == list(range(120))
    cut = restored(tmp_path, preset, segment_s=1, name="cut.mkv", denoise=denoise)
    assert program.frame_digests(cut) == program.frame_digests(whole)


def test_qtgmc_and_the_network_stand_in_one_chain(tmp_path: Path) -> None:
    """Five programs: decode, deinterlace, clean, upscale, encode."""
    need_qtgmc()
    if problem := anyio.run(runtime_problem, "ncnn"):
        pytest.skip(f"ncnn does not work here: {problem}: {runtime_fix(problem)}")
    fields = "interlace=scan=bff:lowpass=0,setfield=bff"
    make_counted(tmp_path / "tape.mkv", *FFV1, rate="60000/1001", seconds=2, fields=fields)
    # A network without weights, which repeats each pixel.
    param = "7767517\n2 2\nInput in 0 1 data\nInterp nearest 1 1 data output 0=1 1=2.0 2=2.0\n"
    (tmp_path / "nearest-x2.param").write_text(param)
    (tmp_path / "nearest-x2.bin").touch()
    network = ("--engine", "realesrgan", "--device", "cpu", "--runtime", "ncnn")
    preset = "ai_segment_s = 1\ndeinterlace = { method = 'qtgmc' }"
    model = ("--model", tmp_path / "nearest-x2.param")
    made = restored(tmp_path, preset, segment_s=60, name="made.mkv", engine=(*network, *model))
    assert numbers(made) == list(range(120))


def pulldown(first: str, scan: str) -> str:
    """Fields of film, and one frame behind the last whole cycle."""
    return f"telecine=first_field={first}:pattern=23,setfield={scan},trim=end_frame=101"


def test_film_gets_its_own_frames_back(tmp_path: Path) -> None:
    make_counted(tmp_path / "tape.mkv", *FFV1, rate="24000/1001", seconds=4, fields=pulldown("top", "tff"))
    whole = restored(tmp_path, "", segment_s=60, name="whole.mkv")
    assert numbers(whole) == list(range(81))
    cut = restored(tmp_path, "", segment_s=1, name="cut.mkv")
    assert program.frame_digests(cut) == program.frame_digests(whole)


def test_film_with_the_bottom_field_first(tmp_path: Path) -> None:
    fields = pulldown("bottom", "bff")
    make_counted(tmp_path / "tape.mkv", *FFV1, rate="24000/1001", seconds=4, fields=fields)
    assert numbers(restored(tmp_path, "", segment_s=1, name="cut.mkv")) == list(range(81))


@pytest.mark.parametrize("mode", ["t", "b"])
def test_film_a_field_out_of_step_is_put_together_again(mode: str, tmp_path: Path) -> None:
    make_counted(tmp_path / "tape.mkv", *FFV1, rate="25", seconds=3, fields=f"phase=mode={mode}")
    whole = restored(tmp_path, "", segment_s=60, name="whole.mkv")
    # The first field has no partner.
    assert numbers(whole)[1:] == list(range(74))
    cut = restored(tmp_path, "", segment_s=1, name="cut.mkv")
    assert program.frame_digests(cut)[1:] == program.frame_digests(whole)[1:]


@pytest.mark.parametrize("method", ["bwdif", "w3fdif", "nnedi"])
def test_one_frame_of_two_fields(method: str, tmp_path: Path) -> None:
    if method == "nnedi":
        need_weights()
    fields = "interlace=scan=tff:lowpass=0,setfield=tff"
    make_counted(tmp_path / "tape.mkv", *FFV1, rate="50", seconds=2, fields=fields)
    preset = f"deinterlace = {{ method = '{method}', rate = 'frame' }}"
    assert numbers(restored(tmp_path, preset, segment_s=1, name="made.mkv")) == list(range(0, 100, 2))
