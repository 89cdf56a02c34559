"""Files where file systems differ, and what others name."""

import errno
import os
import resource
from pathlib import Path

import pytest

from vhsbatch.errors import InputError
from vhsbatch.fs import (
    largest_file_bytes,
    open_in_a_row,
    open_regular,
    read_regular,
    refused_name,
    state_of,
    sync,
)
from vhsbatch.model.plan import Job
from vhsbatch.restore.destination import expect_name, expect_size, limit_below


def test_a_file_is_read_up_to_a_limit(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"12345")
    assert read_regular(tmp_path / "file", limit_bytes=5) == b"12345"
    with pytest.raises(OSError, match="it is larger than 0 MiB"):
        read_regular(tmp_path / "file", limit_bytes=4)


def test_files_in_a_row_are_read_as_one(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("a", "b", "c")]
    for path, content in zip(paths, (b"123", b"", b"45678"), strict=True):
        path.write_bytes(content)
    with open_in_a_row(paths) as file:
        assert file.read() == b"12345678"
        assert (file.seek(2), file.read(3)) == (2, b"345")
        assert (file.seek(-2, os.SEEK_END), file.read()) == (6, b"78")
    size_bytes, modified_ns = state_of(*paths)
    assert size_bytes == 8
    assert abs(modified_ns - max(path.stat().st_mtime_ns for path in paths)) < 10**6


def test_files_that_change_places_are_in_another_state(tmp_path: Path) -> None:
    """They are as long and as new together as before; one that was not the newest may have changed, too."""
    paths = [tmp_path / name for name in ("a", "b", "c")]
    for path, content in zip(paths, (b"123", b"", b"45678"), strict=True):
        path.write_bytes(content)
    before = state_of(*paths)
    assert state_of(*paths) == before
    assert state_of(paths[0], paths[2], paths[1]) != before
    newest_ns = max(path.stat().st_mtime_ns for path in paths)
    os.utime(paths[2], ns=(newest_ns, newest_ns))
    before = state_of(*paths)
    os.utime(paths[1], ns=(newest_ns - 10**9, newest_ns - 10**9))
    assert state_of(*paths) != before
    assert state_of(paths[2]) == (5, newest_ns)


def test_what_is_no_file_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")
    (tmp_path / "zero").symlink_to("/dev/zero")
    for name in ("pipe", "link", "zero"):
        with pytest.raises(OSError, match="it is not a regular file"):
            open_regular(tmp_path / name)
    with pytest.raises(IsADirectoryError):
        open_regular(tmp_path)
    with pytest.raises(FileNotFoundError):
        open_regular(tmp_path / "gone")


@pytest.mark.parametrize("code", [errno.EINVAL, errno.ENOTSUP, errno.EACCES, errno.EBADF])
def test_a_folder_that_cannot_be_synced_is_let_be(
    code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_descriptor: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", refuse)
    sync(tmp_path)
    (tmp_path / "file").touch()
    if code in (errno.EACCES, errno.EBADF):
        with pytest.raises(OSError, match=os.strerror(code)):
            sync(tmp_path / "file")
    else:
        sync(tmp_path / "file")


@pytest.mark.parametrize("code", [errno.EIO, errno.ENOSPC, errno.EDQUOT])
def test_what_is_not_on_disk_is_said(code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_descriptor: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match=os.strerror(code)):
        sync(tmp_path)


def test_a_name_is_tried_out_and_leaves_nothing(tmp_path: Path) -> None:
    assert refused_name(tmp_path, "tape: 1?.mp4") is None
    refusal = refused_name(tmp_path, "x" * 256)
    assert refusal is not None
    assert refusal.errno == errno.ENAMETOOLONG
    assert list(tmp_path.iterdir()) == []


def job(name: str) -> Job:
    return Job(id=name, index=1, source=Path("/in/tape.avi"), output=Path("/out") / name)


@pytest.mark.parametrize(
    ("code", "name", "said"),
    [
        (errno.EINVAL, "a: b.mp4", "allows no file named a: b.mp4: it has : in it"),
        (errno.EINVAL, "a\tb.mp4", "allows no file named a\tb.mp4: Invalid argument"),
        (errno.EILSEQ, "caf\udce9.mp4", "allows no file named caf\udce9.mp4: Invalid or incomplete"),
        (
            errno.ENAMETOOLONG,
            "long.mp4",
            "the name long.mp4 has 8 bytes, and the output folder's file system",
        ),
    ],
)
def test_a_name_that_a_file_system_refuses_fails_its_video(
    code: int, name: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def mkdir(path: Path, *_: object, **__: object) -> None:
        if path.name == name:
            raise OSError(code, os.strerror(code))

    monkeypatch.setattr(Path, "mkdir", mkdir)
    with pytest.raises(InputError) as refused:
        expect_name(job(name), tmp_path, record=True)
    assert said in refused.value.cause
    assert refused.value.fix is not None


def test_the_names_of_folders_and_of_the_record_count(tmp_path: Path) -> None:
    expect_name(job("a/b/c.mp4"), tmp_path / "new", record=True)
    assert list((tmp_path / "new").iterdir()) == []
    long = "x" * 249 + ".mp4"
    expect_name(job(long), tmp_path, record=False)
    for name in (long, f"{'y' * 256}/c.mp4"):
        with pytest.raises(InputError, match="takes 255"):
            expect_name(job(name), tmp_path, record=True)


def test_how_large_a_file_may_be_is_found_out_without_writing_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert largest_file_bytes(tmp_path) is None
    expect_size(2**50, tmp_path)
    seek = os.lseek

    def fat(descriptor: int, to: int, how: int) -> int:
        if to > 2**32 - 1:
            raise OSError(errno.EINVAL, "Invalid argument")
        return seek(descriptor, to, how)

    monkeypatch.setattr(os, "lseek", fat)
    assert largest_file_bytes(tmp_path) == 2**32 - 1
    expect_size(2**32 - 1, tmp_path)
    with pytest.raises(InputError, match=r"files of up to 4\.0 GiB"):
        expect_size(2**32, tmp_path)
    assert limit_below(2**32, tmp_path / "file" / "made") == 2**32 - 1


def test_a_limit_of_the_process_counts(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, hard))
    try:
        assert largest_file_bytes(tmp_path) == 2**20
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
