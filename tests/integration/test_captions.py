"""Captions that the picture carries are subtitles of the result, exact to the frame."""

import os
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

import program
from captioned import dv_with, line_21, mpeg2_with, spoken
from clips import FFMPEG, NTSC, ffmpeg
from teletext import with_teletext
from vhsbatch.model.media import Caption, Captions
from vhsbatch.probe.probe import probe

FRAMES = 45
SHOWN = {"HELLO": (10, 20), "SECOND LINE": (32, FRAMES)}
PAIRS = spoken(FRAMES, SHOWN)


def captured(folder: Path) -> Path:
    """A capture of 486 lines of which the second shows line 21."""
    clip = folder / "tape.mkv"
    ffmpeg(*moving("720x486"), "-pix_fmt", "yuv422p", "-f", "rawvideo", folder / "plain.raw")
    frames = np.fromfile(folder / "plain.raw", np.uint8).reshape(FRAMES, -1)
    for frame, pair in zip(frames, PAIRS, strict=True):
        frame[:720], frame[720:1440] = line_21((0, 0)), line_21(pair)
    frames.tofile(folder / "plain.raw")
    size = ("-f", "rawvideo", "-pix_fmt", "yuv422p", "-s", "720x486", "-r", "30000/1001")
    ffmpeg(*size, "-i", folder / "plain.raw", "-c:v", "ffv1", clip)
    return clip


def broadcast(folder: Path) -> Path:
    """MPEG-2 with B-frames, in a transport stream whose clock begins late."""
    ffmpeg(*moving("352x240"), "-c:v", "mpeg2video", "-g", "15", "-bf", "2", folder / "plain.m2v")
    (folder / "said.m2v").write_bytes(mpeg2_with((folder / "plain.m2v").read_bytes(), PAIRS))
    ffmpeg(
        "-fflags",
        "+genpts",
        "-r",
        "30000/1001",
        "-i",
        folder / "said.m2v",
        "-c",
        "copy",
        "-muxdelay",
        "3",
        folder / "tape.ts",
    )
    return folder / "tape.ts"


def camera(folder: Path) -> Path:
    """Raw DV."""
    ffmpeg(*moving("720x480"), "-c:v", "dvvideo", "-pix_fmt", "yuv411p", folder / "plain.dv")
    (folder / "tape.dv").write_bytes(dv_with((folder / "plain.dv").read_bytes(), PAIRS))
    return folder / "tape.dv"


def moving(size: str) -> tuple[str, ...]:
    return ("-f", "lavfi", "-i", f"testsrc2=s={size}:r=30000/1001", "-frames:v", str(FRAMES))


@pytest.mark.parametrize(
    ("make", "place"),
    [(captured, "on line 21"), (broadcast, "in the stream"), (camera, "in the DV data")],
    ids=["line_21", "a53", "dv"],
)
async def test_captions_are_found_wherever_they_are(
    make: Callable[[Path], Path], place: str, tmp_path: Path
) -> None:
    found = (await probe(make(tmp_path), ffmpeg=FFMPEG)).captions
    assert found is not None
    assert found.place == place
    assert found.cues == tuple(
        Caption(from_s=first / NTSC, to_s=stop / NTSC if stop < FRAMES else None, text=text)
        for text, (first, stop) in SHOWN.items()
    )


async def test_a_capture_with_more_lines_but_no_captions_has_none(tmp_path: Path) -> None:
    clip = tmp_path / "tape.mkv"
    ffmpeg(*moving("720x486"), "-vf", "noise=alls=60:allf=t", "-c:v", "ffv1", clip)
    assert (await probe(clip, ffmpeg=FFMPEG)).captions is None


@pytest.mark.parametrize("container", ["mkv", "mp4"])
def test_they_are_subtitles_of_an_excerpt(container: str, tmp_path: Path) -> None:
    tape, made = camera(tmp_path), tmp_path / f"made.{container}"
    an_hour_ago_s = time.time() - 3600
    os.utime(tape, (an_hour_ago_s, an_hour_ago_s))
    done = program.run(
        *("upscale", tape, "-o", made, "-r", "120", "-p", "clean", "--engine", "ffmpeg", "--no-tui"),
        *("--from", "0.5", "--to", "1.3"),
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 captions in the DV data, kept as subtitles" in done.stderr
    first = 15  # the first frame at or after 0.5 s
    expected = [(0, 20 - first, "HELLO"), (32 - first, 39 - first, "SECOND LINE")]
    with av.open(str(made)) as result:
        (stream,) = result.streams.subtitles
        shown = [packet for packet in result.demux(stream) if packet.size > 2]
        assert stream.time_base is not None
        base = Fraction(stream.time_base.numerator, stream.time_base.denominator)
        for packet, (begin, stop, text) in zip(shown, expected, strict=True):
            assert text in bytes(packet).decode()
            assert packet.pts is not None
            begin_s, length_s = packet.pts * base, (packet.duration or 0) * base
            # A millisecond before its frame at most, never after it.
            assert 0 <= begin / NTSC - begin_s < Fraction(1, 1000)
            assert abs((stop - begin) / NTSC - length_s) <= Fraction(1, 1000)


async def test_subtitles_in_teletext_are_read(tmp_path: Path) -> None:
    picture = ("-f", "lavfi", "-i", "testsrc2=s=352x288:r=25:d=3", "-c:v", "mpeg2video", "-bf", "0")
    ffmpeg(*picture, "-muxdelay", "0", "-muxpreload", "0", tmp_path / "plain.ts")
    tape = tmp_path / "tape.ts"
    shown = [(0, ""), (25 * 3600, "HELLO TELETEXT"), (50 * 3600, ""), (60 * 3600, "SECOND"), (70 * 3600, "")]
    tape.write_bytes(with_teletext((tmp_path / "plain.ts").read_bytes(), shown, 3600))
    found = await probe(tape, ffmpeg=FFMPEG)
    assert found.captions == Captions(
        place="in teletext",
        cues=(
            Caption(from_s=Fraction(1), to_s=Fraction(2), text="HELLO TELETEXT"),
            Caption(from_s=Fraction(60, 25), to_s=Fraction(70, 25), text="SECOND"),
        ),
    )
    assert found.subtitles == ()
    assert "teletext pages left out, other than subtitles" in found.notes
