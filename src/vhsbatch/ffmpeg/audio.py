"""The sound of an output: which tracks are copied, which are encoded, and through which filters."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from vhsbatch.config.preset_schema import Audio
from vhsbatch.config.presets import Preset
from vhsbatch.model.media import AudioTrack, MediaInfo, VideoTrack
from vhsbatch.model.plan import JobPlan
from vhsbatch.model.trim import Excerpt

# Lengths that differ by less are the ends of packets; a difference of more is another cause than drift.
_LEAST_DRIFT_S = Fraction(1, 50)
_LARGEST_DRIFT = Fraction(1, 100)
# Sample rates in which a stretch can be written as a fraction.
_HIGHEST_RATE_HZ = 192_000
# Gaps in the timestamps from this length are filled with silence, as long as a frame of any codec.
_GAP_S = 0.02
# AAC knows no other sample rates; above the usual ones many players have nothing to play it with.
_AAC_RATES_HZ = (7350, 8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000)
# FLAC states its sample rate in 16 bits, and above in tens of Hz.
_FLAC_HIGHEST_HZ, _FLAC_EVEN_HZ = 65_535, 655_350
# Its encoder takes the first frame's length for all: 16 to 65,535 samples, and usually as many as here.
_FLAC_FRAME, _FLAC_LEAST = 4096, 16
# More channels are no arrangement of loudspeakers that AAC or FLAC has.
_MOST_CHANNELS = 8
# The highest peak of sound that is levelled, in dBTP.
_PEAK_DB = -2
# loudnorm takes no loudness above 0 LUFS, and takes 0 for none: such a track is brought to this first.
_LOUD_LUFS = -10
# It takes a range of 0 for none as well. The highest range and peak that it takes are far above those with
# which a gain alone does it.
_LEAST_RANGE_LU, _MOST_MEASURED = 0.01, 99

# The levels of noise that afftdn takes.
_LEAST_HISS_DB, _MOST_HISS_DB = -80, -20


@dataclass(frozen=True, slots=True, kw_only=True)
class Loudness:
    """What the `loudnorm` filter measured of a whole track.

    Attributes:
        integrated: loudness in LUFS.
        range: loudness range in LU.
        true_peak: in dBTP.
        threshold: of the gate, in LUFS.
    """

    integrated: float
    range: float
    true_peak: float
    threshold: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredSound:
    """What was measured of tracks before they are encoded, by their index.

    Attributes:
        hiss_db: how loud hiss is, in decibels below full scale; only of tracks that hiss.
        loudness: of tracks that are to be levelled; silence has none.
    """

    hiss_db: Mapping[int, float] = field(default_factory=dict)
    loudness: Mapping[int, Loudness] = field(default_factory=dict)


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


def plan_audio(plan: JobPlan, sound: MeasuredSound, *, copies: bool = True) -> tuple[AudioEncode, ...]:
    """Every track of the source, in its order.

    Args:
        plan: the plan.
        sound: what was measured. A track stays as loud as it is, and keeps its hiss, where that was not.
        copies: whether tracks may be copied; a damaged one must not be.
    """
    return tuple(
        encode
        for track in heard_tracks(plan)
        for encode in _plan_track(
            track,
            plan.info.video,
            plan.preset.audio,
            plan.container,
            sound,
            copies=copies,
            excerpt=plan.excerpt,
        )
    )


def heard_tracks(plan: JobPlan) -> tuple[AudioTrack, ...]:
    """The tracks of the source that are heard in the excerpt."""
    return tuple(
        track
        for track in plan.info.audio
        if _is_heard(track, plan.info.video, plan.preset.audio, plan.excerpt)
    )


def heard(
    track: AudioTrack, video: VideoTrack, audio: Audio, excerpt: Excerpt | None
) -> tuple[Fraction, Fraction]:
    """When a track begins and ends in the result, in seconds from its first picture."""
    start_s = track.start_s - video.start_s + Fraction(audio.offset_ms, 1000)
    end_s = start_s + (track.end_s - track.start_s) * (stretch(track, video, audio) or 1)
    if excerpt is None:
        return start_s, end_s
    start_s = max(start_s - excerpt.from_s, Fraction(0))
    return start_s, (end_s if excerpt.to_s is None else min(end_s, excerpt.to_s)) - excerpt.from_s


def _is_heard(track: AudioTrack, video: VideoTrack, audio: Audio, excerpt: Excerpt | None) -> bool:
    start_s, end_s = heard(track, video, audio, excerpt)
    return excerpt is None or end_s > start_s


def audio_notes(
    info: MediaInfo, preset: Preset, container: str, excerpt: Excerpt | None = None
) -> Iterator[str]:
    """What a mode does to all tracks, and what becomes of those that cannot stay as they are, a line each."""
    if info.audio and preset.audio.mode is not None:
        yield _mode_note(preset.audio)
    for number, track in enumerate(info.audio, start=1):
        name = f"audio track {number}"
        if not _is_heard(track, info.video, preset.audio, excerpt):
            yield f"{name} left out, which has no sound in this excerpt"
            continue
        encodes = _plan_track(
            track, info.video, preset.audio, container, MeasuredSound(), copies=True, excerpt=excerpt
        )
        codec = encodes[0].codec
        if track.undecoded_packets:
            at_s = track.undecoded_at_s
            place = "" if at_s is None else f", the first at {float(at_s - info.video.start_s):.1f} s"
            yield (
                f"{name} is damaged, packets that do not decode: {track.undecoded_packets}{place}; "
                "encoded instead of copied"
            )
        if track.changes_at_s is not None:
            at_s = track.changes_at_s - info.video.start_s
            yield (
                f"{name} changes its sample rate or its channels at {float(at_s):.1f} s: "
                f"made {track.sample_rate_hz} Hz with {track.channels} channels throughout"
            )
        rate_hz = encoded_rate_hz(codec, track.sample_rate_hz)
        if rate_hz != track.sample_rate_hz:
            yield f"{name} resampled: {codec} cannot hold its {track.sample_rate_hz} Hz, but {rate_hz} Hz"
        if len(encodes) > 1:
            yield f"{name} has {track.channels} channels, more than {codec} holds: made {len(encodes)} tracks"


def _mode_note(audio: Audio) -> str:
    done = (
        f"rumble below {audio.highpass_hz} Hz removed" if audio.highpass_hz else "",
        f"hum of {audio.hum_hz} Hz removed" if audio.hum_hz else "",
        f"hiss reduced by up to {audio.denoise_db} dB" if audio.denoise_db else "",
        "clicks repaired" if audio.declick else "",
        f"loudness {audio.loudness_lufs:g} LUFS" if audio.loudness_lufs is not None else "",
    )
    return f"audio mode {audio.mode}: {', '.join(filter(None, done)) or 'nothing is changed'}"


def encoded_rate_hz(codec: str, rate_hz: int) -> int:
    """The sample rate in which `codec`, FFmpeg's encoder or ``copy``, holds a track of `rate_hz`.

    >>> [encoded_rate_hz("aac", rate) for rate in (8000, 37_800, 48_000, 96_000, 176_400, 192_000)]
    [8000, 44100, 48000, 96000, 44100, 48000]
    >>> encoded_rate_hz("flac", 192_000), encoded_rate_hz("pcm_s16le", 192_000)
    (192000, 192000)
    """
    if codec == "aac" and rate_hz not in _AAC_RATES_HZ:
        usual_hz = 44_100 if rate_hz % 44_100 == 0 else 48_000
        return min((rate for rate in _AAC_RATES_HZ if rate_hz <= rate <= usual_hz), default=usual_hz)
    if codec == "flac" and rate_hz > _FLAC_HIGHEST_HZ and (rate_hz % 10 or rate_hz > _FLAC_EVEN_HZ):
        return _HIGHEST_RATE_HZ
    return rate_hz


def has_loudness_to_measure(audio: Audio) -> bool:
    """Whether tracks are measured before they are joined with the picture."""
    return audio.loudness_lufs is not None


def loudness_filters(
    track: AudioTrack, video: VideoTrack, audio: Audio, excerpt: Excerpt | None, hiss_db: float | None
) -> str:
    """What is measured: the track as it is cleaned and cut; the filter prints JSON."""
    rate_hz = track.sample_rate_hz
    cleaning = (*_cleaning(track, video, audio, rate_hz, hiss_db), *_of_excerpt(excerpt, rate_hz))
    return ",".join((*cleaning, f"{_loudnorm(track, audio)}:print_format=json"))


def stretch(track: AudioTrack, video: VideoTrack, audio: Audio) -> Fraction | None:
    """How many times longer a track is made; None where it is left as it is."""
    return drift(track, video) if audio.fix_drift else None


def drift(track: AudioTrack, video: VideoTrack) -> Fraction | None:
    """How many times longer a track would have to be, from where it begins, to end with the picture.

    None where it does, or where the difference is too large to be drift.
    """
    sound_s, picture_s = (
        track.end_s - track.start_s,
        video.start_s + video.frames / video.rate - track.start_s,
    )
    if sound_s <= 0 or abs(picture_s - sound_s) < _LEAST_DRIFT_S:
        return None
    ratio = picture_s / sound_s
    return ratio if abs(ratio - 1) <= _LARGEST_DRIFT else None


def _plan_track(
    track: AudioTrack,
    video: VideoTrack,
    audio: Audio,
    container: str,
    sound: MeasuredSound,
    *,
    copies: bool,
    excerpt: Excerpt | None,
) -> tuple[AudioEncode, ...]:
    """A track as it comes into the output; one with very many channels in pairs of them."""
    whole = track.undecoded_packets == 0 and track.changes_at_s is None
    could_stay = whole and not _changes(track, video, audio) and can_hold_audio(container, track.codec)
    if copies and could_stay and excerpt is None:
        return (AudioEncode(track=track, codec="copy"),)
    codec = lossless_audio(container, track.codec) if audio.lossless else "aac"
    if could_stay and excerpt is not None and is_lossless(track.codec):
        # Packets cannot be cut at a sample; the samples stay the same all the same.
        codec = track.codec
    rate_hz = encoded_rate_hz(codec, track.sample_rate_hz)
    loudness, hiss_db = sound.loudness.get(track.index), sound.hiss_db.get(track.index)
    level = [] if loudness is None else _levelling(track, audio, loudness, rate_hz)
    if track.channels <= _MOST_CHANNELS or codec.startswith("pcm_"):
        channels = 1 if _mixes(track, audio) else track.channels
        filters = _filters(track, video, audio, level, rate_hz, hiss_db=hiss_db, codec=codec, excerpt=excerpt)
        return (
            AudioEncode(track=track, codec=codec, options=_bitrate(codec, audio, channels), filters=filters),
        )
    if loudness is not None:
        level = [_gain(audio, loudness)]
    filters = _filters(track, video, audio, level, rate_hz, hiss_db=hiss_db, codec=codec, excerpt=excerpt)
    pairs = [range(first, min(first + 2, track.channels)) for first in range(0, track.channels, 2)]
    return tuple(
        AudioEncode(
            track=track,
            codec=codec,
            options=_bitrate(codec, audio, len(pair)),
            filters=f"{_picked(pair)},{filters}",
        )
        for pair in pairs
    )


def _picked(channels: range) -> str:
    layout = "mono" if len(channels) == 1 else "stereo"
    return "|".join((f"pan={layout}", *(f"c{place}=c{channel}" for place, channel in enumerate(channels))))


def _bitrate(codec: str, audio: Audio, channels: int) -> tuple[tuple[str, str], ...]:
    return (("b", f"{audio.bitrate_kbps * max(1, channels) // 2}k"),) if codec == "aac" else ()


def _changes(track: AudioTrack, video: VideoTrack, audio: Audio) -> bool:
    """Whether a track must be decoded for what the preset asks."""
    cleans = audio.highpass_hz or audio.hum_hz or audio.denoise_db or audio.declick
    levels = audio.loudness_lufs is not None
    stretches = stretch(track, video, audio) is not None
    return bool(cleans or levels or stretches or _mixes(track, audio))


def _mixes(track: AudioTrack, audio: Audio) -> bool:
    return audio.channels != "all" and track.channels == 2


def _filters(
    track: AudioTrack,
    video: VideoTrack,
    audio: Audio,
    level: Sequence[str],
    rate_hz: int,
    *,
    hiss_db: float | None,
    codec: str,
    excerpt: Excerpt | None,
) -> str:
    """The whole chain of a track that is encoded: gaps filled, cleaned, levelled, as long as it was."""
    chain = [*_cleaning(track, video, audio, rate_hz, hiss_db), *_of_excerpt(excerpt, rate_hz), *level]
    start_s, end_s = heard(track, video, audio, excerpt)
    samples = (
        round(end_s * rate_hz) - round(start_s * rate_hz) if excerpt else round((end_s - start_s) * rate_hz)
    )
    if codec == "flac":
        samples = max(samples, _FLAC_LEAST)
    if len(chain) > 1 and samples > 0:
        chain += [f"apad=whole_len={samples}", f"atrim=end_sample={samples}"]
    if codec == "flac":
        chain.append(f"asetnsamples=n={_FLAC_FRAME}:p=0")
    return ",".join(chain)


def _of_excerpt(excerpt: Excerpt | None, rate_hz: int) -> list[str]:
    """The filters that leave the samples of an excerpt, and count time from its beginning."""
    if excerpt is None:
        return []
    first = round(excerpt.from_s * rate_hz)
    stop = "" if excerpt.to_s is None else f":end_pts={round(excerpt.to_s * rate_hz)}"
    # Without a word, a filter before these resamples to the rate that one after them takes.
    rate = f"aformat=sample_rates={rate_hz}"
    return [rate, f"atrim=start_pts={first}{stop}", f"asetpts=PTS-{first}"]


def _cleaning(
    track: AudioTrack, video: VideoTrack, audio: Audio, rate_hz: int, hiss_db: float | None
) -> list[str]:
    """The filters before the level is set, with which the track comes to `rate_hz`.

    Filters count samples, and forget timestamps: what is missing is filled with silence before them.
    """
    rate = "" if rate_hz == track.sample_rate_hz else f"{rate_hz}:"
    chain = [f"aresample={rate}async=1:min_hard_comp={_GAP_S}"]
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
    if audio.denoise_db and hiss_db is not None:
        # Where afftdn follows the noise by itself, it leaves loud hiss and takes music for hiss. What it
        # gives is late by two of its hops, of an eightieth of a second each: as much is added at the end,
        # and removed at the start.
        late = 2 * (rate_hz // 80)
        floor_db = min(max(round(hiss_db), _LEAST_HISS_DB), _MOST_HISS_DB)
        chain += [f"apad=pad_len={late}", f"afftdn=nr={audio.denoise_db}:nf={floor_db}"]
        chain += [f"atrim=start_sample={late}", f"asetpts=PTS-{late}/SR/TB"]
    return chain


def _levelling(track: AudioTrack, audio: Audio, loudness: Loudness, rate_hz: int) -> list[str]:
    """The filters that bring a track to its loudness.

    Where the gain would not do without a limiter, loudnorm gives 192 kHz, and some samples more. Its
    timestamps are wrong after frames of another length, as where a gap was filled.
    """
    lower_db = loudness.integrated - _LOUD_LUFS if loudness.integrated >= 0 else 0
    first = [f"volume={-lower_db:.2f}dB"] if lower_db else []
    measured = (
        f"measured_I={loudness.integrated - lower_db:.2f}"
        f":measured_LRA={min(max(loudness.range, _LEAST_RANGE_LU), _MOST_MEASURED):.2f}"
        f":measured_TP={min(loudness.true_peak - lower_db, _MOST_MEASURED):.2f}"
        f":measured_thresh={loudness.threshold - lower_db:.2f}"
    )
    level = f"{_loudnorm(track, audio)}:{measured}"
    return [*first, level, f"aresample={rate_hz}", "asetpts=STARTPTS+N/SR/TB"]


def _gain(audio: Audio, loudness: Loudness) -> str:
    """One gain for all parts of a track, some of which may be silent: loudnorm would level each by itself."""
    wanted_db = (audio.loudness_lufs or 0.0) - loudness.integrated
    return f"volume={min(wanted_db, _PEAK_DB - loudness.true_peak):.2f}dB"


def _loudnorm(track: AudioTrack, audio: Audio) -> str:
    """The range is left as it is: with the largest one allowed, a gain alone does it where peaks permit."""
    dual_mono = ":dual_mono=1" if track.channels == 1 or _mixes(track, audio) else ""
    return f"loudnorm=I={audio.loudness_lufs:g}:TP={_PEAK_DB}:LRA=50{dual_mono}"


def _rates(factor: Fraction, rate_hz: int) -> tuple[int, int]:
    """Two sample rates of which the first is `factor` times the second, both about `rate_hz` or higher.

    >>> _rates(Fraction(1001, 1000), 48000)
    (48048, 48000)
    """
    nearest = factor.limit_denominator(_HIGHEST_RATE_HZ)
    times = -(-rate_hz // nearest.denominator)
    return nearest.numerator * times, nearest.denominator * times


_PCM = frozenset(
    f"pcm_{kind}" for kind in ("u8", "s16le", "s24le", "s32le", "s16be", "s24be", "f32le", "f64le")
)
_MP4_AUDIO = frozenset({"aac", "mp3", "ac3", "eac3", "alac", "mp2", "opus", "flac"})
_MOV_AUDIO = _PCM | {
    *("aac", "mp3", "ac3", "eac3", "alac", "mp2"),
    *("pcm_s8", "pcm_s32be", "pcm_f32be", "pcm_f64be", "pcm_alaw", "pcm_mulaw"),
}
_MKV_AUDIO = _PCM | {
    *("aac", "mp3", "ac3", "eac3", "alac", "mp2", "opus", "flac", "vorbis", "dts", "truehd", "mlp", "tta"),
    *("wavpack", "wmav1", "wmav2", "wmapro", "wmalossless", "pcm_alaw", "pcm_mulaw", "pcm_s32be"),
    *("adpcm_ms", "adpcm_ima_wav", "gsm_ms", "cook", "sipr", "atrac3", "ralf", "ra_144", "ra_288"),
}


def is_lossless(codec: str) -> bool:
    """Whether FFmpeg's encoder of the same name gives back the very samples."""
    return codec.startswith("pcm_") or codec in ("alac", "flac")


def can_hold_audio(container: str, codec: str) -> bool:
    """Whether `container` can hold a track of `codec` as it is, so that players take it."""
    return codec in {"mp4": _MP4_AUDIO, "mov": _MOV_AUDIO}.get(container, _MKV_AUDIO)


def lossless_audio(container: str, codec: str) -> str:
    """The encoder that keeps every sample of a track of `codec`."""
    if container == "mov":
        return "pcm_s24le" if "24" in codec or "32" in codec else "pcm_s16le"
    return "flac"
