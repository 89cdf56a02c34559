"""Lines reach the file of their name, though its disk goes and comes back."""

import errno
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from vhsbatch.events.line_file import LineFile

FIRST = b"first\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "disk"
    folder.mkdir()
    return folder


def content(folder: Path) -> bytes:
    return (folder / "file").read_bytes()


def cut_off(lines: LineFile) -> None:
    """What a share that has gone does to the files that are open on it: every call fails."""
    nowhere = os.open(os.devnull, os.O_RDONLY)
    opened: Any = lines._file
    os.dup2(nowhere, opened.fileno())
    os.close(nowhere)


def return_as_another(away: Path, folder: Path) -> None:
    """What is mounted again has the same files, but whoever has one open holds another."""
    shutil.copytree(away, folder)


def test_a_file_that_is_there_is_not_taken(folder: Path) -> None:
    (folder / "file").write_bytes(b"of another")
    with pytest.raises(FileExistsError):
        LineFile(folder / "file", FIRST)
    assert content(folder) == b"of another"


def test_lines_of_a_time_without_the_disk_are_written_when_it_is_back(folder: Path, tmp_path: Path) -> None:
    lines = LineFile(folder / "file", FIRST)
    lines.append(b"1\n", urgent=True)
    away = folder.rename(tmp_path / "away")
    cut_off(lines)
    lines.append(b"2\n", urgent=True)
    lines.append(b"3\n", urgent=True)
    assert content(away) == FIRST + b"1\n"
    return_as_another(away, folder)
    lines.append(b"4\n", urgent=True)
    assert content(folder) == FIRST + b"1\n2\n3\n4\n"
    assert lines.close() == 0


def test_lines_that_went_to_a_file_that_has_lost_its_name_are_written_again(
    folder: Path, tmp_path: Path
) -> None:
    lines = LineFile(folder / "file", FIRST)
    return_as_another(folder, tmp_path / "copy")
    folder.rename(tmp_path / "away")
    lines.append(b"1\n", urgent=True)
    (tmp_path / "copy").rename(folder)
    lines.append(b"2\n", urgent=True)
    assert content(folder) == FIRST + b"1\n2\n"
    assert lines.close() == 0


def test_lines_are_written_once_where_the_very_file_comes_back(folder: Path, tmp_path: Path) -> None:
    lines = LineFile(folder / "file", FIRST)
    away = folder.rename(tmp_path / "away")
    lines.append(b"1\n", urgent=True)
    away.rename(folder)
    lines.append(b"2\n", urgent=True)
    assert content(folder) == FIRST + b"1\n2\n"
    assert lines.close() == 0


def test_a_line_that_was_torn_when_the_disk_went_is_written_whole(folder: Path, tmp_path: Path) -> None:
    lines = LineFile(folder / "file", FIRST)
    away = folder.rename(tmp_path / "away")
    cut_off(lines)
    lines.append(b"one\n", urgent=True)
    with (away / "file").open("ab") as file:
        file.write(b"on")
    return_as_another(away, folder)
    lines.append(b"two\n", urgent=True)
    assert content(folder) == FIRST + b"one\ntwo\n"
    assert lines.close() == 0


def test_another_disk_in_the_place_of_the_first_is_left_alone(folder: Path, tmp_path: Path) -> None:
    lines = LineFile(folder / "file", FIRST)
    away = folder.rename(tmp_path / "away")
    cut_off(lines)
    folder.mkdir()
    (folder / "file").write_bytes(b"of another run\n")
    lines.append(b"1\n", urgent=True)
    assert content(folder) == b"of another run\n"
    shutil.rmtree(folder)
    return_as_another(away, folder)
    assert lines.close() == 0
    assert content(folder) == FIRST + b"1\n"


def test_the_lines_that_were_never_written_are_counted(folder: Path, tmp_path: Path) -> None:
    lines = LineFile(folder / "file", FIRST)
    lines.append(b"1\n", urgent=True)
    folder.rename(tmp_path / "away")
    cut_off(lines)
    lines.append(b"2\n", urgent=True)
    lines.append(b"3\n", urgent=True)
    assert lines.close() == 2


def test_a_disk_that_is_there_and_takes_nothing_is_an_error(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    lines = LineFile(folder / "file", FIRST)
    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", refuse)
        with pytest.raises(OSError, match="Input/output error"):
            lines.append(b"1\n", urgent=True)
    lines.append(b"2\n", urgent=True)
    assert content(folder) == FIRST + b"2\n"
    assert lines.close() == 0
