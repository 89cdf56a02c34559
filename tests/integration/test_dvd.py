"""DVDs as sources: each title is one video, frame for frame and sample for sample what a player plays."""

import json
import os
import re
import shutil
import subprocess
import time
from fractions import Fraction
from pathlib import Path

import pytest

import program
from clips import FFMPEG, ffmpeg
from discs import SECTOR, author, burn, image, small_disc
from vhsbatch.batch.discs import title_for
from vhsbatch.cluster.files import read_block
from vhsbatch.cluster.source_server import SourceServer
from vhsbatch.ffmpeg.formats import input_arguments
from vhsbatch.model.media import MediaInfo
from vhsbatch.model.source import Served, Source
from vhsbatch.probe.probe import probe
from vhsbatch.process.spawn import run

# Nothing is changed, so that every frame and every sample can be compared.
PRESET = """\
[own]
segment_s = 2
target_height = 288
container = "mkv"
[own.video]
encoder = "ffv1"
[own.denoise]
method = "none"
"""
AN_HOUR_S = 3600
# Of the first title the clock starts again at 3 s; the second one repeats a part of it.
DISC = """
<vmgm/>
<titleset><titles><audio lang="en"/><audio lang="de"/>
<pgc><vob file="a.mpg" chapters="0,1.8"/><vob file="b.mpg" chapters="0"/></pgc>
<pgc><vob file="b.mpg"/></pgc>
</titles></titleset>
<titleset><titles><audio lang="fr"/>
<pgc><vob file="c.mpg"/></pgc>
<pgc><vob file="d.mpg"/></pgc>
</titles></titleset>
"""


def make_video(path: Path, seconds: float, *tones: int) -> None:
    sounds = [word for tone in tones for word in ("-f", "lavfi", "-i", f"sine=f={tone}:r=48000:d={seconds}")]
    maps = [word for number in range(len(tones) + 1) for word in ("-map", str(number))]
    picture = ("-f", "lavfi", "-i", f"testsrc2=s=352x288:r=25:d={seconds}")
    ffmpeg(*picture, *sounds, *maps, "-target", "pal-dvd", "-s", "352x288", "-b:v", "1M", path)


@pytest.fixture(scope="module")
def disc(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a disc, in which VIDEO_TS is."""
    folder = tmp_path_factory.mktemp("disc")
    for name, seconds, tones in (
        ("a", 3, (440, 880)),
        ("b", 5.2, (500, 1000)),
        ("c", 5, (300,)),
        ("d", 2, (200,)),
    ):
        make_video(folder / f"{name}.mpg", seconds, *tones)
    return author(DISC, folder / "Wedding").parent


@pytest.fixture(scope="module")
def iso(disc: Path) -> Path:
    return burn(disc, disc.parent / "tapes.iso")


def settle(folder: Path) -> None:
    """Let everything in a folder look as if it had been there for long."""
    then_s = time.time() - AN_HOUR_S
    for path in folder.rglob("*"):
        os.utime(path, (then_s, then_s))


def restore(
    folder: Path, command: str, *words: str | Path, preset: str = PRESET
) -> subprocess.CompletedProcess[str]:
    (folder / "vhsbatch.toml").write_text("presets = ['own.toml']\n")
    (folder / "own.toml").write_text(preset)
    return program.run(command, *words, "-p", "own", "--engine", "ffmpeg", "--no-tui", cwd=folder)


def digests(path: Path, stream: str, *source: str) -> list[str]:
    """The digest of each frame, or of all samples."""
    how = (
        ("-fps_mode", "passthrough", "-f", "framemd5")
        if stream == "v"
        else ("-c:a", "pcm_s16le", "-f", "md5")
    )
    done = subprocess.run(
        [FFMPEG, "-v", "error", *source, "-i", str(path), "-map", f"0:{stream}", *how, "-"],
        capture_output=True, check=True, text=True,
    )  # fmt: skip
    return [line.split()[-1] for line in done.stdout.splitlines() if not line.startswith("#")]


def described(path: Path) -> str:
    done = subprocess.run(
        [FFMPEG, "-hide_banner", "-i", str(path)], capture_output=True, text=True, check=False
    )
    return done.stderr


def test_a_folder_and_an_image_give_a_video_for_each_title(disc: Path, iso: Path, tmp_path: Path) -> None:
    captures = tmp_path / "in"
    captures.mkdir()
    (captures / "Wedding").symlink_to(disc)
    (captures / "tapes.iso").symlink_to(iso)
    done = restore(tmp_path, "batch", "in", "out")
    assert done.returncode == 0, done.stderr
    results = sorted(path.name for path in (tmp_path / "out").glob("*.mkv"))
    assert results == [
        f"{name}_title_{number}_288p.mkv" for name in ("Wedding", "tapes") for number in ("01", "03")
    ]
    assert "left out: Wedding_title_02.dvd and 1 more (all of it is in title 1 too" in done.stderr
    assert "left out: Wedding_title_04.dvd and 1 more (shorter than 5 s" in done.stderr
    assert "tapes_title_01: title 1 of tapes.iso, 0:08, 3 chapters, eng and ger" in done.stderr

    for title in ("01", "03"):
        of_folder, of_image = (
            digests(tmp_path / "out" / f"{name}_title_{title}_288p.mkv", "v") for name in ("Wedding", "tapes")
        )
        assert of_folder == of_image
    assert len(digests(tmp_path / "out" / "tapes_title_01_288p.mkv", "v")) == 205
    for sound in ("a:0", "a:1"):
        of_folder, of_image = (
            digests(tmp_path / "out" / f"{name}_title_01_288p.mkv", sound) for name in ("Wedding", "tapes")
        )
        assert of_folder == of_image

    about = described(tmp_path / "out" / "tapes_title_01_288p.mkv")
    assert "Stream #0:1(eng): Audio" in about
    assert "Stream #0:2(ger): Audio" in about
    assert [line.split()[-3:] for line in about.splitlines() if "Chapter #" in line] == [
        ["0.000000,", "end", "1.800000"],
        ["1.800000,", "end", "3.000000"],
        ["3.000000,", "end", "8.200000"],
    ]

    skipped = restore(tmp_path, "batch", "in", "out", "--skip-existing")
    assert skipped.returncode == 0, skipped.stderr
    assert "Skipped:      4" in skipped.stdout
    verified = program.run("verify", "out", cwd=tmp_path)
    assert verified.returncode == 0, verified.stdout
    record = json.loads((tmp_path / "out" / "Wedding_title_01_288p.mkv.json").read_text())
    assert [Path(part["path"]).name for part in record["parts"]] == [
        "VIDEO_TS.IFO",
        "VTS_01_0.IFO",
        "VTS_01_1.VOB",
    ]


def test_a_title_is_the_same_however_it_is_cut(iso: Path, tmp_path: Path) -> None:
    for seconds in (2, 60):
        preset = PRESET.replace("segment_s = 2", f"segment_s = {seconds}")
        done = restore(tmp_path, "upscale", iso, "-o", f"{seconds}.mkv", preset=preset)
        assert done.returncode == 0, done.stderr
        assert "; --title takes another: 2 (0:05), 3 (0:05), 4 (0:02)" in done.stderr
    for stream in ("v", "a:0", "a:1"):
        assert digests(tmp_path / "2.mkv", stream) == digests(tmp_path / "60.mkv", stream)


def test_what_is_no_dvd_is_left_out_with_the_reason(tmp_path: Path) -> None:
    captures = tmp_path / "in"
    captures.mkdir()
    (captures / "photos.iso").write_bytes(image({}, folder=b"PHOTOS"))
    (captures / "bought.iso").write_bytes(image(small_disc(scrambled=True)))
    done = restore(tmp_path, "batch", "in", "out")
    assert done.returncode == 2
    assert "left out: photos.iso (it is no DVD-Video" in done.stderr
    assert (
        "left out: bought.iso (the disc is encrypted (CSS), which this program does not undo" in done.stderr
    )


def test_a_folder_without_its_table_is_joined_by_names(disc: Path, tmp_path: Path) -> None:
    captures = tmp_path / "in"
    captures.mkdir()
    (captures / "VTS_02_1.VOB").write_bytes((disc / "VIDEO_TS" / "VTS_02_1.VOB").read_bytes())
    settle(captures)
    (captures / "VIDEO_TS.IFO").write_bytes(b"DVDVIDEO-VMG, cut off")
    done = restore(tmp_path, "batch", "in", "out", "--dry-run")
    assert "VTS_02_1.VOB -> VTS_02_1_288p.mkv" in done.stdout, done.stdout + done.stderr
    assert "left out: VIDEO_TS.IFO (VIDEO_TS.IFO is damaged" in done.stdout


def test_a_title_that_is_named_is_restored_whatever_it_is(iso: Path, tmp_path: Path) -> None:
    done = restore(tmp_path, "upscale", iso, "-o", "out", "--title", "4")
    assert done.returncode == 0, done.stderr
    assert len(digests(tmp_path / "out" / "tapes_title_04_288p.mkv", "v")) == 50


def test_without_a_number_the_longest_title_is_planned_and_the_others_are_named(
    iso: Path, disc: Path, tmp_path: Path
) -> None:
    for source in (iso, disc, disc / "VIDEO_TS", disc / "VIDEO_TS" / "VIDEO_TS.IFO"):
        out = tmp_path / "out" / f"{source.name}.mkv"
        out.parent.mkdir(exist_ok=True)
        out.write_bytes(b"in the way")  # which ends it before anything is restored
        done = restore(tmp_path, "upscale", source, "-o", out)
        assert done.returncode == 2
        assert f"{out} exists" in done.stderr


def test_what_is_no_title_is_refused_in_one_line(iso: Path, tmp_path: Path) -> None:
    photos = tmp_path / "photos.iso"
    photos.write_bytes(image({}, folder=b"PHOTOS"))
    cut_off = tmp_path / "cut.iso"
    cut_off.write_bytes(iso.read_bytes()[:-500_000])
    video = tmp_path / "tape.mpg"
    video.write_bytes(b"x")
    for said, words in {
        "has no title 9 (its titles are 1 (0:08), 2 (0:05), 3 (0:05), 4 (0:02))": (iso, "--title", "9"),
        "it is no DVD-Video": (photos,),
        "it is not complete": (cut_off, "--title", "4"),
        "--title 1: ": (video, "--title", "1"),
        "does not exist": (tmp_path / "nothing.iso",),
    }.items():
        done = restore(tmp_path, "upscale", *words, "-o", "out")
        assert done.returncode == 2, done.stdout
        assert said in done.stderr
        assert len(done.stderr.splitlines()) == 1, done.stderr


async def title_of(disc: Path, number: int) -> MediaInfo:
    found = title_for(disc, number)
    assert found is not None
    return await probe(found.path, parts=found.recording.parts, ffmpeg=FFMPEG)


async def frames_from(source: Source | Served, from_s: Fraction | None) -> list[tuple[str, str]]:
    """When each frame from some second on is shown, and its digest."""
    command = (
        *(FFMPEG, "-nostdin", "-hide_banner", "-loglevel", "error", "-copyts"),
        *input_arguments(source, from_s=from_s, keeps_clock=True),
        *("-map", "0:v:0", "-fps_mode", "passthrough", "-f", "framemd5", "-"),
    )
    finished = await run(command, timeout_s=60)
    lines = [line for line in finished.stdout.decode().splitlines() if not line.startswith("#")]
    return [(words[2].strip(), words[-1].strip()) for words in (line.split(",") for line in lines)]


@pytest.mark.anyio
async def test_wherever_reading_begins_every_frame_is_the_same_at_the_same_time(iso: Path) -> None:
    info = await title_of(iso, 1)
    assert info.exact_seek
    assert (info.video.frames, info.video.gaps, len(info.spans)) == (205, (), 2)
    whole = await frames_from(info.source, None)
    assert [digest for _, digest in whole] == digests(iso, "v", "-f", "dvdvideo", "-title", "1")
    for tenths in (5, 12, 20, 27, 29, 30, 31, 35, 60, 78):
        from_s = Fraction(tenths, 10)
        seen = await frames_from(info.source, from_s)
        assert seen == whole[len(whole) - len(seen) :]
        # What is read before a segment warms its filters; a second of it may be missing.
        assert len(seen) >= len(whole) - (tenths / 10 + 1) * 25


@pytest.mark.anyio
async def test_a_title_in_several_files_is_one_stream_wherever_they_are_cut(
    disc: Path, tmp_path: Path
) -> None:
    cut = tmp_path / "VIDEO_TS"
    shutil.copytree(disc / "VIDEO_TS", cut)
    content = (cut / "VTS_01_1.VOB").read_bytes()
    at = len(content) // 2 // SECTOR * SECTOR
    (cut / "VTS_01_1.VOB").write_bytes(content[:at])
    (cut / "VTS_01_2.VOB").write_bytes(content[at:])
    info = await title_of(cut, 1)
    assert info.title is not None
    assert [piece.path.name for piece in info.title.pieces] == ["VTS_01_1.VOB", "VTS_01_2.VOB"]
    expected = await title_of(disc, 1)
    for from_s in (None, Fraction(2), Fraction(5)):
        assert await frames_from(info.source, from_s) == await frames_from(expected.source, from_s)


def mux_subtitles(video: Path, described: Path, output: Path) -> None:
    with video.open("rb") as plain, output.open("wb") as muxed:
        subprocess.run(
            ["spumux", described],
            cwd=described.parent, stdin=plain, stdout=muxed, stderr=subprocess.DEVNULL, check=True,
        )  # fmt: skip


@pytest.mark.anyio
async def test_subtitles_keep_their_language_and_colours_however_late_they_are(tmp_path: Path) -> None:
    if shutil.which("spumux") is None:
        pytest.skip("spumux, which makes test subtitles, is not installed")
    red = "color=red:s=720x576:d=1,format=rgba,crop=300:60,pad=720:576:200:450:black@0"
    ffmpeg("-f", "lavfi", "-i", red, "-frames:v", "1", "-update", "1", tmp_path / "red.png")
    shown = '<spu start="00:00:07.00" end="00:00:08.00" image="red.png"/>'
    (tmp_path / "shown.xml").write_text(f'<subpictures format="PAL"><stream>{shown}</stream></subpictures>')
    ffmpeg(
        *("-f", "lavfi", "-i", "testsrc2=s=720x576:r=25:d=9"),
        *("-f", "lavfi", "-i", "sine=r=48000:d=9", "-target", "pal-dvd", tmp_path / "plain.mpg"),
    )
    mux_subtitles(tmp_path / "plain.mpg", tmp_path / "shown.xml", tmp_path / "a.mpg")
    titles = '<titles><subpicture lang="nl"/><subpicture lang="pl"/><pgc><vob file="a.mpg"/></pgc></titles>'
    info = await title_of(author(f"<vmgm/><titleset>{titles}</titleset>", tmp_path / "disc"), 1)
    (track,) = info.subtitles
    assert track.codec == "dvd_subtitle"
    assert info.title is not None
    stream = info.title.streams[track.index]
    assert stream.language == "dut"
    assert re.match(r"palette: f[ef]0[01]0[01], ", stream.palette)


@pytest.mark.anyio
async def test_another_machine_reads_the_same_frames_of_an_image(iso: Path) -> None:
    info = await title_of(iso, 1)

    async def block(number: int) -> bytes:
        return read_block(iso, number)

    server = SourceServer()
    async with server.serving(block, size_bytes=info.size_bytes, suffix=".iso") as served:
        for from_s in (None, Fraction(1), Fraction(3), Fraction(6)):
            seen = await frames_from(info.in_spans(served), from_s)
            assert seen
            assert seen == await frames_from(info.source, from_s)
    server.stop()
