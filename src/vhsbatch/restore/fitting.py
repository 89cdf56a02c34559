"""A preset fitted to a source: it says how far to go at most, what was measured says how far. Pure.

What a source does not have is not repaired: without torn lines nothing is painted over, without noise
nothing is denoised.
"""

from vhsbatch.analysis.picture import VideoMeasurement
from vhsbatch.config.presets import Preset, derive
from vhsbatch.ffmpeg.recipe import resolve
from vhsbatch.model.media import VideoTrack

# What suits each level of noise (standard deviation, of 255). Ordinary tapes have 4 in luma and 6 in chroma.
# Spatial strength in the chroma greys thin pale lines: this much keeps nine tenths of their saturation.
_PER_LUMA_LEVEL = {"luma_spatial": 0.5, "luma_temporal": 1.125, "degrain_luma": 115}
_PER_CHROMA_LEVEL = {"chroma_spatial": 0.6, "chroma_temporal": 2.7, "degrain_chroma": 250}

# Where noise cannot be told, that of a good recording is assumed.
_UNKNOWN_LUMA, _UNKNOWN_CHROMA = 1.5, 2.0
# Rounding to whole levels makes as much.
_NO_NOISE = 0.3

# Where edges tell nothing of the deck, little is risked.
_UNKNOWN_SOFTNESS = 0.3

# What is sharp already, as HD television is, gains from no more.
_SHARP_ENOUGH = {"amount": 0.2, "size": 5}

# A deinterlacer mixes the lines beside the torn ones with them.
_LINES_BESIDE = 2


def is_fitted(preset: Preset) -> bool:
    """Whether anything in `preset` depends on what the picture is like."""
    by_noise = preset.denoise.by_noise and preset.denoise.method != "none"
    by_response = preset.sharpen.by_response and max(preset.sharpen.amount, preset.sharpen.undo) > 0
    return by_noise or by_response or preset.crop.mask_bottom_lines > 0


def fitted(
    preset: Preset, track: VideoTrack, picture: VideoMeasurement | None
) -> tuple[Preset, tuple[str, ...]]:
    """`preset` with what this picture needs of it, and what was decided, one line each.

    Args:
        preset: with the most that may be done.
        track: the source's.
        picture: what was measured, None where nothing could be.
    """
    preset, masked = _masked(preset, track, picture)
    preset, sharpened = _sharpened(preset, picture)
    preset, denoised = _denoised(preset, picture)
    return preset, (*masked, *denoised, *sharpened)


def _denoised(preset: Preset, picture: VideoMeasurement | None) -> tuple[Preset, tuple[str, ...]]:
    """The preset with as much denoising as there is noise."""
    if not preset.denoise.by_noise or preset.denoise.method == "none":
        return preset, ()
    luma = None if picture is None else picture.luma_noise
    chroma = None if picture is None else picture.chroma_noise
    words = ", ".join(
        f"{'unknown' if value is None else f'{value:.1f}'} in {plane}"
        for plane, value in (("luma", luma), ("chroma", chroma))
    )
    strengths = {
        **_strengths(preset, _PER_LUMA_LEVEL, _UNKNOWN_LUMA if luma is None else luma),
        **_strengths(preset, _PER_CHROMA_LEVEL, _UNKNOWN_CHROMA if chroma is None else chroma),
    }
    if not any(strengths.values()):
        return derive(preset, {"denoise": {"method": "none"}}), (f"noise {words}: not denoised",)
    return derive(preset, {"denoise": strengths}), (f"noise {words}: denoised to suit",)


def _strengths(preset: Preset, per_level: dict[str, float], noise: float) -> dict[str, float]:
    """What suits so much noise, and no more than the preset allows."""
    suited = {key: 0.0 if noise < _NO_NOISE else factor * noise for key, factor in per_level.items()}
    strengths = {key: min(getattr(preset.denoise, key), value) for key, value in suited.items()}
    return {
        key: round(value) if key.startswith("degrain") else round(value, 2)
        for key, value in strengths.items()
    }


def _sharpened(preset: Preset, picture: VideoMeasurement | None) -> tuple[Preset, tuple[str, ...]]:
    """The preset with as much sharpening as detail has room for, or as much undone as was sharpened."""
    most = preset.sharpen
    if not preset.sharpen.by_response or not (most.amount or most.undo):
        return preset, ()
    response = None if picture is None else picture.response
    softness, excess = (_UNKNOWN_SOFTNESS, 0.0) if response is None else (response.softness, response.excess)
    amount, undo = round(most.amount * softness, 2), round(min(most.undo, excess), 2)
    detail = "unknown" if response is None else response.kind
    words = f"sharpened by {amount:g}" if amount else f"{undo:g} of it undone" if undo else "left as it is"
    return derive(preset, {"sharpen": {"amount": amount, "undo": undo}}), (f"detail {detail}: {words}",)


def _masked(
    preset: Preset, track: VideoTrack, picture: VideoMeasurement | None
) -> tuple[Preset, tuple[str, ...]]:
    """The preset with as many lines to mask as are torn."""
    most = preset.crop.mask_bottom_lines
    if most == 0:
        return preset, ()
    # Decks that switch heads within the picture give no more lines than standard definition has.
    torn = 0 if picture is None or not track.is_sd else picture.torn_lines
    lines = min(most, torn + _LINES_BESIDE) if torn else 0
    preset = derive(preset, {"crop": {"mask_bottom_lines": lines}})
    return preset, ((f"{torn} torn lines at the bottom: {lines} masked",) if lines else ())


def is_for_tapes(preset: Preset) -> bool:
    """Whether it is one of the shipped presets for tapes."""
    return preset.name.startswith("vhs")


def why_no_tape(preset: Preset, track: VideoTrack, picture: VideoMeasurement | None) -> str | None:
    """What shows that a source is no tape where `preset` is for tapes; None where it may be one."""
    if not is_for_tapes(preset):
        return None
    if not track.is_sd:
        return f"{track.width}x{track.height}"
    if not track.field_order.has_fields and picture is not None and picture.is_clean:
        return "progressive, and hardly any noise"
    return None


def mildly_sharpened(preset: Preset) -> Preset:
    """The same for what is sharp already."""
    if preset.sharpen.amount <= _SHARP_ENOUGH["amount"]:
        return preset
    return derive(preset, {"sharpen": _SHARP_ENOUGH})


def why_not_degrained(preset: Preset, track: VideoTrack) -> str | None:
    """Why a source cannot be degrained; None where it can."""
    if track.field_order.has_fields and preset.deinterlace.method not in ("qtgmc", "bwdif"):
        return f"it does not go with deinterlace.method {preset.deinterlace.method}"
    recipe = resolve(track, preset)
    reasons = {
        # Six times the samples, and no grain of a tape to average.
        "it is HD": is_for_tapes(preset) and not track.is_sd,
        "the frames of film are restored": recipe.restores_film,
        "its frames keep their own times": recipe.keeps_times,
        "it has too many gaps": not track.knows_gaps,
        "its picture changes": bool(track.changes),
        "it has an odd number of lines": recipe.deinterlaces and recipe.recorded[1] % 2 == 1,
    }
    return next((reason for reason, holds in reasons.items() if holds), None)


def without_degrain(preset: Preset) -> tuple[Preset, str]:
    """The same with FFmpeg's filters in the place of VapourSynth's, and what is used instead of what."""
    if preset.deinterlace.method != "qtgmc":
        return derive(preset, {"denoise": {"method": "atadenoise"}}), "atadenoise instead of degrain"
    changes = {"denoise": {"method": "atadenoise"}, "deinterlace": {"method": "bwdif"}}
    return derive(preset, changes), "bwdif and atadenoise instead of qtgmc and degrain"
