"""Frames of DV that are overwritten: the one before is shown, however the video is cut and deinterlaced."""

import random
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest

import program
from clips import FFMPEG, ffmpeg
from counters import make_counted, numbers
from restoring import need_qtgmc, restored
from vhsbatch.ffmpeg.graph import any_of
from vhsbatch.probe.probe import probe

pytestmark = pytest.mark.sampled

FRAME_BYTES, PAL_FRAME_BYTES = 120_000, 144_000
# Of 66 frames: some at the head, some on both sides of the cuts, and some at the tail.
HEAD, MIDDLE, TAIL = range(2), (*range(27, 33), 45, *range(58, 61)), range(64, 66)
FRAMES = 66
ALL = ("--engine", "ffmpeg", "--max-damage", "100")


def tape(path: Path) -> Path:
    """NTSC DV whose fields carry their numbers."""
    return _tape(path, "720:480", "yuv411p", "60000/1001")


def pal_tape(path: Path, pixel_format: str = "yuv420p") -> Path:
    """PAL DV likewise."""
    return _tape(path, "720:576", pixel_format, "50")


def _tape(path: Path, size: str, pixel_format: str, rate: str) -> Path:
    fields = f"scale={size}:flags=neighbor,interlace=scan=bff:lowpass=0,setfield=bff"
    codec = ("-frames:v", str(FRAMES), "-c:v", "dvvideo", "-pix_fmt", pixel_format)
    return make_counted(path, *codec, rate=rate, seconds=3, fields=fields)


def overwrite(path: Path, frames: Iterable[int], *, noise: bool = False) -> None:
    """Put zeros or noise in the place of frames, wherever the container has them."""
    content, chance = bytearray(path.read_bytes()), random.Random(1)
    size = PAL_FRAME_BYTES if content[content.find(b"\x1f\x07\x00") + 3] & 0x80 else FRAME_BYTES
    begin = 0
    places = []
    while (at := content.find(b"\x1f\x07\x00", begin)) >= 0:
        places.append(at)
        begin = at + size
    assert len(places) == FRAMES
    for frame in frames:
        instead = chance.randbytes(size) if noise else bytes(size)
        content[places[frame] : places[frame] + size] = instead
    path.write_bytes(content)


def made_of(folder: Path, source: str, preset: str = "", *, segment_s: int) -> Path:
    """What is restored of a tape, to a small picture."""
    name = f"made-{segment_s}.mkv"
    return restored(folder, preset, segment_s=segment_s, name=name, source=source, engine=ALL, height=120)


def held(frames: range, gone: Iterable[int], of_each: int) -> list[int]:
    """The numbers to be seen, where each frame gives so many pictures."""
    seen: list[int] = []
    for frame in frames:
        for picture in range(of_each):
            seen.append(seen[-1] if frame in gone else frame * of_each + picture)
    return seen


def test_no_cut_shows_where_the_frame_before_is_shown(tmp_path: Path) -> None:
    overwrite(tape(tmp_path / "tape.dv"), MIDDLE)
    whole = made_of(tmp_path, "tape.dv", segment_s=60)
    assert numbers(whole) == held(range(FRAMES), MIDDLE, 2)
    cut = made_of(tmp_path, "tape.dv", segment_s=1)
    assert program.frame_digests(cut) == program.frame_digests(whole)


def test_qtgmc_never_sees_what_is_overwritten(tmp_path: Path) -> None:
    need_qtgmc()
    overwrite(tape(tmp_path / "tape.mov"), MIDDLE, noise=True)
    made = made_of(tmp_path, "tape.mov", "deinterlace = { method = 'qtgmc' }", segment_s=60)
    assert numbers(made) == held(range(FRAMES), MIDDLE, 2)


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv411p"])
def test_no_cut_shows_in_raw_pal(pixel_format: str, tmp_path: Path) -> None:
    overwrite(pal_tape(tmp_path / "tape.dv", pixel_format), {*HEAD, *MIDDLE, *TAIL})
    whole = made_of(tmp_path, "tape.dv", segment_s=60)
    assert numbers(whole) == held(range(HEAD.stop, TAIL.start), MIDDLE, 2)
    cut = made_of(tmp_path, "tape.dv", segment_s=1)
    assert program.frame_digests(cut) == program.frame_digests(whole)


def test_qtgmc_never_sees_what_is_overwritten_in_raw_pal(tmp_path: Path) -> None:
    need_qtgmc()
    overwrite(pal_tape(tmp_path / "tape.dv"), MIDDLE)
    made = made_of(tmp_path, "tape.dv", "deinterlace = { method = 'qtgmc' }", segment_s=60)
    assert numbers(made) == held(range(FRAMES), MIDDLE, 2)


@pytest.mark.parametrize("name", ["tape.avi", "tape.mov"])
def test_pal_in_a_container_is_followed_too(name: str, tmp_path: Path) -> None:
    overwrite(pal_tape(tmp_path / name), {*HEAD, *MIDDLE, *TAIL})
    made = made_of(tmp_path, name, segment_s=1)
    assert numbers(made) == held(range(HEAD.stop, TAIL.start), MIDDLE, 2)


@pytest.mark.parametrize("name", ["tape.avi", "tape.mov"])
def test_overwritten_ends_are_left_out(name: str, tmp_path: Path) -> None:
    overwrite(tape(tmp_path / name), {*HEAD, *MIDDLE, *TAIL})
    made = made_of(tmp_path, name, segment_s=1)
    assert numbers(made) == held(range(HEAD.stop, TAIL.start), MIDDLE, 2)


@pytest.mark.anyio
@pytest.mark.parametrize("name", ["tape.dv", "tape.avi", "tape.mov"])
async def test_overwritten_frames_are_counted_and_placed(name: str, tmp_path: Path) -> None:
    path = tape(tmp_path / name)
    gone = {*HEAD, *MIDDLE, *TAIL}
    overwrite(path, gone)
    info = await probe(path, ffmpeg=FFMPEG)
    assert info.damage is not None
    assert (info.damage.frames, info.damage.of_frames) == (len(gone), FRAMES)
    # A place is what is within a second.
    assert len(info.damage.places) == 1
    assert info.video.frames == TAIL.start - HEAD.stop
    places = [(place.start + HEAD.stop, place.stop + HEAD.stop) for place in info.video.overwritten]
    assert places == [(27, 33), (45, 46), (58, 61)]


@pytest.mark.anyio
async def test_what_is_mostly_there_is_shown(tmp_path: Path) -> None:
    path = tape(tmp_path / "tape.dv")
    content = bytearray(path.read_bytes())
    content[30 * FRAME_BYTES + 40_960 : 30 * FRAME_BYTES + 41_472] = bytes(512)
    path.write_bytes(content)
    info = await probe(path, ffmpeg=FFMPEG)
    assert info.damage is not None
    assert (info.damage.frames, info.video.overwritten) == (1, ())


@pytest.mark.anyio
@pytest.mark.parametrize("begin", [5_000, 31 * FRAME_BYTES])
async def test_frames_are_counted_in_an_avi_whose_clock_has_smaller_ticks(begin: int, tmp_path: Path) -> None:
    # Raw DV that is copied gets a clock of 600 ticks a second.
    ffmpeg("-i", tape(tmp_path / "tape.dv"), "-c", "copy", tmp_path / "tape.avi")
    content = bytearray((tmp_path / "tape.avi").read_bytes())
    content[begin : begin + 5 * FRAME_BYTES] = bytes(5 * FRAME_BYTES)
    (tmp_path / "tape.avi").write_bytes(content)
    info = await probe(tmp_path / "tape.avi", ffmpeg=FFMPEG)
    assert info.damage is not None
    assert 4 <= info.damage.frames <= 6
    assert abs(float(info.damage.places[0][0]) - begin / FRAME_BYTES * 1001 / 30000) < 0.1


def test_ffmpeg_takes_as_many_places_as_there_are() -> None:
    places = any_of([f"between(pts,{2 * number},{2 * number})" for number in range(1000)])
    filters = f"settb=1/25,trim=end_frame=2000,select='not({places})',format=gray"
    source = ("-f", "lavfi", "-i", "color=s=16x16:r=25", "-vf", filters)
    command = [FFMPEG, "-v", "error", *source, "-fps_mode", "passthrough"]
    done = subprocess.run([*command, "-f", "rawvideo", "-"], capture_output=True, check=False)
    assert (done.returncode, len(done.stdout)) == (0, 1000 * 16 * 16), done.stderr[-300:]
