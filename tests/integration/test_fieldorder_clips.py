"""The field order of clips whose fields are known, whatever their flags say."""

import subprocess
from itertools import pairwise
from pathlib import Path
from statistics import median

import numpy as np
import pytest

import program
from clips import FFMPEG, ffmpeg, make_clip
from restoring import restored
from vhsbatch.model.media import FieldOrder, VideoTrack
from vhsbatch.probe.probe import probe

pytestmark = [pytest.mark.anyio, pytest.mark.sampled]

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
    changes_at = round(seconds * video.rate)
    assert [(run.first_frame, run.order) for run in video.order_runs] == [(0, TFF), (changes_at, BFF)]


# A box that moves 4 pixels to the right with each field.
BOX = (
    "color=gray:s={size}:r={fields},format=yuv420p[b];color=white:s=24x100:r={fields},format=yuv420p[w];"
    "[b][w]overlay=x='8+4*n':y=140"
)


def flipping_box(clip: Path, *codec: str, lengths: tuple[int, ...], size: str, fields: str) -> Path:
    """Frames of one order, then of the other, and so on, that go on moving steadily.

    Args:
        clip: the clip.
        codec: FFmpeg's output arguments.
        lengths: how many frames there are of each run, the first of them with the top field first.
        size: of the picture.
        fields: of them a second.
    """
    count = len(lengths)
    parts, begin = [], 0
    for number, length in enumerate(lengths):
        end = begin + 2 * length
        parts.append(
            f"[s{number}]trim=start_frame={begin}:end_frame={end},setpts=N/FRAME_RATE/TB,"
            f"tinterlace=interleave_{('top', 'bottom')[number % 2]}[t{number}]"
        )
        begin = end
    graph = ";".join(
        [
            f"{BOX.format(size=size, fields=fields)},split={count}"
            + "".join(f"[s{n}]" for n in range(count)),
            *parts,
            "".join(f"[t{n}]" for n in range(count)) + f"concat=n={count},setfield=tff[v]",
        ]
    )
    ffmpeg("-filter_complex", graph, "-map", "[v]", *codec, clip)
    return clip


@pytest.mark.parametrize(
    ("name", "codec", "size", "fields"),
    [
        ("a.mkv", FFV1, "352x480", "60000/1001"),
        ("a.mpg", MPEG2, "352x576", "50"),
        ("a.avi", ("-c:v", "mjpeg", "-q:v", "3"), "352x576", "50"),
    ],
)
async def test_a_flip_of_a_few_frames_is_found(
    name: str, codec: tuple[str, ...], size: str, fields: str, tmp_path: Path
) -> None:
    clip = flipping_box(tmp_path / name, *codec, lengths=(12, 5, 20), size=size, fields=fields)
    video = await probed(clip)
    assert [(run.first_frame, run.order) for run in video.order_runs] == [(0, TFF), (12, BFF), (17, TFF)]


@pytest.mark.parametrize("method", ["bwdif", "w3fdif", "qtgmc"])
def test_a_flip_is_followed_without_a_backward_step(method: str, tmp_path: Path) -> None:
    if method == "qtgmc":
        pytest.importorskip("vsdeinterlace")
    (tmp_path / "in").mkdir()
    source = tmp_path / "in" / "a.mkv"
    flipping_box(source, *FFV1, lengths=(12, 5, 12), size="352x480", fields="60000/1001")
    options = ("-p", "clean", "-r", "480", "--engine", "ffmpeg", "--deinterlace", method)
    done = program.run("batch", "in", "out", *options, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    lefts = left_edges(next((tmp_path / "out").glob("*.mp4")))
    assert len(lefts) == 58
    steps = [later - earlier for earlier, later in pairwise(lefts)]
    assert min(steps) > 0, steps
    assert max(steps) < 2.5 * median(steps), steps


@pytest.mark.parametrize(
    ("name", "lengths"),
    [("a.dv", (12, 5, 20)), ("a.avi", (5, 20)), ("a.mov", (20, 5)), ("a.dv", (3, 20)), ("a.dv", (20, 3))],
)
async def test_flips_of_dv_are_found_at_the_ends_too(
    name: str, lengths: tuple[int, ...], tmp_path: Path
) -> None:
    clip = flipping_box(tmp_path / name, *DV, lengths=lengths, size="720x480", fields="60000/1001")
    video = await probed(clip)
    begins = [sum(lengths[:number]) for number in range(len(lengths))]
    assert [(run.first_frame, run.order) for run in video.order_runs] == list(
        zip(begins, (TFF, BFF, TFF), strict=False)
    )


def test_no_cut_shows_within_a_flip(tmp_path: Path) -> None:
    # The first segment ends after 30 frames.
    lengths = (27, 6, 3)
    flipping_box(tmp_path / "a.dv", *DV, lengths=lengths, size="720x480", fields="60000/1001")
    whole = restored(tmp_path, "", segment_s=60, name="whole.mkv", source="a.dv")
    lefts = left_edges(whole)
    assert len(lefts) == 72
    steps = [later - earlier for earlier, later in pairwise(lefts)]
    assert min(steps) > 0, steps
    assert max(steps) < 2.5 * median(steps), steps
    cut = restored(tmp_path, "", segment_s=1, name="cut.mkv", source="a.dv")
    assert program.frame_digests(cut) == program.frame_digests(whole)


def left_edges(path: Path) -> list[int]:
    """Where the box begins in each frame, in pixels: in the mean of the lines in its middle."""
    video = subprocess.run(
        [FFMPEG, "-v", "error", "-i", path, "-vf", "crop=iw:60:0:160,scale=640:1:flags=area,format=gray",
         "-f", "rawvideo", "-"],
        capture_output=True, check=True,
    ).stdout  # fmt: skip
    rows = np.frombuffer(video, np.uint8).reshape(-1, 640)
    return [int(np.argmax(row > 180)) for row in rows]


def test_an_order_that_is_not_certain_is_refused_until_the_user_decides(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    # Where the one becomes the other, what moves tells nothing for half a second.
    moving = "testsrc2=s=240x480:r=60000/1001:d=1,interlace=scan={}:lowpass=0"
    first, then = moving.format("tff"), moving.format("bff")
    noise = "nullsrc=s=240x480:r=30000/1001:d=0.5,format=yuv420p,geq=lum='random(1)*255':cb=128:cr=128"
    ffmpeg(
        *("-f", "lavfi", "-i", first, "-f", "lavfi", "-i", noise, "-f", "lavfi", "-i", then),
        *("-filter_complex", "[0][1][2]concat=n=3,setfield=tff", *FFV1, tmp_path / "in" / "a.mkv"),
    )
    dry_run = ("batch", "in", "out", "--dry-run", "-r", "120", "--engine", "ffmpeg")
    refused = program.run(*dry_run, cwd=tmp_path)
    assert "would fail: its field order changes: top field first, bottom field first from" in refused.stdout
    assert "--field-order" in refused.stdout
    for option in (("--field-order", "bff"), ("-p", "webcam")):
        taken = program.run(*dry_run, *option, cwd=tmp_path)
        assert "would fail" not in taken.stdout, taken.stdout


@pytest.mark.parametrize("source", ["testsrc2", "testsrc", "smptebars", "mandelbrot"])
@pytest.mark.parametrize(("size", "rate"), [("640x480", "30000/1001"), ("720x576", "25")])
async def test_patterns_without_fields_are_progressive(
    source: str, size: str, rate: str, tmp_path: Path
) -> None:
    clip = tmp_path / "a.mp4"
    x264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")
    ffmpeg("-f", "lavfi", "-i", f"{source}=s={size}:r={rate}", "-t", "1.5", *x264, clip)
    assert (await probed(clip)).field_order is PROGRESSIVE


async def test_other_sizes_are_not_measured(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "a.mkv", *FFV1, scan="progressive", seconds=1, size="320x240")
    video = await probed(clip)
    assert video.field_order is PROGRESSIVE
    assert video.field_order_reason == "a picture of 240 lines has no fields"
