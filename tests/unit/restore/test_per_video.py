"""What is wanted otherwise for single videos."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from vhsbatch.config.presets import Preset
from vhsbatch.errors import InputError
from vhsbatch.model.media import FieldOrder, Telecine
from vhsbatch.restore.per_video import NO_OVERRIDE, Overrides

VHS = Preset(name="vhs")


def tape(folder: Path, said: str | None = None) -> Path:
    video = folder / "Tape.avi"
    if said is not None:
        (folder / "Tape.avi.toml").write_text(said)
    return video


def test_of_most_videos_nothing_is_said(tmp_path: Path) -> None:
    override = Overrides(tables={"*.dv": {"preset": "vhs_heavy"}}).of(tape(tmp_path))
    assert override == NO_OVERRIDE
    assert override.applied(VHS) == VHS


def test_the_file_beside_a_video_may_hold_every_kind_of_key(tmp_path: Path) -> None:
    said = """
preset = "vhs_heavy"
aspect = "16:9"
field_order = "bff"
telecine = "hard"
crop.left = 8
[audio]
hum_hz = 60
[denoise]
method = "none"
"""
    override = Overrides().of(tape(tmp_path, said))
    assert override.source_overrides.aspect == Fraction(16, 9)
    assert override.source_overrides.field_order is FieldOrder.BFF
    assert override.source_overrides.telecine is Telecine.HARD
    assert override.preset is not None
    preset = override.applied(override.preset)
    assert (preset.name, preset.crop.left, preset.audio.hum_hz) == ("vhs_heavy", 8, 60)
    assert (preset.denoise.method, preset.audio.highpass_hz) == ("none", 60)
    assert override.notes == ("with what Tape.avi.toml says",)


def test_a_mode_beside_a_video_wins_over_the_keys_of_a_table(tmp_path: Path) -> None:
    tables = {"tape*": {"audio": {"denoise_db": 30, "hum_hz": 50}}}
    override = Overrides(tables=tables).of(tape(tmp_path, 'audio = { mode = "voice", highpass_hz = 90 }'))
    audio = override.applied(VHS).audio
    assert (audio.mode, audio.denoise_db, audio.hum_hz, audio.highpass_hz) == ("voice", 15, 50, 90)


def test_the_file_beside_it_wins_then_the_last_table(tmp_path: Path) -> None:
    tables: dict[str, dict[str, Any]] = {
        "*.AVI": {"aspect": "4:3", "crop": {"left": 2, "right": 2}},
        "tape*": {"crop": {"left": 4}, "field_order": "tff"},
        "other*": {"crop": {"left": 60}},
    }
    override = Overrides(tables=tables).of(tape(tmp_path, 'field_order = "bff"'))
    crop = override.applied(VHS).crop
    assert (crop.left, crop.right) == (4, 2)
    assert override.source_overrides.field_order is FieldOrder.BFF
    assert override.source_overrides.aspect == Fraction(4, 3)


@pytest.mark.parametrize(("pattern", "meant"), [("1999/*.avi", True), ("2000/*.avi", False)])
def test_a_pattern_may_name_the_folder(pattern: str, meant: bool, tmp_path: Path) -> None:
    folder = tmp_path / "1999"
    folder.mkdir()
    override = Overrides(tables={pattern: {"crop": {"left": 2}}}).of(tape(folder))
    assert bool(override.changes) is meant


def test_a_lut_is_found_beside_the_file_that_names_it(tmp_path: Path) -> None:
    override = Overrides().of(tape(tmp_path, 'colour.lut = "warm.cube"'))
    assert override.applied(VHS).colour.lut == tmp_path / "warm.cube"


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        ("feild_order = 'tff'", "Tape.avi.toml: feild_order: unknown key (did you mean 'field_order'?)"),
        ("field_order = 'top'", 'Tape.avi.toml: field_order = "top": not one of the choices'),
        ("crop.lfet = 8", "Tape.avi.toml: crop.lfet: unknown key (did you mean 'crop.left'?)"),
        ("crop.left = 7", "Tape.avi.toml: crop.left = 7: must be a multiple of 2"),
        ("crop = 8", "Tape.avi.toml: crop = 8:"),
        ("aspect = 'wide'", "Tape.avi.toml: aspect = wide: must be a ratio of width to height"),
        ("preset = 'vhs_haevy'", "Tape.avi.toml: there is no preset 'vhs_haevy' (did you mean 'vhs_heavy'?"),
        (
            "target_height = 720",
            "Tape.avi.toml: target_height: is the same for all videos (use --resolution)",
        ),
        (
            "video.encoder = 'ffv1'",
            "video.encoder: is the same for all videos (use --encoder)",
        ),
        ("crop.left = ", "Tape.avi.toml is not valid TOML"),
    ],
)
def test_what_is_wrong_is_named_with_file_and_key(said: str, complaint: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as refused:
        Overrides().of(tape(tmp_path, said)).applied(VHS)
    assert complaint in str(refused.value)


def test_a_wrong_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError) as refused:
        Overrides(tables={"*.avi": {"tv": "PAL"}}).of(tape(tmp_path))
    assert str(refused.value).startswith('[files."*.avi"]: tv: unknown key')


def test_what_is_said_of_a_later_part_alone_is_refused(tmp_path: Path) -> None:
    first, second = tmp_path / "GH010007.MP4", tmp_path / "GH020007.MP4"
    of_all = Overrides(tables={"*.mp4": {"aspect": "4:3"}})
    assert of_all.of(first, [second]).source_overrides.aspect == Fraction(4, 3)
    way = r"put the settings into GH010007\.MP4\.toml, or add --join none"
    with pytest.raises(InputError, match=way) as failure:
        Overrides(tables={"GH02*": {"aspect": "4:3"}}).of(first, [second])
    assert failure.value.cause == (
        '[files."GH02*"]: GH020007.MP4 is a later part of the recording that begins with GH010007.MP4'
    )
    second.with_name("GH020007.MP4.toml").write_text("from = 1")
    with pytest.raises(InputError, match=way):
        of_all.of(first, [second])
    assert of_all.of(second).source_overrides.trim.from_s == 1
