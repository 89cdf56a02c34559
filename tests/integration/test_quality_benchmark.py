"""The quality benchmark from end to end, on one small scene; its captures are what they say."""

import os
import re
import subprocess
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.quality import __main__ as benchmark
from benchmarks.quality import captures, restore, results, scenes, stills
from benchmarks.quality.video import luma
from clips import FFMPEG, ffmpeg
from vhsbatch.config.presets import Preset


def fields_of(path: Path) -> dict[str, int]:
    """How many frames idet takes for each kind."""
    command = [FFMPEG, "-hide_banner", "-i", str(path), "-vf", "setfield=prog,idet", "-f", "null", "-"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    (found,) = re.findall(r"Multi frame detection: TFF: *(\d+) BFF: *(\d+) Progressive: *(\d+)", printed)[-1:]
    return dict(zip(("tff", "bff", "progressive"), map(int, found), strict=True))


@pytest.mark.parametrize(("rate", "order"), [(scenes.NTSC, "bff"), (scenes.PAL, "tff")])
def test_a_tape_has_the_fields_of_its_standard(rate: Fraction, order: str, tmp_path: Path) -> None:
    scene = scenes.Scene(name="moving", rate=rate, held_out=False, file=tmp_path / "moving.nut")
    assert scene.file is not None
    subprocess.run(
        [FFMPEG, "-v", "error", "-f", "lavfi", "-i", f"testsrc2=s=320x240:r={rate}:d=0.5", "-c:v", "ffv1",
         str(scene.file)],
        check=True,
    )  # fmt: skip
    original = tmp_path / "original.nut"
    scenes.film(scenes.shorter(scene, 240), 16, original)
    made = captures.capture("tape", original, scene.shape, tmp_path, seed=1)
    found = fields_of(made.file)
    assert found[order] == sum(found.values()) == 8


def test_a_network_of_fewer_columns_moves_nothing(tmp_path: Path) -> None:
    """A bright box stays where it is, in a result of the same size."""
    width, height = 96, 64
    clip = tmp_path / "clip.avi"
    box = f"color=black:s={width}x{height}:r=25:d=0.12,drawbox=48:16:24:24:white:fill,format=yuv444p"
    ffmpeg("-f", "lavfi", "-i", box, "-c:v", "ffv1", clip)
    an_hour_ago_s = clip.stat().st_mtime - 3600
    os.utime(clip, (an_hour_ago_s, an_hour_ago_s))
    for columns in (0, width // 2):
        preset = Preset.model_validate(
            {
                "name": "p",
                "target_height": 128,
                "upscale": {"ai_width": columns},
                "denoise": {"method": "none"},
            }
        )
        unpacked = tmp_path / f"{columns}.yuv"
        made = restore.restore(clip, preset, "realesrgan", unpacked)
        assert (made.width, made.height, made.frames) == (192, 128, 3)
        bright = luma(unpacked, made.width, made.height)[1] > 125
        edges = [np.flatnonzero(bright.any(axis=axis))[[0, -1]] for axis in (0, 1)]
        assert np.abs(np.subtract(edges, ((96, 143), (32, 79)))).max() <= 1


@pytest.mark.slow
def test_a_preset_is_measured_against_the_truth(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    small = [scenes.shorter(scene, 240) for scene in scenes.ALL if scene.name == "fair"]
    monkeypatch.setattr(scenes, "ALL", small)
    words = ["--work", str(tmp_path / "work"), "--json", str(tmp_path / "rows.json"), "--frames", "10"]
    words += ["--stills", str(tmp_path / "stills")]
    benchmark.main([*words, "--kinds", "tape", "--presets", "clean"])
    (row,) = results.load(tmp_path / "rows.json").values()
    assert (row.scene, row.kind, row.preset, row.frames) == ("fair", "tape", "clean", 10)
    assert 20 < row.psnr_y < 45
    assert 50 < row.neg < row.vmaf < 100
    assert row.fps_per_core is not None
    with Image.open(tmp_path / "stills" / "fair-tape.jpg") as sheet:
        assert sheet.width == 2 * stills.WIDTH
    assert "| tape | `clean` | 1 | " in capsys.readouterr().out
