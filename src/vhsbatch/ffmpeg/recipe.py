"""The recipe of one video, from what its source is and what its preset asks for. Pure."""

from fractions import Fraction

from vhsbatch.config.presets import Preset
from vhsbatch.errors import InputError
from vhsbatch.ffmpeg.cleaning import chroma_subsampling
from vhsbatch.ffmpeg.colour import decoded_colour, is_rgb, needs_conversion, output_colour, source_colour
from vhsbatch.ffmpeg.deinterlacing import CYCLE, FILM_OF_CYCLE
from vhsbatch.ffmpeg.planar import alternates_chroma, centres_chroma, planar_format
from vhsbatch.ffmpeg.shape import sample_aspect, turns
from vhsbatch.ffmpeg.tonemap import SDR_FORMAT
from vhsbatch.model.media import FieldOrder, Telecine, VideoTrack
from vhsbatch.model.recipe import Recipe

# No tape has a picture of which the head switch takes more than an eighth.
_LEAST_LINES_TO_MASK = 8
_LARGEST_SAR_PART = 100


def resolve(track: VideoTrack, preset: Preset) -> Recipe:
    """Decide everything that follows from a source and a preset.

    Raises:
        InputError: the preset crops the whole picture away.
    """
    crop = preset.crop
    recorded = (track.width - crop.left - crop.right, track.height - crop.top - crop.bottom)
    if min(recorded) < 1:
        raise InputError(f"the preset's crop leaves nothing of {track.width}x{track.height}", fix="crop less")

    one_order = track.field_order in (FieldOrder.TFF, FieldOrder.BFF)
    handles_fields = preset.deinterlace.method != "none" and track.field_order.has_fields
    restores_film = handles_fields and preset.deinterlace.film and track.telecine.is_in_fields and one_order
    decimates = restores_film and track.telecine is Telecine.HARD
    deinterlacer = preset.deinterlace.method if handles_fields and not restores_film else "none"
    per_field = deinterlacer != "none" and preset.deinterlace.rate == "field"
    rate_factor = Fraction(FILM_OF_CYCLE, CYCLE) if decimates else Fraction(2 if per_field else 1)
    keeps_times = (
        preset.vfr == "keep" and not track.constant_rate and deinterlacer == "none" and not restores_film
    )

    planar = planar_format(track)
    degrains = preset.denoise.method == "degrain"
    front = _for_vapoursynth(planar, recorded[1]) if degrains or deinterlacer == "qtgmc" else planar
    converts = needs_conversion(track)
    no_repair = _no_repair(track, recorded[1], planar) if preset.dropouts else None

    turned = track.rotation_degrees in (90, 270)
    cropped = (recorded[1], recorded[0]) if turned else recorded
    sar = sample_aspect(track)
    shape = (1 / sar if turned else sar) * cropped[0] / cropped[1]
    picture, width = _picture(shape, cropped, preset)
    height = preset.target_height

    torn = preset.crop.mask_bottom_lines
    masks = torn <= track.height // _LEAST_LINES_TO_MASK
    return Recipe(
        deinterlacer=deinterlacer,
        degrains=degrains,
        per_field=per_field,
        restores_film=restores_film,
        decimates=decimates,
        rate_factor=rate_factor,
        rate=track.rate * rate_factor,
        keeps_times=keeps_times,
        repairs_dropouts=preset.dropouts and no_repair is None,
        dropouts_stay=no_repair or "",
        recorded=recorded,
        cropped=cropped,
        model_input=(min(cropped[0], preset.upscale.ai_width or cropped[0]), cropped[1]),
        picture=picture,
        width=width,
        height=height,
        # More digits than these fit into no stream's header.
        sar=(shape * height / width).limit_denominator(_LARGEST_SAR_PART) if preset.keep_sar else Fraction(1),
        turns=turns(track),
        # Those that have been cut off need not be masked.
        masked_lines=max(0, torn - crop.bottom) if masks else 0,
        planar=planar,
        front=front,
        worked=SDR_FORMAT if converts else front,
        rgb=is_rgb(track.pixel_format),
        alternating_chroma=alternates_chroma(track),
        centred_chroma=centres_chroma(track),
        decoded=decoded_colour(track),
        source=source_colour(track),
        target=output_colour(track, height),
        converts_colours=converts,
    )


def _for_vapoursynth(planar: str, lines: int) -> str:
    """The source's own format, or the next that QTGMC takes and that has no less colour."""
    planar = planar.replace("be", "le").replace("411", "422").replace("410", "420")
    if lines % (2 * chroma_subsampling(planar)[1]):
        # A field has to have whole lines of chroma.
        return planar.replace("420", "422").replace("440", "444")
    return planar


def _no_repair(track: VideoTrack, lines: int, planar: str) -> str | None:
    """What speaks against repairing the dropouts of a source; None if nothing does."""
    if track.field_order not in (FieldOrder.TFF, FieldOrder.BFF):
        return "it has no fields" if not track.field_order.has_fields else "its field order changes"
    if lines % (2 * chroma_subsampling(planar)[1]):
        return f"{lines} lines do not make two fields with whole lines of colour"
    return None


def _picture(shape: Fraction, cropped: tuple[int, int], preset: Preset) -> tuple[tuple[int, int], int]:
    """Size of a picture that is displayed in `shape`, and the width of the output around it."""
    height, padded = preset.target_height, None
    if preset.pad is not None:
        padded = Fraction(preset.pad.replace(":", "/"))
    if preset.keep_sar:
        width = _even(Fraction(cropped[0] * height, cropped[1]))
    elif padded is not None and shape > padded:
        width = _even(padded * height)
        return (width, _even(width / shape)), width
    else:
        width = _even(shape * height)
    return (width, height), width if padded is None else _even(padded * height)


def _even(value: Fraction) -> int:
    return max(2, 2 * round(value / 2))
