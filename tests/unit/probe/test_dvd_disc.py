"""The files of a DVD, in a folder or in an image."""

from pathlib import Path

import pytest

from discs import SECTOR, image, small_disc, write_folder
from vhsbatch.errors import InputError
from vhsbatch.probe.dvd_disc import bytes_of, open_disc


def test_a_folder_and_an_image_hold_the_same(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "Wedding", small_disc())
    iso = tmp_path / "Wedding.iso"
    iso.write_bytes(image(small_disc()))
    in_folder, in_image = open_disc(folder), open_disc(iso)
    assert in_folder.name == in_image.name == "Wedding"
    assert in_folder.files.keys() == in_image.files.keys()
    for number in (0, 1):
        assert in_folder.table(number) == in_image.table(number)
    assert [piece.size_bytes for piece in in_image.parts(1)] == [4 * SECTOR]
    assert in_image.identity(1) == (iso,)
    assert [path.name for path in in_folder.identity(1)] == ["VIDEO_TS.IFO", "VTS_01_0.IFO", "VTS_01_1.VOB"]


def test_the_copy_of_a_damaged_table_is_read(tmp_path: Path) -> None:
    files = small_disc()
    files |= {"VTS_01_0.BUP": files["VTS_01_0.IFO"], "VTS_01_0.IFO": bytes(SECTOR)}
    disc = open_disc(write_folder(tmp_path, files))
    assert disc.table(1) == files["VTS_01_0.BUP"]


def test_names_in_small_letters_are_found(tmp_path: Path) -> None:
    files = {name.lower(): content for name, content in small_disc().items()}
    assert len(open_disc(write_folder(tmp_path, files)).parts(1)) == 1


def test_menus_are_seen(tmp_path: Path) -> None:
    assert not open_disc(write_folder(tmp_path / "without", small_disc())).has_menus
    files = small_disc() | {"VTS_01_0.VOB": bytes(SECTOR)}
    assert open_disc(write_folder(tmp_path / "with", files)).has_menus


def test_an_image_that_is_no_dvd_is_refused(tmp_path: Path) -> None:
    for name, content in {
        "short": b"",
        "zeros": bytes(20 * SECTOR),
        "other": image(small_disc(), folder=b"PHOTOS"),
        "no_table": image({"VTS_01_1.VOB": bytes(SECTOR)}),
    }.items():
        iso = tmp_path / f"{name}.iso"
        iso.write_bytes(content)
        with pytest.raises(InputError, match="no DVD-Video"):
            open_disc(iso)


def test_ranges_that_touch_are_one(tmp_path: Path) -> None:
    iso = tmp_path / "disc.iso"
    iso.write_bytes(image(small_disc()))
    parts = open_disc(iso).parts(1)
    (piece,) = bytes_of(parts, [(0, 1), (2, 3)])
    assert piece.size_bytes == 4 * SECTOR
    assert len(bytes_of(parts, [(0, 0), (2, 3)])) == 2


def test_sectors_that_are_not_there_are_refused(tmp_path: Path) -> None:
    parts = open_disc(write_folder(tmp_path, small_disc())).parts(1)
    with pytest.raises(InputError, match="not complete"):
        bytes_of(parts, [(0, 4)])
