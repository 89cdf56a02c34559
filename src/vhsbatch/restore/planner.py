"""The plan of one video, from what its source is and what its preset asks for. Pure."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import gcd
from pathlib import Path
from typing import Any

from vhsbatch.config.presets import Preset
from vhsbatch.errors import InputError
from vhsbatch.events.describe import field_order
from vhsbatch.events.serialize import to_text
from vhsbatch.ffmpeg.audio import audio_notes, drift
from vhsbatch.ffmpeg.captions import caption_notes
from vhsbatch.ffmpeg.changes import change_notes, change_problem
from vhsbatch.ffmpeg.colour import colour_notes, colour_problem
from vhsbatch.ffmpeg.deinterlacing import frames_made
from vhsbatch.ffmpeg.frame_times import cut_by_time, own_frames
from vhsbatch.ffmpeg.stream_mapping import left_out
from vhsbatch.model.media import AudioTrack, FieldOrder, MediaInfo, VideoTrack
from vhsbatch.model.plan import FaceRestoration, Job, JobPlan, Segment, Upscaling
from vhsbatch.model.recipe import Recipe
from vhsbatch.model.source_overrides import ASKED_FOR
from vhsbatch.model.trim import Excerpt
from vhsbatch.probe.packets import rate_notes
from vhsbatch.restore.damage import damage_notes
from vhsbatch.restore.trimming import excerpt_of, trim_notes

# Part of every fingerprint: raised when the same plan would make other frames than before.
PLAN_VERSION = 9

# In a shorter clip, and by less, sound and picture often end apart without drifting.
_DRIFTING_S = 60
_NOTICED_DRIFT_S = 0.1
# Recorders stop one of the two earlier, by less than this.
_NOTICED_LACK_S = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Toolchain:
    """With what a video will be made.

    Attributes:
        engine: ``ffmpeg`` or ``realesrgan``.
        upscaling: how the model is used, None for the ``ffmpeg`` engine.
        encoder: FFmpeg encoder name.
        container: ``mp4``, ``mkv`` or ``mov``.
        identity: versions and digests of every tool that touches the frames.
        nnedi_weights: the file of nnedi's weights, None where it does not deinterlace.
        faces: how faces are restored, None where they are not.
        notes: why it is these, where the user should know.
        essential_notes: those of them without which the result may surprise.
    """

    engine: str
    upscaling: Upscaling | None
    encoder: str
    container: str
    identity: dict[str, str]
    nnedi_weights: Path | None = None
    faces: FaceRestoration | None = None
    notes: tuple[str, ...] = ()
    essential_notes: tuple[str, ...] = ()


def make_plan(
    job: Job,
    info: MediaInfo,
    preset: Preset,
    recipe: Recipe,
    toolchain: Toolchain,
    *,
    times_s: Sequence[Fraction] | None = None,
    sample: str = "",
) -> JobPlan:
    """Decide everything about one output.

    Args:
        job: the video.
        info: what it is.
        preset: with every override applied.
        recipe: what follows from both.
        toolchain: with what it is made.
        times_s: when each frame of the source is shown, where frames keep their own times.
        sample: digest of pieces of the source.

    Raises:
        InputError: the source has no frame, or cannot be deinterlaced as a whole.
    """
    track = info.video
    whole_frames = frames_made(track.frames, recipe) if times_s is None else len(times_s)
    if whole_frames < 1:
        raise InputError("no video frame could be read", fix="check the file with a player")
    _expect_makeable(track, recipe)
    excerpt = excerpt_of(info, recipe, whole_frames, times_s)
    frames = whole_frames if excerpt is None else excerpt.frames
    faces = toolchain.faces
    segment_s = preset.segment_s if toolchain.upscaling is None and faces is None else preset.ai_segment_s
    # The frames around a segment that faces are followed through have no times here.
    in_one = not info.exact_seek or (faces is not None and times_s is not None)
    segments = _segments(
        frames,
        recipe.rate,
        None if in_one else segment_s,
        first_frame=0 if excerpt is None else excerpt.first_frame,
        times_s=times_s,
    )
    found = (
        *(note for note in info.notes if times_s is None or note not in rate_notes(track)),
        *damage_notes(info, keeps_times=recipe.keeps_times),
    )
    changed = (*change_notes(track), *colour_notes(track))
    kept = (
        *_rate_notes(track, preset, recipe),
        *_sound_notes(info, preset),
        *audio_notes(info, preset, toolchain.container, excerpt),
        *left_out(
            info, recipe, toolchain.container, from_s=Fraction(0) if excerpt is None else excerpt.from_s
        ),
        *caption_notes(info, excerpt),
        *trim_notes(info, excerpt),
    )
    return JobPlan(
        job=job,
        info=info,
        preset=preset,
        recipe=recipe,
        engine=toolchain.engine,
        upscaling=toolchain.upscaling,
        encoder=toolchain.encoder,
        container=toolchain.container,
        frames=frames,
        segments=segments,
        fingerprint=_fingerprint(
            info, preset, toolchain, segments, excerpt, model_input=recipe.model_input, sample=sample
        ),
        identity=toolchain.identity,
        nnedi_weights=toolchain.nnedi_weights,
        faces=faces,
        sample=sample,
        excerpt=excerpt,
        shown_s=None if times_s is None else _shown_s(times_s, excerpt, recipe.rate),
        notes=(
            *found,
            *_notes(track, recipe),
            *changed,
            *_dropout_notes(recipe),
            *kept,
            *toolchain.notes,
            *_seek_note(info),
        ),
        essential_notes=(
            *toolchain.essential_notes,
            *(note for note in found if not note.endswith(ASKED_FOR)),
            *changed,
            *(_dropout_notes(recipe) if recipe.dropouts_stay else ()),
            *kept,
        ),
    )


def _expect_makeable(track: VideoTrack, recipe: Recipe) -> None:
    """Refuse a video that the recipe cannot restore as a whole.

    Raises:
        InputError: it is one.
    """
    if track.field_order is FieldOrder.MIXED and not track.order_runs and recipe.deinterlaces:
        raise InputError(
            f"its field order changes: {track.field_order_reason}",
            fix="cut it there, or say with --field-order which of them to take",
        )
    if recipe.uses_vapoursynth and recipe.recorded[1] % 2:
        raise InputError(
            f"QTGMC needs an even number of lines, and it has {recipe.recorded[1]}",
            fix="use --deinterlace bwdif",
        )
    if recipe.uses_vapoursynth and not track.knows_gaps:
        raise InputError(
            f"it has too many gaps for QTGMC: {track.repeated_frames} frames are missing",
            fix="use --deinterlace bwdif",
        )
    if (problem := colour_problem(track)) is not None:
        raise InputError(problem, fix="convert it to BT.709 with the program that made it")
    if (change := change_problem(track)) is not None:
        raise InputError(change[0], fix=change[1])


def _segments(
    frames: int,
    rate: Fraction,
    segment_s: int | None,
    *,
    first_frame: int,
    times_s: Sequence[Fraction] | None,
) -> tuple[Segment, ...]:
    """How the result is cut, from `first_frame` of the whole source on; without `segment_s` not at all."""
    whole = Segment(index=0, start_frame=0, stop_frame=frames)
    cuts = (whole,) if segment_s is None else cut(frames, rate, segment_s)
    segments = tuple(segment.moved(first_frame) for segment in cuts)
    return segments if times_s is None else cut_by_time(segments, times_s)


def cut(frames: int, rate: Fraction, segment_s: int) -> tuple[Segment, ...]:
    """Segments of equal length, about `segment_s` seconds each, that tile ``range(frames)``.

    All but the last hold a number of frames that lasts a whole number of microseconds, the unit in
    which FFmpeg's concat demuxer counts, so that no rounding adds up over a long tape.
    """
    unit = rate.numerator // gcd(rate.numerator, rate.denominator * 1_000_000)
    unit = unit if unit <= 60 else 1
    count = max(1, round(frames / (segment_s * rate)))
    length = -(-frames // count)
    length = -(-length // unit) * unit
    starts = range(0, frames, length)
    return tuple(
        Segment(index=index, start_frame=start, stop_frame=min(start + length, frames))
        for index, start in enumerate(starts)
    )


def _shown_s(times_s: Sequence[Fraction], excerpt: Excerpt | None, rate: Fraction) -> Fraction:
    """How long frames with times of their own are shown."""
    if excerpt is None:
        return times_s[-1] + 1 / rate
    return (
        times_s[excerpt.stop_frame - 1] + 1 / rate if excerpt.to_s is None else excerpt.to_s
    ) - excerpt.from_s


def _fingerprint(
    info: MediaInfo,
    preset: Preset,
    toolchain: Toolchain,
    segments: tuple[Segment, ...],
    excerpt: Excerpt | None,
    *,
    model_input: tuple[int, int],
    sample: str,
) -> str:
    """Digest of all that decides the result.

    Not of where things are or how this machine runs: the source is known by its size, its
    modification time, pieces of its content and what was probed, the model by its files' digests (in
    the identity).
    """
    upscaling, faces = toolchain.upscaling, toolchain.faces
    decisive = {
        "plan_version": PLAN_VERSION,
        "source": [
            info.size_bytes,
            info.modified_ns,
            sample,
            info.container,
            *(() if info.title is None else ("title", info.title.number, info.spans)),
            replace(info.video, **_UNDECISIVE_OF_VIDEO),
            info.audio,
            info.subtitles,
            *(() if info.captions is None else (info.captions,)),
        ],
        "preset": preset.model_dump(exclude=_INDECISIVE),
        "engine": toolchain.engine,
        "network": None
        if upscaling is None
        else [
            upscaling.model,
            upscaling.scale,
            upscaling.runtime,
            upscaling.device == "cpu",
            upscaling.tile_px,
            model_input,
            preset.upscale.sharpen,
            preset.upscale.strength,
        ],
        "encoder": toolchain.encoder,
        "container": toolchain.container,
        "identity": toolchain.identity,
        "segments": segments,
        **({} if excerpt is None else {"excerpt": excerpt}),
        **(
            {}
            if faces is None
            else {"faces": [faces.device == "cpu", preset.faces.model_dump(exclude={"model"})]}
        ),
    }
    return hashlib.sha256(to_text(decisive, sort_keys=True).encode()).hexdigest()


# Why the decisions are what they are changes no frame.
_UNDECISIVE_OF_VIDEO: Any = {
    "field_order_reason": "",
    "field_order_confidence": 0.0,
    "telecine_reason": "",
    "telecine_confidence": 0.0,
}

# Words, what changes other keys where it matters, what is in the fingerprint in another form, and what acts
# by the segments and the model alone. Where frames keep their own times, segments say when they are cut.
_INDECISIVE: Any = {
    "name": True,
    "description": True,
    "vfr": True,
    "guard": True,
    "segment_s": True,
    "ai_segment_s": True,
    "upscale": True,
    "faces": True,
    "colour": {"lut"},
}


def _notes(track: VideoTrack, recipe: Recipe) -> tuple[str, ...]:
    """What was decided for this source, in the order of the picture's way."""
    order = f"{field_order(track.field_order)} ({track.field_order_reason})"
    if recipe.restores_film:
        return (f"{order}: telecined film ({track.telecine_reason}), of which the frames are restored",)
    if recipe.deinterlaces:
        each = "field" if recipe.per_field else "pair of fields"
        how = f"{recipe.deinterlacer}, a frame from each {each}"
        return (f"{order}: deinterlaced with {how}",)
    return (f"{order}: not deinterlaced",)


def _dropout_notes(recipe: Recipe) -> tuple[str, ...]:
    if recipe.repairs_dropouts:
        return ("dropouts are painted over",)
    return (f"dropouts stay: {recipe.dropouts_stay}",) if recipe.dropouts_stay else ()


def _rate_notes(track: VideoTrack, preset: Preset, recipe: Recipe) -> tuple[str, ...]:
    if preset.vfr != "keep" or track.constant_rate:
        return ()
    if recipe.keeps_times:
        return (f"variable frame rate, kept: {own_frames(track)} frames, each at its own time",)
    return ("variable frame rate, made constant all the same: fields have no other",)


def _sound_notes(info: MediaInfo, preset: Preset) -> Iterator[str]:
    """Tracks that are stretched, and those that might have to be."""
    for number, track in enumerate(info.audio, start=1):
        if (ratio := drift(track, info.video)) is None:
            yield from _frames_that_an_avi_lacks(number, track, info)
            continue
        length_s = track.end_s - track.start_s
        off_s = float((1 - ratio) * length_s)
        ends = (
            f"audio track {number} ends {abs(off_s):.2f} s {'after' if off_s > 0 else 'before'} the picture"
        )
        if preset.audio.fix_drift:
            yield f"{ends}: brought to its length"
        elif length_s >= _DRIFTING_S and abs(off_s) >= _NOTICED_DRIFT_S:
            yield f"{ends}: if it is out of sync by then, --fix-drift corrects that"


def _frames_that_an_avi_lacks(number: int, track: AudioTrack, info: MediaInfo) -> Iterator[str]:
    """AVI has no times: frames that were never written make everything after them come too early."""
    video = info.video
    early_s = float(track.end_s - (video.start_s + video.frames / video.rate))
    if info.container == "avi" and early_s >= _NOTICED_LACK_S:
        yield (
            f"the picture ends {early_s:.2f} s before audio track {number}: frames seem to be missing, and "
            "AVI does not say where, so the sound may be out of sync, as in a player"
        )


def _seek_note(info: MediaInfo) -> tuple[str, ...]:
    if info.exact_seek:
        return ()
    return ("cannot be seeked exactly: made in one piece, so an interruption starts it over",)
