"""What was written to a journal comes back, however its end was torn off."""

import resource
import tempfile
from itertools import accumulate
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import make
from vhsbatch.errors import OutputFolderError
from vhsbatch.journal import Journal, read_journal
from vhsbatch.model.events import (
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
from vhsbatch.model.plan import Job
from vhsbatch.model.state import fold
from vhsbatch.model.wire import dump

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
LINES = tuple(dump(fact).encode() + b"\n" for fact in HISTORY)
# How long the journal is after each fact.
ENDS = tuple(accumulate(map(len, LINES), initial=0))
BYTES = b"".join(LINES)


def replay(*contents: bytes) -> list[Fact]:
    """The facts of a journal whose files hold `contents`, in this order."""
    with tempfile.TemporaryDirectory() as folder:
        for number, content in enumerate(contents):
            (Path(folder) / f"{number:03}.jsonl").write_bytes(content)
        return list(read_journal(Path(folder)))


def test_the_history_has_every_kind_of_fact() -> None:
    assert {type(fact) for fact in HISTORY} == set(get_args(Fact))


async def test_every_fact_is_in_the_file_when_append_returns(tmp_path: Path) -> None:
    folder = tmp_path / "state" / "journal"
    async with await Journal.create(folder, "run") as journal:
        for count, fact in enumerate(HISTORY, start=1):
            await journal.append(fact)
            assert tuple(read_journal(folder)) == HISTORY[:count]
    assert (folder / "run.jsonl").read_bytes() == BYTES


@given(
    st.integers(0, len(BYTES)) | st.builds(max, st.just(0), st.sampled_from(ENDS).map(lambda end: end - 1))
)
@example(0)
@example(len(BYTES))
def test_any_first_part_replays_to_the_facts_that_are_whole(length: int) -> None:
    whole = sum(end <= length for end in ENDS) - 1
    facts = replay(BYTES[:length])
    assert tuple(facts) == HISTORY[:whole]
    assert fold(facts) == fold(HISTORY[:whole])


@given(facts=st.lists(st.sampled_from(HISTORY), max_size=6), data=st.data())
def test_facts_in_any_order_replay_up_to_where_they_were_torn(facts: list[Fact], data: st.DataObject) -> None:
    content = b"".join(dump(fact).encode() + b"\n" for fact in facts)
    torn = content[: data.draw(st.integers(0, len(content)))]
    assert replay(torn) == facts[: torn.count(b"\n")]


@given(garbage=st.binary(max_size=200).map(lambda text: text.replace(b"\n", b"")), whole=st.integers(0, 6))
@example(garbage=b"\0" * 4096, whole=3)
@example(garbage=b"\xff\xfe\x00", whole=0)
@example(garbage=LINES[6].rstrip(), whole=6)
def test_a_last_line_without_a_line_break_is_left_out_whatever_it_holds(garbage: bytes, whole: int) -> None:
    assert tuple(replay(b"".join(LINES[:whole]) + garbage)) == HISTORY[:whole]


@given(lengths=st.lists(st.integers(0, len(BYTES)), min_size=2, max_size=4))
def test_every_run_may_have_been_torn(lengths: list[int]) -> None:
    whole = [sum(end <= length for end in ENDS) - 1 for length in lengths]
    facts = replay(*(BYTES[:length] for length in lengths))
    assert facts == [fact for count in whole for fact in HISTORY[:count]]


@pytest.mark.parametrize("damage", [b"", b"\xff\xfe", b"{}", LINES[2][:-20], b"\0" * 20, LINES[2].upper()])
def test_a_damaged_line_in_the_middle_is_refused_with_its_place(damage: bytes, tmp_path: Path) -> None:
    (tmp_path / "run.jsonl").write_bytes(LINES[0] + LINES[1] + damage.rstrip(b"\n") + b"\n" + LINES[3])
    replayed = read_journal(tmp_path)
    assert (next(replayed), next(replayed)) == HISTORY[:2]
    with pytest.raises(OutputFolderError, match=r"run\.jsonl is damaged in line 3, ") as caught:
        next(replayed)
    assert caught.value.fix is not None
    assert str(tmp_path) in caught.value.fix


async def test_runs_are_read_in_the_order_of_their_names(tmp_path: Path) -> None:
    runs = {
        "20240102T000000Z-b-7": HISTORY[4:9],
        "20240101T235959Z-z-9": HISTORY[:4],
        "20240102T000001Z-a-1": HISTORY[9:],
    }
    for run_id, facts in runs.items():
        async with await Journal.create(tmp_path, run_id) as journal:
            for fact in facts:
                await journal.append(fact)
    (tmp_path / "20240102T000000Z.txt").write_text("not a journal\n")
    assert tuple(read_journal(tmp_path)) == HISTORY


async def test_a_run_without_facts_leaves_nothing_to_read(tmp_path: Path) -> None:
    async with await Journal.create(tmp_path, "run"):
        pass
    assert list(read_journal(tmp_path)) == []


def test_a_folder_without_a_journal_has_no_history(tmp_path: Path) -> None:
    assert list(read_journal(tmp_path / "none")) == []


async def test_two_runs_never_write_to_one_file(tmp_path: Path) -> None:
    async with await Journal.create(tmp_path, "run") as journal:
        await journal.append(HISTORY[0])
        with pytest.raises(OutputFolderError, match="cannot write to"):
            await Journal.create(tmp_path, "run")
    assert tuple(read_journal(tmp_path)) == HISTORY[:1]


async def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputFolderError, match=r"cannot write to .*: Not a directory"):
        await Journal.create(tmp_path / "file" / "journal", "run")


async def test_a_full_disk_leaves_the_journal_as_it_was(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    async with await Journal.create(tmp_path, "run") as journal:
        await journal.append(HISTORY[0])
        # The next line is torn: the file may only grow by a part of it.
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(LINES[0]) + 10, hard))
        try:
            with pytest.raises(OutputFolderError, match="cannot write the journal: File too large"):
                await journal.append(HISTORY[1])
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        await journal.append(HISTORY[2])
    assert list(read_journal(tmp_path)) == [HISTORY[0], HISTORY[2]]
