"""FFmpeg command lines of an output: joined from its segments, its sound measured, then read back."""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import groupby
from pathlib import Path

from vhsbatch.ffmpeg.audio import AudioEncode, heard_tracks, loudness_filters
from vhsbatch.ffmpeg.formats import file_url, input_options, input_url
from vhsbatch.ffmpeg.segment_commands import PROGRESS, QUIET
from vhsbatch.ffmpeg.stream_mapping import (
    caption_arguments,
    chapters_input,
    date_arguments,
    subtitle_arguments,
    timecode_arguments,
)
from vhsbatch.model.media import AudioTrack
from vhsbatch.model.plan import JobPlan
from vhsbatch.model.timeline import TICKS_PER_S

_A_LITTLE_S = Fraction(1, 1000)
# A decoder that forgives nothing.
STRICT = ("-xerror", "-err_detect", "explode")
# Of the bytes of all packets of a stream; it is to find accidents, not forgeries.
_PACKET_DIGEST = ("-f", "streamhash", "-hash", "murmur3", "pipe:1")


def join_command(
    ffmpeg: str,
    plan: JobPlan,
    concat_script: Path,
    audio: Sequence[AudioEncode],
    output: Path,
    *,
    retimed: Path | None = None,
    captions: Path | None = None,
) -> tuple[str, ...]:
    """Join the segments, add the source's sound at its own time, keep titles, chapters and subtitles.

    All inputs keep their own clock (`-copyts`): the joined picture begins at 0, and the source is
    shifted by the time of its first picture, which thereby falls on 0 too; its sound, which is read from an
    input of its own, also by what the preset asks. The digest of the packets that were read from the
    segments goes to stdout. Where frames keep their own times, the picture is joined already, in `retimed`.
    Tracks that change on the way come on stdin, from `uniform_command`. The file of captions is on the
    clock of the output.
    """
    source = plan.info.source
    # Sound is cut by its own filters, which count samples from the source's first picture.
    sound_shift_s = _sound_shift_s(plan)
    shift_s = -float(plan.info.video.start_s + plan.from_s)
    changing = changing_tracks(plan)
    of_title = chapters_input(plan.info)
    further = 4 if changing else 3
    titles = further if _titles(plan) else 2
    chapters = further if of_title else 2
    last = further + bool(_titles(plan)) + bool(of_title)
    return (
        *(ffmpeg, *QUIET, *PROGRESS, *tolerance(plan), "-copyts"),
        *(("-f", "concat", "-safe", "0") if retimed is None else ()),
        *("-protocol_whitelist", "file", "-i", file_url(retimed or concat_script)),
        *("-itsoffset", f"{sound_shift_s:.9f}", *input_options(source), "-vn", "-sn", "-dn"),
        *("-i", input_url(source, sound=True)),
        *("-itsoffset", f"{shift_s:.9f}", *input_options(source), "-vn", "-an", "-dn"),
        *("-i", input_url(source)),
        *(("-itsoffset", f"{sound_shift_s:.9f}", *_FROM_STDIN) if changing else ()),
        *_titles(plan),
        *(("-itsoffset", f"{shift_s:.9f}", *of_title) if of_title else ()),
        *(() if captions is None else (*_SRT, "-i", file_url(captions))),
        *("-map", "0:v:0", "-c:v", "copy", *_tag(plan)),
        *_sound_arguments(audio, changing),
        *subtitle_arguments(plan, 2),
        *(() if captions is None else caption_arguments(plan, last)),
        *("-map_metadata", str(titles), "-map_chapters", str(chapters)),
        *timecode_arguments(plan),
        *date_arguments(plan),
        *_container(plan),
        *_end(plan),
        *("-y", file_url(output)),
        *("-map", "0:v:0", "-c:v", "copy", *_PACKET_DIGEST),
    )


def _sound_shift_s(plan: JobPlan) -> float:
    """By how much the source's sound is moved, so that its clock begins with the first picture."""
    return -float(plan.info.video.start_s) + plan.preset.audio.offset_ms / 1000


def _end(plan: JobPlan) -> tuple[str, ...]:
    """Where chapters and subtitles end; a little late, as picture and sound are cut exactly already."""
    if plan.excerpt is None or plan.excerpt.to_s is None:
        return ()
    return ("-t", f"{float(plan.excerpt.to_s - plan.excerpt.from_s + _A_LITTLE_S):.6f}")


def _titles(plan: JobPlan) -> tuple[str, ...]:
    """A list of files has no titles of its own: those of the first file are kept."""
    joined = plan.info.joined
    if joined is None or joined.in_a_row:
        return ()
    return (*input_options(plan.info.path), "-vn", "-an", "-sn", "-dn", "-i", file_url(plan.info.path))


def _sound_arguments(audio: Sequence[AudioEncode], changing: Sequence[AudioTrack]) -> tuple[str, ...]:
    """FFmpeg's arguments for the output's sound, in its order.

    One filter graph splits a track that becomes several. FFmpeg can hang when one decoder feeds several
    graphs while another track's filters hold back their sound.
    """
    words: list[str] = []
    number = 0
    for track, group in groupby(audio, key=lambda encode: encode.track):
        encodes, place = tuple(group), _place(track, changing, 1, 3)
        if len(encodes) == 1:
            words += ("-map", place, *encodes[0].arguments(number))
        else:
            numbers = range(number, number + len(encodes))
            split = "".join(f"[split{each}]" for each in numbers)
            chains = [
                f"[split{each}]{encode.filters}[sound{each}]"
                for each, encode in zip(numbers, encodes, strict=True)
            ]
            words += ("-filter_complex", ";".join([f"[{place}]asplit={len(encodes)}{split}", *chains]))
            for each, encode in zip(numbers, encodes, strict=True):
                # A filter graph drops the language and the title.
                tags = (f"-map_metadata:s:a:{each}", place.replace(":", ":s:"))
                words += ("-map", f"[sound{each}]", *tags, *replace(encode, filters="").arguments(each))
        number += len(encodes)
    return tuple(words)


def tolerance(plan: JobPlan) -> tuple[str, ...]:
    """Sound of which most is damaged is kept as far as it goes; FFmpeg would give up."""
    return ("-max_error_rate", "1") if any(track.undecoded_packets for track in plan.info.audio) else ()


def _tag(plan: JobPlan) -> tuple[str, ...]:
    """HEVC is called hvc1 in MP4 and MOV, or Apple's players refuse it."""
    hevc = plan.encoder.startswith("hevc") or plan.encoder == "libx265"
    return ("-tag:v", "hvc1") if hevc and plan.container in ("mp4", "mov") else ()


def _container(plan: JobPlan) -> tuple[str, ...]:
    if plan.container == "mkv":
        return ("-f", "matroska")
    # The index goes to the front, so that a player can start before it has the whole file.
    return (
        "-f",
        plan.container,
        "-movflags",
        "+faststart+write_colr",
        "-video_track_timescale",
        _timescale(plan),
    )


def _timescale(plan: JobPlan) -> str:
    """Ticks per second in which every frame time is a whole number."""
    scale = plan.rate.numerator if plan.shown_s is None else TICKS_PER_S
    while scale < 10_000:
        scale *= 2
    return str(scale)


def changing_tracks(plan: JobPlan) -> tuple[AudioTrack, ...]:
    """Tracks whose sample rate or channels change, which filters would take for the end of one track."""
    return tuple(track for track in plan.info.audio if track.changes_at_s is not None)


def uniform_command(ffmpeg: str, plan: JobPlan, tracks: Sequence[AudioTrack]) -> tuple[str, ...]:
    """Decode tracks that change; each has one sample rate and as many channels throughout, on stdout."""
    maps = [
        word
        for number, track in enumerate(tracks)
        for word in (
            *("-map", f"0:{track.index}"),
            *(f"-ar:a:{number}", str(track.sample_rate_hz), f"-ac:a:{number}", str(track.channels)),
        )
    ]
    return (
        *(ffmpeg, *QUIET, *tolerance(plan), "-copyts", *input_options(plan.info.source)),
        *("-vn", "-sn", "-dn", "-i", input_url(plan.info.source, sound=True)),
        *(*maps, "-c:a", "pcm_f32le", "-f", "nut", "pipe:1"),
    )


_SRT = ("-protocol_whitelist", "file", "-f", "srt")
_FROM_STDIN = ("-protocol_whitelist", "pipe", "-f", "nut", "-i", "pipe:0")


def _place(track: AudioTrack, changing: Sequence[AudioTrack], source: int, stdin: int) -> str:
    """Where a track is found: in FFmpeg's input number `source`, or among those in number `stdin`."""
    return f"{stdin}:{changing.index(track)}" if track in changing else f"{source}:{track.index}"


def loudness_command(ffmpeg: str, plan: JobPlan, track: AudioTrack, hiss_db: float | None) -> tuple[str, ...]:
    """Decode a track to nothing and print how loud it is once it is cleaned; one that changes is on stdin."""
    changing = (track,) if track in changing_tracks(plan) else ()
    source = plan.info.source
    from_file = (*input_options(source), "-vn", "-sn", "-dn", "-i", input_url(source, sound=True))
    clock = () if plan.excerpt is None else ("-copyts", "-itsoffset", f"{_sound_shift_s(plan):.9f}")
    return (
        *(ffmpeg, "-hide_banner", "-nostdin", "-nostats", "-loglevel", "info", *tolerance(plan), *clock),
        *(_FROM_STDIN if changing else from_file),
        *("-map", _place(track, changing, 0, 0)),
        *("-af", loudness_filters(track, plan.info.video, plan.preset.audio, plan.excerpt, hiss_db)),
        *("-f", "null", "-"),
    )


def check_command(ffmpeg: str, path: Path, *, threads: int) -> tuple[str, ...]:
    """Decode every stream of one of our own files to nothing; errors end it.

    Deblocking is left out: it reads nothing from the file, so that nothing can fail in it.
    """
    return (
        *(ffmpeg, *QUIET, *PROGRESS, *STRICT, "-threads", str(threads), "-skip_loop_filter", "all"),
        *("-protocol_whitelist", "file", "-i", file_url(path)),
        # Frames of variable rate have times between those of any rate.
        *("-map", "0:v:0", "-map", "0:a?", "-fps_mode", "passthrough"),
        *("-enc_time_base:v", f"1:{TICKS_PER_S}", "-f", "null", "-"),
    )


def reread_command(ffmpeg: str, plan: JobPlan, path: Path) -> tuple[str, ...]:
    """Read a joined file back: the digest of its video packets to stdout, its sound decoded to nothing.

    FFmpeg reads H.264 from a list of files in another notation than from one file, so that is put into
    the same notation.
    """
    is_h264 = plan.encoder == "libx264" or plan.encoder.startswith("h264")
    notation = ("-bsf:v", "h264_mp4toannexb") if is_h264 else ()
    return (
        *(ffmpeg, *QUIET, *PROGRESS, *STRICT, "-protocol_whitelist", "file", "-i", file_url(path)),
        *("-map", "0:v:0", "-c:v", "copy", *notation, *_PACKET_DIGEST),
        *(("-map", "0:a", "-f", "null", "-") if heard_tracks(plan) else ()),
    )
