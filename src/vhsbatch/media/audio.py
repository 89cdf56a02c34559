"""The sound of an output: which tracks are copied, which are encoded, and through which filters."""

from dataclasses import dataclass

from vhsbatch.model.media import AudioTrack
from vhsbatch.model.plan import JobPlan
from vhsbatch.presets import Audio


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


def plan_audio(plan: JobPlan) -> tuple[AudioEncode, ...]:
    """Every track of the source, in its order."""
    return tuple(_plan_track(track, plan.container, plan.preset.audio) for track in plan.info.audio)


def cleaning_filters(audio: Audio, sample_rate_hz: int) -> str:
    """The preset's filter chain in FFmpeg's notation; empty where nothing is cleaned.

    Hum is the mains frequency and its first harmonics; `afftdn` follows the noise floor by itself.
    """
    chain: list[str] = []
    if audio.highpass_hz:
        chain.append(f"highpass=f={audio.highpass_hz}")
    if audio.hum_hz:
        chain += [f"bandreject=f={audio.hum_hz * harmonic}:width_type=h:w=4" for harmonic in (1, 2, 3)]
    if audio.declick:
        chain.append("adeclick")
    if audio.denoise_db:
        chain.append(f"afftdn=nr={audio.denoise_db}:nf=-40:tn=1")
    if audio.loudness_lufs is not None:
        # loudnorm gives 192 kHz whatever it gets.
        chain += [f"loudnorm=I={audio.loudness_lufs:g}:TP=-2:LRA=11", f"aresample={sample_rate_hz}"]
    return ",".join(chain)


def _plan_track(track: AudioTrack, container: str, audio: Audio) -> AudioEncode:
    filters = cleaning_filters(audio, track.sample_rate_hz)
    if not filters and can_hold_audio(container, track.codec):
        return AudioEncode(track=track, codec="copy")
    if audio.lossless:
        return AudioEncode(track=track, codec=lossless_audio(container, track.codec), filters=filters)
    bitrate_kbps = audio.bitrate_kbps * max(1, track.channels) // 2
    return AudioEncode(track=track, codec="aac", options=(("b", f"{bitrate_kbps}k"),), filters=filters)


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
