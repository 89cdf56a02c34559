"""Probing a source, or remembering what an earlier run found out about it."""

import functools
import os
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import anyio.to_thread

from vhsbatch.cache import Cache
from vhsbatch.events.serialize import load_media_info, to_jsonable
from vhsbatch.ffmpeg.toolchain import FFmpeg
from vhsbatch.fs import settled, state_of
from vhsbatch.model.media import MediaInfo
from vhsbatch.probe.probe import probe

# Part of every key: raised when the same file would be read differently.
PROBE_VERSION = 17


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

    async def probe(self, path: Path, *, parts: Sequence[Path] = ()) -> MediaInfo:
        """What a source is, from the cache where it is known.

        Args:
            path: the source.
            parts: all files of a recording in several, of which the first is `path`.

        Raises:
            InputError: it cannot be restored, or goes on growing.
            ToolError: FFmpeg or PyAV does not work.
        """
        known = await anyio.to_thread.run_sync(functools.partial(self.recall, path, parts=parts))
        return known if known is not None else await self.probe_and_cache(path, parts=parts)

    def recall(self, path: Path, *, parts: Sequence[Path] = ()) -> MediaInfo | None:
        """The cached description of a source whose size and modification time are unchanged."""
        if self.cache is None:
            return None
        files = [path.absolute(), *(file.absolute() for file in parts[1:])]
        try:
            state = state_of(*(parts or (path,)))
        except OSError:
            return None  # the probe says what is wrong
        value = self.cache.recall(*map(os.fspath, files), *state, *self._asked())
        try:
            info = None if value is None else load_media_info(value)
        except ValueError:  # of another version
            return None
        return None if info is None or _has_other_parts(info) else info

    async def probe_and_cache(self, path: Path, *, parts: Sequence[Path] = ()) -> MediaInfo:
        """Probe a source and cache the result.

        Waits while one of its files is still being copied.

        Raises:
            InputError: it cannot be restored, or goes on growing.
            ToolError: FFmpeg or PyAV does not work.
        """
        for file in parts or (path,):
            await settled(file)
        info = await probe(
            path,
            parts=parts,
            ffmpeg=self.ffmpeg.path,
            max_pixels=self.max_pixels,
            allow_truncated=self.allow_truncated,
        )
        await anyio.to_thread.run_sync(self.remember, info)
        return info

    def remember(self, info: MediaInfo) -> None:
        """Keep what was found out."""
        if self.cache is not None:
            later = () if info.joined is None else info.joined.parts[1:]
            files = [info.path, *(part.path for part in later)]
            key = *map(os.fspath, files), info.size_bytes, info.modified_ns, *self._asked()
            self.cache.keep(to_jsonable(info), *key)

    def _asked(self) -> tuple[str | int, ...]:
        return (
            PROBE_VERSION,
            self.ffmpeg.version,
            _pyav_version(),
            self.max_pixels,
            int(self.allow_truncated),
        )


def _has_other_parts(info: MediaInfo) -> bool:
    """Whether a part has changed, although all of them together are as long and as new as before."""
    parts = () if info.joined is None else info.joined.parts
    return any(state_of(part.path) != (part.size_bytes, part.modified_ns) for part in parts)


@functools.cache
def _pyav_version() -> str:
    return version("av")
