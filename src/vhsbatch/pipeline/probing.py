"""Probing a source, or remembering what an earlier run found out about it."""

import functools
import os
from functools import cache
from importlib.metadata import version
from pathlib import Path

import anyio.to_thread

from vhsbatch.media.probe import probe
from vhsbatch.model.media import MediaInfo
from vhsbatch.model.wire import load_media_info, to_jsonable
from vhsbatch.pipeline.files import settled
from vhsbatch.remembered import Memory

# Part of every key: raised when the same file would be seen otherwise than before.
PROBE_VERSION = 5


async def probe_remembering(
    path: Path,
    memory: Memory | None,
    *,
    ffmpeg: str,
    ffmpeg_version: str,
    max_pixels: int,
    allow_truncated: bool,
) -> MediaInfo:
    """What a source is: from memory, while it has the same size and time of its last change.

    One that is not remembered may be a copy that is under way, for whose end this waits.

    Args:
        path: the source.
        memory: what earlier runs found out; None where nothing is remembered.
        ffmpeg: the program that will decode it.
        ffmpeg_version: what that calls itself; another one may see another picture.
        max_pixels: refuse larger pictures.
        allow_truncated: take a file of which the end is missing as it is.

    Raises:
        InputError: it cannot be restored, or goes on growing.
        ToolError: FFmpeg or PyAV does not work.
    """
    asked = _asked(ffmpeg_version, max_pixels, allow_truncated=allow_truncated)
    if memory is not None:
        known = await anyio.to_thread.run_sync(_recall, memory, path, asked)
        if known is not None:
            return known
    await settled(path)
    info = await probe(path, ffmpeg=ffmpeg, max_pixels=max_pixels, allow_truncated=allow_truncated)
    if memory is not None:
        keep = functools.partial(
            remember_probe,
            memory,
            info,
            ffmpeg_version=ffmpeg_version,
            max_pixels=max_pixels,
            allow_truncated=allow_truncated,
        )
        await anyio.to_thread.run_sync(keep)
    return info


def _recall(memory: Memory, path: Path, asked: tuple[str | int, ...]) -> MediaInfo | None:
    path = path.absolute()
    try:
        status = path.stat()
    except OSError:
        return None  # the probe says what is wrong
    value = memory.recall(os.fspath(path), status.st_size, status.st_mtime_ns, *asked)
    try:
        return None if value is None else load_media_info(value)
    except ValueError:  # of another version
        return None


def _asked(ffmpeg_version: str, max_pixels: int, *, allow_truncated: bool) -> tuple[str | int, ...]:
    return PROBE_VERSION, ffmpeg_version, _pyav_version(), max_pixels, int(allow_truncated)


def remember_probe(
    memory: Memory, info: MediaInfo, *, ffmpeg_version: str, max_pixels: int, allow_truncated: bool
) -> None:
    """Keep what was found out; arguments as in `probe_remembering`."""
    asked = _asked(ffmpeg_version, max_pixels, allow_truncated=allow_truncated)
    memory.keep(to_jsonable(info), os.fspath(info.path), info.size_bytes, info.modified_ns, *asked)


@cache
def _pyav_version() -> str:
    return version("av")
