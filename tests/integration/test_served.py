"""A source that is read from afar: the same frames as from a file, and only the part that they need."""

import asyncio
import contextlib
import re
from fractions import Fraction
from pathlib import Path

import pytest

from clips import FFMPEG, ffmpeg, make_clip
from vhsbatch.cluster import files
from vhsbatch.cluster.files import read_block
from vhsbatch.cluster.member import reads_by_http
from vhsbatch.cluster.source_server import SourceServer
from vhsbatch.ffmpeg.formats import cut_off, input_arguments
from vhsbatch.model.source import Served, Source
from vhsbatch.probe.probe import probe
from vhsbatch.process.spawn import run

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


async def digests(source: Source | Served, from_s: Fraction, frames: int) -> str:
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


@pytest.mark.parametrize("missing", [1, 2000, 2**16])
async def test_an_end_that_is_cut_off_is_an_error_though_ffmpeg_ends_well(
    missing: int, tmp_path: Path
) -> None:
    content = make_clip(tmp_path / "a.avi", *RAW, seconds=1, size="176x120").read_bytes()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = re.search(rb"Range: bytes=(\d+)-", await reader.readuntil(b"\r\n\r\n"))
        start, size = int(asked[1]) if asked else 0, len(content)
        writer.write(
            f"HTTP/1.1 206 Partial Content\r\nAccept-Ranges: bytes\r\nContent-Length: {size - start}\r\n"
            f"Content-Range: bytes {start}-{size - 1}/{size}\r\n\r\n".encode()
        )
        writer.write(content[start : size - missing])
        with contextlib.suppress(ConnectionError):
            await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        source = input_arguments(Served(f"http://127.0.0.1:{port}/a.avi"))
        command = (FFMPEG, "-nostdin", "-loglevel", "level+warning", *source, "-f", "null", "-")
        finished = await run(command, timeout_s=60)
    assert finished.exit_code == 0
    assert "prematurely" in next(filter(None, map(cut_off, finished.stderr_tail)))


async def test_an_ffmpeg_without_http_is_known(tmp_path: Path) -> None:
    bare = tmp_path / "ffmpeg"
    bare.write_text("#!/bin/sh\nprintf 'Input:\\n  file\\n  httpproxy\\nOutput:\\n  file\\n'\n")
    bare.chmod(0o755)
    assert await reads_by_http(FFMPEG)
    assert not await reads_by_http(str(bare))


async def test_damaged_pal_dv_is_read_in_the_same_spans(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "BLOCK_BYTES", 2**16)
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")  # a list's parts ask loopback directly, too
    clip, size = tmp_path / "a.dv", 144_000
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=720x576:r=25:d=4", "-c:v", "dvvideo", clip)
    content = bytearray(clip.read_bytes())
    for gone in (range(20, 22), range(27, 30)):
        content[gone.start * size : gone.stop * size] = bytes(len(gone) * size)
    clip.write_bytes(content)
    info = await probe(clip, ffmpeg=FFMPEG)
    assert len(info.spans) == 3

    async def block(number: int) -> bytes:
        return read_block(clip, number)

    server = SourceServer()
    async with server.serving(block, size_bytes=clip.stat().st_size, suffix=clip.suffix) as served:
        for from_s in (Fraction(0), Fraction(18, 25), Fraction(28, 25), Fraction(2)):
            seen = await digests(info.in_spans(served), from_s, 6)
            assert seen == await digests(info.source, from_s, 6)
    server.stop()
