"""Ends of tapes that hold nothing, and frames that are repeated, in clips in which both are known."""

from pathlib import Path

import pytest

from clips import FFMPEG, ffmpeg
from vhsbatch.model.media import FieldOrder
from vhsbatch.probe.blank import BlankEnds, look_at_ends
from vhsbatch.probe.probe import probe
from vhsbatch.probe.telecine import look_at_steps

pytestmark = pytest.mark.anyio

FFV1 = ("-c:v", "ffv1", "-g", "1")
NOISE = "noise=c0s=8:c0f=t:c1s=8:c1f=t"


async def ends(clip: Path, *parts: str) -> BlankEnds:
    inputs = [word for part in parts for word in ("-f", "lavfi", "-i", part)]
    joined = "".join(f"[{number}]" for number in range(len(parts)))
    ffmpeg(*inputs, "-filter_complex", f"{joined}concat=n={len(parts)},format=yuv420p,{NOISE}", *FFV1, clip)
    info = await probe(clip, ffmpeg=FFMPEG)
    return await look_at_ends(clip, info.video, ffmpeg=FFMPEG, seekable=info.exact_seek)


async def test_a_blue_head_and_a_black_tail_are_measured(tmp_path: Path) -> None:
    found = await ends(
        tmp_path / "tape.mkv",
        "color=blue:s=192x144:r=25:d=2.6",
        "testsrc2=s=192x144:r=25:d=2",
        "color=black:s=192x144:r=25:d=5",
    )
    assert (found.head, found.tail) == ("blue", "black")
    assert found.head_s == pytest.approx(2.6, abs=0.15)
    assert found.tail_s == pytest.approx(5, abs=0.15)


async def test_a_tape_that_is_full_has_no_blank_ends(tmp_path: Path) -> None:
    assert await ends(tmp_path / "tape.mkv", "testsrc2=s=192x144:r=25:d=2") == BlankEnds()


async def test_an_empty_tape_is_blank_from_end_to_end(tmp_path: Path) -> None:
    found = await ends(tmp_path / "tape.mkv", "color=gray:s=192x144:r=25:d=3")
    assert found == BlankEnds(head="grey", head_s=3.0)


@pytest.mark.parametrize("noise", ["null", NOISE])
@pytest.mark.parametrize("codec", [FFV1, ("-c:v", "mpeg2video", "-q:v", "2")])
async def test_repeated_frames_are_counted(noise: str, codec: tuple[str, ...], tmp_path: Path) -> None:
    clip = tmp_path / "repeated.mkv"
    # What a capture does that has no time for a frame: the one before comes again.
    lost = "select='not(eq(mod(n,10),5))',fps=25"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=192x144:r=25:d=6", "-vf", f"{noise},{lost}", *codec, clip)
    info = await probe(clip, ffmpeg=FFMPEG)
    steps = await look_at_steps(clip, info.video, ffmpeg=FFMPEG, seekable=True)
    assert steps is not None
    assert steps.repeated == pytest.approx(steps.frames / 10, abs=1)


async def test_a_still_picture_repeats_nothing(tmp_path: Path) -> None:
    clip = tmp_path / "still.mkv"
    ffmpeg("-f", "lavfi", "-i", "smptebars=s=192x144:r=25:d=3", *FFV1, clip)
    info = await probe(clip, ffmpeg=FFMPEG)
    assert info.video.field_order is FieldOrder.PROGRESSIVE
    steps = await look_at_steps(clip, info.video, ffmpeg=FFMPEG, seekable=True)
    assert steps is not None
    assert steps.repeated == 0
