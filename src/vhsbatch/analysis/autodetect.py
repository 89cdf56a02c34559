"""Which preset suits a source (`--auto-detect`), and which changes it needs, from what was measured."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import anyio

from vhsbatch.analysis.findings import SURE_ENOUGH, SourceFinding, find
from vhsbatch.analysis.measure import cached_measurement, cached_picture
from vhsbatch.analysis.picture import VideoMeasurement
from vhsbatch.cache import Cache
from vhsbatch.config.presets import Preset, derive
from vhsbatch.errors import InputError
from vhsbatch.ffmpeg.toolchain import FFmpeg
from vhsbatch.model.media import MediaInfo

# Noise of the luma and the chroma, standard deviation in steps of 8 bits. Simulated captures of
# first-generation tapes measured 2.0 and 2.7, of ordinary tapes 4.0 and 5.4, of worn tapes 7.5 and 10.8.
_QUIET = 2.5
_WORN = 5.75
_WORN_CHROMA = 8.0


# Of these a preset may ask for more than a source needs, and keeps that.
_AT_LEAST = frozenset({"crop.mask_bottom_lines", "audio.denoise_db"})


@dataclass(frozen=True, slots=True, kw_only=True)
class PresetChoice:
    """What was chosen for a source.

    Attributes:
        preset: adapted to it where that is wanted.
        reasons: one line each, the choice first.
        picture: what was measured, None where nothing could be.
    """

    preset: Preset
    reasons: tuple[str, ...]
    picture: VideoMeasurement | None


@dataclass(frozen=True, slots=True)
class AutoDetect:
    """Chooses a preset for each source by its picture.

    Attributes:
        presets: what can be chosen, with every override of the command line applied.
        adapts: whether whatever else is found changes the preset too: it crops edges, and repairs the sound
            (`--auto-detect`).
    """

    presets: Mapping[str, Preset]
    adapts: bool = False
    # One analysis after the other: they read the disk that the lanes read too.
    _turn: anyio.Lock = field(default_factory=anyio.Lock)

    async def choose(
        self, info: MediaInfo, cache: Cache | None, *, ffmpeg: FFmpeg, otherwise: Preset
    ) -> PresetChoice:
        """The preset for a source.

        Args:
            info: the source.
            cache: what earlier runs measured; None without a cache.
            ffmpeg: what decodes it.
            otherwise: for a source whose picture cannot be measured.
        """
        try:
            async with self._turn:
                if self.adapts:
                    measured = await cached_measurement(info, cache, ffmpeg=ffmpeg)
                    picture, findings = measured.picture, find(info, measured)
                else:
                    picture = await cached_picture(info, cache, ffmpeg=ffmpeg)
                    findings = ()
        except InputError as error:  # what little decodes is restored all the same
            reason = f"preset {otherwise.name}: {error.cause}"
            return PresetChoice(preset=otherwise, reasons=(reason,), picture=None)
        name, reason = suitable_preset(info, picture)
        preset, reasons = adapted(self.presets[name], findings)
        return PresetChoice(preset=preset, reasons=(f"preset {name}: {reason}", *reasons), picture=picture)


def adapted(preset: Preset, findings: Sequence[SourceFinding]) -> tuple[Preset, tuple[str, ...]]:
    """`preset` with what the findings that are sure enough ask for, and each change with its reason. Pure."""
    changes: dict[str, dict[str, object]] = {}
    reasons = []
    for finding in findings:
        if finding.confidence is not None and finding.confidence < SURE_ENOUGH:
            continue
        for key, value in finding.overrides.items():
            table, _, name = key.partition(".")
            given = getattr(getattr(preset, table), name)
            if given != value and not (key in _AT_LEAST and given > value):
                changes.setdefault(table, {})[name] = value
                shown = f'"{value}"' if isinstance(value, str) else str(value).lower()
                reasons.append(f"{key} = {shown}: {finding.subject}, {finding.text}")
    return derive(preset, changes), tuple(reasons)


def suitable_preset(info: MediaInfo, picture: VideoMeasurement) -> tuple[str, str]:
    """The name of the preset that suits a source, and why. Pure."""
    interlaced = info.video.field_order.has_fields
    kind = f"{'interlaced' if interlaced else 'progressive'} {'SD' if info.video.is_sd else 'HD'}"
    words = [kind, _noise_in_words(picture)]
    if info.video.is_sd and picture.torn_lines:
        words.append(f"{picture.torn_lines} torn lines at the bottom")
    if not info.video.is_sd:
        name = "broadcast_1080i" if interlaced else _clean_or_auto(picture)
    elif _is_quiet(picture) or (picture.luma_noise is None and not interlaced):
        name = _quiet(info, picture)
    else:
        name = "vhs_heavy" if _is_worn(picture) else "vhs"
    return name, ", ".join(words)


def _quiet(info: MediaInfo, picture: VideoMeasurement) -> str:
    """The preset for standard definition with little noise."""
    disc = info.video.codec == "mpeg2video"
    if not info.video.field_order.has_fields:
        return "dvd_progressive" if disc else _clean_or_auto(picture)
    if picture.torn_lines:
        # Only a tape deck switches heads within the picture.
        return "vhs_clean"
    return "dvd_interlaced" if disc else "auto"


def _clean_or_auto(picture: VideoMeasurement) -> str:
    """Without noise there is nothing to repair. Where it cannot be told, a little is done."""
    return "clean" if picture.is_clean else "auto"


def _is_worn(picture: VideoMeasurement) -> bool:
    return (picture.luma_noise or 0) >= _WORN or (picture.chroma_noise or 0) >= _WORN_CHROMA


def _is_quiet(picture: VideoMeasurement) -> bool:
    return picture.luma_noise is not None and picture.luma_noise < _QUIET and not _is_worn(picture)


def _noise_in_words(picture: VideoMeasurement) -> str:
    luma, chroma = (
        "unknown" if value is None else f"{value:.1f}" for value in (picture.luma_noise, picture.chroma_noise)
    )
    return f"noise {luma} in luma and {chroma} in chroma (of 255)"
