"""Rows are kept, and shown as gains over the plainest preset on the same scenes."""

from pathlib import Path
from typing import Any

from benchmarks.quality.results import Row, load, save, table


def row(preset: str, scene: str, neg: float, **changes: Any) -> Row:
    values: dict[str, Any] = {
        "scene": scene,
        "held_out": scene == "fair",
        "kind": "tape",
        "preset": preset,
        "engine": "ffmpeg",
        "frames": 32,
        "vmaf": neg + 3,
        "neg": neg,
        "ssim": 0.9,
        "psnr_y": 30.0,
        "psnr_u": 35.0,
        "psnr_v": 36.0,
        "fps_per_core": 40.0,
    }
    return Row(**(values | changes))


def test_rows_come_back(tmp_path: Path) -> None:
    rows = [row("vhs", "fair", 50.0, fps_per_core=None), row("clean", "fair", 45.25)]
    save(tmp_path / "new" / "results.json", rows)
    assert load(tmp_path / "new" / "results.json") == {each.key: each for each in rows}
    assert load(tmp_path / "none.json") == {}


def test_gains_are_those_of_the_same_scenes() -> None:
    rows = [
        row("clean", "bunny", 40.0),
        row("clean", "fair", 60.0),
        row("vhs", "bunny", 44.0),
        row("vhs", "fair", 61.0),
        row("auto", "fair", 60.5),
        row("vhs", "fair", 64.0, engine="realesrgan", fps_per_core=0.2),
    ]
    body = table(rows).splitlines()[2:]
    assert body == [
        "| tape | `auto` | 1 | +0.5 | +0.5 | +0.5 | +0.000 | +0.0 | +0.0 | +0.0 | 40 |",
        "| tape | `clean` | 2 | 53.0 | 50.0 | 60.0 | 0.900 | 30.0 | 35.0 | 36.0 | 40 |",
        "| tape | `vhs` | 2 | +2.5 | +2.5 | +1.0 | +0.000 | +0.0 | +0.0 | +0.0 | 40 |",
        "| tape | `vhs`, network | 1 | +4.0 | +4.0 | +4.0 | +0.000 | +0.0 | +0.0 | +0.0 | 0.2 |",
    ]


def test_a_row_without_its_baseline_is_not_shown() -> None:
    assert "vhs" not in table([row("vhs", "bunny", 44.0)])
