"""Measuring one source, its picture and its sound, or remembering what was measured before."""

import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from anyio import to_thread
from pydantic import TypeAdapter

from vhsbatch.analysis.audio import Sound, measure_sound
from vhsbatch.analysis.picture import Picture, measure_picture
from vhsbatch.cache import Cache
from vhsbatch.events.serialize import to_jsonable
from vhsbatch.model.media import MediaInfo
from vhsbatch.probe.blank import NO_BLANK_ENDS, BlankEnds, look_at_ends
from vhsbatch.probe.telecine import FieldSteps, look_at_steps

# Part of every key: raised when the same file would be measured otherwise than before.
MEASURE_VERSION = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What a source is like.

    Attributes:
        picture: its picture.
        sounds: each of its tracks that decodes.
        ends: what it shows of one colour at its ends.
        steps: which fields and frames are repeated, None where nothing decodes.
    """

    picture: Picture
    sounds: tuple[Sound, ...] = ()
    ends: BlankEnds = NO_BLANK_ENDS
    steps: FieldSteps | None = None


async def measure(info: MediaInfo, memory: Cache | None, *, ffmpeg: str, ffmpeg_version: str) -> Measured:
    """Measure a source that has been probed.

    Raises:
        InputError: its picture cannot be measured.
        ToolError: FFmpeg or Python cannot be started.
    """
    picture = await picture_remembering(info, memory, ffmpeg=ffmpeg, ffmpeg_version=ffmpeg_version)
    sounds = [
        await measure_sound(info.path, track, ffmpeg=ffmpeg, seekable=info.exact_seek) for track in info.audio
    ]
    return Measured(
        picture=picture,
        sounds=tuple(sound for sound in sounds if sound is not None),
        ends=await look_at_ends(info.path, info.video, ffmpeg=ffmpeg, seekable=info.exact_seek),
        steps=await look_at_steps(info.path, info.video, ffmpeg=ffmpeg, seekable=info.exact_seek),
    )


_Found = TypeVar("_Found")

_MEASURED, _PICTURE = TypeAdapter(Measured), TypeAdapter(Picture)


async def measure_remembering(
    info: MediaInfo, memory: Cache | None, *, ffmpeg: str, ffmpeg_version: str
) -> Measured:
    """What a source is like: from memory, while it and the program that decodes it are the same.

    Raises:
        InputError: its picture cannot be measured.
        ToolError: FFmpeg or Python cannot be started.
    """

    async def anew() -> Measured:
        return await measure(info, memory, ffmpeg=ffmpeg, ffmpeg_version=ffmpeg_version)

    return await _remembering(_MEASURED, anew, memory, _key("measure", info, ffmpeg_version))


async def picture_remembering(
    info: MediaInfo, memory: Cache | None, *, ffmpeg: str, ffmpeg_version: str
) -> Picture:
    """The same of its picture alone, which takes seconds however long the source is.

    Raises:
        InputError: it cannot be measured.
        ToolError: FFmpeg or Python cannot be started.
    """

    async def anew() -> Picture:
        return await measure_picture(info.path, info.video, ffmpeg=ffmpeg, seekable=info.exact_seek)

    return await _remembering(_PICTURE, anew, memory, _key("picture", info, ffmpeg_version))


def _key(what: str, info: MediaInfo, ffmpeg_version: str) -> tuple[str | int, ...]:
    return (
        *(what, MEASURE_VERSION, ffmpeg_version),
        *(os.fspath(info.path), info.size_bytes, info.modified_ns),
        # A source whose fields the user knows better is looked at otherwise.
        int(info.video.field_order.has_fields),
    )


async def _remembering(
    adapter: TypeAdapter[_Found],
    anew: Callable[[], Awaitable[_Found]],
    memory: Cache | None,
    key: tuple[str | int, ...],
) -> _Found:
    if memory is None:
        return await anew()
    value = await to_thread.run_sync(memory.recall, *key)
    try:
        if value is not None:
            return adapter.validate_python(value)
    except ValueError:  # of another version
        pass
    found = await anew()
    await to_thread.run_sync(memory.keep, to_jsonable(found), *key)
    return found
