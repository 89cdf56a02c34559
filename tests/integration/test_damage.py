"""Sources with damage in the middle: counted, told with its place, and refused where it is too much."""

from pathlib import Path

import pytest

import program
from clips import FFMPEG, ffmpeg
from vhsbatch.model.media import Damage
from vhsbatch.probe.probe import probe

pytestmark = pytest.mark.anyio

X264 = ("-c:v", "libx264", "-preset", "ultrafast", "-g", "12")
DV = ("-s", "720x576", "-pix_fmt", "yuv420p", "-c:v", "dvvideo")


def damaged_clip(path: Path, *codec: str, part: float = 0.05) -> Path:
    """Three seconds of a picture with noise, of which a part in the middle of the file is overwritten."""
    source = "testsrc2=s=160x128:r=25:d=3,noise=alls=6:allf=t"
    ffmpeg("-f", "lavfi", "-i", source, *codec, path)
    content = bytearray(path.read_bytes())
    begin, length = len(content) // 2, int(part * len(content))
    content[begin : begin + length] = bytes(length)
    path.write_bytes(content)
    return path


async def damage_of(path: Path) -> Damage | None:
    return (await probe(path, ffmpeg=FFMPEG)).damage


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("a.mp4", X264),
        ("a.mkv", X264),
        ("a.mov", ("-c:v", "mjpeg")),
        ("a.mov", DV),
        ("a.ts", ("-c:v", "mpeg2video", "-g", "6")),
        ("a.mkv", ("-c:v", "ffv1", "-level", "3", "-slicecrc", "1")),
        ("a.avi", ("-c:v", "mjpeg")),
        ("a.avi", DV),
        ("a.avi", ("-c:v", "huffyuv")),
    ],
)
async def test_damage_in_the_middle_is_counted_and_placed(
    name: str, codec: tuple[str, ...], tmp_path: Path
) -> None:
    damage = await damage_of(damaged_clip(tmp_path / name, *codec, part=0.1))
    assert damage is not None
    assert 1 <= damage.frames < 30
    assert all(0.8 < float(begin) <= float(end) < 2.4 for begin, end in damage.places)


@pytest.mark.parametrize(("name", "codec"), [("a.mp4", X264), ("a.mov", DV), ("a.avi", ("-c:v", "ffv1"))])
async def test_a_sound_clip_has_no_damage(name: str, codec: tuple[str, ...], tmp_path: Path) -> None:
    assert await damage_of(damaged_clip(tmp_path / name, *codec, part=0)) is None


@pytest.mark.parametrize(("begin", "stop"), [(0.05, 0.15), (0.9, 1.0)])
async def test_frames_that_are_not_even_in_the_file_are_counted(
    begin: float, stop: float, tmp_path: Path
) -> None:
    path = damaged_clip(tmp_path / "a.avi", "-c:v", "mjpeg", part=0)
    content = bytearray(path.read_bytes())
    first, last = int(begin * len(content)), int(stop * len(content))
    content[first:last] = b"\xa5" * (last - first)
    path.write_bytes(content)
    info = await probe(path, ffmpeg=FFMPEG)
    assert info.damage is not None
    assert info.video.frames + info.damage.frames in (75, 76)
    assert abs(float(info.damage.places[0][0]) - 3 * begin) < 0.4
    assert not [note for note in info.notes if "truncated" in note or "header" in note]


def test_too_much_damage_fails_until_it_is_accepted(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    damaged_clip(tmp_path / "in" / "a.mov", *DV, part=0.1)
    command = ("batch", "in", "out", "-p", "webcam", "-r", "120", "--engine", "ffmpeg")
    failed = program.run(*command, cwd=tmp_path)
    assert failed.returncode != 0
    assert "do not decode cleanly, at 0:01" in failed.stdout + failed.stderr
    assert "--max-damage 100" in failed.stdout + failed.stderr
    taken = program.run(*command, "--max-damage", "50", cwd=tmp_path)
    assert taken.returncode == 0, taken.stdout + taken.stderr
