"""The shape of a picture, computed once and in fractions."""

from fractions import Fraction

from vhsbatch.config.presets import Preset
from vhsbatch.model.media import VideoTrack

_STANDARD_DISPLAY = Fraction(4, 3)
_LARGEST_SAR_PART = 100

# Rasters of standard-definition television: their samples are not square, whatever a missing or a
# 1:1 flag suggests. Capture cards cut some lines off, or keep some of those above the picture; with
# 640x480 and 768x576, samples are square.
_SD_WIDTHS = (352, 480, 528, 544, 640, 702, 704, 720)
_SD_HEIGHTS = (*range(480, 490), 512, *range(574, 580), 608)


def sample_aspect(track: VideoTrack) -> Fraction:
    """The shape of one sample of the source: what it states, or what its raster means."""
    anamorphic = track.width in _SD_WIDTHS and track.height in _SD_HEIGHTS
    half_height = track.width == 352 and track.height in (240, 288)
    if track.sar is not None and track.sar != 1:
        return track.sar
    if anamorphic or half_height:
        return _STANDARD_DISPLAY * track.height / track.width
    return track.sar or Fraction(1)


def picture_size(track: VideoTrack, preset: Preset) -> tuple[int, int]:
    """Width and height of the picture in the output, without bars; both are even."""
    shape, height = _display_shape(track, preset), preset.target_height
    if preset.keep_sar:
        width, lines = cropped_size(track, preset)
        return _even(Fraction(width * height, lines)), height
    if preset.pad is not None and shape > _ratio(preset.pad):
        width = output_size(track, preset)[0]
        return width, _even(width / shape)
    return _even(shape * height), height


def output_size(track: VideoTrack, preset: Preset) -> tuple[int, int]:
    """Width and height of the output; both are even, the height is the preset's."""
    if preset.pad is not None:
        return _even(_ratio(preset.pad) * preset.target_height), preset.target_height
    return picture_size(track, preset)


def output_sar(track: VideoTrack, preset: Preset) -> Fraction:
    """The shape of the output's samples: square, unless the preset keeps the source's."""
    if not preset.keep_sar:
        return Fraction(1)
    width, height = output_size(track, preset)
    # More digits than these fit into no stream's header.
    return (_display_shape(track, preset) * height / width).limit_denominator(_LARGEST_SAR_PART)


def _display_shape(track: VideoTrack, preset: Preset) -> Fraction:
    width, height = cropped_size(track, preset)
    sar = sample_aspect(track)
    return (1 / sar if track.rotation_degrees in (90, 270) else sar) * width / height


# What FFmpeg does for a display matrix, by the angle that it reads from it, and whether it mirrors.
_TURNS: dict[tuple[int, bool], tuple[str, ...]] = {
    (0, False): (),
    (90, False): ("transpose=clock",),
    (180, False): ("hflip", "vflip"),
    (270, False): ("transpose=cclock",),
    (0, True): ("vflip",),
    (90, True): ("transpose=cclock_flip",),
    (180, True): ("hflip",),
    (270, True): ("transpose=clock_flip",),
}


def turns(track: VideoTrack) -> tuple[str, ...]:
    """The filters that turn the picture as the source asks; FFmpeg's own turning is switched off."""
    return _TURNS[track.rotation_degrees, track.mirrored]


def cropped_size(track: VideoTrack, preset: Preset) -> tuple[int, int]:
    """Width and height of the source's frames, cropped and turned."""
    width, height = recorded_size(track, preset)
    return (height, width) if track.rotation_degrees in (90, 270) else (width, height)


def recorded_size(track: VideoTrack, preset: Preset) -> tuple[int, int]:
    """Width and height of the source's frames, cropped, as they were recorded."""
    crop = preset.crop
    return track.width - crop.left - crop.right, track.height - crop.top - crop.bottom


def _even(value: Fraction) -> int:
    return max(2, 2 * round(value / 2))


def _ratio(text: str) -> Fraction:
    return Fraction(text.replace(":", "/"))
