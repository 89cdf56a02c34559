"""Inputs of every kind in one batch: each gives a right output, or one clear line."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

import program
from clips import FFMPEG, ffmpeg, make_clip
from vhsbatch.probe.probe import probe

pytestmark = [pytest.mark.slow, pytest.mark.anyio]

WEB = ("-c:v", "libx264", "-c:a", "aac")
FFV1 = ("-c:v", "ffv1", "-g", "1", "-c:a", "pcm_s16le")
SECRET = "top secret"


def clip(*codec: str, size: str = "64x48") -> Callable[[Path], object]:
    return lambda path: make_clip(path, *codec, scan="progressive", seconds=0.4, size=size)


def rotated(path: Path) -> None:
    make_clip(path.with_suffix(".tmp.mp4"), *WEB, scan="progressive", seconds=0.4, size="64x48")
    ffmpeg("-display_rotation", "90", "-i", path.with_suffix(".tmp.mp4"), "-c", "copy", path)
    path.with_suffix(".tmp.mp4").unlink()


def many_tracks(path: Path) -> None:
    subtitles = path.with_suffix(".srt")
    subtitles.write_text("1\n00:00:00,000 --> 00:00:00,300\nhello\n")
    ffmpeg(
        *("-f", "lavfi", "-i", "testsrc2=s=64x48:r=25:d=0.4", "-f", "lavfi", "-i", "sine=d=0.4"),
        *("-f", "lavfi", "-i", "sine=f=900:d=0.4", "-i", subtitles),
        *("-map", "0", "-map", "1", "-map", "2", "-map", "3", "-c:v", "ffv1", "-c:a", "pcm_s16le", path),
    )
    subtitles.unlink()


def variable_rate(path: Path) -> None:
    ffmpeg(
        *("-f", "lavfi", "-i", "testsrc2=s=64x48:r=30:d=1", "-vf", "select=not(eq(mod(n\\,7)\\,3))"),
        *("-fps_mode", "vfr", "-c:v", "libx264", path),
    )


def late_start(path: Path) -> None:
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=64x48:r=25:d=0.4", "-output_ts_offset", "3700", *WEB[:2], path)


def of_two_sizes(path: Path) -> None:
    parts = []
    for number, size in enumerate(("64x48", "96x64")):
        parts.append(path.with_suffix(f".{number}"))
        ffmpeg(
            *("-f", "lavfi", "-i", f"testsrc2=s={size}:r=25:d=0.6", "-c:v", "mpeg2video", "-q:v", "3"),
            *("-f", "mpegts", "-output_ts_offset", str(number * 0.6), parts[-1]),
        )
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    for part in parts:
        part.unlink()


def playlist(path: Path) -> None:
    target = path.parent / "secret.txt"
    target.write_text(SECRET)
    path.write_text(f"#EXTM3U\n#EXTINF:1,\nfile://{target}\n#EXT-X-ENDLIST\n")


def concat_script(path: Path) -> None:
    path.write_text(f"ffconcat version 1.0\nfile {path.parent}/secret.txt\n")


GOOD: dict[str, Callable[[Path], object]] = {
    "10 bits.mkv": clip("-c:v", "ffv1", "-pix_fmt", "yuv422p10le", "-c:a", "flac"),
    "rgb.mov": clip("-c:v", "png", "-pix_fmt", "rgb24", "-c:a", "pcm_s16le"),
    "alpha.mov": clip(
        "-c:v", "prores_ks", "-profile:v", "4444", "-pix_fmt", "yuva444p10le", "-c:a", "pcm_s16le"
    ),
    "odd.mkv": clip(*FFV1, size="51x37"),
    "tiny.mkv": clip(*FFV1, size="4x4"),
    "silent.mkv": clip("-c:v", "ffv1", "-an"),
    "rotated.mp4": rotated,
    "many tracks.mkv": many_tracks,
    "variable.mp4": variable_rate,
    "late.mkv": late_start,
    "really a matroska.avi": clip(*FFV1, "-f", "matroska"),
    "-dash.mp4": clip(*WEB),
    'it\'s "quoted" %d:colon [1] {x} $HOME `ls`;.mp4': clip(*WEB),
    "new\nline.mp4": clip(*WEB),
    "famille 👨‍👩‍👧 été e\u0301te\u0301.mp4": clip(*WEB),
    "\x1b[31mred\x1b[0m.mp4": clip(*WEB),
    os.fsdecode(b"caf\xe9.mp4"): clip(*WEB),
    "long " + "x" * 240 + ".mp4": clip(*WEB),
    "two sizes.ts": of_two_sizes,
}

BAD: dict[str, tuple[Callable[[Path], object], str]] = {
    "empty.mp4": (lambda path: path.touch(), "it is empty (0 bytes)"),
    "text.mp4": (lambda path: path.write_text("no video\n" * 50), "it is not a video"),
    "playlist.mp4": (playlist, "a playlist (HLS)"),
    "script.mp4": (concat_script, "a concat script"),
    "sound.mp4": (
        lambda path: ffmpeg("-f", "lavfi", "-i", "sine=d=0.4", "-c:a", "aac", path),
        "it holds no video",
    ),
}


async def test_every_input_gives_a_right_output_or_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for name, make in [*GOOD.items(), *((name, make) for name, (make, _) in BAD.items())]:
        make(tmp_path / "in" / name)
    (tmp_path / "in" / "loop.mp4").symlink_to("loop.mp4")
    done = program.run("batch", "in", "out", "-r", "120", "--parallel", "2", cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    assert "\x1b" not in done.stdout + done.stderr
    assert SECRET not in done.stdout + done.stderr
    lines = done.stdout.splitlines()
    failed = {
        line.partition("FAILED: ")[2]: lines[number + 1].partition("Error: ")[2]
        for number, line in enumerate(lines)
        if "] FAILED: " in line
    }
    assert failed.keys() == BAD.keys(), failed
    for name, (_, cause) in BAD.items():
        assert cause in failed[name]
    assert f"Total videos: {len(GOOD) + len(BAD)}" in lines
    for output in (tmp_path / "out").glob("*.mp4"):
        made = await probe(output, ffmpeg=FFMPEG)
        assert made.video.height == 120
        assert (made.video.sar or 1) == 1
    assert len(list((tmp_path / "out").glob("*.mp4"))) == len(GOOD)
    turned = (await probe(tmp_path / "out" / "rotated_120p.mp4", ffmpeg=FFMPEG)).video
    assert (turned.width, turned.rotation_degrees) == (90, 0)
    assert len((await probe(tmp_path / "out" / "many tracks_120p.mp4", ffmpeg=FFMPEG)).audio) == 2
