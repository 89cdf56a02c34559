"""The titles of a DVD as captures."""

from pathlib import Path

import pytest

from discs import SECTOR, TableCell, disc_table, image, set_table, small_disc, unit, write_folder
from vhsbatch.batch.captures import Captures, captures_of
from vhsbatch.batch.discs import disc_at, title_for
from vhsbatch.batch.ledger import Ledger
from vhsbatch.batch.naming import name_jobs
from vhsbatch.errors import UsageError


def found_in(folder: Path, *, pattern: str = "*", recursive: bool = False) -> Captures:
    ledger = Ledger(folder.parent / "out")
    return captures_of(folder, ledger, pattern=pattern, recursive=recursive, from_results=False)


def several(*titles: tuple[int, int], menus: bool = False) -> dict[str, bytes]:
    """A disc of which each title is played from the first to the second of its cells, of 10 s each."""
    cells = [TableCell((number, 1), first=number, last=number, last_unit=number) for number in range(4)]
    return {
        "VIDEO_TS.IFO": disc_table(*((1, 1, number) for number in range(1, len(titles) + 1))),
        "VTS_01_0.IFO": set_table(*(cells[first:stop] for first, stop in titles)),
        "VTS_01_1.VOB": unit(1000, 91_000) * 4,
    } | ({"VIDEO_TS.VOB": bytes(SECTOR)} if menus else {})


@pytest.fixture
def captures(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    folder.mkdir()
    return folder


def test_each_title_of_an_image_is_a_capture(captures: Path) -> None:
    (captures / "wedding.iso").write_bytes(image(several((0, 2), (2, 4), menus=True)))
    found = found_in(captures)
    assert [path.name for path in found.sources] == ["wedding_title_01.dvd", "wedding_title_02.dvd"]
    assert all(recording.parts == (captures / "wedding.iso",) for recording in found.recordings.values())
    assert list(found.notes) == [
        "wedding_title_01: title 1 of wedding.iso, 0:20, eng",
        "wedding_title_02: title 2 of wedding.iso, 0:20, eng",
        "left out: wedding.iso (its menus)",
    ]


@pytest.mark.parametrize("place", ["in", "in/Wedding"])
def test_a_folder_is_found_where_it_is_without_looking_into_others(place: str, captures: Path) -> None:
    write_folder(captures.parent / place, small_disc())
    write_folder(captures / "others" / "Birthday", small_disc())
    name = "in_title_01" if place == "in" else "Wedding_title_01"
    found = found_in(captures)
    assert [path.relative_to(captures).as_posix() for path in found.sources] == [f"{name}.dvd"]
    found = found_in(captures, recursive=True)
    assert [path.relative_to(captures).as_posix() for path in found.sources] == sorted(
        [f"{name}.dvd", "others/Birthday_title_01.dvd"], key=str.casefold
    )
    jobs = name_jobs(
        found.sources, captures, captures.parent / "out",
        suffix="_1080p", extension="mp4", recordings=found.recordings,
    )  # fmt: skip
    assert {job.id for job in jobs} == {f"{name}_1080p.mp4", "others/Birthday_title_01_1080p.mp4"}


def test_the_folder_itself_may_be_given(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "Wedding", small_disc())
    (folder / "VTS_02_1.VOB").write_bytes(b"of no title set, and never a source of its own")
    (folder / "extra.mpg").write_bytes(b"x")
    assert [path.name for path in found_in(folder).sources] == ["extra.mpg", "Wedding_title_01.dvd"]


@pytest.mark.parametrize(
    ("titles", "kept", "said"),
    [
        (((0, 3), (0, 1), (1, 2), (2, 3)), ["02", "03", "04"], "all of it is in title 2 and 3 and 4 too"),
        (((0, 2), (0, 2)), ["01"], "all of it is in title 1 too"),
        (((0, 2), (0, 0)), ["01"], "shorter than 5 s"),
    ],
)
def test_titles_that_are_not_worth_a_video_are_named(
    titles: tuple[tuple[int, int], ...], kept: list[str], said: str, captures: Path
) -> None:
    (captures / "disc.iso").write_bytes(image(several(*titles)))
    found = found_in(captures)
    assert [path.name for path in found.sources] == [f"disc_title_{number}.dvd" for number in kept]
    assert any(said in note for note in found.notes)


def test_a_pattern_is_that_of_a_title_or_of_its_disc(captures: Path) -> None:
    (captures / "disc.iso").write_bytes(image(several((0, 2), (2, 4))))
    (captures / "tape.avi").write_bytes(b"x")
    assert len(found_in(captures, pattern="*.iso").sources) == 2
    assert len(found_in(captures, pattern="*_title_02*").sources) == 1
    assert [path.name for path in found_in(captures, pattern="*.avi").sources] == ["tape.avi"]


def test_an_image_that_is_not_complete_may_lack_a_part(captures: Path) -> None:
    whole = image(several((0, 2)) | {"VTS_02_1.VOB": bytes(400 * SECTOR)})
    (captures / "disc.iso").write_bytes(whole[: -390 * SECTOR])
    found = found_in(captures)
    (why,) = found.lacking.values()
    assert "not complete" in why
    (captures / "disc.iso").write_bytes(whole[: 17 * SECTOR])
    found = found_in(captures)
    assert not found.sources
    assert any("not complete" in note for note in found.notes)


def test_damaged_tables_leave_the_files_to_their_names(captures: Path) -> None:
    folder = write_folder(captures, small_disc() | {"VTS_01_0.IFO": b"damaged"})
    found = found_in(folder)
    assert [path.name for path in found.sources] == ["VTS_01_1.VOB"]
    assert any("its files count by themselves" in note for note in found.notes)


def test_a_title_that_is_named_is_found_in_whatever_holds_it(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "Wedding", several((0, 1), (1, 3)))
    for path in (folder, folder.parent, folder / "VIDEO_TS.IFO"):
        assert disc_at(path) == folder
        longest = title_for(path, None)
        assert longest is not None
        assert longest.path == tmp_path / "Wedding_title_02.dvd"
        assert longest.recording.note.endswith("; --title takes another: 1 (0:10)")
    assert title_for(tmp_path / "tape.avi", None) is None
    with pytest.raises(UsageError, match="has no title 3"):
        title_for(folder, 3)
    with pytest.raises(UsageError, match="is no DVD"):
        title_for(tmp_path / "tape.avi", 1)
