"""Probing a source, or remembering what an earlier run found out about it."""

import os
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path

import anyio.to_thread

from vhsbatch.cache import Cache
from vhsbatch.events.serialize import load_media_info, to_jsonable
from vhsbatch.ffmpeg.toolchain import FFmpeg
from vhsbatch.fs import settled
from vhsbatch.model.media import MediaInfo
from vhsbatch.probe.probe import probe

# Part of every key: raised when the same file would be read differently.
PROBE_VERSION = 14


@dataclass(frozen=True, slots=True, kw_only=True)
class Probing:
    """Finds out what sources are, each once.

    Attributes:
        ffmpeg: what will decode them; another version may see another picture.
        max_pixels: larger pictures are refused.
        allow_truncated: whether files of which the end is missing are taken as they are.
        cache: what earlier runs found out; None without a cache.
    """

    ffmpeg: FFmpeg
    max_pixels: int
    allow_truncated: bool = False
    cache: Cache | None = None

    async def probe(self, path: Path) -> MediaInfo:
        """What a source is, from the cache where it is known.

        Raises:
            InputError: it cannot be restored, or goes on growing.
            ToolError: FFmpeg or PyAV does not work.
        """
        known = await anyio.to_thread.run_sync(self.recall, path)
        return known if known is not None else await self.probe_and_cache(path)

    def recall(self, path: Path) -> MediaInfo | None:
        """The cached description of a source whose size and modification time are unchanged."""
        if self.cache is None:
            return None
        path = path.absolute()
        try:
            status = path.stat()
        except OSError:
            return None  # the probe says what is wrong
        value = self.cache.recall(os.fspath(path), status.st_size, status.st_mtime_ns, *self._asked())
        try:
            return None if value is None else load_media_info(value)
        except ValueError:  # of another version
            return None

    async def probe_and_cache(self, path: Path) -> MediaInfo:
        """Probe a source and cache the result.

        Waits while the file is still being copied.

        Raises:
            InputError: it cannot be restored, or goes on growing.
            ToolError: FFmpeg or PyAV does not work.
        """
        await settled(path)
        info = await probe(
            path, ffmpeg=self.ffmpeg.path, max_pixels=self.max_pixels, allow_truncated=self.allow_truncated
        )
        await anyio.to_thread.run_sync(self.remember, info)
        return info

    def remember(self, info: MediaInfo) -> None:
        """Keep what was found out."""
        if self.cache is not None:
            key = os.fspath(info.path), info.size_bytes, info.modified_ns, *self._asked()
            self.cache.keep(to_jsonable(info), *key)

    def _asked(self) -> tuple[str | int, ...]:
        return (
            PROBE_VERSION,
            self.ffmpeg.version,
            _pyav_version(),
            self.max_pixels,
            int(self.allow_truncated),
        )


@cache
def _pyav_version() -> str:
    return version("av")
