"""Which preset suits a source (`--auto-detect`), and which changes it needs, from what was measured."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import anyio

from vhsbatch.analysis.findings import SURE_ENOUGH, SourceFinding, find
from vhsbatch.analysis.measure import cached_measurement
from vhsbatch.analysis.picture import VideoMeasurement
from vhsbatch.cache import Cache
from vhsbatch.config.presets import Preset, derive
from vhsbatch.ffmpeg.toolchain import FFmpeg
from vhsbatch.model.media import MediaInfo

_SMALL_LINES = 400

# Noise of the luma, standard deviation in steps of 8 bits. Camera DV and good tapes measure up to
# about 3, ordinary tapes 3 to 5; above that, averaging over time gains most.
_QUIET = 2.0
_WORN = 5.0
# Colour is worn sooner: its noise is coarse, and half as much is as visible.
_WORN_CHROMA = 4.0
_SHARP_DOWNLOAD = 1.0


# Of these a preset may ask for more than a source needs, and keeps that.
_AT_LEAST = frozenset({"crop.mask_bottom_lines", "audio.denoise_db"})


@dataclass(frozen=True, slots=True)
class AutoDetect:
    """Chooses a preset for each source.

    Attributes:
        presets: what can be chosen, with every override of the command line applied.
    """

    presets: Mapping[str, Preset]
    # One analysis after the other: they read the disk that the lanes read too.
    _turn: anyio.Lock = field(default_factory=anyio.Lock)

    async def choose(
        self, info: MediaInfo, cache: Cache | None, *, ffmpeg: FFmpeg
    ) -> tuple[Preset, tuple[str, ...]]:
        """The preset for a source, adapted to it, and the reasons.

        Raises:
            InputError: its picture cannot be measured.
        """
        async with self._turn:
            measured = await cached_measurement(info, cache, ffmpeg=ffmpeg)
        name, reason = suitable_preset(info, measured.picture)
        preset, reasons = adapted(self.presets[name], find(info, measured))
        return preset, (f"preset {name}: {reason}", *reasons)


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
    if not info.video.is_sd:
        if interlaced:
            return "broadcast_1080i", f"interlaced HD, {_noise_in_words(picture)}"
        return ("clean" if _is_quiet(picture) else "auto"), f"progressive HD, {_noise_in_words(picture)}"
    if interlaced:
        torn = f"{picture.torn_lines} torn lines at the bottom" if picture.torn_lines else "no torn lines"
        return _tape_or_disc(info, picture), f"interlaced SD, {_noise_in_words(picture)}, {torn}"
    return _progressive(info, picture), f"progressive SD, {_noise_in_words(picture)}"


def _tape_or_disc(info: MediaInfo, picture: VideoMeasurement) -> str:
    luma, chroma = picture.luma_noise, picture.chroma_noise
    if (luma or 0) >= _WORN or (chroma or 0) >= _WORN_CHROMA:
        return "vhs_heavy"
    if picture.torn_lines:
        # Only a tape deck switches heads within the picture.
        return "vhs_clean" if _is_quiet(picture) else "vhs"
    if info.video.codec == "mpeg2video" and _is_quiet(picture):
        return "dvd_interlaced"
    return "auto" if _is_quiet(picture) else "vhs_standard"


def _progressive(info: MediaInfo, picture: VideoMeasurement) -> str:
    if info.video.codec == "mpeg2video":
        return "dvd_progressive"
    if info.video.height <= _SMALL_LINES and _is_quiet(picture):
        return "youtube_old"
    if picture.luma_noise is None or picture.luma_noise < _SHARP_DOWNLOAD:
        return "clean"
    return "webcam"


def _is_quiet(picture: VideoMeasurement) -> bool:
    return picture.luma_noise is not None and picture.luma_noise < _QUIET


def _noise_in_words(picture: VideoMeasurement) -> str:
    luma, chroma = (
        "unknown" if value is None else f"{value:.1f}" for value in (picture.luma_noise, picture.chroma_noise)
    )
    return f"noise {luma} in luma and {chroma} in chroma (of 255)"
