"""DVDs as sources: each title is one video, frame for frame and sample for sample what a player plays."""

import json
import os
import subprocess
import time
from pathlib import Path

import pytest

import program
from clips import FFMPEG, ffmpeg
from discs import author, burn, image, small_disc

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
# Of the first title the clock begins anew at 6 s; the second one repeats a part of it.
DISC = """
<vmgm/>
<titleset><titles><audio lang="en"/><audio lang="de"/>
<pgc><vob file="a.mpg" chapters="0,3"/><vob file="b.mpg"/></pgc>
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
        ("a", 6, (440, 880)),
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


def restore(folder: Path, command: str, *words: str | Path) -> subprocess.CompletedProcess[str]:
    (folder / "vhsbatch.toml").write_text("presets = ['own.toml']\n")
    (folder / "own.toml").write_text(PRESET)
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


def played(iso: Path, title: int, folder: Path) -> Path:
    """What FFmpeg's player of DVDs makes of a title, without loss."""
    path = folder / f"played_{title}.mkv"
    how = ("-map", "0:v", "-map", "0:a", "-c:v", "ffv1", "-c:a", "pcm_s16le")
    ffmpeg("-f", "dvdvideo", "-title", str(title), "-i", iso, *how, path)
    return path


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
    assert "left out: tapes_title_02.dvd (all of it is in title 1 too" in done.stderr
    assert "left out: tapes_title_04.dvd (shorter than 5 s" in done.stderr
    assert "tapes_title_01: title 1 of tapes.iso, 0:11, 3 chapters, eng and ger" in done.stderr

    reference = tmp_path / "reference"
    reference.mkdir()
    for title in (1, 3):
        played(iso, title, reference)
    settle(reference)
    again = restore(tmp_path, "batch", "reference", "reference_out")
    assert again.returncode == 0, again.stderr
    for title in (1, 3):
        expected = digests(tmp_path / "reference_out" / f"played_{title}_288p.mkv", "v")
        for name in ("Wedding", "tapes"):
            assert digests(tmp_path / "out" / f"{name}_title_0{title}_288p.mkv", "v") == expected
    assert len(digests(tmp_path / "out" / "tapes_title_01_288p.mkv", "v")) == 280
    for sound in ("a:0", "a:1"):
        of_folder, of_image = (
            digests(tmp_path / "out" / f"{name}_title_01_288p.mkv", sound) for name in ("Wedding", "tapes")
        )
        assert of_folder == of_image

    about = described(tmp_path / "out" / "tapes_title_01_288p.mkv")
    assert "Stream #0:1(eng): Audio" in about
    assert "Stream #0:2(ger): Audio" in about
    assert [line.split()[-3:] for line in about.splitlines() if "Chapter #" in line] == [
        ["0.000000,", "end", "3.000000"],
        ["3.000000,", "end", "6.000000"],
        ["6.000000,", "end", "11.200000"],
    ]

    skipped = restore(tmp_path, "batch", "in", "out", "--skip-existing")
    assert skipped.returncode == 0, skipped.stderr
    assert skipped.stdout.count("SKIPPED") == 4
    verified = program.run("verify", "out", cwd=tmp_path)
    assert verified.returncode == 0, verified.stdout
    record = json.loads((tmp_path / "out" / "Wedding_title_01_288p.mkv.json").read_text())
    assert [Path(part["path"]).name for part in record["parts"]] == [
        "VIDEO_TS.IFO",
        "VTS_01_0.IFO",
        "VTS_01_1.VOB",
    ]


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
