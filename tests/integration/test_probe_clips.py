"""Clips of every kind of container: the grid that the probe promises is the one that FFmpeg makes."""

import re
import subprocess
from fractions import Fraction
from pathlib import Path

import pytest
from blockbuster import blockbuster_ctx

from clips import FFMPEG, NTSC, ffmpeg, make_clip
from vhsbatch.errors import InputError, ToolError
from vhsbatch.ffmpeg.formats import input_arguments
from vhsbatch.ffmpeg.shape import turns
from vhsbatch.model.media import MediaInfo
from vhsbatch.probe.probe import probe

pytestmark = pytest.mark.anyio

MPEG2 = ("-c:v", "mpeg2video", "-b:v", "4M", "-flags", "+ildct+ilme", "-c:a", "mp2")
H264 = ("-c:v", "libx264", "-preset", "veryfast", "-c:a", "aac")

CODECS = {
    "a.mpg": MPEG2,
    "a.vob": (*MPEG2, "-bf", "2"),
    "a.m2v": ("-c:v", "mpeg2video", "-b:v", "4M", "-an"),
    "short_gop.ts": (*H264, "-g", "15"),
    "long_gop.ts": H264,
    "b_frames.avi": ("-c:v", "mpeg4", "-bf", "2", "-c:a", "mp3"),
    "h264.avi": ("-c:v", "libx264", "-preset", "veryfast", "-an"),
    "dv.avi": ("-c:v", "dvvideo", "-pix_fmt", "yuv411p", "-c:a", "pcm_s16le"),
    "a.dv": ("-c:v", "dvvideo", "-pix_fmt", "yuv411p", "-c:a", "pcm_s16le"),
    "a.mkv": ("-c:v", "ffv1", "-c:a", "flac"),
    "a.mp4": H264,
    "a.mov": ("-c:v", "prores", "-c:a", "pcm_s16le"),
    "a.mxf": ("-c:v", "mpeg2video", "-b:v", "4M", "-c:a", "pcm_s16le"),
    "a.nut": ("-c:v", "ffv1", "-c:a", "pcm_s16le"),
    "a.wmv": ("-c:v", "wmv2", "-b:v", "4M", "-c:a", "wmav2"),
    "a.flv": ("-c:v", "flv", "-b:v", "4M", "-c:a", "mp3", "-ar", "44100"),
    "a.ogv": ("-c:v", "libtheora", "-b:v", "4M", "-c:a", "libvorbis"),
}
NOT_SEEKABLE = {"a.m2v", "long_gop.ts", "a.wmv", "a.flv", "a.ogv"}


def grid_positions(info: MediaInfo) -> list[int]:
    """Where FFmpeg puts the frames."""
    video = info.video
    done = subprocess.run(
        [
            *(FFMPEG, "-nostdin", "-hide_banner", "-copyts", "-noautorotate", *input_arguments(info.path)),
            *("-map", f"0:{video.index}", "-fps_mode", "passthrough"),
            "-vf",
            f"setpts=round(PTS-{video.start_s}/TB),fps={video.rate}:round=near,showinfo=checksum=0",
            *("-f", "null", "-"),
        ],
        capture_output=True, check=True, text=True, errors="replace",
    )  # fmt: skip
    return [int(position) for position in re.findall(r" n: *\d+ pts: *(-?\d+)", done.stderr)]


@pytest.mark.parametrize("name", CODECS)
async def test_every_container(name: str, tmp_path: Path) -> None:
    # More frames than are decoded by the probe, so that most are known from their packets alone.
    size = "720x480" if "dv" in name else "320x240"
    clip = make_clip(tmp_path / name, *CODECS[name], seconds=4.2, size=size)
    info = await probe(clip, ffmpeg=FFMPEG)
    assert info.video.rate == NTSC
    assert info.video.frames in (124, 125, 126)
    assert grid_positions(info) == list(range(info.video.frames))
    assert info.exact_seek == (name not in NOT_SEEKABLE)


async def test_a_rate_above_the_standard_ones(tmp_path: Path) -> None:
    clip = tmp_path / "fast.mkv"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=64x48:r=144:d=1", "-c:v", "ffv1", clip)
    assert (await probe(clip, ffmpeg=FFMPEG)).video.rate == 144


async def test_dropped_frames_of_a_capture_leave_gaps(tmp_path: Path) -> None:
    clip = tmp_path / "drops.avi"
    source = "testsrc2=s=320x240:r=30000/1001:d=5,select='not(between(n,30,33))'"
    ffmpeg("-f", "lavfi", "-i", source, "-fps_mode", "vfr", "-c:v", "mjpeg", clip)
    info = await probe(clip, ffmpeg=FFMPEG)
    assert (info.video.frames, info.video.repeated_frames, info.video.dropped_frames) == (150, 4, 0)
    assert grid_positions(info) == list(range(150))
    assert not info.exact_seek
    assert "missing frames, filled by repeating: 4, at 0:01.0" in info.notes


async def test_variable_rate(tmp_path: Path) -> None:
    clip = tmp_path / "vfr.mp4"
    source = "testsrc2=s=320x240:r=60:d=5,select='lt(mod(n,7),3)'"
    ffmpeg("-f", "lavfi", "-i", source, "-fps_mode", "vfr", "-c:v", "libx264", "-preset", "veryfast", clip)
    info = await probe(clip, ffmpeg=FFMPEG)
    assert not info.video.constant_rate
    assert grid_positions(info)[: info.video.frames] == list(range(info.video.frames))


async def test_a_late_sound_is_late(tmp_path: Path) -> None:
    clip = tmp_path / "late.mkv"
    ffmpeg(
        *("-f", "lavfi", "-i", "testsrc2=s=64x48:r=25:d=3", "-itsoffset", "0.48"),
        *("-f", "lavfi", "-i", "sine=d=2", "-c:v", "ffv1", "-c:a", "pcm_s16le", clip),
    )
    info = await probe(clip, ffmpeg=FFMPEG)
    assert info.audio[0].start_s == Fraction(48, 100)
    assert abs(info.audio[0].end_s - Fraction(248, 100)) < Fraction(1, 100)


async def test_rotation_and_language(tmp_path: Path) -> None:
    flat, turned = make_clip(tmp_path / "flat.mp4", *H264, scan="progressive"), tmp_path / "turned.mp4"
    ffmpeg("-display_rotation:v", "-90", "-i", flat, "-c", "copy", "-metadata:s:a", "language=deu", turned)
    info = await probe(turned, ffmpeg=FFMPEG)
    assert info.video.rotation_degrees == 90
    assert (info.video.width, info.video.height) == (720, 480)
    assert info.audio[0].language == "deu"


@pytest.mark.parametrize("mirror", [(), ("-display_hflip",), ("-display_vflip",)])
@pytest.mark.parametrize("degrees", ["0", "90", "180", "270"])
async def test_a_picture_is_turned_and_mirrored_as_ffmpeg_does(
    degrees: str, mirror: tuple[str, ...], tmp_path: Path
) -> None:
    flat, turned = tmp_path / "flat.mp4", tmp_path / "turned.mp4"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=64x48:d=0.2", "-c:v", "libx264", "-pix_fmt", "yuv444p", flat)
    ffmpeg("-display_rotation:v", degrees, *mirror, "-i", flat, "-c", "copy", turned)
    video = (await probe(turned, ffmpeg=FFMPEG)).video
    ffmpeg("-i", turned, "-frames:v", "1", tmp_path / "by_ffmpeg.yuv")
    filters = ",".join((*turns(video), "null"))
    ffmpeg("-noautorotate", "-i", turned, "-vf", filters, "-frames:v", "1", tmp_path / "by_us.yuv")
    assert (tmp_path / "by_us.yuv").read_bytes() == (tmp_path / "by_ffmpeg.yuv").read_bytes()
    assert video.mirrored == bool(mirror)


async def test_the_largest_moving_picture_is_taken(tmp_path: Path) -> None:
    clip = tmp_path / "two.mkv"
    ffmpeg(
        *(
            "-f",
            "lavfi",
            "-i",
            "testsrc2=s=64x48:r=25:d=1",
            "-f",
            "lavfi",
            "-i",
            "testsrc2=s=128x96:r=25:d=1",
        ),
        *("-map", "0", "-map", "1", "-c:v", "ffv1", clip),
    )
    info = await probe(clip, ffmpeg=FFMPEG)
    assert (info.video.index, info.video.width) == (1, 128)
    assert any("2 video streams" in note for note in info.notes)


@pytest.mark.parametrize(
    "name",
    [
        "-y.mkv",
        "http:x.mkv",
        "a%d.mkv",
        "concat:a|b.mkv",
        "two\nlines.mkv",
        "caf\udce9.mkv",
        "[0] 'x' \\.mkv",
    ],
)
async def test_names(name: str, tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mkv", "-c:v", "ffv1", scan="progressive", seconds=0.2, size="64x48")
    info = await probe(clip.rename(tmp_path / name), ffmpeg=FFMPEG)
    assert info.path == tmp_path / name
    assert info.video.frames == 6


async def test_modules_in_the_current_folder_are_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = make_clip(tmp_path / "clip.mkv", "-c:v", "ffv1", scan="progressive", seconds=0.2, size="64x48")
    (tmp_path / "av.py").write_text("raise SystemExit('a user file was run')")
    monkeypatch.chdir(tmp_path)
    assert (await probe(Path(clip.name), ffmpeg=FFMPEG)).path == clip


async def test_the_event_loop_is_never_blocked(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mpg", *MPEG2)
    with blockbuster_ctx():
        info = await probe(clip, ffmpeg=FFMPEG)
    assert info.video.frames == 60


async def test_a_joined_stream_with_a_clock_that_jumps_back(tmp_path: Path) -> None:
    clip, twice, mended = make_clip(tmp_path / "a.mpg", *MPEG2), tmp_path / "b.mpg", tmp_path / "c.mkv"
    twice.write_bytes(clip.read_bytes() * 2)
    with pytest.raises(InputError, match="clock jumps back by 2") as caught:
        await probe(twice, ffmpeg=FFMPEG)
    fix = caught.value.fix or ""
    arguments = fix.partition(": ffmpeg ")[2].replace("IN", str(twice)).replace("OUT.mkv", str(mended))
    ffmpeg(*arguments.split())
    assert (await probe(mended, ffmpeg=FFMPEG)).video.frames == 120


async def test_a_missing_ffmpeg_is_not_the_files_fault(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mkv", "-c:v", "ffv1", scan="progressive", seconds=0.2, size="64x48")
    with pytest.raises(ToolError, match="cannot start"):
        await probe(clip, ffmpeg=str(tmp_path / "no-such-ffmpeg"))


async def test_a_slow_read_gives_up(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mpg", *MPEG2)
    with pytest.raises(InputError, match="takes more than 0 s"):
        await probe(clip, ffmpeg=FFMPEG, timeout_s=0.01)
