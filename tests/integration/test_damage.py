"""Sources with damage in the middle: counted, told with its place, and refused where it is too much."""

import re
from fractions import Fraction
from pathlib import Path

import pytest

import program
from clips import FFMPEG, ffmpeg
from vhsbatch.errors import InputError
from vhsbatch.model.media import Damage
from vhsbatch.probe.probe import probe

pytestmark = [pytest.mark.anyio, pytest.mark.sampled]

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


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("a.avi", ("-c:v", "rawvideo", "-pix_fmt", "bgr24")),
        ("a.mov", ("-c:v", "rawvideo", "-pix_fmt", "rgb24")),
        ("a.nut", ("-c:v", "rawvideo", "-pix_fmt", "gray")),
        ("a.mov", ("-c:v", "r210")),
    ],
)
async def test_black_frames_of_plain_samples_are_no_damage(
    name: str, codec: tuple[str, ...], tmp_path: Path
) -> None:
    black = "testsrc2=s=160x128:r=25:d=2,format=gbrp,lutrgb=enable='between(n,10,19)':r=0:g=0:b=0"
    ffmpeg("-f", "lavfi", "-i", black, *codec, tmp_path / name)
    assert await damage_of(tmp_path / name) is None


async def test_zeros_for_luma_and_colour_are_damage(tmp_path: Path) -> None:
    green = "testsrc2=s=160x128:r=25:d=2,format=yuv420p,lutyuv=enable='between(n,10,19)':y=0:u=0:v=0"
    ffmpeg("-f", "lavfi", "-i", green, "-c:v", "rawvideo", tmp_path / "a.avi")
    damage = await damage_of(tmp_path / "a.avi")
    assert damage is not None
    assert damage.frames == 10


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


@pytest.mark.parametrize("name", ["a.mov", "a.dv"])
def test_too_much_damage_fails_until_it_is_accepted(name: str, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    damaged_clip(tmp_path / "in" / name, *DV, part=0.1)
    command = ("batch", "in", "out", "-p", "webcam", "-r", "120", "--engine", "ffmpeg")
    failed = program.run(*command, cwd=tmp_path)
    assert failed.returncode != 0
    assert "do not decode cleanly, at 0:01" in failed.stdout + failed.stderr
    assert "--max-damage 100" in failed.stdout + failed.stderr
    taken = program.run(*command, "--max-damage", "50", cwd=tmp_path)
    assert taken.returncode == 0, taken.stdout + taken.stderr


SYSTEMS = {"ntsc": (120_000, "720x480", "30000/1001"), "pal": (144_000, "720x576", "25")}


@pytest.fixture(params=SYSTEMS)
def tape(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, int]:
    """A raw DV stream with sound, and the size of its frames."""
    frame_bytes, size, rate = SYSTEMS[request.param]
    path = tmp_path / "tape.dv"
    ffmpeg(
        *("-f", "lavfi", "-i", f"testsrc2=s={size}:r={rate}:d=2"),
        *("-f", "lavfi", "-i", "sine=440:d=2:r=48000,aformat=channel_layouts=stereo"),
        *("-target", f"{request.param}-dv", path),
    )
    return path, frame_bytes


def changed(path: Path, begin: int, stop: int, instead: bytes) -> None:
    content = path.read_bytes()
    path.write_bytes(content[:begin] + instead + content[stop:])


async def test_dv_that_lacks_or_has_too_many_bytes_is_refused_with_the_place(
    tape: tuple[Path, int], tmp_path: Path
) -> None:
    path, frame_bytes = tape
    whole = path.read_bytes()
    begin = 20 * frame_bytes + 30_000
    for stop, instead, words in (
        (begin + 1000, b"", "1000 bytes are missing"),
        (begin, bytes(1000), "1000 bytes too many are there"),
    ):
        path.write_bytes(whole)
        changed(path, begin, stop, instead)
        with pytest.raises(InputError, match=rf"byte {20 * frame_bytes}\): {words}") as refused:
            await damage_of(path)
        # What it says to do works: nothing of the two parts is damaged.
        said = re.search(r"head -c (\d+) IN .* tail -c \+(\d+) IN", refused.value.fix or "")
        assert said is not None
        content, parts = path.read_bytes(), (tmp_path / "1.dv", tmp_path / "2.dv")
        parts[0].write_bytes(content[: int(said[1])])
        parts[1].write_bytes(content[int(said[2]) - 1 :])
        frames = [(await probe(part, ffmpeg=FFMPEG)).video.frames for part in parts]
        assert frames[0] == 20
        assert sum(frames) == len(whole) // frame_bytes - 1
        assert [await damage_of(part) for part in parts] == [None, None]


async def test_zeros_at_the_head_of_dv_are_counted(tape: tuple[Path, int]) -> None:
    path, _ = tape
    frames = (await probe(path, ffmpeg=FFMPEG)).video.frames
    changed(path, 0, 200_000, bytes(200_000))
    info = await probe(path, ffmpeg=FFMPEG)
    assert info.damage is not None
    assert (info.video.frames, info.damage.frames) == (frames - 2, 2)
    assert info.damage.places == ((Fraction(0), Fraction(0)),)
    assert info.audio[0].start_s == info.video.start_s


async def test_a_last_frame_of_dv_that_breaks_off_is_reported(tape: tuple[Path, int]) -> None:
    path, frame_bytes = tape
    changed(path, len(path.read_bytes()) - frame_bytes // 2, len(path.read_bytes()), b"")
    damage = await damage_of(path)
    assert damage is not None
    assert damage.frames == 1
    assert damage.places[0][0] > 1.9


async def test_overwritten_frames_of_dv_are_counted(tape: tuple[Path, int]) -> None:
    path, frame_bytes = tape
    whole = await probe(path, ffmpeg=FFMPEG)
    changed(path, 20 * frame_bytes, 25 * frame_bytes, bytes(5 * frame_bytes))
    info = await probe(path, ffmpeg=FFMPEG)
    assert info.damage is not None
    assert (info.damage.frames, info.damage.of_frames) == (5, whole.video.frames)
    assert info.damage.places == ((20 / whole.video.rate, 24 / whole.video.rate),)
    assert (info.video.frames, info.video.rate) == (whole.video.frames, whole.video.rate)
    assert (info.container, info.exact_seek, len(info.audio)) == ("dv", True, 1)
    assert info.audio[0].end_s == whole.audio[0].end_s


@pytest.mark.parametrize("name", ["it's, 1 %|, tape.dv", "tape.mpg"])
async def test_dv_with_places_of_one_frame_is_followed_whatever_its_name(
    tape: tuple[Path, int], name: str
) -> None:
    path, frame_bytes = tape
    path = path.rename(path.with_name(name))
    for gone in (5, 7, 8, 10):
        changed(path, gone * frame_bytes, gone * frame_bytes + 512, bytes(512))
        changed(path, gone * frame_bytes + 5000, (gone + 1) * frame_bytes, bytes(frame_bytes - 5000))
    damage = await damage_of(path)
    assert damage is not None
    assert damage.frames == 4


@pytest.mark.parametrize("tape", ["pal"], indirect=True)
async def test_dv_that_would_lose_its_sound_or_cannot_be_named_is_refused(tape: tuple[Path, int]) -> None:
    path, frame_bytes = tape
    content = bytearray(path.read_bytes())
    audio = [480 + 80 * 16 * number for number in range(9)]
    for at in (12_000 * sequence + block for sequence in range(12) for block in audio):
        content[at : at + 80] = bytes(80)
    content[frame_bytes : 2 * frame_bytes] = bytes(frame_bytes)
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"before its first lost frame \(byte 144000\) it has less sound"):
        await damage_of(path)
    path = path.rename(path.with_name("two\nlines.dv"))
    with pytest.raises(InputError, match="a line break in its name"):
        await damage_of(path)
