"""Command lines for snapshots of the same moment before and after, for people to compare."""

from fractions import Fraction
from pathlib import Path

from vhsbatch.ffmpeg.colour import scale_matrix
from vhsbatch.ffmpeg.formats import file_url, input_arguments
from vhsbatch.ffmpeg.preroll import PREROLL_S
from vhsbatch.ffmpeg.tonemap import sdr_filters
from vhsbatch.model.media import Colour
from vhsbatch.model.plan import JobPlan
from vhsbatch.model.recipe import Recipe

MAX_HEIGHT = 720

# Of a frame: how far timestamps that are rounded may be off.
_A_LITTLE = Fraction(1, 4)

_QUIET = ("-hide_banner", "-nostdin", "-nostats", "-loglevel", "error")
# JPEG's own scale: 2 is the best.
_ONE_JPEG = ("-frames:v", "1", "-c:v", "mjpeg", "-q:v", "4", "-f", "image2pipe")


def snapshot_size(plan: JobPlan) -> tuple[int, int]:
    """Width and height in square pixels: the output's, or smaller."""
    height = min(plan.height, MAX_HEIGHT)
    width = Fraction(plan.width, plan.height) * plan.sar * height
    return 2 * round(width / 2), height


def source_frame_s(plan: JobPlan, at_s: Fraction) -> Fraction:
    """When the source's frame begins that is shown at a moment."""
    rate = plan.info.video.rate
    return int(at_s * rate) / rate


def before_command(ffmpeg: str, plan: JobPlan, at_s: Fraction, picture: Path | None) -> tuple[str, ...]:
    """A snapshot of the source as it is, fields and all; only cropped, turned and scaled like the output.

    Args:
        ffmpeg: the program.
        plan: the plan.
        at_s: the moment, counted from the first picture.
        picture: the JPEG to write, None for standard output.
    """
    video, recipe, crop = plan.info.video, plan.recipe, plan.preset.crop
    # A seek may land behind its target, so the target lies before the moment, as for a segment.
    from_s = video.start_s + at_s - PREROLL_S if plan.info.exact_seek and at_s > PREROLL_S else None
    wait = f"trim=start={float(video.start_s + at_s - _A_LITTLE / video.rate):.6f},"
    width, height = recipe.recorded
    turned = "".join(f"{turn}," for turn in recipe.turns)
    one_size = f"scale={video.width}:{video.height}," if video.changes else ""
    filters = (
        f"{wait}{one_size}crop={width}:{height}:{crop.left}:{crop.top}:exact=1,{turned}{_as_sdr(recipe)}"
    )
    return (
        *(ffmpeg, *_QUIET, "-threads", "1", "-copyts"),
        *input_arguments(plan.info.source, from_s=from_s, mend_matrix=video.mends_matrix, keeps_clock=True),
        *("-map", f"0:{video.index}", "-vf", filters + _to_jpeg(plan, recipe.source)),
        *(*_ONE_JPEG, *_to(picture)),
    )


def after_command(
    ffmpeg: str, plan: JobPlan, at_s: Fraction, picture: Path | None, *, made: Path | None = None
) -> tuple[str, ...]:
    """A snapshot of the output.

    Args:
        ffmpeg: the program.
        plan: the plan.
        at_s: the moment, counted from the first picture.
        picture: the JPEG to write, None for standard output.
        made: a part of the output in a separate file; `at_s` counts from its beginning.
    """
    return (
        *(ffmpeg, *_QUIET, "-threads", "1", "-ss", f"{float(at_s):.6f}"),
        *("-protocol_whitelist", "file", "-i", file_url(made or plan.job.output)),
        *("-map", "0:v:0", "-vf", _to_jpeg(plan, plan.recipe.target), *_ONE_JPEG, *_to(picture)),
    )


def _to(picture: Path | None) -> tuple[str, ...]:
    return ("pipe:1",) if picture is None else ("-y", file_url(picture))


def _as_sdr(recipe: Recipe) -> str:
    """Frames in colours of which a JPEG can be made."""
    matrix = "gbr" if recipe.rgb else recipe.source.matrix
    # Frames that state reserved colours cannot be scaled.
    filters = f"setparams=colorspace={matrix}:color_primaries=bt709:color_trc=bt709,"
    if recipe.converts_colours:
        filters += f"scale,format={recipe.planar},"
        for name, options in sdr_filters(recipe.decoded):
            filters += f"{name}={':'.join(f'{key}={value}' for key, value in options.items())},"
    return filters


def _to_jpeg(plan: JobPlan, colour: Colour) -> str:
    """Scaled, in the colours that a JPEG has."""
    width, height = snapshot_size(plan)
    matrix = f"in_color_matrix={scale_matrix(colour)}:out_color_matrix=bt601:out_range=pc"
    return f"scale={width}:{height}:flags=lanczos:{matrix},setsar=1,format=yuvj420p"
