"""Files that cannot be restored are refused with one clear line, and never open other files."""

import os
import re
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from clips import FFMPEG, ffmpeg, make_clip
from vhsbatch.errors import InputError
from vhsbatch.ffmpeg.formats import input_arguments
from vhsbatch.probe.probe import MAX_PIXELS, probe
from vhsbatch.process.spawn import run

pytestmark = pytest.mark.anyio

CONCAT = "ffconcat version 1.0\nfile {target}\n"
HLS = "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:4\n#EXTINF:4.0,\n{target}\n#EXT-X-ENDLIST\n"
DASH = (
    '<?xml version="1.0" encoding="utf-8"?>\n'
    '<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" profiles="urn:mpeg:dash:profile:isoff-live:2011" '
    'type="static" mediaPresentationDuration="PT2.0S" minBufferTime="PT2.0S"><Period>'
    '<AdaptationSet contentType="video"><Representation id="0" mimeType="video/mp4" '
    'codecs="avc1.64001e" bandwidth="1000" width="64" height="48"><BaseURL>{target}</BaseURL>'
    "</Representation></AdaptationSet></Period></MPD>\n"
)


async def refusal(path: Path, max_pixels: int = MAX_PIXELS) -> str:
    with pytest.raises(InputError) as caught:
        await probe(path, ffmpeg=FFMPEG, max_pixels=max_pixels)
    assert "\n" not in str(caught.value)
    return caught.value.cause


def small_clip(path: Path, seconds: float = 1) -> Path:
    return make_clip(path, "-c:v", "mpeg4", "-c:a", "aac", scan="progressive", seconds=seconds, size="64x48")


@pytest.mark.parametrize(
    ("name", "text", "cause"),
    [
        ("a.mp4", CONCAT, "concat script"),
        ("a.avi", HLS, "playlist (HLS)"),
        ("b.mp4", DASH, "playlist (DASH)"),
    ],
)
async def test_files_that_name_other_files(name: str, text: str, cause: str, tmp_path: Path) -> None:
    small_clip(tmp_path / "target.mp4")
    poser = tmp_path / name
    poser.write_text(text.format(target="target.mp4"))
    assert cause in await refusal(poser)
    command = (FFMPEG, "-nostdin", "-loglevel", "error", *input_arguments(poser), "-f", "null", "-")
    assert (await run(command)).exit_code != 0


async def test_nothing_in_it(tmp_path: Path) -> None:
    empty = tmp_path / "empty.mp4"
    empty.touch()
    assert "empty" in await refusal(empty)
    assert "No such file" in await refusal(tmp_path / "missing.mp4")


async def test_other_contents(tmp_path: Path) -> None:
    text, noise = tmp_path / "text.mpg", tmp_path / "noise.avi"
    text.write_text("hello\n")
    noise.write_bytes(os.urandom(200_000))
    assert "not a video" in await refusal(text)
    assert "not a video" in await refusal(noise)
    ffmpeg("-f", "lavfi", "-i", "sine=d=1", "-f", "mp3", tmp_path / "sound.avi")
    assert "of another kind" in await refusal(tmp_path / "sound.avi")


async def test_no_video_stream(tmp_path: Path) -> None:
    ffmpeg("-f", "lavfi", "-i", "sine=d=1", "-c:a", "aac", tmp_path / "sound.mp4")
    assert "holds no video" in await refusal(tmp_path / "sound.mp4")
    ffmpeg(
        *("-f", "lavfi", "-i", "sine=d=1", "-f", "lavfi", "-i", "testsrc2=d=0.04", "-map", "0", "-map", "1"),
        *("-c:a", "aac", "-c:v", "mjpeg", "-frames:v", "1", "-disposition:v:0", "attached_pic"),
        tmp_path / "cover.mp4",
    )
    assert "cover art" in await refusal(tmp_path / "cover.mp4")


async def test_special_files(tmp_path: Path) -> None:
    (tmp_path / "folder.mp4").mkdir()
    assert "not a regular file" in await refusal(tmp_path / "folder.mp4")
    os.mkfifo(tmp_path / "pipe.mp4")
    assert "not a regular file" in await refusal(tmp_path / "pipe.mp4")


def test_no_permission(tmp_path: Path) -> None:
    clip = small_clip(tmp_path / "clip.mp4")
    clip.chmod(0)
    # Root may read everything, so it does without that right.
    ordinary = ("setpriv", "--bounding-set=-dac_override,-dac_read_search") if os.geteuid() == 0 else ()
    done = subprocess.run(
        [*ordinary, sys.executable, "-m", "vhsbatch.cli", "upscale", clip, "-o", tmp_path / "out.mp4"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "Error: there is no permission to read it (chmod u+r it, or run as its owner)" in done.stdout


async def test_pictures_that_would_fill_the_memory(tmp_path: Path) -> None:
    clip = small_clip(tmp_path / "clip.mp4")
    assert "64x48 is too large" in await refusal(clip, max_pixels=64 * 48 - 1)
    assert (await probe(clip, ffmpeg=FFMPEG, max_pixels=64 * 48)).video.width == 64


@pytest.mark.parametrize(
    ("name", "cause"),
    [
        ("a.mkv", "truncated: "),
        ("a.avi", "truncated: "),
        ("a.flv", "truncated: "),
        ("a.mxf", "truncated: "),
        ("faststart.mp4", "truncated: "),
        ("a.mp4", "its index is missing"),
    ],
)
async def test_truncated_copies(name: str, cause: str, tmp_path: Path) -> None:
    whole = tmp_path / name
    options = ("-movflags", "+faststart") if "faststart" in name else ()
    codec = "mpeg2video" if name.endswith(".mxf") else "flv" if name.endswith(".flv") else "mpeg4"
    make_clip(
        whole, "-c:v", codec, "-b:v", "1M", "-an", *options, scan="progressive", seconds=12, size="320x240"
    )
    assert (await probe(whole, ffmpeg=FFMPEG)).notes == ()
    content = whole.read_bytes()
    whole.write_bytes(content[: len(content) // 3])
    refused = await refusal(whole)
    assert refused.startswith(cause)
    if cause == "truncated: ":
        assert refused.endswith("s of 12.0 s are there")


def state_a_day(name: str, content: bytes) -> bytes:
    """The file with a header that states a day and more, in place of the length that is there."""
    if name.endswith(".avi"):
        for mark, behind in ((b"avih", 24), (b"vids", 32)):
            at = content.index(mark) + behind
            content = content[:at] + (11_000_000).to_bytes(4, "little") + content[at + 4 :]
        return content
    if name.endswith(".mkv"):
        return re.sub(
            rb"\x44\x89\x88.{8}", b"\x44\x89\x88" + struct.pack(">d", 1e8), content, flags=re.DOTALL
        )
    for mark, behind in ((b"mvhd", 20), (b"mdhd", 20)):
        at = content.index(mark) + behind
        content = content[:at] + b"\x7f\xff\xff\xff" + content[at + 4 :]
    return content


@pytest.mark.parametrize("name", ["a.avi", "a.mkv", "a.mp4", "a.mov", "faststart.mp4"])
async def test_a_length_that_the_header_states_wrongly_is_no_truncation(name: str, tmp_path: Path) -> None:
    clip = tmp_path / name
    options = ("-movflags", "+faststart") if "faststart" in name else ()
    make_clip(clip, "-c:v", "mpeg4", "-an", *options, scan="progressive", seconds=2, size="64x48")
    clip.write_bytes(state_a_day(name, clip.read_bytes()))
    info = await probe(clip, ffmpeg=FFMPEG)
    assert info.video.frames == 60
    assert info.exact_seek
    if name.endswith((".avi", ".mkv")):
        assert "which is wrong: the file is complete with 2.0 s" in info.notes[0]
        # With the same header, a copy that was cut off is one.
        clip.write_bytes(clip.read_bytes()[:-2000])
        assert (await refusal(clip)).startswith("truncated: ")


async def test_an_avi_without_its_index_is_as_long_as_it_is(tmp_path: Path) -> None:
    clip = tmp_path / "a.avi"
    make_clip(clip, "-c:v", "mpeg4", "-an", scan="progressive", seconds=2, size="64x48")
    content = clip.read_bytes()
    clip.write_bytes(content[: content.rindex(b"idx1")])
    assert (await probe(clip, ffmpeg=FFMPEG)).video.frames == 60


async def test_a_truncated_copy_says_how_it_is_taken(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "a.mkv", "-c:v", "ffv1", "-an", scan="progressive", seconds=4, size="64x48")
    content = clip.read_bytes()
    clip.write_bytes(content[: len(content) // 3])
    with pytest.raises(InputError) as refused:
        await probe(clip, ffmpeg=FFMPEG)
    assert "--allow-truncated" in str(refused.value)


async def test_a_truncated_copy_can_be_taken_as_it_is(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "a.mkv", "-c:v", "ffv1", "-an", scan="progressive", seconds=12, size="64x48")
    content = clip.read_bytes()
    clip.write_bytes(content[: len(content) // 3])
    info = await probe(clip, ffmpeg=FFMPEG, allow_truncated=True)
    assert 60 < info.video.frames < 200
    assert any(note.startswith("truncated: ") for note in info.notes)
    assert not info.exact_seek


@pytest.mark.parametrize("name", ["a.mpg", "a.ts", "a.dv"])
async def test_streams_that_declare_nothing_are_as_long_as_they_are(name: str, tmp_path: Path) -> None:
    dv = name.endswith(".dv")
    codec = ("-pix_fmt", "yuv411p", "-c:v", "dvvideo") if dv else ("-c:v", "mpeg2video", "-b:v", "4M")
    clip = make_clip(tmp_path / name, *codec, seconds=5)
    content = clip.read_bytes()
    clip.write_bytes(content[: int(len(content) * 0.8)])
    info = await probe(clip, ffmpeg=FFMPEG)
    assert info.declared_s is None
    assert 105 < info.video.frames < 130
