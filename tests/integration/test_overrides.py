"""Videos of which more is known than their pictures say, and what was measured before."""

import dataclasses
import json
from contextlib import closing
from pathlib import Path

import pytest

import program
from clips import FFMPEG, make_clip
from vhsbatch.analysis.measure import cached_measurement
from vhsbatch.cache import Cache
from vhsbatch.errors import InputError
from vhsbatch.ffmpeg.toolchain import FFmpeg
from vhsbatch.probe.probe import probe

FFV1 = ("-c:v", "ffv1", "-g", "1")


def test_each_video_gets_what_is_said_of_it(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("a.avi", "b.avi", "c.avi", "d.mkv"):
        make_clip(folder / name, *FFV1, seconds=0.2, size="96x480")
    (folder / "a.avi.toml").write_text('preset = "vhs_heavy"\ncrop.left = 8\n')
    (folder / "b.avi.toml").write_text("crop.lfet = 8\n")
    (tmp_path / "vhsbatch.toml").write_text('[files."*.mkv"]\nfield_order = "progressive"\n')
    done = program.run("batch", "in", "out", "--engine", "ffmpeg", "-r", "120", "--json", cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    events = [json.loads(line) for line in done.stdout.splitlines()]
    plans = {event["job_id"]: event["plan"] for event in events if event["kind"] == "job_planned"}
    assert set(plans) == {"a_120p.mp4", "c_120p.mp4", "d_120p.mp4"}
    a, c, d = (plans[f"{name}_120p.mp4"] for name in "acd")
    assert (a["preset"]["name"], a["preset"]["crop"]["left"]) == ("vhs_heavy", 8)
    assert "with what a.avi.toml says" in a["notes"]
    assert (c["preset"]["name"], c["preset"]["crop"]["left"]) == ("vhs", 0)
    assert (d["info"]["video"]["field_order"], d["recipe"]["rate"]) == ("progressive", "30000/1001")
    failed = {event["job_id"]: event["reason"] for event in events if event["kind"] == "job_failed"}
    assert list(failed) == ["b_120p.mp4"]
    assert failed["b_120p.mp4"].startswith("b.avi.toml: crop.lfet: unknown key (did you mean 'crop.left'?")


def test_a_preset_of_ones_own_may_be_named_beside_a_video_that_is_analysed(tmp_path: Path) -> None:
    make_clip(tmp_path / "tape.avi", *FFV1, seconds=0.2, size="96x480")
    (tmp_path / "mine.toml").write_text('[mine]\ninherits = "vhs"\n')
    (tmp_path / "vhsbatch.toml").write_text('presets = ["mine.toml"]\n')
    (tmp_path / "tape.avi.toml").write_text('preset = "mine"\n')
    done = program.run("analyze", "tape.avi", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "with what tape.avi.toml says" in done.stdout


@pytest.mark.anyio
async def test_a_source_is_measured_once_until_it_changes(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "tape.avi", *FFV1, seconds=0.4, size="96x64")
    info = await probe(clip, ffmpeg=FFMPEG)
    usual = FFmpeg(path=FFMPEG, version="9", embedded=True)
    nowhere = dataclasses.replace(usual, path=str(tmp_path / "no-ffmpeg"))
    file = tmp_path / "remembered.sqlite"
    with closing(Cache(file)) as cache:
        first = await cached_measurement(info, cache, ffmpeg=usual)
        assert first.sounds[0].channels[0].level_db is not None
        # Nothing that is not there can have been started.
        assert await cached_measurement(info, cache, ffmpeg=nowhere) == first
        with pytest.raises(InputError):
            await cached_measurement(info, cache, ffmpeg=dataclasses.replace(nowhere, version="10"))
    file.write_bytes(b"no database at all, and longer than its header would be: " * 10)
    with closing(Cache(file)) as cache:
        assert await cached_measurement(info, cache, ffmpeg=usual) == first
