"""What counts as a video, and how FFmpeg may open it."""

import base64
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from vhsbatch.ffmpeg import formats
from vhsbatch.model.source import DiscStream, DvdTitle, InSpans, Joined, PartFile, Piece, Served, Span


@pytest.mark.parametrize("name", ["tape.avi", "TAPE 1.MPG", "a.b.dvr-ms", "x.M2TS", "v.vob"])
def test_videos(name: str) -> None:
    assert formats.is_video(Path(name))


@pytest.mark.parametrize(
    "name", ["notes.txt", "avi", ".avi", "tape.avi.part", "list.m3u8", "cover.jpg", "x.wav"]
)
def test_other_files(name: str) -> None:
    assert not formats.is_video(Path(name))


def test_no_demuxer_that_opens_other_files_is_allowed() -> None:
    allowed = {name for demuxer in formats.DEMUXER_WHITELIST for name in demuxer.split(",")}
    assert allowed.isdisjoint(
        {"concat", "hls", "dash", "webm_dash_manifest", "image2", "lavfi", "sdp", "rtsp", "rtp", "imf"}
        | {"ffmetadata", "tee", "vobsub", "avisynth", "vapoursynth", "dvdvideo", "fbdev", "v4l2", "x11grab"}
    )


def test_every_special_demuxer_is_an_allowed_one() -> None:
    special = (
        formats.SEEKABLE_DEMUXERS
        | formats.LATE_SEEKING_DEMUXERS
        | formats.DECLARING_DEMUXERS
        | formats.UNTIMED_DEMUXERS
    )
    assert special <= set(formats.DEMUXER_WHITELIST)


@pytest.mark.parametrize(
    "name",
    ["-y.avi", "http:x.avi", "a%d.avi", "concat:a|b.avi", "two\nlines.avi", "caf\udce9.avi", "[0] 'x'.avi"],
)
def test_a_name_is_never_an_option_or_a_protocol(name: str) -> None:
    assert formats.file_url(Path("/tapes") / name) == f"file:/tapes/{name}"


def test_a_relative_path_becomes_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert formats.file_url(Path("-i.avi")) == f"file:{tmp_path}/-i.avi"


def test_a_place_is_sought_on_the_containers_clock() -> None:
    arguments = formats.input_arguments(Path("/tapes/a.avi"), from_s=Fraction(20, 3))
    assert arguments[:4] == ("-seek_timestamp", "1", "-ss", "6.666667")


def test_the_input_is_restricted_before_it_is_named() -> None:
    *options, flag, url = formats.input_arguments(Path("/tapes/a.avi"))
    assert tuple(options[:4]) == formats.INPUT_OPTIONS
    assert (flag, url) == ("-i", "file:/tapes/a.avi")
    assert options[options.index("-protocol_whitelist") + 1] == "file"


def test_a_file_of_another_machine_is_read_by_http_and_as_no_other_format() -> None:
    served = Served("http://127.0.0.1:9/x/source.avi")
    options = formats.input_arguments(served, from_s=Fraction(1))
    assert options[options.index("-protocol_whitelist") + 1] == "http,tcp"
    assert options[options.index("-format_whitelist") + 1] == formats.FORMAT_WHITELIST
    assert options[options.index("-http_proxy") + 1] == ""
    assert options[-2:] == ("-i", served.url)


JOINED = Joined(
    parts=tuple(
        PartFile(
            path=Path(f"/tapes/it's {number}.avi"),
            size_bytes=1,
            modified_ns=1,
            picture_s=Fraction(2 * number),
            sound_s=Fraction(2 * number) + Fraction(number, 100),
        )
        for number in range(2)
    ),
    end_s=Fraction(4),
)


def test_files_that_are_joined_are_a_list_that_names_no_others() -> None:
    *options, flag, url = formats.input_arguments(JOINED)
    assert flag == "-i"
    assert options[options.index("-protocol_whitelist") + 1] == "data,file"
    script = base64.b64decode(url.removeprefix("data:text/plain;base64,")).decode()
    first, second = ("file 'file:/tapes/it'\\''s 0.avi'", "file 'file:/tapes/it'\\''s 1.avi'")
    assert script.splitlines() == [
        "ffconcat version 1.0",
        first,
        "duration 2.000000",
        second,
        "duration 2.000000",
    ]
    sound = base64.b64decode(formats.input_url(JOINED, sound=True).partition(",")[2]).decode()
    assert "duration 2.010000" in sound


SPANS = (Span(start=0, stop=10, length_s=Fraction(2)), Span(start=15, stop=20, length_s=Fraction(1, 25)))


@pytest.mark.parametrize(
    ("whole", "protocols", "url"),
    [
        (Path("/tapes/a, b.dv"), "data,subfile,concat,file", "file:/tapes/a, b.dv"),
        (Served("http://127.0.0.1:9/x.dv"), "data,subfile,http,tcp", "http://127.0.0.1:9/x.dv"),
    ],
)
def test_spans_of_a_stream_are_a_list_of_its_parts(whole: Path | Served, protocols: str, url: str) -> None:
    *options, flag, listed = formats.input_arguments(InSpans(whole=whole, spans=SPANS))
    assert flag == "-i"
    assert options[options.index("-protocol_whitelist") + 1] == protocols
    script = base64.b64decode(listed.removeprefix("data:text/plain;base64,")).decode()
    direct = ["option http_proxy ' '", "option seekable 1"] if isinstance(whole, Served) else []
    assert script.splitlines() == [
        *("ffconcat version 1.0", f"file 'subfile,,start,0,end,10,,:{url}'", *direct, "duration 2.000000"),
        *(f"file 'subfile,,start,15,end,20,,:{url}'", *direct, "duration 0.040000"),
    ]


PIECES = tuple(Piece(path=Path(f"/dvd/VTS_01_{number}.VOB"), start=100, stop=200) for number in (1, 2))
TITLE = DvdTitle(
    number=1,
    pieces=PIECES,
    streams=(
        DiscStream(id=0x1E0),
        DiscStream(id=0x80, language="ger"),
        DiscStream(id=0x20, language="eng", palette="palette: ff0000"),
    ),
)
OF_TITLE = (Span(start=0, stop=80, length_s=Fraction(2)), Span(start=80, stop=200, length_s=Fraction(3)))


def test_a_title_of_a_dvd_is_a_list_of_its_bytes_with_its_streams() -> None:
    source = InSpans(whole=Joined(parts=(), title=TITLE), spans=OF_TITLE, title=TITLE)
    *options, _, listed = formats.input_arguments(source)
    assert options[options.index("-protocol_whitelist") + 1] == "data,subfile,concat,file"
    script = base64.b64decode(listed.removeprefix("data:text/plain;base64,")).decode()
    first, second = "file:/dvd/VTS_01_1.VOB", "file:/dvd/VTS_01_2.VOB"
    assert script.splitlines() == [
        *("ffconcat version 1.0", "stream", "exact_stream_id 0x1e0"),
        *("stream", "exact_stream_id 0x80", "stream_meta language ger"),
        *("stream", "exact_stream_id 0x20", "stream_meta language eng", "stream_codec dvd_subtitle"),
        f"stream_extradata {b'palette: ff0000'.hex()}",
        *(f"file 'subfile,,start,100,end,180,,:{first}'", "duration 2.000000"),
        f"file 'concat:subfile,,start,180,end,200,,:{first}|subfile,,start,100,end,200,,:{second}'",
        "duration 3.000000",
    ]


def test_a_title_is_read_from_another_machine_by_the_same_bytes() -> None:
    source = InSpans(whole=Served("http://127.0.0.1:9/x"), spans=OF_TITLE[:1], title=TITLE)
    *options, _, listed = formats.input_arguments(source)
    assert options[options.index("-protocol_whitelist") + 1] == "data,subfile,concat,http,tcp"
    script = base64.b64decode(listed.removeprefix("data:text/plain;base64,")).decode()
    assert "file 'subfile,,start,100,end,180,,:http://127.0.0.1:9/x'\noption http_proxy ' '" in script


def test_bytes_in_a_row_are_read_as_one_file() -> None:
    joined = replace(JOINED, end_s=None)
    *options, _, url = formats.input_arguments(joined)
    assert options[options.index("-format_whitelist") + 1] == formats.FORMAT_WHITELIST
    assert url == "concat:file:/tapes/it's 0.avi|file:/tapes/it's 1.avi"
    assert not formats.can_be_joined(Path("/tapes/a|b.avi"))
