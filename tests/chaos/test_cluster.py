"""A cluster that loses machines: nothing finished is lost, nothing runs on, the frames are the same."""

import os
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import program
from clips import FFMPEG
from cluster import Cluster, Link, Program, prepare, results
from vhsbatch.events.events import SegmentFinished
from vhsbatch.events.journal import read_journal

pytestmark = [pytest.mark.slow]

SEGMENT_S = 2


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A source, what one machine makes of it, and an FFmpeg that takes its time to make a segment."""
    folder = tmp_path_factory.mktemp("cluster")
    prepare(folder, clips=1, size="176x120")
    done = program.run("batch", "in", "alone", "-p", "short", cwd=folder)
    assert done.returncode == 0, done.stderr
    slow = folder / "slow-ffmpeg"
    slow.write_text(
        f'#!/bin/sh\ncase "$*" in *-progress*libx264*) sleep {SEGMENT_S};; esac\nexec {FFMPEG} "$@"\n'
    )
    slow.chmod(0o755)
    return folder


@dataclass(frozen=True)
class Machines:
    """A scheduler and two machines."""

    cluster: Cluster
    scheduler: Program
    address: str
    attic: Program
    cellar: Program


@pytest.fixture(scope="module")
def machines(place: Path) -> Iterator[Machines]:
    """What the tests do to them in turn; nothing of it is left behind."""
    with Cluster(place) as cluster:
        scheduler, address = cluster.scheduler()
        attic, cellar = (start_worker(cluster, address, name) for name in ("attic", "cellar"))
        yield Machines(cluster, scheduler, address, attic, cellar)
    program.wait_until_gone(place)


def start_worker(cluster: Cluster, address: str, name: str, *options: str, machine: str = "") -> Program:
    """A worker whose segments take so long that it can be killed at one."""
    slow = str(cluster.place / "slow-ffmpeg")
    return cluster.worker(address, name, *options, machine=machine, VHSBATCH_FFMPEG=slow)


def wait_for_children(worker: Program) -> list[int]:
    """The child processes by which a worker makes a segment, as soon as there are some."""
    deadline_s = time.monotonic() + program.PATIENCE_S
    while not any(map(_makes_segment, found := program.children(worker.process.pid))):
        assert time.monotonic() < deadline_s, worker.text
        time.sleep(0.02)
    return found


def _makes_segment(pid: int) -> bool:
    try:
        return b"-progress" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False  # it has just ended


def wait_until_ended(pids: list[int]) -> None:
    """Wait until child processes are gone."""
    deadline_s = time.monotonic() + program.GONE_S
    while left := [pid for pid in pids if Path(f"/proc/{pid}/cmdline").exists()]:
        assert time.monotonic() < deadline_s, f"still there: {left}"
        time.sleep(0.05)


def assert_made_once(place: Path, output: str) -> None:
    """See that the result is that of one machine, and that no segment was made twice."""
    assert results(place / output) == results(place / "alone")
    facts = list(read_journal(place / output / ".vhsbatch" / "journal"))
    made = Counter((fact.job_id, fact.segment) for fact in facts if isinstance(fact, SegmentFinished))
    assert set(made.values()) == {1}


def test_a_batch_that_is_stopped_and_one_that_is_killed(place: Path, machines: Machines) -> None:
    cluster, address, workers = machines.cluster, machines.address, (machines.attic, machines.cellar)
    batch = cluster.batch(address, output="stopped")
    batch.wait_for('"segment_finished"')
    orphans = [pid for worker in workers for pid in program.children(worker.process.pid)]
    assert batch.stop() == 143
    wait_until_ended(orphans)

    batch = cluster.batch(address, "--resume", output="stopped")
    orphans = [pid for worker in workers for pid in wait_for_children(worker)]
    batch.kill()
    wait_until_ended(orphans)

    batch = cluster.batch(address, "--resume", output="stopped")
    assert batch.process.wait(120) == 0, batch.text
    assert_made_once(place, "stopped")


@pytest.mark.exhaustive
def test_of_two_batches_the_higher_priority_is_made_first(place: Path, machines: Machines) -> None:
    first = machines.cluster.batch(machines.address, "--parallel", "1", output="usual")
    first.wait_for('"segment_started"')
    second = machines.cluster.batch(machines.address, "--priority", "*=1", output="urgent")
    first.wait_for('"lanes":0,"reason":"a batch of higher priority goes first"')
    first.wait_for('"lanes":1,"reason":"no other batch needs them"')
    for batch in (second, first):
        assert batch.process.wait(120) == 0, batch.text
    assert ended_s(place / "urgent") < ended_s(place / "usual")
    assert_made_once(place, "usual")
    assert_made_once(place, "urgent")


def ended_s(output: Path) -> float:
    """When the last segment of a batch was made."""
    facts = read_journal(output / ".vhsbatch" / "journal")
    return max(fact.at_s for fact in facts if isinstance(fact, SegmentFinished))


def test_killed_workers_and_a_killed_scheduler(place: Path, machines: Machines) -> None:
    batch = machines.cluster.batch(machines.address, output="killed")
    batch.wait_for('"segment_finished"')
    orphans = wait_for_children(machines.attic)
    machines.attic.kill()
    wait_until_ended(orphans)
    batch.wait_for('attic is gone.*"lanes_changed"')

    orphans = wait_for_children(machines.cellar)
    machines.scheduler.kill()
    wait_until_ended(orphans)
    batch.wait_for('"lanes":0.*does not answer')
    machines.cluster.scheduler(machines.address)
    machines.cellar.wait_for("cellar helps", count=2)
    assert batch.process.wait(120) == 0, batch.text
    assert_made_once(place, "killed")


# What is sent to a machine that sees no folder of the head's.
NOWHERE = "=/nowhere"
# Longer than it takes to be given up, and than it takes to be noticed.
SHORT_S, LONG_S = 2, 25
CUT_OFF_S = float(os.environ.get("VHSBATCH_CUT_OFF_S", "12"))


@pytest.mark.exhaustive
def test_a_scheduler_that_comes_back_while_sources_are_sent(place: Path) -> None:
    with Cluster(place) as cluster:
        scheduler, address = cluster.scheduler()
        cellar = start_worker(cluster, address, "cellar", "--map-path", f"{place}{NOWHERE}")
        cellar.wait_for("cellar helps")
        batch = cluster.batch(address, "--retries", "0", output="sent")
        for count, wait_s in enumerate((SHORT_S, LONG_S), start=1):
            wait_for_children(cellar)
            scheduler.kill()
            time.sleep(wait_s)
            scheduler, _ = cluster.scheduler(address)
            cellar.wait_for("cellar helps", count=count + 1)
        assert batch.process.wait(120) == 0, batch.text
        batch.wait_for('"lanes":0.*does not answer')
    assert_made_once(place, "sent")


@pytest.mark.exhaustive
@pytest.mark.parametrize("shared", [True, False], ids=["a folder for both", "no folder"])
def test_a_head_that_is_cut_off_for_long(place: Path, shared: bool) -> None:
    where = () if shared else ("--map-path", f"{place}{NOWHERE}")
    output = f"far-{shared}"
    with Cluster(place) as cluster:
        _, address = cluster.scheduler()
        attic = start_worker(cluster, address, "attic", *where)
        attic.wait_for("attic helps")
        with Link(address) as link:
            batch = cluster.batch(link.address, "--retries", "0", output=output)
            batch.wait_for('"segment_finished"')
            wait_for_children(attic)
            link.freeze()
            batch.wait_for('"lanes":0.*does not answer')
            time.sleep(CUT_OFF_S)
            link.thaw()
            batch.wait_for('"lanes":1,"reason":"attic helps with 1"')
            assert batch.process.wait(120) == 0, batch.text
    assert_made_once(place, output)


# --- a machine behind a cable ------------------------------------------------------------------------

HERE, THERE = "10.213.77.1", "10.213.77.2"


def ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


@pytest.fixture
def cable() -> Iterator[str]:
    """A network namespace `attic`, joined to this machine by a cable; its name."""
    name = "vhsbatch-attic"
    try:
        ip("netns", "add", name)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("a machine with a network of its own needs root, network namespaces and iproute2")
    try:
        ip("link", "add", "vhsbatch0", "type", "veth", "peer", "name", "vhsbatch1", "netns", name)
        ip("address", "add", f"{HERE}/24", "dev", "vhsbatch0")
        ip("link", "set", "vhsbatch0", "up")
        for arguments in (
            ("address", "add", f"{THERE}/24", "dev", "vhsbatch1"),
            ("link", "set", "vhsbatch1", "up"),
            ("link", "set", "lo", "up"),
        ):
            ip("-n", name, *arguments)
        yield name
    finally:
        ip("netns", "delete", name)


def test_a_cut_link(place: Path, cable: str) -> None:
    def enter(machine: str) -> tuple[str, ...]:
        return ("ip", "netns", "exec", cable) if machine else ()

    with Cluster(place, enter=enter) as cluster:
        _, address = cluster.scheduler(f"tcp://{HERE}:0", "--insecure")
        attic = start_worker(cluster, address, "attic", "--insecure", machine="attic")
        attic.wait_for("attic helps")
        batch = cluster.batch(address, "--insecure", output="cut")
        orphans = wait_for_children(attic)
        ip("-n", cable, "link", "set", "vhsbatch1", "down")
        cellar = start_worker(cluster, address, "cellar", "--insecure")
        batch.wait_for('attic is gone.*"lanes_changed"')
        attic.wait_for("attic has lost the scheduler")
        wait_until_ended(orphans)
        ip("-n", cable, "link", "set", "vhsbatch1", "up")
        attic.wait_for("attic helps", count=2)
        assert batch.process.wait(120) == 0, batch.text
        assert cellar.process.poll() is None
    assert_made_once(place, "cut")
