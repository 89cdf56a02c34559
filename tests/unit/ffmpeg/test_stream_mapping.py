"""What each container keeps, and what is said of the rest."""

import base64
from fractions import Fraction

import pytest

import make
from vhsbatch.config.presets import Preset
from vhsbatch.ffmpeg.recipe import resolve
from vhsbatch.ffmpeg.stream_mapping import chapters_input, kept_subtitles, left_out, timecode
from vhsbatch.model.media import FieldOrder, MediaInfo, SubtitleTrack, Telecine
from vhsbatch.model.recipe import Recipe
from vhsbatch.model.source import DvdTitle, Joined

PRESET = Preset(name="p")
DISC = make.info(
    subtitles=(
        SubtitleTrack(index=2, codec="dvd_subtitle"),
        SubtitleTrack(index=3, codec="subrip"),
        SubtitleTrack(index=4, codec="eia_608"),
    ),
    other_streams=1,
)


def recipe_of(source: MediaInfo) -> Recipe:
    return resolve(source.video, PRESET)


def test_each_container_keeps_the_subtitles_that_it_can() -> None:
    kept = {
        container: [(track.index, codec) for track, codec in kept_subtitles(DISC, container)]
        for container in ("mp4", "mov", "mkv")
    }
    assert kept == {"mp4": [(3, "mov_text")], "mov": [(3, "mov_text")], "mkv": [(2, "copy"), (3, "copy")]}


def test_the_chapters_of_a_dvd_title_are_an_input_of_their_own() -> None:
    assert chapters_input(make.info()) == ()
    title = DvdTitle(number=1, pieces=(), streams=(), chapters_s=(Fraction(1, 2), Fraction(3)))
    track = make.track(frames=250, rate=Fraction(25), start_s=Fraction(1, 2))
    info = make.info(track, joined=Joined(parts=(), title=title))
    *options, flag, url = chapters_input(info)
    assert (options[-1], flag) == ("ffmetadata", "-i")
    assert base64.b64decode(url.partition(",")[2]).decode().splitlines() == [
        ";FFMETADATA1",
        *("[CHAPTER]", "TIMEBASE=1/1000000", "START=500000", "END=3000000", "title=Chapter 1"),
        *("[CHAPTER]", "TIMEBASE=1/1000000", "START=3000000", "END=10500000", "title=Chapter 2"),
    ]


def test_what_is_left_out_is_said() -> None:
    assert list(left_out(DISC, recipe_of(DISC), "mp4")) == [
        "subtitles left out, which mp4 cannot hold: dvd_subtitle, eia_608",
        "streams left out that are neither video, audio nor subtitles: 1",
    ]
    pictures = make.info(subtitles=(SubtitleTrack(index=2, codec="hdmv_pgs_subtitle"),))
    assert list(left_out(pictures, recipe_of(pictures), "mov")) == [
        'subtitles left out, which mov cannot hold: hdmv_pgs_subtitle; container = "mkv" holds them'
    ]
    assert list(left_out(pictures, recipe_of(pictures), "mkv")) == []


def test_what_a_file_says_of_itself_is_kept_or_told() -> None:
    source = make.info(tags=("creation_time", "encoder", "lyrics-eng", "tape_id", "title"), pictures=1)
    assert list(left_out(source, recipe_of(source), "mp4")) == [
        "still pictures left out, such as covers: 1",
        "tags left out, which mp4 cannot hold: tape_id; mkv holds them",
    ]
    assert "lyrics-eng, tape_id" in list(left_out(source, recipe_of(source), "mov"))[1]
    assert len(list(left_out(source, recipe_of(source), "mkv"))) == 1


@pytest.mark.parametrize(
    ("order", "telecine", "stated", "counted"),
    [
        (FieldOrder.BFF, Telecine.NONE, "00:00:02;17", "00:00:02;34"),
        (FieldOrder.PROGRESSIVE, Telecine.NONE, "00:00:02;17", "00:00:02;17"),
        (FieldOrder.TFF, Telecine.HARD, "00:00:02;17", None),
        (FieldOrder.TFF, Telecine.NONE, "nonsense", None),
        (FieldOrder.TFF, Telecine.NONE, "01:02:03:04", "01:02:03:08"),
        (FieldOrder.TFF, Telecine.NONE, None, None),
    ],
)
def test_a_timecode_counts_the_frames_of_the_output(
    order: FieldOrder, telecine: Telecine, stated: str | None, counted: str | None
) -> None:
    source = make.info(make.track(field_order=order, telecine=telecine), timecode=stated)
    assert timecode(source, recipe_of(source)) == counted
    told = [note for note in left_out(source, recipe_of(source), "mp4") if "timecode" in note]
    assert bool(told) == (stated is not None and counted is None)


@pytest.mark.parametrize(
    ("stated", "from_frame", "counted"),
    [
        ("00:00:59:28", 0, "00:00:59:56"),
        ("00:00:59:28", 3, "00:01:00:02"),
        ("23:59:59:29", 1, "00:00:00:00"),
        ("01:00:59;28", 2, "01:01:00;04"),
        ("01:08:59;28", 2, "01:09:00;04"),
        ("01:09:59;28", 2, "01:10:00;00"),
        ("00:00:00;00", 107_892, "01:00:00;00"),
    ],
)
def test_a_timecode_counts_on_from_where_a_part_begins(stated: str, from_frame: int, counted: str) -> None:
    source = make.info(make.track(field_order=FieldOrder.TFF), timecode=stated)
    assert timecode(source, recipe_of(source), from_frame / make.NTSC_RATE) == counted


def test_a_timecode_that_leaves_numbers_out_needs_the_rate_for_it() -> None:
    pal = make.track(rate=Fraction(25), field_order=FieldOrder.TFF)
    assert timecode(make.info(pal, timecode="00:00:02;17"), resolve(pal, PRESET)) is None
    assert timecode(make.info(pal, timecode="00:00:02:17"), resolve(pal, PRESET)) == "00:00:02:34"
