"""A title of a DVD."""

from fractions import Fraction
from pathlib import Path

import pytest

from discs import SECTOR, TableCell, disc_table, image, set_table, small_disc, unit, write_folder
from vhsbatch.errors import InputError
from vhsbatch.model.source import title_number, title_path
from vhsbatch.probe.dvd_disc import open_disc
from vhsbatch.probe.dvd_title import Times, as_read, in_spans, layout, layout_of, repeated_by, titles_of


def test_a_clock_that_begins_anew_begins_a_part(tmp_path: Path) -> None:
    disc = open_disc(write_folder(tmp_path, small_disc()))
    (title,) = titles_of(disc)
    laid = layout(disc, title)
    assert [(clock.start, clock.stop, clock.last_unit) for clock in laid.clocks] == [
        (0, 2 * SECTOR, 0),
        (2 * SECTOR, 4 * SECTOR, 2 * SECTOR),
    ]
    assert laid.chapters == ((0, 1000), (1, 1000))


def test_a_clock_that_goes_on_is_one_part(tmp_path: Path) -> None:
    files = small_disc()
    files["VTS_01_1.VOB"] = unit(1000, 91_000) + bytes(SECTOR) + unit(91_000, 181_000) + bytes(SECTOR)
    disc = open_disc(write_folder(tmp_path, files))
    laid = layout(disc, titles_of(disc)[0])
    assert [(clock.start, clock.stop, clock.begins, clock.ends) for clock in laid.clocks] == [
        (0, 4 * SECTOR, 1000, 181_000)
    ]
    assert laid.chapters == ((0, 1000), (0, 91_000))


def test_a_layout_can_be_passed_on(tmp_path: Path) -> None:
    iso = tmp_path / "a \udcff.iso"
    iso.write_bytes(image(small_disc()))
    disc = open_disc(iso)
    laid = layout(disc, titles_of(disc)[0])
    assert layout_of(laid.as_json) == laid


def test_the_picture_of_a_part_follows_that_of_the_one_before(tmp_path: Path) -> None:
    disc = open_disc(write_folder(tmp_path, small_disc()))
    laid = layout(disc, titles_of(disc)[0])
    tick = Fraction(1000, 90_000)
    # Sound begins before the picture of the second part, by a hundredth of a second.
    times = [
        Times(start_s=tick, end_s=tick + 1),
        Times(start_s=tick - Fraction(1, 100), end_s=tick + 1),
    ]
    first, second = in_spans(laid, times)
    assert first.length_s == 1 - Fraction(1, 100)
    assert second.length_s == 1 + Fraction(1, 100)
    title = as_read(laid, 0x1E0, (0x80,), times)
    assert [(stream.id, stream.language) for stream in title.streams] == [(0x1E0, None), (0x80, "eng")]
    assert title.chapters_s == (Fraction(0), Fraction(1))


def test_an_encrypted_title_is_refused(tmp_path: Path) -> None:
    disc = open_disc(write_folder(tmp_path, small_disc(scrambled=True)))
    with pytest.raises(InputError, match="encrypted"):
        layout(disc, titles_of(disc)[0])


def test_a_title_whose_clock_is_damaged_is_refused(tmp_path: Path) -> None:
    disc = open_disc(write_folder(tmp_path, small_disc() | {"VTS_01_1.VOB": bytes(4 * SECTOR)}))
    with pytest.raises(InputError, match="says nothing of its clock"):
        layout(disc, titles_of(disc)[0])


EPISODES = [TableCell((number, 1), first=number, last=number, last_unit=number) for number in range(3)]


def test_a_title_that_only_repeats_others_is_found(tmp_path: Path) -> None:
    files = {
        "VIDEO_TS.IFO": disc_table((1, 1, 1), (1, 1, 2), (1, 1, 3), (1, 1, 4)),
        "VTS_01_0.IFO": set_table(EPISODES, EPISODES[:1], EPISODES[1:2], EPISODES[2:]),
    }
    titles = titles_of(open_disc(write_folder(tmp_path, files)))
    assert repeated_by(titles) == {1: (2, 3, 4)}
    # Without all of its episodes beside it, the long one is what counts.
    assert repeated_by(titles[:3]) == {2: (1,), 3: (1,)}
    assert repeated_by(titles[:1]) == {}


def test_a_title_is_told_by_the_path_that_stands_for_it() -> None:
    path = title_path(Path("/tapes"), "wedding", 12)
    assert title_number(path, (Path("/tapes/wedding.iso"),)) == 12
    assert title_number(path, (Path("/tapes/video_ts.ifo"), Path("/tapes/vts_01_1.vob"))) == 12
    assert title_number(path, ()) is None
    assert title_number(Path("/tapes/VTS_01_1.VOB"), (Path("/tapes/VTS_01_1.VOB"),)) is None
