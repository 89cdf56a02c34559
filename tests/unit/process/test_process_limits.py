"""Whether a limit of processes explains that work failed."""

from pathlib import Path

import pytest

from vhsbatch.errors import ChainError, StageFailure
from vhsbatch.process.process_limits import limit_error, refusals, users_threads, why_refused

GROUP = Path("/sys/fs/cgroup/tapes")


def group(path: Path, limit: str, refused: int) -> None:
    path.mkdir(parents=True)
    (path / "pids.max").write_text(f"{limit}\n")
    (path / "pids.events").write_text(f"max {refused}\n")


@pytest.mark.parametrize(
    ("before", "after", "user", "words"),
    [
        ({GROUP: 2}, {GROUP: 3}, None, "/sys/fs/cgroup/tapes/pids.max"),
        ({}, {GROUP: 1}, None, "/sys/fs/cgroup/tapes/pids.max"),
        ({}, {}, (90, 100), "ulimit -u"),
        ({GROUP: 2}, {GROUP: 2}, (90, 100), "ulimit -u"),
    ],
)
def test_a_limit_that_was_met_explains_a_failure(
    before: dict[Path, int], after: dict[Path, int], user: tuple[int, int] | None, words: str
) -> None:
    assert words in (why_refused(before, after, user) or "")


@pytest.mark.parametrize(
    ("before", "after", "user"),
    [
        ({}, {}, None),
        ({GROUP: 7}, {GROUP: 7}, None),
        ({GROUP: 7}, {}, (100, 1000)),
    ],
)
def test_a_limit_that_was_not_met_explains_nothing(
    before: dict[Path, int], after: dict[Path, int], user: tuple[int, int] | None
) -> None:
    assert why_refused(before, after, user) is None


@pytest.mark.parametrize(("line", "top"), [("0::/a/b", ""), ("8:pids:/a/b", "pids")])
def test_the_groups_around_count_too_and_those_without_a_limit_do_not(
    line: str, top: str, tmp_path: Path
) -> None:
    mount = tmp_path / "cgroup"
    group(mount / top / "a" / "b", "max", 9)
    (mount / top / "a" / "pids.max").write_text("50\n")
    (mount / top / "a" / "pids.events").write_text("max 4\n")
    (mount / top / "pids.max").write_text("100\n")
    (mount / top / "pids.events").write_text("max 1\n")
    membership = tmp_path / "membership"
    membership.write_text(f"9:memory:/elsewhere\n{line}\n")
    assert refusals(membership, mount) == {mount / top / "a": 4, mount / top: 1}


def test_a_system_without_control_groups_has_refused_nothing(tmp_path: Path) -> None:
    assert refusals(tmp_path / "none", tmp_path) == {}
    (tmp_path / "membership").write_text("0::/gone\n")
    assert refusals(tmp_path / "membership", tmp_path) == {}


def test_the_threads_of_all_processes_of_the_user_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    resource = pytest.importorskip("resource")
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setattr("os.getuid", lambda: 1000)
    monkeypatch.setattr(resource, "getrlimit", lambda _which: (200, 300))
    for name, user, threads in (("7", 1000, 12), ("8", 0, 99), ("9", 1000, 1), ("self", 1000, 12)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "status").write_text(f"Name:\tx\nUid:\t{user}\t0\t0\t0\nThreads:\t{threads}\n")
    (tmp_path / "10").mkdir()  # it has just ended
    assert users_threads(tmp_path) == (13, 200)
    monkeypatch.setattr(resource, "getrlimit", lambda _which: (resource.RLIM_INFINITY, 300))
    assert users_threads(tmp_path) is None
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr(resource, "getrlimit", lambda _which: (200, 300))
    assert users_threads(tmp_path) is None


def test_the_error_names_the_limit_the_fix_and_what_is_known_of_the_chain() -> None:
    stage = StageFailure(stage="encode", command=("ffmpeg",), exit_code=1, stderr_tail=("no threads",))
    known = ChainError("encode failed: no threads", culprit="encode", stages=(stage,))
    error = limit_error("pids.max allows no more", "encode failed", known)
    assert str(error) == "pids.max allows no more: encode failed (close other programs, or raise the limit)"
    assert (error.culprit, error.stages) == ("encode", (stage,))
    assert limit_error("pids.max allows no more", "joining stood still").stages == ()
