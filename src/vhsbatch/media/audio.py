"""The sound of an output: which tracks are copied, which are encoded, and through which filters."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from vhsbatch.model.media import AudioTrack, VideoTrack
from vhsbatch.model.plan import JobPlan
from vhsbatch.preset_tables import Audio

# Lengths that differ by less are the ends of packets; a difference of more is another cause than drift.
_LEAST_DRIFT_S = Fraction(1, 50)
_LARGEST_DRIFT = Fraction(1, 100)
# Sample rates in which a stretch can be written as a fraction.
_HIGHEST_RATE_HZ = 192_000
# Gaps in the timestamps from this length are filled with silence, as long as a frame of any codec.
_GAP_S = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Loudness:
    """What the `loudnorm` filter measured of a whole track, as texts that it takes again.

    Attributes:
        integrated: loudness in LUFS.
        range: loudness range in LU.
        true_peak: in dBTP.
        threshold: of the gate, in LUFS.
    """

    integrated: str
    range: str
    true_peak: str
    threshold: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioEncode:
    """One track of the output.

    Attributes:
        track: the source's track.
        codec: ``copy``, or FFmpeg's encoder.
        options: the encoder's options as (name, value), for example ``("b", "192k")``.
        filters: FFmpeg's notation of the filter chain, empty for none.
    """

    track: AudioTrack
    codec: str
    options: tuple[tuple[str, str], ...] = ()
    filters: str = ""

    def arguments(self, number: int) -> tuple[str, ...]:
        """The arguments for the output's audio stream `number`, from 0."""
        filters = (f"-filter:a:{number}", self.filters) if self.filters else ()
        options = [word for name, value in self.options for word in (f"-{name}:a:{number}", value)]
        return (f"-c:a:{number}", self.codec, *options, *filters)


def plan_audio(
    plan: JobPlan, loudness: Mapping[int, Loudness], *, copies: bool = True
) -> tuple[AudioEncode, ...]:
    """Every track of the source, in its order.

    Args:
        plan: the plan.
        loudness: what was measured of a track, by its index; without it, a track stays as loud as it is.
        copies: whether tracks may be copied; a damaged one must not be.
    """
    return tuple(
        _plan_track(track, plan, loudness.get(track.index), copies=copies) for track in plan.info.audio
    )


def has_loudness_to_measure(audio: Audio) -> bool:
    """Whether tracks are measured before they are joined with the picture."""
    return audio.loudness_lufs is not None


def loudness_filters(track: AudioTrack, video: VideoTrack, audio: Audio) -> str:
    """What is measured: the track as it is cleaned; the filter prints JSON."""
    return ",".join((*_cleaning(track, video, audio), f"{_loudnorm(track, audio)}:print_format=json"))


def stretch(track: AudioTrack, video: VideoTrack, audio: Audio) -> Fraction | None:
    """How many times longer a track is made; None where it is left as it is."""
    return drift(track, video) if audio.fix_drift else None


def drift(track: AudioTrack, video: VideoTrack) -> Fraction | None:
    """How many times longer a track would have to be, from where it begins, to end with the picture.

    None where it does, or misses that by so much that something else is the matter.
    """
    sound_s, picture_s = (
        track.end_s - track.start_s,
        video.start_s + video.frames / video.rate - track.start_s,
    )
    if sound_s <= 0 or abs(picture_s - sound_s) < _LEAST_DRIFT_S:
        return None
    ratio = picture_s / sound_s
    return ratio if abs(ratio - 1) <= _LARGEST_DRIFT else None


def _plan_track(track: AudioTrack, plan: JobPlan, loudness: Loudness | None, *, copies: bool) -> AudioEncode:
    audio, video, container = plan.preset.audio, plan.info.video, plan.container
    if copies and not _changes(track, video, audio) and can_hold_audio(container, track.codec):
        return AudioEncode(track=track, codec="copy")
    filters = _filters(track, video, audio, loudness)
    if audio.lossless:
        return AudioEncode(track=track, codec=lossless_audio(container, track.codec), filters=filters)
    channels = 1 if _mixes(track, audio) else track.channels
    bitrate_kbps = audio.bitrate_kbps * max(1, channels) // 2
    return AudioEncode(track=track, codec="aac", options=(("b", f"{bitrate_kbps}k"),), filters=filters)


def _changes(track: AudioTrack, video: VideoTrack, audio: Audio) -> bool:
    """Whether a track must be decoded for what the preset asks."""
    cleans = audio.highpass_hz or audio.hum_hz or audio.denoise_db or audio.declick
    levels = audio.loudness_lufs is not None
    stretches = stretch(track, video, audio) is not None
    return bool(cleans or levels or stretches or _mixes(track, audio))


def _mixes(track: AudioTrack, audio: Audio) -> bool:
    return audio.channels != "all" and track.channels == 2


def _filters(track: AudioTrack, video: VideoTrack, audio: Audio, loudness: Loudness | None) -> str:
    """The whole chain of a track that is encoded: gaps filled, cleaned, levelled, as long as it was."""
    chain = _cleaning(track, video, audio)
    if loudness is not None:
        measured = (
            f"measured_I={loudness.integrated}:measured_LRA={loudness.range}"
            f":measured_TP={loudness.true_peak}:measured_thresh={loudness.threshold}"
        )
        # Where the gain would not do without a limiter, loudnorm gives 192 kHz, and some samples more.
        chain += [f"{_loudnorm(track, audio)}:{measured}", f"aresample={track.sample_rate_hz}"]
    length = track.end_s - track.start_s
    samples = round(length * (stretch(track, video, audio) or 1) * track.sample_rate_hz)
    if len(chain) > 1 and samples > 0:
        chain += [f"apad=whole_len={samples}", f"atrim=end_sample={samples}"]
    return ",".join(chain)


def _cleaning(track: AudioTrack, video: VideoTrack, audio: Audio) -> list[str]:
    """The filters before the level is set.

    Filters count samples, and forget timestamps: what is missing is filled with silence before them.
    """
    rate_hz = track.sample_rate_hz
    chain = [f"aresample=async=1:min_hard_comp={_GAP_S}"]
    if _mixes(track, audio):
        mixture = {"left": "c0", "right": "c1", "mono": "0.5*c0+0.5*c1"}[audio.channels]
        chain.append(f"pan=mono|c0={mixture}")
    if (longer := stretch(track, video, audio)) is not None:
        played_hz, kept_hz = _rates(1 / longer, rate_hz)
        chain += [f"aresample={kept_hz}", f"asetrate={played_hz}", f"aresample={rate_hz}"]
    if audio.highpass_hz:
        chain.append(f"highpass=f={audio.highpass_hz}")
    if audio.hum_hz:
        # The mains frequency and its first harmonics.
        chain += [f"bandreject=f={audio.hum_hz * harmonic}:width_type=h:w=4" for harmonic in (1, 2, 3)]
    if audio.declick:
        chain.append("adeclick")
    if audio.denoise_db:
        # afftdn follows the noise floor by itself. What it gives is late by two of its hops, of an
        # eightieth of a second each: as much is added behind, and taken away in front.
        late = 2 * (rate_hz // 80)
        chain += [f"apad=pad_len={late}", f"afftdn=nr={audio.denoise_db}:nf=-40:tn=1"]
        chain += [f"atrim=start_sample={late}", f"asetpts=PTS-{late}/SR/TB"]
    return chain


def _loudnorm(track: AudioTrack, audio: Audio) -> str:
    """The range is left as it is: with the largest one allowed, a gain alone does it where peaks permit."""
    dual_mono = ":dual_mono=1" if track.channels == 1 or _mixes(track, audio) else ""
    return f"loudnorm=I={audio.loudness_lufs:g}:TP=-2:LRA=50{dual_mono}"


def _rates(factor: Fraction, rate_hz: int) -> tuple[int, int]:
    """Two sample rates of which the first is `factor` times the second, both about `rate_hz` or higher.

    >>> _rates(Fraction(1001, 1000), 48000)
    (48048, 48000)
    """
    nearest = factor.limit_denominator(_HIGHEST_RATE_HZ)
    times = -(-rate_hz // nearest.denominator)
    return nearest.numerator * times, nearest.denominator * times


_MP4_AUDIO = frozenset({"aac", "mp3", "ac3", "eac3", "alac", "mp2", "opus", "flac"})
_MOV_AUDIO = frozenset({"aac", "mp3", "ac3", "eac3", "alac", "mp2"})
_MKV_NOT_AUDIO = frozenset({"adpcm_ima_qt", "pcm_dvd", "pcm_bluray"})


def can_hold_audio(container: str, codec: str) -> bool:
    """Whether `container` can hold a track of `codec` as it is, so that players take it."""
    match container:
        case "mp4":
            return codec in _MP4_AUDIO
        case "mov":
            return codec in _MOV_AUDIO or codec.startswith("pcm_")
        case _:
            return codec not in _MKV_NOT_AUDIO


def lossless_audio(container: str, codec: str) -> str:
    """The encoder that keeps every sample of a track of `codec`."""
    if container == "mov":
        return "pcm_s24le" if "24" in codec or "32" in codec else "pcm_s16le"
    return "flac"
