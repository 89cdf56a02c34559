"""A 3D LUT is applied as strongly as the preset says."""

from pathlib import Path

import pytest

import program
from clips import ffmpeg

# White for every colour: a source of mid-grey becomes lighter by as much as the strength says.
WHITE = "LUT_3D_SIZE 2\n" + "1 1 1\n" * 8
GREY, PEAK = 128, 255


@pytest.mark.parametrize("strength", [0.0, 0.25, 1.0])
def test_a_lut_is_mixed_with_the_picture(strength: float, tmp_path: Path) -> None:
    (tmp_path / "white.cube").write_text(WHITE)
    (tmp_path / "mine.toml").write_text(
        f'[mine]\ncolour = {{ lut = "white.cube", lut_strength = {strength} }}\n'
    )
    (tmp_path / "vhsbatch.toml").write_text('presets = ["mine.toml"]\n')
    grey = tmp_path / "grey.mkv"
    ffmpeg(
        *("-f", "lavfi", "-i", "color=c=0x808080:s=96x64:r=25:d=0.4,format=yuv444p"),
        *("-vf", "setparams=field_mode=prog", "-c:v", "ffv1", grey),
    )
    made = tmp_path / "made.mkv"
    done = program.run(
        *("upscale", grey, "-o", made, "-r", "120", "-p", "mine"),
        *("--engine", "ffmpeg", "--no-tui"),
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert program.mean_level(made) == pytest.approx(GREY + strength * (PEAK - GREY), abs=1)
