"""How captures are decoded to be stacked, and how the stack is written."""

from fractions import Fraction
from pathlib import Path

import pytest

import make
from vhsbatch.ffmpeg.segment_commands import Threads
from vhsbatch.ffmpeg.stack_commands import (
    decode_capture_command,
    encode_stack_command,
    fingerprint_command,
    stack_plan,
)
from vhsbatch.model.media import FieldOrder

THREADS = Threads(decode=1, filter=1)
OUTPUT = Path("/out/stack.mkv")


def test_a_capture_is_decoded_as_it_is() -> None:
    plan = stack_plan(make.info(), OUTPUT)
    command = decode_capture_command("ffmpeg", plan, THREADS)
    assert command[command.index("-pix_fmt") + 1] == "yuv411p"
    (graph,) = (word for word in command if "setpts" in word)
    assert "scale" not in graph
    assert "bwdif" not in graph
    assert "trim=end_pts=300" in graph


def test_another_capture_gets_the_format_of_the_reference() -> None:
    plan = stack_plan(make.info(make.track(pixel_format="uyvy422")), OUTPUT, pixel_format="yuv411p")
    command = decode_capture_command("ffmpeg", plan, THREADS)
    assert command[command.index("-pix_fmt") + 1] == "yuv411p"
    assert any("interl=1" in word for word in command)


def test_fingerprints_go_to_a_file_and_frames_nowhere() -> None:
    command = fingerprint_command(
        "ffmpeg", stack_plan(make.info(), OUTPUT), Path("/tmp/fingerprints"), THREADS
    )
    assert command[-1] == "file:/tmp/fingerprints"
    assert "pipe:1" not in command
    assert any("il=l=d" in word for word in command)


@pytest.mark.parametrize(("order", "mode"), [(FieldOrder.TFF, "tff"), (FieldOrder.BFF, "bff")])
def test_fields_shape_and_sound_are_the_references(order: FieldOrder, mode: str) -> None:
    info = make.info(make.track(field_order=order, start_s=Fraction(1, 4)))
    command = encode_stack_command("ffmpeg", stack_plan(info, OUTPUT), OUTPUT, encoder=("-c:v", "ffv1"))
    filters = command[command.index("-vf") + 1]
    assert f"setfield={mode}" in filters
    assert "setsar=8/9" in filters
    assert command[command.index("-itsoffset") + 1] == "-0.250000000"
    assert command[command.index("-c:a:0") + 1] == "pcm_s16le"
