"""Measuring one source: its picture and its sound."""

from dataclasses import dataclass

from vhsbatch.media.picture import Picture, measure_picture
from vhsbatch.media.sound import Sound, measure_sound
from vhsbatch.model.media import MediaInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What a source is like.

    Attributes:
        picture: its picture.
        sounds: each of its tracks that decodes.
    """

    picture: Picture
    sounds: tuple[Sound, ...] = ()


async def measure(info: MediaInfo, *, ffmpeg: str) -> Measured:
    """Measure a source that has been probed.

    Raises:
        InputError: its picture cannot be measured.
        ToolError: FFmpeg or Python cannot be started.
    """
    picture = await measure_picture(info.path, info.video, ffmpeg=ffmpeg, seekable=info.exact_seek)
    sounds = [
        await measure_sound(info.path, track, ffmpeg=ffmpeg, seekable=info.exact_seek) for track in info.audio
    ]
    return Measured(picture=picture, sounds=tuple(sound for sound in sounds if sound is not None))
