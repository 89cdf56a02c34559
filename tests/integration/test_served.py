"""A source that is read from afar: the same frames as from a file, and only the part that they need."""

from fractions import Fraction
from pathlib import Path

import pytest

from clips import FFMPEG, make_clip
from vhsbatch.cluster import files
from vhsbatch.cluster.files import read_block
from vhsbatch.cluster.member import reads_by_http
from vhsbatch.cluster.served import SourceServer
from vhsbatch.media.formats import Served, input_arguments
from vhsbatch.proc.process import run

pytestmark = pytest.mark.anyio

RAW = ("-c:v", "rawvideo", "-pix_fmt", "uyvy422", "-c:a", "pcm_s16le")
MPEG2 = ("-c:v", "mpeg2video", "-b:v", "8M", "-g", "12")
H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-g", "12", "-c:a", "aac")
# Large ones, of which a part is read, and small ones, of which FFmpeg reads all before it begins.
LARGE = {
    "a.avi": RAW,
    "a.dv": ("-pix_fmt", "yuv411p", "-c:v", "dvvideo", "-c:a", "pcm_s16le"),
    "a.mkv": RAW,
    "a.mov": RAW,
    "a.nut": RAW,
}
CLIPS = {
    **LARGE,
    "a.mp4": H264,
    "a.mpg": (*MPEG2, "-c:a", "mp2"),
    "a.mxf": (*MPEG2, "-c:a", "pcm_s16le"),
    "a.ts": H264,
}
# Of all of it a fifth of a second is used; what lies in the connection at a jump is sent in vain. Of DV,
# which takes 3.6 MB a second, the first five megabytes are looked at to find out what it is.
SECONDS = {"a.dv": 8.0}
MOST = 0.6


async def digests(source: Path | Served, from_s: Fraction, frames: int) -> str:
    """The frames that FFmpeg reads from some second on, with their times."""
    command = (
        *(FFMPEG, "-nostdin", "-hide_banner", "-loglevel", "error", "-copyts"),
        *input_arguments(source, from_s=from_s),
        *("-map", "0:v:0", "-frames:v", str(frames), "-f", "framemd5", "-"),
    )
    finished = await run(command, timeout_s=60)
    assert finished.stdout.count(b"\n") > frames, finished
    return finished.stdout.decode()


@pytest.mark.parametrize("name", CLIPS)
async def test_the_same_frames_from_a_part_of_the_bytes(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "BLOCK_BYTES", 2**16)
    clip = make_clip(tmp_path / name, *CLIPS[name], seconds=SECONDS.get(name, 3))
    sent: set[int] = set()

    async def block(number: int) -> bytes:
        sent.add(number)
        return read_block(clip, number)

    from_s = Fraction(1)
    server = SourceServer()
    async with server.serving(block, size_bytes=clip.stat().st_size, suffix=clip.suffix) as served:
        seen = await digests(served, from_s, 6)
    server.stop()
    assert seen == await digests(clip, from_s, 6)
    if name in LARGE:
        assert len(sent) * files.BLOCK_BYTES < MOST * clip.stat().st_size


async def test_an_ffmpeg_without_http_is_known(tmp_path: Path) -> None:
    bare = tmp_path / "ffmpeg"
    bare.write_text("#!/bin/sh\nprintf 'Input:\\n  file\\n  httpproxy\\nOutput:\\n  file\\n'\n")
    bare.chmod(0o755)
    assert await reads_by_http(FFMPEG)
    assert not await reads_by_http(str(bare))
