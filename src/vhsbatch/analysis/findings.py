"""What was found out about a source: in words, with how sure it is, and what follows from it. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from vhsbatch.analysis.audio import HISS_DB, AudioMeasurement
from vhsbatch.analysis.measure import Measured
from vhsbatch.analysis.picture import VideoMeasurement
from vhsbatch.events.describe import field_order, frame_rate
from vhsbatch.ffmpeg.audio import drift
from vhsbatch.formatting import duration
from vhsbatch.model.media import AudioTrack, MediaInfo, VideoTrack
from vhsbatch.model.trim import clock
from vhsbatch.probe.blank import BlankEnds
from vhsbatch.probe.telecine import FieldSteps

# Nothing follows from a finding that is less sure.
SURE_ENOUGH = 0.6

_MOST_TO_CROP = 64
_MOST_TO_MASK = 32
# Where chroma samples lie is seldom said, and cameras sharpen luma to one side: less is no shift.
_SMALLEST_SHIFT = 2.0
_HISS_REDUCTION_DB = 12
# In less than this there may be no quiet moment.
_LONG_ENOUGH_S = 10.0
_CLIPPED_PART = 0.002
_CLIPPED_SAMPLES = 20

_NTSC_LINES, _PAL_LINES = frozenset({240, 480, 482, 484, 486, 488, 512}), frozenset({288, 574, 576, 578, 608})
_NTSC_RATES = (Fraction(30000, 1001), Fraction(60000, 1001), Fraction(24000, 1001), Fraction(30))
_PAL_RATES = (Fraction(25), Fraction(50))


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFinding:
    """One thing that was found.

    Attributes:
        subject: what it is about, one or two words.
        text: what was found.
        confidence: how sure that is, 0 to 1; None for what is simply so.
        overrides: keys of a preset that it changes, with dots between tables.
    """

    subject: str
    text: str
    confidence: float | None = None
    overrides: Mapping[str, object] = field(default_factory=dict)


def find(info: MediaInfo, measured: Measured) -> tuple[SourceFinding, ...]:
    """Everything that follows from what was measured."""
    picture = measured.picture
    return (
        *_fields(info.video),
        _standard(info.video),
        *_timing(info.video, measured.steps),
        *_ends(measured.ends, info.video.frames / info.video.rate),
        *_noise(picture),
        *_response(picture),
        *_edges(info.video, picture),
        *_colour_and_levels(picture),
        *_sound(info, measured.sounds),
    )


def _fields(video: VideoTrack) -> Iterator[SourceFinding]:
    text = f"{field_order(video.field_order)} ({video.field_order_reason})"
    yield SourceFinding(subject="field order", text=text, confidence=video.field_order_confidence)
    if video.telecine_reason:
        text = f"{video.telecine} ({video.telecine_reason})"
        yield SourceFinding(subject="telecine", text=text, confidence=video.telecine_confidence)


def _standard(video: VideoTrack) -> SourceFinding:
    """The television standard, told by lines and by rate."""
    ntsc = (video.height in _NTSC_LINES) + (video.rate in _NTSC_RATES)
    pal = (video.height in _PAL_LINES) + (video.rate in _PAL_RATES)
    words = f"{video.height} lines, {frame_rate(video.rate)}"
    if ntsc == pal:
        why = "lines of one standard, rate of the other" if ntsc else "neither lines nor rate of television"
        return SourceFinding(subject="standard", text=f"unclear ({words}: {why})", confidence=0.0)
    name, signs = ("NTSC", ntsc) if ntsc > pal else ("PAL", pal)
    return SourceFinding(subject="standard", text=f"{name} ({words})", confidence=0.95 if signs == 2 else 0.6)


def _timing(video: VideoTrack, steps: FieldSteps | None) -> Iterator[SourceFinding]:
    if steps is not None and steps.repeated:
        text = f"{steps.repeated} of {steps.frames} frames repeat the ones before them"
        yield SourceFinding(subject="repeated", text=text)
    if video.constant_rate:
        yield SourceFinding(subject="frame rate", text=f"constant, {frame_rate(video.rate)}")
        return
    gaps = f"{video.repeated_frames} positions without a frame, {video.dropped_frames} frames too many"
    text = f"not constant: {gaps} on a grid of {frame_rate(video.rate)}"
    yield SourceFinding(subject="frame rate", text=text)


def _ends(ends: BlankEnds, length_s: Fraction) -> Iterator[SourceFinding]:
    head_s, tail_s = (Fraction(str(round(end_s, 1))) for end_s in (ends.head_s, ends.tail_s))
    shows_something = head_s + tail_s < length_s - 1

    def without(option: str, at_s: Fraction) -> str:
        tenths = Fraction(round(10 * at_s), 10)
        return f": {option} {clock(tenths)} leaves it out" if shows_something else ""

    if ends.head is not None:
        text = f"{ends.head} for the first {duration(ends.head_s)} ({ends.head_s:.1f} s)"
        yield SourceFinding(subject="blank head", text=text + without("--from", head_s))
    if ends.tail is not None:
        text = f"{ends.tail} for the last {duration(ends.tail_s)} ({ends.tail_s:.1f} s)"
        yield SourceFinding(subject="blank tail", text=text + without("--to", length_s - tail_s))


def _noise(picture: VideoMeasurement) -> Iterator[SourceFinding]:
    luma, chroma = (
        "unknown" if value is None else f"{value:.1f}" for value in (picture.luma_noise, picture.chroma_noise)
    )
    yield SourceFinding(
        subject="noise",
        text=f"{luma} in luma, {chroma} in chroma, of 255",
        confidence=picture.noise_agreement,
    )


def _response(picture: VideoMeasurement) -> Iterator[SourceFinding]:
    if (response := picture.response) is None:
        return
    words = {
        "soft": "soft: edges across the picture are less steep than those down it",
        "even": "even: edges are about as steep across the picture as down it",
        "sharpened": "sharpened by the deck or the camera: more would draw outlines",
    }[response.kind]
    yield SourceFinding(
        subject="detail", text=f"{words} ({response.ratio:.2f})", confidence=response.agreement
    )


def _torn_lines(picture: VideoMeasurement) -> SourceFinding:
    lines = picture.torn_lines
    return SourceFinding(
        subject="torn lines",
        text=f"{lines} at the bottom" if lines else "none",
        confidence=picture.torn_agreement,
        overrides={"crop.mask_bottom_lines": min(_MOST_TO_MASK, lines + 2)} if lines else {},
    )


def _edges(video: VideoTrack, picture: VideoMeasurement) -> Iterator[SourceFinding]:
    if video.is_sd:  # no deck whose heads switch within the picture gives more lines
        yield _torn_lines(picture)
    if (borders := picture.borders) is None:
        return
    sides = {"left": borders.left, "right": borders.right, "top": borders.top, "bottom": borders.bottom}
    # Blanking fades in: the column beside it is not quite the picture's either.
    steps = {"left": 2, "right": 2, "top": 4, "bottom": 4}
    cropped = {side: -(-(count + 1) // steps[side]) * steps[side] for side, count in sides.items() if count}
    words = ", ".join(f"{count} {side}" for side, count in sides.items() if count)
    width = video.width - borders.left - borders.right
    height = video.height - borders.top - borders.bottom
    yield SourceFinding(
        subject="black edges",
        text=f"{words}; active area {width}x{height}" if words else "none",
        confidence=borders.agreement,
        overrides={f"crop.{side}": count for side, count in cropped.items() if count <= _MOST_TO_CROP},
    )


def _colour_and_levels(picture: VideoMeasurement) -> Iterator[SourceFinding]:
    if (shift := picture.chroma_shift) is not None:
        moves = {"colour.chroma_shift_x": -round(shift.x), "colour.chroma_shift_y": -round(shift.y)}
        amounts = {"colour.chroma_shift_x": shift.x, "colour.chroma_shift_y": shift.y}
        yield SourceFinding(
            subject="chroma shift",
            text=f"colour lies {shift.x:+.1f} px across and {shift.y:+.1f} lines down",
            confidence=shift.agreement,
            overrides={key: move for key, move in moves.items() if abs(amounts[key]) >= _SMALLEST_SHIFT},
        )
    if (levels := picture.levels) is not None:
        ends = [
            f"{part:.1%} clipped {where}"
            for part, where in ((levels.at_ceiling, "white"), (levels.at_floor, "black"))
            if part >= _CLIPPED_PART
        ]
        if levels.above_white >= _CLIPPED_PART:
            ends.append(f"{levels.above_white:.1%} brighter than white (235)")
        text = "; ".join([f"{levels.darkest} to {levels.brightest} of 255", *ends])
        yield SourceFinding(subject="levels", text=text)
    if picture.blank_places:
        text = f"{picture.blank_places} of {picture.places} places show one colour alone"
        yield SourceFinding(subject="blank", text=text)


def _sound(info: MediaInfo, sounds: Sequence[AudioMeasurement]) -> Iterator[SourceFinding]:
    measured = {sound.index: sound for sound in sounds}
    for number, track in enumerate(info.audio, start=1):
        subject = f"sound {number}"
        start_s, end_s = (float(at_s - info.video.start_s) for at_s in (track.start_s, track.end_s))
        channels = "1 channel" if track.channels == 1 else f"{track.channels} channels"
        text = f"{track.codec}, {track.sample_rate_hz} Hz, {channels}"
        yield SourceFinding(
            subject=subject, text=f"{text}, from {start_s:.3f} s to {end_s:.3f} s of the picture"
        )
        yield from _drift(subject, track, info.video)
        if (sound := measured.get(track.index)) is not None:
            yield from _signal(subject, sound, first=number == 1)


def _drift(subject: str, track: AudioTrack, video: VideoTrack) -> Iterator[SourceFinding]:
    if (ratio := drift(track, video)) is not None:
        which = "shorter" if ratio > 1 else "longer"
        text = f"{float(abs(1 - 1 / ratio)):.3%} {which} than the picture: it may drift"
        yield SourceFinding(subject=subject, text=text, confidence=0.5, overrides={"audio.fix_drift": True})


def _signal(subject: str, sound: AudioMeasurement, *, first: bool) -> Iterator[SourceFinding]:
    """What is amiss in one track; a preset is for all of them, so that the first one decides."""

    def finding(text: str, confidence: float | None = None, **overrides: object) -> SourceFinding:
        keys = {f"audio.{key}": value for key, value in overrides.items()} if first else {}
        return SourceFinding(subject=subject, text=text, confidence=confidence, overrides=keys)

    if sound.is_silent:
        yield finding("silent")
        return
    levels = " and ".join(_decibels(channel.level_db) for channel in sound.channels)
    peak = max((channel.peak_db for channel in sound.channels if channel.peak_db is not None), default=None)
    yield finding(f"level {levels} dB, peak {_decibels(peak)} dB")
    if (dead := sound.dead_channel) is not None:
        good = "right" if dead == 0 else "left"
        yield finding(f"only the {good} channel carries sound", 0.9, channels=good)
    elif sound.is_inverted:
        yield finding(
            f"the channels cancel each other out (correlation {sound.correlation})", 0.9, channels="left"
        )
    elif sound.is_twice_the_same:
        yield finding("both channels carry the same")
    humming = [channel for channel in sound.channels if channel.hum_hz]
    if humming:
        loudest = max(humming, key=lambda channel: channel.hum_db or -200.0)
        text = f"hum of {loudest.hum_hz} Hz at {_decibels(loudest.hum_db)} dB"
        yield finding(text, loudest.hum_agreement, hum_hz=loudest.hum_hz)
    hiss = [channel.hiss_db for channel in sound.channels if channel.hiss_db is not None]
    if hiss and max(hiss) > HISS_DB:
        sure = 0.7 if sound.measured_s >= _LONG_ENOUGH_S else 0.4
        yield finding(f"hiss at {_decibels(max(hiss))} dB", sure, denoise_db=_HISS_REDUCTION_DB)
    if (clipped := sum(channel.clipped_samples for channel in sound.channels)) >= _CLIPPED_SAMPLES:
        yield finding(f"clipped: {clipped} samples at full scale in {sound.measured_s:.0f} s")


def _decibels(level: float | None) -> str:
    return "-inf" if level is None else f"{level:.0f}"
