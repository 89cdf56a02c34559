"""What cameras, phones and broadcasters wrote, read by the real programs."""

from dataclasses import dataclass
from fractions import Fraction

import pytest

from clips import FFMPEG, NTSC, footage
from vhsbatch.model.media import FieldOrder
from vhsbatch.probe.probe import probe
from vhsbatch.probe.scan import scan

pytestmark = pytest.mark.anyio

TFF, BFF, PROGRESSIVE = FieldOrder.TFF, FieldOrder.BFF, FieldOrder.PROGRESSIVE


@dataclass(frozen=True, kw_only=True)
class Known:
    """What is known of a file: by other programs, and by looking at it."""

    name: str
    codec: str
    size: tuple[int, int]
    pixel_format: str
    sar: Fraction | None
    order: FieldOrder
    rate: Fraction
    frames: int
    sound: tuple[tuple[str, int, int], ...]
    start_s: Fraction = Fraction(0)
    constant_rate: bool = True
    exact_seek: bool = True
    rotation_degrees: int = 0


SQUARE = Fraction(1)
DV_SOUND = (("pcm_s16le", 32000, 2), ("pcm_s16le", 32000, 2))

KNOWN = (
    Known(
        name="canon_mjpeg_640x480_pcm_mono.avi", codec="mjpeg", size=(640, 480), pixel_format="yuvj422p",
        sar=None, order=PROGRESSIVE, rate=Fraction(30), frames=78, sound=(("pcm_s16le", 44100, 1),),
    ),
    Known(
        name="dv25_ntsc_411_bff_home_sony.dv", codec="dvvideo", size=(720, 480), pixel_format="yuv411p",
        sar=Fraction(8, 9), order=BFF, rate=NTSC, frames=5, sound=DV_SOUND,
    ),
    Known(
        name="dv25_ntsc_concat_8frames_tapefaults.dv", codec="dvvideo", size=(720, 480),
        pixel_format="yuv411p", sar=Fraction(8, 9), order=BFF, rate=NTSC, frames=8, sound=DV_SOUND,
    ),
    Known(
        name="dvb_1080i50_h264.ts", codec="h264", size=(1920, 1080), pixel_format="yuv420p", sar=SQUARE,
        order=TFF, rate=Fraction(25), frames=9, sound=(),
        start_s=Fraction(4825706, 125), constant_rate=False, exact_seek=False,
    ),
    Known(
        name="film_bw_chaplin_360p.mp4", codec="h264", size=(640, 360), pixel_format="yuv420p", sar=None,
        order=PROGRESSIVE, rate=Fraction(25), frames=241, sound=(("mp3", 44100, 2),),
    ),
    Known(
        name="gopro_480p_max.mp4", codec="h264", size=(848, 480), pixel_format="yuvj420p", sar=SQUARE,
        order=PROGRESSIVE, rate=NTSC, frames=315, sound=(("aac", 48000, 2),),
    ),
    Known(
        name="mp4_mdat_too_long.mp4", codec="h264", size=(1080, 720), pixel_format="yuv420p", sar=SQUARE,
        order=PROGRESSIVE, rate=NTSC, frames=30, sound=(("aac", 44100, 1),),
    ),
    Known(
        name="phone_640x360_odd_timebase.mp4", codec="h264", size=(640, 360), pixel_format="yuv420p",
        sar=None, order=PROGRESSIVE, rate=Fraction(30), frames=512, sound=(("aac", 48000, 2),),
    ),
    Known(
        name="phone_vfr_home_indoor.mp4", codec="h264", size=(1280, 720), pixel_format="yuv420p",
        sar=SQUARE, order=PROGRESSIVE, rate=Fraction(10), frames=24, sound=(("aac", 48000, 1),),
        constant_rate=False, rotation_degrees=180,
    ),
    Known(
        name="sony_avchd_1080i50.mts", codec="h264", size=(1920, 1080), pixel_format="yuv420p", sar=SQUARE,
        order=TFF, rate=Fraction(25), frames=13, sound=(("ac3", 48000, 2),), start_s=Fraction(26, 25),
    ),
    Known(
        name="webm_no_duration.webm", codec="vp9", size=(1280, 720), pixel_format="yuv420p", sar=SQUARE,
        order=PROGRESSIVE, rate=Fraction(15000, 1001), frames=74, sound=(("opus", 48000, 2),),
    ),
)  # fmt: skip


@pytest.mark.parametrize("known", KNOWN, ids=lambda known: known.name)
async def test_footage(known: Known) -> None:
    info = await probe(footage(known.name), ffmpeg=FFMPEG)
    video = info.video
    assert (video.codec, (video.width, video.height)) == (known.codec, known.size)
    assert (video.pixel_format, video.sar) == (known.pixel_format, known.sar)
    assert (video.rate, video.frames, video.start_s) == (known.rate, known.frames, known.start_s)
    assert (video.constant_rate, info.exact_seek) == (known.constant_rate, known.exact_seek)
    assert video.field_order is known.order
    assert video.rotation_degrees == known.rotation_degrees
    sound = tuple((track.codec, track.sample_rate_hz, track.channels) for track in info.audio)
    assert sound == known.sound


async def test_sound_begins_and_ends_with_the_frames_that_ffmpeg_decodes() -> None:
    # The first of its 45 packets decodes to nothing; FFmpeg's ashowinfo shows 44 frames, from 2964 on.
    info = await probe(footage("mp4_mdat_too_long.mp4"), ffmpeg=FFMPEG)
    (track,) = info.audio
    assert (track.start_s, track.end_s) == (Fraction(2964, 44100), Fraction(48020, 44100))


async def test_sound_that_ends_before_the_first_picture_is_left_out_and_named() -> None:
    # The first picture that decodes is 0.49 s behind the end of the sound.
    info = await probe(footage("dvb_1080i50_h264.ts"), ffmpeg=FFMPEG)
    assert info.audio == ()
    assert [note.count("it ends before the picture begins") for note in info.notes if "audio" in note] == [3]


async def test_the_encoders_padding_is_not_heard() -> None:
    info = await probe(footage("film_bw_chaplin_360p.mp4"), ffmpeg=FFMPEG)
    assert info.audio[0].start_s == 0


async def test_languages() -> None:
    packets = await scan(footage("dvb_1080i50_h264.ts"), beginning=b"", timeout_s=60)
    assert [track.language for track in packets.audio] == ["fre", "fra", "qaa"]


async def test_declared_durations_are_those_that_are_written_in_the_file() -> None:
    assert (await probe(footage("webm_no_duration.webm"), ffmpeg=FFMPEG)).declared_s is None
    assert (await probe(footage("dv25_ntsc_411_bff_home_sony.dv"), ffmpeg=FFMPEG)).declared_s is None
    canon = await probe(footage("canon_mjpeg_640x480_pcm_mono.avi"), ffmpeg=FFMPEG)
    assert canon.declared_s == 78 * Fraction(33333, 1000000)
