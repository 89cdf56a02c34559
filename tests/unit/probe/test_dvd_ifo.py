"""The tables of a DVD."""

from fractions import Fraction

import pytest

from discs import SECTOR, TableCell, disc_table, set_table, unit
from vhsbatch.errors import InputError
from vhsbatch.probe.dvd_ifo import is_scrambled, navigation, title_table, titles_listed

CELLS = (
    TableCell((1, 1), first=0, last=9, last_unit=8),
    TableCell((1, 2), first=10, last=19, last_unit=15),
)


def test_the_titles_of_a_disc_are_listed() -> None:
    first, second = titles_listed(disc_table((1, 1, 1), (3, 2, 4)))
    assert (first.number, first.angles, first.title_set, first.number_in_set) == (1, 1, 1, 1)
    assert (second.number, second.angles, second.title_set, second.number_in_set) == (2, 3, 2, 4)


def test_a_title_has_its_cells_chapters_and_languages() -> None:
    title = title_table(set_table(CELLS, chapters=(1, 2), languages=(b"de", b"EN", b"\0\0")), 1)
    assert [(cell.id, cell.sectors, cell.last_unit) for cell in title.cells] == [
        ((1, 1), ((0, 9),), 8),
        ((1, 2), ((10, 19),), 15),
    ]
    assert title.chapters == (0, 1)
    assert title.languages == {0x80: "ger", 0x81: "eng", 0x82: None}
    assert title.length_s == Fraction(20)


def test_subtitles_have_their_languages_and_colours() -> None:
    black, white, red = 0x108080, 0xEB8080, 0x51F05A
    table = bytearray(set_table(CELLS, subtitles=(b"nl", b"xx"), palette=(black, white, red, *(0,) * 13)))
    title = title_table(bytes(table), 1)
    assert title.subtitles == {0x20: "dut", 0x21: None}
    assert title.palette[:3] == (0, 0xFFFFFF, 0xFE0000)
    table[0x200] = 3 << 2
    assert list(title_table(bytes(table), 1).subtitles) == [0x28, 0x29]


def test_a_title_without_cells_is_empty() -> None:
    title = title_table(set_table(CELLS, ()), 2)
    assert not title.cells
    assert not title.chapters
    assert title.length_s == 0


def test_each_title_of_a_set_has_its_own_cells() -> None:
    table = set_table(CELLS, CELLS[1:])
    assert [cell.id for cell in title_table(table, 2).cells] == [(1, 2)]


def test_of_several_angles_the_first_is_taken_in_all_its_pieces() -> None:
    first_of_block, last_of_block, after = 0x54, 0xD4, 0
    cells = (
        TableCell((1, 1), first=0, last=29, last_unit=20, kind=first_of_block),
        TableCell((2, 1), first=10, last=39, last_unit=30, kind=last_of_block),
        TableCell((3, 1), first=40, last=49, last_unit=40, kind=after),
    )
    table = set_table(
        cells, chapters=(1, 3), pieces=((1, 1, 0, 9), (2, 1, 10, 19), (1, 1, 20, 29), (2, 1, 30, 39))
    )
    title = title_table(table, 1)
    assert [cell.sectors for cell in title.cells] == [((0, 9), (20, 29)), ((40, 49),)]
    assert title.chapters == (0, 1)


@pytest.mark.parametrize("damaged", [b"", b"DVDVIDEO-VMG", b"something else" * 500])
def test_a_damaged_list_of_titles_is_refused(damaged: bytes) -> None:
    with pytest.raises(InputError, match="damaged"):
        titles_listed(damaged)


@pytest.mark.parametrize("kept_bytes", [12, SECTOR, 2 * SECTOR + 4, 3 * SECTOR + 0x100])
def test_a_damaged_title_set_is_refused(kept_bytes: int) -> None:
    with pytest.raises(InputError, match="damaged"):
        title_table(set_table(CELLS)[:kept_bytes], 1)


def test_a_title_that_its_set_does_not_have_is_refused() -> None:
    with pytest.raises(InputError, match="damaged"):
        title_table(set_table(CELLS), 7)


def test_a_sector_of_navigation_says_when_its_unit_is_shown() -> None:
    found = navigation(unit(1000, 46_000))
    assert found is not None
    assert (found.begins, found.ends) == (1000, 46_000)
    assert navigation(bytes(SECTOR)) is None
    assert navigation(unit(1000, 46_000)[:100]) is None


def test_an_encrypted_sector_says_so() -> None:
    assert is_scrambled(unit(0, 1, scrambled=True))
    assert not is_scrambled(unit(0, 1))
    assert not is_scrambled(b"")
