import json
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from vhsbatch.config.preset_schema import (
    AUDIO_MODES,
    QUALITY_RANGE,
    AudioMode,
    Container,
    EncoderName,
    Video,
    containers_for,
)
from vhsbatch.config.presets import Preset, derive, override
from vhsbatch.errors import UsageError

VHS = Preset(name="vhs", video=Video(quality=18))


OPTIONS = {"target_height": "--resolution", "video.quality": "--crf", "video.encoder": "--encoder"}


def complaint(changes: dict[str, object]) -> str:
    with pytest.raises(UsageError) as caught:
        override(VHS, changes, options=OPTIONS)
    assert caught.value.exit_code == 2
    return str(caught.value)


class TestTables:
    def test_every_encoder_has_a_quality_scale_and_a_container(self) -> None:
        assert list(QUALITY_RANGE) == list(get_args(EncoderName))
        for encoder in QUALITY_RANGE:
            assert set(containers_for(encoder)) <= set(get_args(Container))
            assert containers_for(encoder)

    def test_the_archive_encoders_have_the_containers_that_archives_use(self) -> None:
        assert containers_for("ffv1")[0] == "mkv"
        assert containers_for("prores")[0] == "mov"
        assert "mov" not in containers_for("libsvtav1")


class TestAudioModes:
    def test_a_mode_replaces_its_keys_and_no_others(self) -> None:
        parent = derive(VHS, {"audio": {"highpass_hz": 200, "hum_hz": 50, "declick": True}})
        audio = override(parent, {"audio.mode": "music"}).audio
        assert (audio.mode, audio.highpass_hz, audio.denoise_db) == ("music", 20, 4)
        assert (audio.hum_hz, audio.declick, audio.loudness_lufs) == (50, True, None)
        assert override(parent, {"audio.mode": "voice"}).audio.loudness_lufs == -18

    def test_a_key_beside_the_mode_wins_and_so_does_a_later_one(self) -> None:
        audio = derive(VHS, {"audio": {"mode": "aggressive", "denoise_db": 3}}).audio
        assert (audio.highpass_hz, audio.denoise_db) == (80, 3)
        later = derive(derive(VHS, {"audio": {"mode": "voice"}}), {"audio": {"denoise_db": 1}})
        assert (later.audio.mode, later.audio.highpass_hz, later.audio.denoise_db) == ("voice", 80, 1)

    def test_every_mode_is_allowed_and_another_is_refused(self) -> None:
        for mode in AUDIO_MODES:
            assert derive(VHS, {"audio": {"mode": mode}}).audio != VHS.audio
        assert list(AUDIO_MODES) == list(get_args(AudioMode))
        with pytest.raises(UsageError, match="not one of the choices"):
            override(VHS, {"audio.mode": "loud"})
        with pytest.raises(UsageError, match="not one of the choices"):
            override(VHS, {"audio.mode": ["voice"]})


class TestSchema:
    def test_unknown_keys_are_refused_in_every_table(self) -> None:
        tables = [name for name, value in VHS.model_dump().items() if isinstance(value, dict)]
        for table in tables:
            with pytest.raises(ValidationError, match="Extra inputs"):
                derive(VHS, {table: {"no_such_key": 1}})

    @pytest.mark.parametrize(
        ("table", "key", "value"),
        [
            ("crop", "left", 3),
            ("crop", "bottom", 6),
            ("crop", "mask_bottom_lines", True),
            ("denoise", "luma_spatial", "3"),
            ("denoise", "luma_spatial", float("nan")),
            ("sharpen", "size", 4),
            ("video", "bit_depth", 12),
            ("video", "quality", 20.5),
            ("audio", "hum_hz", 55),
        ],
    )
    def test_values_have_types_and_bounds(self, table: str, key: str, value: object) -> None:
        with pytest.raises(ValidationError):
            derive(VHS, {table: {key: value}})

    def test_whole_numbers_do_where_fractions_are_meant(self) -> None:
        assert derive(VHS, {"denoise": {"luma_spatial": 3}}).denoise.luma_spatial == 3.0

    @given(st.sampled_from(list(QUALITY_RANGE)), st.integers(-300, 300))
    def test_quality_is_on_the_encoders_own_scale(self, encoder: EncoderName, quality: int) -> None:
        scale = QUALITY_RANGE[encoder]
        video = {"encoder": encoder, "quality": quality}
        if scale is not None and scale[0] <= quality <= scale[1]:
            assert derive(VHS, {"video": video}).video.quality == quality
        else:
            with pytest.raises(ValidationError):
                derive(VHS, {"video": video})

    def test_a_preset_survives_json(self) -> None:
        preset = derive(VHS, {"colour": {"lut": "/luts/warm.cube"}, "video": {"encoder": "libx265"}})
        text = json.dumps(preset.model_dump(mode="json"))
        assert Preset.model_validate(json.loads(text), strict=False) == preset


class TestOverride:
    def test_nothing_typed_changes_nothing(self) -> None:
        assert override(VHS, {}) == VHS

    def test_what_is_typed_is_changed_and_nothing_else(self) -> None:
        changed = override(VHS, {"target_height": 2160, "video.quality": 23})
        assert changed == VHS.model_copy(update={"target_height": 2160, "video": Video(quality=23)})

    @pytest.mark.parametrize(
        ("encoder", "container"),
        [("ffv1", "mkv"), ("prores", "mov"), ("libx265", "mp4"), ("libsvtav1", "mp4")],
    )
    def test_an_encoder_brings_a_container_that_can_hold_it(self, encoder: str, container: str) -> None:
        assert override(VHS, {"video.encoder": encoder}).container == container

    def test_a_container_that_can_hold_the_encoder_stays(self) -> None:
        mkv = override(VHS, {"container": "mkv"})
        assert override(mkv, {"video.encoder": "prores"}).container == "mkv"

    def test_another_encoder_does_not_take_over_a_number_of_another_scale(self) -> None:
        assert override(VHS, {"video.encoder": "libx265"}).video.quality is None
        assert override(VHS, {"video.encoder": "ffv1"}).video.quality is None
        assert override(VHS, {"video.encoder": "libx264"}).video.quality == 18
        assert override(VHS, {"video.encoder": "libx265", "video.quality": 20}).video.quality == 20

    def test_a_number_off_the_scale_names_the_option_and_the_scale(self) -> None:
        assert complaint({"video.quality": 99}) == "--crf 99: must be 0 to 51 for the default encoder"
        assert (
            complaint({"video.quality": 99, "video.encoder": "libx264"})
            == "--crf 99: must be 0 to 51 for libx264"
        )
        assert (
            complaint({"video.quality": 0, "video.encoder": "libsvtav1"})
            == "--crf 0: must be 1 to 63 for libsvtav1"
        )

    def test_encoders_without_a_scale_say_why(self) -> None:
        assert (
            complaint({"video.quality": 20, "video.encoder": "ffv1"})
            == "--crf 20: ffv1 is lossless and has no quality to choose"
        )
        assert complaint({"video.quality": 20, "video.encoder": "prores"}).startswith(
            "--crf 20: prores keeps the quality"
        )

    def test_other_wrong_options(self) -> None:
        assert complaint({"video.encoder": "libx266"}).startswith(
            "--encoder libx266: not one of the choices (did you mean 'libx265'? allowed: auto, libx264, "
        )
        assert complaint({"target_height": 1081}) == "--resolution 1081: must be a multiple of 2"
        assert complaint({"target_height": 100}) == "--resolution 100: must be greater than or equal to 120"
        assert complaint({"container": "avi"}) == "not one of the choices (allowed: mp4, mkv, mov)"
        assert (
            complaint({"video.encoder": "ffv1", "container": "mp4"})
            == "ffv1 does not fit into mp4: use mkv or mov"
        )
