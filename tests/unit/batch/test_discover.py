"""Which files of a folder are videos: on a real disk, with whatever people keep there."""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from vhsbatch.batch.discover import discover
from vhsbatch.errors import UsageError
from vhsbatch.ffmpeg.formats import VIDEO_EXTENSIONS

NOBODY = 65534


def fill(root: Path, *names: str) -> Path:
    """`root` with empty files in it."""
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def found(
    root: Path, *, pattern: str = "*", recursive: bool = False, exclude: Path | None = None
) -> list[str]:
    """The videos below `root`, from there."""
    paths = discover(root, pattern=pattern, recursive=recursive, exclude=exclude).videos
    return [str(path.relative_to(root.resolve())) for path in paths]


@contextmanager
def without_privileges() -> Iterator[None]:
    """Root may read everything, so it becomes somebody else for a while."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(user)


@pytest.fixture
def public() -> Iterator[Path]:
    """A folder that everybody may look into."""
    with tempfile.TemporaryDirectory() as root:
        Path(root).chmod(0o755)
        yield Path(root).resolve()


@pytest.mark.parametrize("extension", sorted(VIDEO_EXTENSIONS))
def test_extensions_count_in_any_case(extension: str, tmp_path: Path) -> None:
    names = [
        f"{number}{ending}" for number, ending in enumerate((extension, extension.upper(), extension.title()))
    ]
    assert found(fill(tmp_path, *names)) == names


@pytest.mark.parametrize(
    "name",
    [
        "notes.txt", "cover.jpg", "sound.wav", "list.m3u8", "tape.avi.txt", "tape.avi.part", "tape.avi.PART",
        "tape.mp4.crdownload", "tape.partial", "tape.avi.tmp", "tape.avi.temp", "tape.avi~", "avi", "tape",
        "tape.", "tape.avi ",
    ],
)  # fmt: skip
def test_other_and_unfinished_files_are_left_out(name: str, tmp_path: Path) -> None:
    assert found(fill(tmp_path, name, "tape.avi")) == ["tape.avi"]


def test_what_is_hidden_is_left_out(tmp_path: Path) -> None:
    fill(tmp_path, ".avi", ".tape.avi", "._tape.avi", ".vhsbatch/tape.avi", ".Trash/sub/tape.avi", "a.avi")
    assert found(tmp_path, recursive=True) == ["a.avi"]


def test_a_hidden_folder_is_looked_into_when_it_is_the_one_that_was_asked_for(tmp_path: Path) -> None:
    assert found(fill(tmp_path / ".tapes", "a.avi")) == ["a.avi"]


def test_videos_are_in_the_order_of_their_names(tmp_path: Path) -> None:
    names = ["10.avi", "2.avi", "A.avi", "a.avi", "a1.avi", "B.avi", "b/A.avi", "b/b.avi", "C/a.avi", "c.avi"]
    assert found(fill(tmp_path, *reversed(names)), recursive=True) == [
        "10.avi", "2.avi", "A.avi", "a.avi", "a1.avi", "b/A.avi", "b/b.avi", "B.avi", "C/a.avi", "c.avi",
    ]  # fmt: skip


def test_sub_folders_are_looked_into_when_that_was_asked_for(tmp_path: Path) -> None:
    fill(tmp_path, "a.avi", "b/c/d/e.avi", "tape.avi/f.avi", "empty/notes.txt")
    assert found(tmp_path) == ["a.avi"]
    assert found(tmp_path, recursive=True) == ["a.avi", "b/c/d/e.avi", "tape.avi/f.avi"]


def test_what_is_no_regular_file_is_left_out(tmp_path: Path) -> None:
    fill(tmp_path, "a.avi", "folder.avi/notes.txt")
    os.mkfifo(tmp_path / "pipe.avi")
    assert found(tmp_path) == ["a.avi"]
    assert found(tmp_path, recursive=True) == ["a.avi"]


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("*", ["Holiday 1.AVI", "holiday 2.mp4", "wedding.avi"]),
        ("*.avi", ["Holiday 1.AVI", "wedding.avi"]),
        ("HOLIDAY*", ["Holiday 1.AVI", "holiday 2.mp4"]),
        ("holiday ?.mp4", ["holiday 2.mp4"]),
        ("*[12].*", ["Holiday 1.AVI", "holiday 2.mp4"]),
        ("*[!2].mp4", []),
        ("holiday", []),
        ("*.txt", []),
        ("2001/*", []),
    ],
)
def test_a_pattern_is_about_the_name_in_any_case(pattern: str, names: list[str], tmp_path: Path) -> None:
    fill(tmp_path, "Holiday 1.AVI", "holiday 2.mp4", "wedding.avi", "holiday.txt")
    assert found(tmp_path, pattern=pattern) == names


def test_a_pattern_holds_in_sub_folders_too(tmp_path: Path) -> None:
    fill(tmp_path, "a.avi", "2001/a.avi", "2001/b.avi", "a/b.avi")
    assert found(tmp_path, pattern="a*", recursive=True) == ["2001/a.avi", "a.avi"]


def test_the_output_folder_is_left_out_wherever_it_is(tmp_path: Path) -> None:
    fill(tmp_path, "a.avi", "out/a_1080p.mp4", "out/sub/b.mp4", "b/out/c.avi", "outer/d.avi")
    assert found(tmp_path, recursive=True, exclude=tmp_path / "out") == [
        "a.avi",
        "b/out/c.avi",
        "outer/d.avi",
    ]
    assert found(tmp_path, recursive=True, exclude=tmp_path / "b" / ".." / "out" / "sub") == [
        "a.avi", "b/out/c.avi", "out/a_1080p.mp4", "outer/d.avi",
    ]  # fmt: skip
    everything = ["a.avi", "b/out/c.avi", "out/a_1080p.mp4", "out/sub/b.mp4", "outer/d.avi"]
    assert found(tmp_path, recursive=True, exclude=tmp_path.parent) == everything
    assert found(tmp_path, recursive=True, exclude=tmp_path / "not there yet") == everything


def test_links_are_followed(tmp_path: Path) -> None:
    fill(tmp_path, "disk/tape.avi", "disk/sub/b.avi", "in/a.avi", "disk/2.bin")
    (tmp_path / "in" / "folder").symlink_to(tmp_path / "disk" / "sub")
    (tmp_path / "in" / "linked.avi").symlink_to("../disk/tape.avi")
    (tmp_path / "in" / "other name.avi").symlink_to("../disk/2.bin")
    (tmp_path / "in" / "nowhere.avi").symlink_to("../disk/gone.avi")
    (tmp_path / "link").symlink_to("in")
    names = ["a.avi", "folder/b.avi", "linked.avi", "other name.avi"]
    assert found(tmp_path / "in", recursive=True) == names
    assert found(tmp_path / "link", recursive=True) == names


def test_a_link_to_a_folder_above_ends(tmp_path: Path) -> None:
    fill(tmp_path, "a.avi", "sub/b.avi")
    (tmp_path / "sub" / "up").symlink_to("..")
    (tmp_path / "sub" / "self").symlink_to(".")
    assert found(tmp_path, recursive=True) == ["a.avi", "sub/b.avi"]


def test_a_folder_with_two_names_counts_once(tmp_path: Path) -> None:
    fill(tmp_path, "disk/tape.avi", "in/a.avi")
    for name in ("one", "two"):
        (tmp_path / "in" / name).symlink_to(tmp_path / "disk")
    assert [
        name.removeprefix("one/").removeprefix("two/") for name in found(tmp_path / "in", recursive=True)
    ] == [
        "a.avi",
        "tape.avi",
    ]


def test_a_folder_that_cannot_be_read_is_named(public: Path) -> None:
    (fill(public, "locked/a.avi") / "locked").chmod(0)
    with without_privileges():
        with pytest.raises(UsageError, match=f"cannot read {public}/locked: Permission denied"):
            found(public / "locked")
        with pytest.raises(UsageError, match=f"cannot read {public}/locked/sub: Permission denied"):
            found(public / "locked" / "sub")


# What was half read when the error came is closed a moment later, by the garbage collection.
def test_a_sub_folder_that_cannot_be_read_is_named_when_it_is_needed(public: Path) -> None:
    fill(public, "a.avi", "locked/b.avi")
    (public / "locked").chmod(0)
    with without_privileges():
        assert found(public) == ["a.avi"]
        with pytest.raises(UsageError, match=f"cannot read {public}/locked: Permission denied"):
            found(public, recursive=True)


def test_a_folder_that_is_left_out_need_not_be_readable(public: Path) -> None:
    fill(public, "a.avi", "out/b.avi")
    (public / "out").chmod(0)
    with without_privileges():
        assert found(public, recursive=True, exclude=public / "out") == ["a.avi"]


@pytest.mark.parametrize(
    ("name", "cause"),
    [("none", "does not exist"), ("a.avi", "is not a folder"), ("nowhere", "is not a folder")],
)
def test_what_is_no_folder_is_refused(name: str, cause: str, tmp_path: Path) -> None:
    fill(tmp_path, "a.avi")
    (tmp_path / "nowhere").symlink_to("gone")
    with pytest.raises(UsageError) as caught:
        found(tmp_path / name)
    assert caught.value.cause == f"input folder {tmp_path / name} {cause}"
    assert caught.value.fix is not None
    assert "upscale VIDEO" in caught.value.fix


def test_an_empty_folder_has_no_videos(tmp_path: Path) -> None:
    assert found(tmp_path, recursive=True) == []


def test_paths_are_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(fill(tmp_path, "a.avi"))
    assert discover(Path(), pattern="*", recursive=False).videos == [tmp_path / "a.avi"]


ODD_NAMES = st.binary(min_size=1, max_size=20).filter(
    lambda name: not name.startswith(b".") and not set(name) & {0, ord("/")}
)


@given(st.sets(ODD_NAMES, max_size=5))
@example({b"two\nlines", b"\r", b" ", b"-y", b"*", b"[b]", b"\x1b[31m", b"caf\xe9", "caf\u00e9".encode()})
@example({"cafe\u0301".encode(), "caf\u00e9".encode(), "\u202e".encode(), "📼".encode(), b"\xff\xfe", b"\\"})
def test_every_name_is_found_and_comes_back_byte_for_byte(stems: set[bytes]) -> None:
    names = {stem + b".avi" for stem in stems}
    with tempfile.TemporaryDirectory() as root:
        for name in names:
            (Path(root) / os.fsdecode(name)).touch()
        paths = discover(Path(root), pattern="*", recursive=True).videos
        assert {os.fsencode(path.name) for path in paths} == names
        assert len(paths) == len(names)
        assert paths == discover(Path(root), pattern="*.AVI", recursive=False).videos


def test_the_output_folder_is_left_out_under_whatever_name(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "b.avi").touch()
    (tmp_path / "a.avi").touch()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    for exclude in ("real", "link"):
        found = discover(tmp_path, pattern="*", recursive=True, exclude=tmp_path / exclude).videos
        assert found == [tmp_path.resolve() / "a.avi"]


def test_a_link_to_itself_is_no_video(tmp_path: Path) -> None:
    (tmp_path / "a.avi").touch()
    (tmp_path / "loop.avi").symlink_to("loop.avi")
    (tmp_path / "nowhere.avi").symlink_to("gone.avi")
    assert discover(tmp_path, pattern="*", recursive=True).videos == [tmp_path.resolve() / "a.avi"]


def test_results_may_lie_beside_their_sources(tmp_path: Path) -> None:
    (tmp_path / "a.avi").touch()
    assert discover(tmp_path, pattern="*", recursive=False, exclude=tmp_path).videos == [
        tmp_path.resolve() / "a.avi"
    ]


@pytest.mark.parametrize("change", [str, str.lower], ids=["upper", "lower"])
def test_menus_and_parts_of_dvd_titles_are_left_out_and_whole_titles_are_not(
    tmp_path: Path, change: Callable[[str], str]
) -> None:
    names = ("VIDEO_TS.VOB", "VTS_01_0.VOB", "VTS_01_1.VOB", "VTS_01_2.VOB", "VTS_02_1.VOB", "MY.VOB")
    fill(tmp_path, *(f"{change('VIDEO_TS')}/{change(name)}" for name in names))
    whole = discover(tmp_path, pattern="*", recursive=True, join=False)
    assert [path.name for path in whole.videos] == [change("MY.VOB"), change("VTS_02_1.VOB")]
    menus, parts = whole.left_out.items()
    assert (len(menus[1]), len(parts[1])) == (2, 2)
    assert "--join auto" in parts[0]
    joined = discover(tmp_path, pattern="*", recursive=True)
    assert [path.name for path in joined.videos] == [
        change(name) for name in ("MY.VOB", "VTS_01_1.VOB", "VTS_01_2.VOB", "VTS_02_1.VOB")
    ]


@pytest.mark.parametrize("join", [True, False])
def test_a_dvd_title_that_lacks_a_part_is_left_out(join: bool, tmp_path: Path) -> None:
    fill(tmp_path, "VTS_01_1.VOB", "VTS_01_3.VOB", "VTS_02_2.VOB", "VTS_02_3.VOB")
    whole = discover(tmp_path, pattern="*", recursive=False, join=join)
    assert whole.videos == []
    ((reason, paths),) = whole.left_out.items()
    assert "another part is missing" in reason
    assert len(paths) == 4


def test_parts_in_a_folder_that_ffmpeg_has_no_notation_for_are_left_out(tmp_path: Path) -> None:
    fill(tmp_path, "a|b/VTS_01_1.VOB", "a|b/VTS_01_2.VOB")
    assert discover(tmp_path, pattern="*", recursive=True).videos == []


def test_one_part_alone_is_a_video(tmp_path: Path) -> None:
    assert found(fill(tmp_path, "VTS_01_2.VOB", "VTS_011_1.VOB", "XVTS_01_1.VOB")) == [
        "VTS_011_1.VOB",
        "VTS_01_2.VOB",
        "XVTS_01_1.VOB",
    ]
