"""Measuring one source, its picture and its sound, or remembering what was measured before."""

import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from anyio import to_thread
from pydantic import TypeAdapter

from vhsbatch.analysis.audio import AudioMeasurement, measure_audio
from vhsbatch.analysis.picture import VideoMeasurement, measure_video
from vhsbatch.cache import Cache
from vhsbatch.events.serialize import to_jsonable
from vhsbatch.ffmpeg.toolchain import FFmpeg
from vhsbatch.model.media import MediaInfo
from vhsbatch.probe.blank import NO_BLANK_ENDS, BlankEnds, look_at_ends
from vhsbatch.probe.telecine import FieldSteps, look_at_steps

# Part of every key: raised when the same file would be measured differently.
MEASURE_VERSION = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What a source is like.

    Attributes:
        picture: its picture.
        sounds: each of its tracks that decodes.
        ends: what it shows of one colour at its ends.
        steps: which fields and frames are repeated, None where nothing decodes.
    """

    picture: VideoMeasurement
    sounds: tuple[AudioMeasurement, ...] = ()
    ends: BlankEnds = NO_BLANK_ENDS
    steps: FieldSteps | None = None


async def measure(info: MediaInfo, cache: Cache | None, *, ffmpeg: FFmpeg) -> Measured:
    """Measure a source that has been probed.

    Raises:
        InputError: its picture cannot be measured.
        ToolError: FFmpeg or Python cannot be started.
    """
    picture = await cached_picture(info, cache, ffmpeg=ffmpeg)
    sounds = [
        await measure_audio(info.source, track, ffmpeg=ffmpeg.path, seekable=info.exact_seek)
        for track in info.audio
    ]
    return Measured(
        picture=picture,
        sounds=tuple(sound for sound in sounds if sound is not None),
        ends=await look_at_ends(info.source, info.video, ffmpeg=ffmpeg.path, seekable=info.exact_seek),
        steps=await look_at_steps(info.source, info.video, ffmpeg=ffmpeg.path, seekable=info.exact_seek),
    )


_Found = TypeVar("_Found")

_MEASURED, _PICTURE = TypeAdapter(Measured), TypeAdapter(VideoMeasurement)


async def cached_measurement(info: MediaInfo, cache: Cache | None, *, ffmpeg: FFmpeg) -> Measured:
    """What a source is like: from cache, while it and the program that decodes it are the same.

    Raises:
        InputError: its picture cannot be measured.
        ToolError: FFmpeg or Python cannot be started.
    """

    async def find() -> Measured:
        return await measure(info, cache, ffmpeg=ffmpeg)

    return await _cached(_MEASURED, find, cache, _key("measure", info, ffmpeg))


async def cached_picture(info: MediaInfo, cache: Cache | None, *, ffmpeg: FFmpeg) -> VideoMeasurement:
    """The same of its picture alone, which takes seconds however long the source is.

    Raises:
        InputError: it cannot be measured.
        ToolError: FFmpeg or Python cannot be started.
    """

    async def find() -> VideoMeasurement:
        return await measure_video(info.source, info.video, ffmpeg=ffmpeg.path, seekable=info.exact_seek)

    return await _cached(_PICTURE, find, cache, _key("picture", info, ffmpeg))


def _key(what: str, info: MediaInfo, ffmpeg: FFmpeg) -> tuple[str | int, ...]:
    return (
        *(what, MEASURE_VERSION, ffmpeg.version),
        *(os.fspath(info.path), info.size_bytes, info.modified_ns),
        # A source whose field order the user has set is measured differently.
        int(info.video.field_order.has_fields),
    )


async def _cached(
    adapter: TypeAdapter[_Found],
    find: Callable[[], Awaitable[_Found]],
    cache: Cache | None,
    key: tuple[str | int, ...],
) -> _Found:
    if cache is None:
        return await find()
    value = await to_thread.run_sync(cache.recall, *key)
    try:
        if value is not None:
            return adapter.validate_python(value)
    except ValueError:  # of another version
        pass
    found = await find()
    await to_thread.run_sync(cache.keep, to_jsonable(found), *key)
    return found
