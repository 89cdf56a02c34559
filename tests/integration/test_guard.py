"""What a preset does to a video is looked at first, and what does harm is turned down, and said."""

import subprocess
from pathlib import Path

import imageio_ffmpeg
import pytest

import program
from vhsbatch.restore.record import Record, read_record, record_path

OWN = """
[strong]
target_height = 240
denoise = { luma_spatial = 20.0, luma_temporal = 30.0, chroma_spatial = 1.0, chroma_temporal = 1.0 }
sharpen = { amount = 0.0 }
video = { encoder = "ffv1" }

[strong_all_the_same]
inherits = "strong"
guard = false

[mild]
inherits = "strong"
denoise = { luma_spatial = 1.0, luma_temporal = 1.0 }

[bare]
inherits = "strong"
denoise = { method = "none" }
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Texture that moves, with some noise."""
    folder = tmp_path_factory.mktemp("guard")
    texture = "color=gray:size=320x240:rate=25,format=yuv420p,noise=alls=60,gblur=1"
    moving = f"{texture},scroll=horizontal=0.00625,noise=alls=6:allf=t"
    command = ("-nostdin", "-v", "error", "-f", "lavfi", "-i", moving, "-t", "2", "-c:v", "ffv1", "tape.mkv")
    subprocess.run((imageio_ffmpeg.get_ffmpeg_exe(), *command), cwd=folder, check=True)
    (folder / "vhsbatch.toml").write_text("presets = ['own.toml']\n")
    (folder / "own.toml").write_text(OWN)
    return folder


def restored(folder: Path, preset: str) -> tuple[Record, str]:
    made = folder / f"{preset}.mkv"
    options = ("-o", made, "-p", preset, "--engine", "ffmpeg", "--no-tui", "--overwrite")
    done = program.run("upscale", "tape.mkv", *options, cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return read_record(record_path(made)), done.stdout + done.stderr


def test_what_does_harm_is_turned_down_and_said(folder: Path) -> None:
    record, said = restored(folder, "strong")
    denoise = record.preset["denoise"]
    assert isinstance(denoise, dict)
    assert denoise["luma_temporal"] <= 15 and denoise["luma_spatial"] <= 10
    assert denoise["chroma_temporal"] == 1.0
    (line,) = [note for note in record.notes if "denoising" in note]
    assert line.startswith("denoising of the luma turned") and line in said
    # A second run, which remembers, decides the same.
    assert restored(folder, "strong")[0].fingerprint == record.fingerprint


@pytest.mark.parametrize("preset", ["strong_all_the_same", "mild", "bare"])
def test_nothing_is_said_where_nothing_is_turned_down(folder: Path, preset: str) -> None:
    record, said = restored(folder, preset)
    assert "turned" not in said and not any("turned" in note for note in record.notes)
    denoise = record.preset["denoise"]
    assert isinstance(denoise, dict)
    assert denoise["luma_temporal"] == (1.0 if preset == "mild" else 30.0)
