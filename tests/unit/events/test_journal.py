"""What was written to a journal comes back, however its end was torn off."""

import errno
import json
import os
import resource
import tempfile
from itertools import accumulate
from pathlib import Path
from typing import get_args

import anyio
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import make
from vhsbatch.errors import OutputFolderError
from vhsbatch.events.events import (
    AssemblyStarted,
    BatchContinued,
    BatchFinished,
    BatchPaused,
    BatchPredicted,
    Fact,
    GpuRetired,
    JobFailed,
    JobHeld,
    JobMoved,
    JobPrioritised,
    JobPublished,
    JobRetried,
    JobSkipped,
    LanesChanged,
    SegmentDiscarded,
    SegmentFailed,
)
from vhsbatch.events.journal import Journal, read_journal, sealed
from vhsbatch.events.serialize import dump
from vhsbatch.events.state import fold
from vhsbatch.model.plan import Job

pytestmark = pytest.mark.anyio

PLAN = make.plan()
ODD = make.plan(
    Job(id="caf\udce9\n_1080p.mp4", index=2, source=Path("/in/caf\udce9\n.dv"), output=Path("/out/“ü”.mp4"))
)
OTHER = make.job(3)

# A run from its beginning to its end, with every kind of fact.
HISTORY: tuple[Fact, ...] = (
    make.batch_started(PLAN.job, ODD.job, OTHER),
    make.planned(PLAN),
    make.planned(ODD),
    JobSkipped(at_s=1.5, job_id=OTHER.id, reason="is there already"),
    make.started(PLAN),
    make.finished(PLAN),
    make.started(PLAN, 1, lane=2),
    SegmentFailed(
        at_s=2.5,
        job_id=PLAN.job.id,
        segment=1,
        attempt=1,
        lane=2,
        reason="r\n",
        final=False,
        detail=("x", ""),
    ),
    SegmentDiscarded(at_s=2.75, job_id=PLAN.job.id, segment=0, reason="gone"),
    make.started(PLAN, attempt=2),
    make.finished(PLAN),
    make.started(PLAN, 1, lane=2, attempt=2),
    make.finished(PLAN, 1, lane=2),
    JobFailed(at_s=4.0, job_id=ODD.job.id, reason="no frame (check the file)", detail=("\x1b[31m",)),
    JobRetried(at_s=4.02, job_id=ODD.job.id),
    JobPrioritised(at_s=4.04, job_id=ODD.job.id, priority=-1),
    JobMoved(at_s=4.06, job_id=ODD.job.id, before=None),
    JobFailed(at_s=4.08, job_id=ODD.job.id, reason="no frame"),
    JobHeld(at_s=4.1, job_id=OTHER.id, by="host (process 7)"),
    BatchPaused(at_s=4.2, reason="only 1 MiB is free"),
    BatchContinued(at_s=4.3),
    LanesChanged(at_s=4.4, lanes=1, reason="the system ran out of memory"),
    BatchPredicted(
        at_s=4.5,
        seconds_s=60.0,
        least_s=50.0,
        most_s=70.0,
        output_bytes=10**6,
        temporary_bytes=10**6,
        lane_bytes=2**29,
        gpu_bytes=None,
    ),
    GpuRetired(at_s=4.6, device="0", reason="three failures in a row"),
    AssemblyStarted(at_s=4.5, job_id=PLAN.job.id, lane=1),
    JobPublished(
        at_s=5.0,
        job_id=PLAN.job.id,
        fingerprint=PLAN.fingerprint,
        size_bytes=1,
        sha256="s",
        frames=60,
        wall_s=0.5,
        notes=("interlaced",),
    ),
    BatchFinished(at_s=6.0, run_id="run", outcome="complete", exit_code=1),
)
HEADER = sealed('{"journal":1,"run_id":"run"}')
LINES = tuple(sealed(dump(fact)) for fact in HISTORY)
# How long the journal is after each fact.
ENDS = tuple(accumulate(map(len, LINES), initial=len(HEADER)))
BYTES = HEADER + b"".join(LINES)
# As earlier versions wrote it.
OLD_LINES = tuple(dump(fact).encode() + b"\n" for fact in HISTORY)


def replay(*contents: bytes) -> list[Fact]:
    """The facts of a journal whose files hold `contents`, in this order."""
    with tempfile.TemporaryDirectory() as folder:
        for number, content in enumerate(contents):
            (Path(folder) / f"r{number:07}.jsonl").write_bytes(content)
        return list(read_journal(Path(folder)))


def lost(folder: Path) -> tuple[list[Fact], list[str]]:
    """The facts in a folder, and what is said of the others."""
    warnings: list[str] = []
    return list(read_journal(folder, warnings.append)), warnings


def test_the_history_has_every_kind_of_fact() -> None:
    assert {type(fact) for fact in HISTORY} == set(get_args(Fact))


async def test_every_fact_is_in_the_file_when_append_returns(tmp_path: Path) -> None:
    folder = tmp_path / "state" / "journal"
    async with await Journal.create(folder, "run") as journal:
        for count, fact in enumerate(HISTORY, start=1):
            await journal.append(fact)
            assert tuple(read_journal(folder)) == HISTORY[:count]
    assert (folder / "r0000001.jsonl").read_bytes() == BYTES


@given(
    st.integers(0, len(BYTES)) | st.builds(max, st.just(0), st.sampled_from(ENDS).map(lambda end: end - 1))
)
@example(0)
@example(len(BYTES))
def test_any_first_part_replays_to_the_facts_that_are_whole(length: int) -> None:
    whole = max(0, sum(end <= length for end in ENDS) - 1)
    facts = replay(BYTES[:length])
    assert tuple(facts) == HISTORY[:whole]
    assert fold(facts) == fold(HISTORY[:whole])


@given(facts=st.lists(st.sampled_from(HISTORY), max_size=6), data=st.data())
def test_facts_in_any_order_replay_up_to_where_they_were_torn(facts: list[Fact], data: st.DataObject) -> None:
    content = HEADER + b"".join(sealed(dump(fact)) for fact in facts)
    torn = content[: data.draw(st.integers(len(HEADER), len(content)))]
    assert replay(torn) == facts[: torn.count(b"\n") - 1]


@given(garbage=st.binary(max_size=200).map(lambda text: text.replace(b"\n", b"")), whole=st.integers(0, 6))
@example(garbage=b"\0" * 4096, whole=3)
@example(garbage=b"\xff\xfe\x00", whole=0)
@example(garbage=LINES[6].rstrip(), whole=6)
def test_a_last_line_without_a_line_break_is_left_out_whatever_it_holds(garbage: bytes, whole: int) -> None:
    assert tuple(replay(HEADER + b"".join(LINES[:whole]) + garbage)) == HISTORY[:whole]


@given(lengths=st.lists(st.integers(0, len(BYTES)), min_size=2, max_size=4))
def test_every_run_may_have_been_torn(lengths: list[int]) -> None:
    whole = [max(0, sum(end <= length for end in ENDS) - 1) for length in lengths]
    facts = replay(*(BYTES[:length] for length in lengths))
    assert facts == [fact for count in whole for fact in HISTORY[:count]]


def test_what_an_earlier_version_wrote_is_read_first(tmp_path: Path) -> None:
    (tmp_path / "20240102T000000Z-b-7.jsonl").write_bytes(b"".join(OLD_LINES[4:9]))
    (tmp_path / "r0000001.jsonl").write_bytes(HEADER + b"".join(LINES[9:]))
    (tmp_path / "20240101T235959Z-z-9.jsonl").write_bytes(b"".join(OLD_LINES[:4]))
    (tmp_path / "20240102T000000Z.txt").write_text("not a journal\n")
    assert lost(tmp_path) == (list(HISTORY), [])


@given(place=st.integers(0, len(BYTES) - 1), value=st.integers(0, 255))
@example(place=len(HEADER) - 1, value=0)
@example(place=3, value=0)
def test_one_damaged_byte_costs_what_stands_beside_it_and_nothing_else(place: int, value: int) -> None:
    damaged = BYTES[:place] + bytes([value]) + BYTES[place + 1 :]
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "r0000001.jsonl").write_bytes(damaged)
        facts, warnings = lost(Path(folder))
    if value == BYTES[place]:
        assert (tuple(facts), warnings) == (HISTORY, [])
        return
    if place == len(BYTES) - 1 and value != 0:  # as if its line break had never been written
        assert (tuple(facts), warnings) == (HISTORY[:-1], [])
        return
    (warning,) = warnings
    assert "damaged line" in warning
    hit = sum(place >= end for end in ENDS)  # 0: the first line, 1: the first fact
    joined = BYTES[place : place + 1] == b"\n"
    gone = {hit - 1, hit} if joined else {hit - 1}
    if 0 in gone:  # without its beginning, nothing that the run says can be used
        assert facts == []
    else:
        assert tuple(facts) == tuple(fact for index, fact in enumerate(HISTORY) if index not in gone)


@pytest.mark.parametrize(
    "damage", [b"", b"\xff\xfe", b"{}", LINES[2][:-20], b"\0" * 20, LINES[2].upper(), b"[" * 9**5]
)
def test_a_damaged_line_in_the_middle_is_left_out_and_reported(damage: bytes, tmp_path: Path) -> None:
    for name, lines in (("r0000001", (HEADER, *LINES)), ("20240101T000000Z-host-1", (b"", *OLD_LINES))):
        content = b"".join(lines[:3]) + damage.rstrip(b"\n") + b"\n" + lines[4]
        (tmp_path / f"{name}.jsonl").write_bytes(content)
        facts, (warning,) = lost(tmp_path)
        assert tuple(facts) == (*HISTORY[:2], HISTORY[3])
        assert f"of {name}.jsonl" in warning
        (tmp_path / f"{name}.jsonl").unlink()


def test_an_end_of_zeros_is_reported(tmp_path: Path) -> None:
    (tmp_path / "r0000001.jsonl").write_bytes(HEADER + b"".join(LINES[:3]) + bytes(500))
    facts, (warning,) = lost(tmp_path)
    assert tuple(facts) == HISTORY[:3]
    assert "1 damaged line of r0000001.jsonl (from 5 on)" in warning


@pytest.mark.parametrize("name", ["r0000001", "20240101T000000Z-host-1"])
def test_a_fact_of_another_version_is_left_out_and_reported(name: str, tmp_path: Path) -> None:
    numbered, text = name.startswith("r"), '{"kind":"dreamt","at_s":1}'
    new = sealed(text) if numbered else text.encode() + b"\n"
    lines = LINES if numbered else OLD_LINES
    (tmp_path / f"{name}.jsonl").write_bytes((HEADER if numbered else b"") + lines[0] + new + lines[1])
    facts, (warning,) = lost(tmp_path)
    assert tuple(facts) == HISTORY[:2]
    assert f"1 fact of {name}.jsonl that another version wrote" in warning


def test_what_was_made_by_a_plan_without_a_recipe_counts_once_it_is_planned_again(tmp_path: Path) -> None:
    planned = json.loads(dump(make.planned(PLAN)))
    del planned["plan"]["recipe"]
    old = sealed(json.dumps(planned))
    made = [sealed(dump(fact)) for fact in (make.started(PLAN), make.finished(PLAN))]
    (tmp_path / "r0000001.jsonl").write_bytes(HEADER + LINES[0] + old + b"".join(made))
    facts, (warning,) = lost(tmp_path)
    assert "1 fact of r0000001.jsonl that another version wrote" in warning
    assert fold(facts).jobs[PLAN.job.id].plan is None
    again = fold([*facts, make.planned(PLAN)]).jobs[PLAN.job.id]
    assert list(again.finished) == [0]


def test_a_file_of_another_notation_is_left_out_and_reported(tmp_path: Path) -> None:
    header = sealed('{"journal":2,"run_id":"run"}')
    (tmp_path / "r0000001.jsonl").write_bytes(header + b"".join(LINES))
    (tmp_path / "r0000002.jsonl").write_bytes(HEADER + b"".join(LINES[:3]))
    facts, (warning,) = lost(tmp_path)
    assert tuple(facts) == HISTORY[:3]
    assert f"{len(LINES)} facts of r0000001.jsonl that another version wrote" in warning


def test_what_is_no_file_is_left_out_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "r0000001.jsonl")
    (tmp_path / "r0000002.jsonl").mkdir()
    facts, (warning,) = lost(tmp_path)
    assert facts == []
    assert "r0000001.jsonl (it is not a regular file), r0000002.jsonl (Is a directory)" in warning


def test_proofs_of_a_run_whose_beginning_is_lost_are_no_proofs_of_the_run_before(tmp_path: Path) -> None:
    (tmp_path / "r0000001.jsonl").write_bytes(HEADER + LINES[0] + LINES[1])
    (tmp_path / "r0000002.jsonl").write_bytes(HEADER + LINES[0].upper() + b"".join(LINES[1:]))
    state = fold(read_journal(tmp_path))
    assert state.jobs[PLAN.job.id].published is None


async def test_runs_are_read_in_the_order_in_which_they_began(tmp_path: Path) -> None:
    # Their names, and so their clocks, say otherwise.
    for run_id, facts in {"c": HISTORY[:4], "a": HISTORY[4:9], "b": HISTORY[9:]}.items():
        async with await Journal.create(tmp_path, run_id) as journal:
            for fact in facts:
                await journal.append(fact)
    assert tuple(read_journal(tmp_path)) == HISTORY


async def test_runs_that_begin_at_once_have_files_of_their_own(tmp_path: Path) -> None:
    async with anyio.create_task_group() as group:
        for number in range(20):
            group.start_soon(begin_and_end, tmp_path, f"run{number}")
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == [f"r{number:07}.jsonl" for number in range(1, 21)]
    assert len({path.read_bytes() for path in tmp_path.iterdir()}) == len(names)


async def begin_and_end(folder: Path, run_id: str) -> None:
    async with await Journal.create(folder, run_id):
        pass


async def test_a_journal_goes_on_where_no_file_can_be_nameless_and_nothing_synced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    monkeypatch.setattr(os, "fsync", refuse)
    async with await Journal.create(tmp_path, "run") as journal:
        await journal.append(HISTORY[0])
    assert tuple(read_journal(tmp_path)) == HISTORY[:1]


async def test_a_run_without_facts_leaves_nothing_to_read(tmp_path: Path) -> None:
    async with await Journal.create(tmp_path, "run"):
        pass
    assert list(read_journal(tmp_path)) == []


def test_a_folder_without_a_journal_has_no_history(tmp_path: Path) -> None:
    assert list(read_journal(tmp_path / "none")) == []


async def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputFolderError, match=r"cannot write to .*: Not a directory"):
        await Journal.create(tmp_path / "file" / "journal", "run")


async def test_a_full_disk_leaves_the_journal_as_it_was(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    async with await Journal.create(tmp_path, "run") as journal:
        await journal.append(HISTORY[0])
        # The next line is torn: the file may only grow by a part of it.
        resource.setrlimit(resource.RLIMIT_FSIZE, (ENDS[1] + 10, hard))
        try:
            with pytest.raises(OutputFolderError, match="cannot write the journal: File too large"):
                await journal.append(HISTORY[1])
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        await journal.append(HISTORY[2])
    assert list(read_journal(tmp_path)) == [HISTORY[0], HISTORY[2]]


async def test_a_journal_that_is_away_to_the_end_says_how_many_facts_it_lacks(tmp_path: Path) -> None:
    folder = tmp_path / "journal"
    with pytest.raises(OutputFolderError, match=r"2 facts of this batch could not be written: .* is away"):
        async with await Journal.create(folder, "run") as journal:
            await journal.append(HISTORY[0])
            folder.rename(tmp_path / "gone")
            os.closerange(*_descriptors_of(tmp_path / "gone" / "r0000001.jsonl"))
            await journal.append(HISTORY[1])
            await journal.append(HISTORY[2])
    assert list(read_journal(tmp_path / "gone")) == [HISTORY[0]]


def _descriptors_of(path: Path) -> tuple[int, int]:
    """This process's descriptor of a file, as a range."""
    state = path.stat()
    for entry in Path("/dev/fd").iterdir():
        number = int(entry.name)
        try:
            if os.path.samestat(os.fstat(number), state):
                return number, number + 1
        except OSError:
            continue
    raise AssertionError("it is not open")
