"""What a run and a machine tell each other."""

import pickle
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

import make
from vhsbatch.cluster.protocol import Answer, Order, Tools, as_values, difference, mapped, parse_map
from vhsbatch.errors import (
    ChainError,
    MachineLostError,
    OutOfMemoryError,
    StageFailure,
    UsageError,
    VhsBatchError,
)

TOOLS = Tools(
    ffmpeg="n9.0.2", runtime="ncnn 1.0 on a Vulkan device", processor="x86_64", qtgmc="vapoursynth 81"
)
NAMES = st.text("abc.é ", min_size=1, max_size=6).filter(lambda name: name.strip(". ") != "")


def test_the_same_tools_are_no_reason() -> None:
    assert difference(TOOLS, TOOLS) is None


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (replace(TOOLS, ffmpeg="5.1.6"), ("FFmpeg 5.1.6", "FFmpeg n9.0.2")),
        (replace(TOOLS, runtime="ncnn 1.1 on a Vulkan device"), ("ncnn 1.1", "ncnn 1.0")),
        (replace(TOOLS, runtime="ncnn 1.0 on the CPU"), ("on the CPU", "on a Vulkan device")),
        (replace(TOOLS, processor="aarch64"), ("aarch64", "x86_64")),
        (replace(TOOLS, qtgmc="vapoursynth 80"), ("QTGMC with vapoursynth 80", "QTGMC with vapoursynth 81")),
    ],
)
def test_both_versions_are_named(found: Tools, words: tuple[str, str]) -> None:
    why = difference(TOOLS, found)
    assert why is not None
    assert all(word in why for word in words)


@given(folder=st.lists(NAMES, min_size=1, max_size=3), rest=st.lists(NAMES, max_size=3))
def test_a_mapped_path_keeps_what_is_below_the_folder(folder: list[str], rest: list[str]) -> None:
    here = PurePosixPath("/", *folder)
    path = Path(here, *rest)
    assert mapped(path, {str(here): "/there"}) == Path("/there", *rest)
    assert mapped(Path(f"{here}x", *rest), {str(here): "/there"}) == Path(f"{here}x", *rest)


def test_the_longest_folder_decides() -> None:
    pairs = parse_map(("/=/root", "/mnt/tapes/=/t", "/mnt=/m"))
    assert mapped(Path("/mnt/tapes/a.dv"), pairs) == Path("/t/a.dv")
    assert mapped(Path("/mnt/a.dv"), pairs) == Path("/m/a.dv")
    assert mapped(Path("/home/a.dv"), pairs) == Path("/root/home/a.dv")


@pytest.mark.parametrize("text", ["", "/a", "a=/b", "/a=b", "=/b", "/a="])
def test_what_is_no_mapping(text: str) -> None:
    with pytest.raises(UsageError, match="FROM=TO"):
        parse_map((text,))


def test_an_answer_survives_plain_values() -> None:
    answer = Answer(machine="attic", slots=2, refusal=None)
    assert Answer(**as_values(answer)) == answer


def test_an_order_can_be_sent() -> None:
    plan = make.plan()
    order = Order(key="k", run_id="r", plan=plan, segment=plan.segments[0], lane=1, attempt=1, fallback=0)
    assert pickle.loads(pickle.dumps(order)) == order


@pytest.mark.parametrize(
    "error",
    [
        VhsBatchError("cause", fix="fix"),
        OutOfMemoryError("out of memory", culprit="encode"),
        MachineLostError("gone"),
        ChainError(
            "decode failed",
            culprit="decode",
            stages=(StageFailure(stage="decode", command=("a",), exit_code=1, stderr_tail=("b",)),),
        ),
    ],
)
def test_an_error_can_be_sent(error: VhsBatchError) -> None:
    sent = pickle.loads(pickle.dumps(error))
    assert type(sent) is type(error)
    assert str(sent) == str(error)
    assert vars(sent) == vars(error)
