"""What passes by itself is told from what does not."""

import errno
import os
from pathlib import Path

import pytest

from vhsbatch.errors import ChainError, InputError, ProcessLimitError, ShortageError, StageFailure
from vhsbatch.scheduling.shortages import Sources, shortage, was_away


def said(*lines: str, exit_code: int = 1) -> ChainError:
    """A chain that failed with these words."""
    stage = StageFailure(stage="encode", command=("ffmpeg",), exit_code=exit_code, stderr_tail=lines)
    return ChainError("encode failed", culprit="encode", stages=(stage,))


def caused_by(cause: Exception) -> InputError:
    """An error that says something else, and where it comes from."""
    error = InputError("it cannot be opened")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    "error",
    [
        ShortageError("cannot start ffmpeg: Resource temporarily unavailable"),
        OSError(errno.EMFILE, os.strerror(errno.EMFILE)),
        caused_by(OSError(errno.ENFILE, os.strerror(errno.ENFILE))),
        RuntimeError("can't start new thread"),
        said("sh: 1: Cannot fork"),
        said("[error] Error opening encoder: Resource temporarily unavailable", "Conversion failed!"),
        said("RuntimeError: can't start new thread"),
        ProcessLimitError("pids.max allows no more processes and threads: encode failed", culprit="encode"),
    ],
)
def test_a_shortage_is_known_by_its_errno_or_by_what_a_child_says(error: Exception) -> None:
    assert shortage(error) is not None


@pytest.mark.parametrize(
    "error",
    [
        InputError("no frame of its video can be decoded"),
        caused_by(OSError(errno.EACCES, os.strerror(errno.EACCES))),
        OSError(errno.ENOENT, os.strerror(errno.ENOENT)),
        RuntimeError("what nobody foresaw"),
        said("Invalid data found when processing input"),
        said("Resource temporarily unavailable", exit_code=0),
    ],
)
def test_other_failures_are_no_shortage(error: Exception) -> None:
    assert shortage(error) is None


def test_a_folder_that_is_away_is_told_from_a_file_that_is_gone(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    tape, other = folder / "tape.avi", folder / "other.avi"
    tape.touch()
    other.touch()
    sources = Sources.of([tape, other])
    assert sources.away(tape) is None

    tape.unlink()
    assert sources.away(tape) is None
    tape.touch()

    folder.rename(tmp_path / "away")
    assert str(folder) in (sources.away(tape) or "")

    folder.mkdir()  # the empty folder that a share was mounted on
    assert str(folder) in (sources.away(tape) or "")

    (folder / "other.avi").touch()  # another folder, with files of its own: the source is gone
    assert sources.away(tape) is None


def test_a_link_is_followed_to_where_the_file_is(tmp_path: Path) -> None:
    share, folder = tmp_path / "share", tmp_path / "in"
    share.mkdir()
    folder.mkdir()
    (share / "tape.avi").touch()
    (folder / "tape.avi").symlink_to(share / "tape.avi")
    sources = Sources.of([folder / "tape.avi"])
    share.rename(tmp_path / "away")
    assert str(share) in (sources.away(folder / "tape.avi") or "")


@pytest.mark.parametrize("number", [errno.EIO, errno.ESTALE, errno.ENOTCONN, errno.EHOSTDOWN])
def test_a_disk_that_does_not_answer_is_away(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tape = tmp_path / "tape.avi"
    sources = Sources.of([tape])

    def fails(path: Path, **_: object) -> os.stat_result:
        raise OSError(number, os.strerror(number), str(path))

    monkeypatch.setattr(Path, "stat", fails)
    assert os.strerror(number) in (sources.away(tape) or "")


def test_a_source_that_was_away_for_a_moment_is_known_by_its_name() -> None:
    tape = Path("/tapes/tape.avi")
    gone = OSError(errno.ENOENT, os.strerror(errno.ENOENT), str(tape))
    other = OSError(errno.ENOENT, os.strerror(errno.ENOENT), "/luts/film.cube")
    assert was_away(caused_by(gone), tape)
    assert was_away(
        said("[in#0] [error] Error opening input /tapes/tape.avi: No such file or directory"), tape
    )
    assert not was_away(caused_by(other), tape)
    assert not was_away(said("[error] /luts/film.cube: No such file or directory"), tape)
