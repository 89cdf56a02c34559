"""Film that was fitted into television's frames, in clips in which that is known."""

from pathlib import Path

import pytest

from clips import FFMPEG, ffmpeg
from vhsbatch.model.media import FieldOrder, Telecine, VideoTrack
from vhsbatch.probe.probe import probe

pytestmark = [pytest.mark.anyio, pytest.mark.sampled]

FFV1 = ("-c:v", "ffv1", "-g", "1")


async def probed(clip: Path) -> VideoTrack:
    return (await probe(clip, ffmpeg=FFMPEG)).video


@pytest.mark.parametrize(("first", "scan"), [("top", "tff"), ("bottom", "bff")])
async def test_hard_pulldown_is_found_under_noise(first: str, scan: str, tmp_path: Path) -> None:
    clip = tmp_path / "film.mkv"
    pulldown = f"telecine=first_field={first}:pattern=23,setfield={scan}"
    source = f"testsrc2=s=240x480:r=24000/1001:d=3,boxblur=2,{pulldown}"
    ffmpeg("-f", "lavfi", "-i", source, "-vf", "noise=c0s=14:c0f=t", *FFV1, clip)
    video = await probed(clip)
    assert (video.telecine, video.field_order) == (Telecine.HARD, FieldOrder(scan))
    assert video.telecine_reason.startswith("3:2 cadence in ")


async def test_video_is_not_taken_for_film(tmp_path: Path) -> None:
    clip = tmp_path / "video.mkv"
    source = "testsrc2=s=240x480:r=60000/1001:d=3,boxblur=2,interlace=scan=tff:lowpass=0"
    ffmpeg("-f", "lavfi", "-i", source, "-vf", "noise=c0s=14:c0f=t", *FFV1, clip)
    video = await probed(clip)
    assert video.field_order is FieldOrder.TFF
    assert video.telecine is Telecine.NONE


async def test_a_tape_of_film_and_video_is_video(tmp_path: Path) -> None:
    clip = tmp_path / "both.mkv"
    film = "testsrc2=s=240x480:r=24000/1001:d=4,boxblur=2,telecine=pattern=23"
    video = "testsrc2=s=240x480:r=60000/1001:d=4,boxblur=2,interlace=scan=tff:lowpass=0"
    ffmpeg(
        *("-f", "lavfi", "-i", film, "-f", "lavfi", "-i", video),
        *("-filter_complex", "[0][1]concat=n=2,setfield=tff", *FFV1, clip),
    )
    track = await probed(clip)
    assert track.telecine is Telecine.NONE
    assert "part film, part video" in track.telecine_reason


def with_soft_pulldown(stream: bytes) -> bytes:
    """An MPEG-2 stream of whole frames that are flagged to be shown for two and three fields in turns."""
    patched = bytearray(stream)
    top_first, held, at = True, False, 0
    while (at := patched.find(b"\x00\x00\x01\xb5", at)) >= 0:
        at += 4
        match patched[at] >> 4:
            case 1:  # sequence extension: progressive_sequence off, else no field may be repeated
                patched[at + 1] &= ~0x08
            case 8:  # picture coding extension: top_field_first, repeat_first_field
                patched[at + 3] = patched[at + 3] & ~0x82 | (0x80 if top_first else 0) | (0x02 if held else 0)
                top_first, held = top_first ^ held, not held
    return bytes(patched)


@pytest.mark.parametrize("name", ["film.mpg", "film.mkv"])
async def test_soft_pulldown_is_found_by_its_timestamps(name: str, tmp_path: Path) -> None:
    raw, flagged, clip = tmp_path / "raw.m2v", tmp_path / "flagged.m2v", tmp_path / name
    source = "testsrc2=s=720x480:r=30000/1001:d=3,boxblur=2"
    ffmpeg("-f", "lavfi", "-i", source, "-c:v", "mpeg2video", "-b:v", "6M", "-bf", "0", raw)
    flagged.write_bytes(with_soft_pulldown(raw.read_bytes()))
    ffmpeg("-fflags", "+genpts", "-i", flagged, "-c", "copy", clip)
    video = await probed(clip)
    assert (video.telecine, video.field_order) == (Telecine.SOFT, FieldOrder.PROGRESSIVE)
    assert video.rate.numerator == 24000
    assert video.constant_rate


@pytest.mark.parametrize(("phase", "scan"), [("t", "bff"), ("b", "tff")])
async def test_film_of_25_pictures_a_field_out_of_step_is_found_under_noise(
    phase: str, scan: str, tmp_path: Path
) -> None:
    clip = tmp_path / "film.mkv"
    source = f"testsrc2=s=240x576:r=25:d=3,boxblur=2,phase=mode={phase},noise=c0s=14:c0f=t"
    ffmpeg("-f", "lavfi", "-i", source, *FFV1, clip)
    video = await probed(clip)
    assert (video.telecine, video.field_order) == (Telecine.SHIFTED, FieldOrder(scan))


@pytest.mark.parametrize("noise", [6, 14])
async def test_film_of_25_pictures_in_step_is_progressive(noise: int, tmp_path: Path) -> None:
    """Also where there is so much noise that each field looks like another moment."""
    clip = tmp_path / "film.mkv"
    source = f"testsrc2=s=240x576:r=25:d=3,boxblur=2,noise=c0s={noise}:c0f=t,setfield=tff"
    ffmpeg("-f", "lavfi", "-i", source, *FFV1, clip)
    video = await probed(clip)
    assert (video.telecine, video.field_order) == (Telecine.NONE, FieldOrder.PROGRESSIVE)


async def test_pal_video_is_not_taken_for_film(tmp_path: Path) -> None:
    clip = tmp_path / "video.mkv"
    source = "testsrc2=s=240x576:r=50:d=3,boxblur=2,interlace=scan=tff:lowpass=0,noise=c0s=14:c0f=t"
    ffmpeg("-f", "lavfi", "-i", source, *FFV1, clip)
    video = await probed(clip)
    assert (video.telecine, video.field_order) == (Telecine.NONE, FieldOrder.TFF)
