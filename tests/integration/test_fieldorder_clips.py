"""The field order of clips whose fields are known, whatever their flags say."""

from pathlib import Path

import pytest

import program
from clips import FFMPEG, ffmpeg, make_clip
from vhsbatch.media.probe import probe
from vhsbatch.model.media import FieldOrder, VideoTrack

pytestmark = pytest.mark.anyio

TFF, BFF, PROGRESSIVE = FieldOrder.TFF, FieldOrder.BFF, FieldOrder.PROGRESSIVE

MPEG2 = ("-c:v", "mpeg2video", "-b:v", "6M", "-flags", "+ildct+ilme")
DV = ("-c:v", "dvvideo", "-pix_fmt", "yuv411p")
FFV1 = ("-c:v", "ffv1")
H264 = ("-c:v", "libx264", "-preset", "veryfast", "-flags", "+ildct+ilme", "-x264-params")


async def probed(clip: Path) -> VideoTrack:
    return (await probe(clip, ffmpeg=FFMPEG)).video


@pytest.mark.parametrize("scan", ["tff", "bff"])
@pytest.mark.parametrize("name", ["a.mpg", "a.mp4", "a.mkv"])
async def test_true_flags(name: str, scan: str, tmp_path: Path) -> None:
    codec = {"a.mpg": MPEG2, "a.mkv": FFV1, "a.mp4": (*H264, f"{scan}=1")}[name]
    video = await probed(make_clip(tmp_path / name, *codec, scan=scan))
    assert video.flagged_order is video.field_order is FieldOrder(scan)
    assert video.field_order_reason.startswith("measured: ")


@pytest.mark.parametrize("name", ["a.dv", "a.avi"])
async def test_dv_is_bottom_field_first(name: str, tmp_path: Path) -> None:
    video = await probed(make_clip(tmp_path / name, *DV, scan="bff"))
    assert video.flagged_order is video.field_order is BFF


@pytest.mark.parametrize(("recorded", "flagged"), [("tff", "bff"), ("bff", "tff")])
async def test_wrong_flags(recorded: str, flagged: str, tmp_path: Path) -> None:
    clip = tmp_path / "a.mkv"
    ffmpeg(
        *("-f", "lavfi", "-i", "testsrc2=s=720x480:r=60000/1001:d=2"),
        *("-vf", f"interlace=scan={recorded}:lowpass=0,setfield={flagged}", *FFV1, clip),
    )
    video = await probed(clip)
    assert (video.flagged_order, video.field_order) == (FieldOrder(flagged), FieldOrder(recorded))
    assert "though the file says" in video.field_order_reason


@pytest.mark.parametrize("scan", ["tff", "bff"])
async def test_no_flags(scan: str, tmp_path: Path) -> None:
    video = await probed(make_clip(tmp_path / "a.avi", "-c:v", "mjpeg", "-q:v", "3", scan=scan))
    assert (video.flagged_order, video.field_order) == (FieldOrder.UNKNOWN, FieldOrder(scan))


async def test_a_progressive_picture_in_an_interlaced_stream(tmp_path: Path) -> None:
    clip = tmp_path / "a.mpg"
    # Blurred, since lines of one pixel look like fields.
    source = "testsrc2=s=720x480:r=30000/1001:d=3,boxblur=2,setfield=tff"
    ffmpeg("-f", "lavfi", "-i", source, *MPEG2, clip)
    video = await probed(clip)
    assert (video.flagged_order, video.field_order) == (TFF, PROGRESSIVE)


async def test_a_still_picture_leaves_it_to_the_flags(tmp_path: Path) -> None:
    clip = tmp_path / "a.mpg"
    source = "color=c=0x204060:s=720x480:r=30000/1001:d=2,setfield=bff"
    ffmpeg("-f", "lavfi", "-i", source, *MPEG2, clip)
    video = await probed(clip)
    assert video.field_order is BFF
    assert video.field_order_reason == "too little movement to measure; the file says bottom field first"


async def test_a_still_picture_without_flags_follows_the_convention(tmp_path: Path) -> None:
    clip = tmp_path / "a.avi"
    ffmpeg("-f", "lavfi", "-i", "color=c=gray:s=720x576:r=25:d=2", "-c:v", "huffyuv", clip)
    video = await probed(clip)
    assert video.field_order is TFF
    assert "by convention" in video.field_order_reason


async def test_movement_in_one_part_of_a_long_tape_is_found(tmp_path: Path) -> None:
    clip = tmp_path / "a.mkv"
    ffmpeg(
        *("-f", "lavfi", "-i", "color=c=blue:s=240x480:r=60000/1001:d=14"),
        *("-f", "lavfi", "-i", "testsrc2=s=240x480:r=60000/1001:d=6"),
        *("-filter_complex", "[0][1]concat=n=2,interlace=scan=bff:lowpass=0,setfield=tff", *FFV1, clip),
    )
    video = await probed(clip)
    assert video.field_order is BFF


def tape_of_both_orders(clip: Path, seconds: float) -> Path:
    """So many seconds of one order, then as many of the other."""
    parts = (f"testsrc2=s=240x480:r=60000/1001:d={seconds}", "interlace=scan={}:lowpass=0,setfield=tff")
    first, then = (f"{parts[0]},{parts[1].format(scan)}" for scan in ("tff", "bff"))
    ffmpeg(
        *("-f", "lavfi", "-i", first, "-f", "lavfi", "-i", then),
        *("-filter_complex", "[0][1]concat=n=2", *FFV1, clip),
    )
    return clip


@pytest.mark.parametrize("seconds", [3, 9])
async def test_an_order_that_changes_is_found(seconds: int, tmp_path: Path) -> None:
    video = await probed(tape_of_both_orders(tmp_path / "a.mkv", seconds))
    assert video.field_order is FieldOrder.MIXED
    assert video.field_order_reason.startswith("top field first at 0:0")


def test_a_tape_of_both_orders_is_refused_until_the_user_decides(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    tape_of_both_orders(tmp_path / "in" / "a.mkv", 2)
    dry_run = ("batch", "in", "out", "--dry-run", "-r", "120", "--engine", "ffmpeg")
    refused = program.run(*dry_run, cwd=tmp_path)
    assert "would fail: its field order changes: top field first at 0:0" in refused.stdout
    assert "--field-order" in refused.stdout
    for option in (("--field-order", "bff"), ("-p", "webcam")):
        taken = program.run(*dry_run, *option, cwd=tmp_path)
        assert "would fail" not in taken.stdout, taken.stdout


async def test_other_sizes_are_not_measured(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "a.mkv", *FFV1, scan="progressive", seconds=1, size="320x240")
    video = await probed(clip)
    assert video.field_order is PROGRESSIVE
    assert video.field_order_reason == "a picture of 240 lines has no fields"
