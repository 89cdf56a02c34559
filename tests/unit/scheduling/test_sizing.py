"""How many workers a machine gets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vhsbatch.scheduling.sizing import LaneNeed, Machine, choose_lanes

GIB = 2**30
ENGINES = st.sampled_from(["ffmpeg", "realesrgan"])
MACHINES = st.builds(
    Machine,
    threads=st.integers(1, 256),
    memory_bytes=st.integers(0, 2**42),
    gpus=st.integers(0, 8),
    gpu_memory_bytes=st.none() | st.integers(1, 2**38),
)
NEEDS = st.none() | st.builds(
    LaneNeed,
    memory_bytes=st.integers(2**20, 2**36),
    gpu_memory_bytes=st.none() | st.integers(2**20, 2**36),
    measured=st.just(True),
)


@given(parallel=st.integers(1, 64), machine=MACHINES, engine=ENGINES, videos=st.integers(1, 999))
def test_a_number_that_was_asked_for_is_taken(
    parallel: int, machine: Machine, engine: str, videos: int
) -> None:
    lanes = choose_lanes(parallel, machine, engine=engine, videos=videos)
    assert (lanes.begin, lanes.least, lanes.most, lanes.notes) == (parallel, parallel, parallel, ())


@pytest.mark.parametrize(
    ("threads", "memory_gib", "begin", "most"),
    [
        (1, 64, 1, 1),
        (2, 64, 1, 2),
        (3, 64, 1, 3),
        (4, 64, 2, 4),
        (16, 64, 8, 16),
        (64, 16, 6, 6),
        (64, 3, 1, 1),
        (64, 1, 1, 1),
        (8, 6, 2, 2),
    ],
)
def test_a_worker_takes_two_threads_and_two_gibibytes(
    threads: int, memory_gib: int, begin: int, most: int
) -> None:
    machine = Machine(threads=threads, memory_bytes=memory_gib * GIB)
    lanes = choose_lanes("auto", machine, engine="ffmpeg", videos=20)
    assert (lanes.begin, lanes.least, lanes.most) == (begin, 1, most)
    assert lanes.notes[0].startswith(f"{begin} worker")


def test_what_was_measured_counts_more_than_what_is_usual() -> None:
    machine = Machine(threads=16, memory_bytes=16 * GIB)
    need = LaneNeed(memory_bytes=4 * GIB, measured=True)
    lanes = choose_lanes("auto", machine, engine="ffmpeg", videos=20, need=need)
    assert lanes.begin == lanes.most == 3
    assert "4.0 GiB per worker as measured, allow 3" in lanes.notes[0]


@pytest.mark.parametrize(
    ("gpus", "gpu_memory_gib", "need_gib", "begin", "most"),
    [(0, None, None, 1, 1), (1, None, None, 2, 4), (2, None, None, 4, 8), (1, 4, 2, 1, 1), (2, 10, 2, 4, 8)],
)
def test_the_model_takes_the_cpu_or_a_share_of_a_gpu(
    gpus: int, gpu_memory_gib: int | None, need_gib: int | None, begin: int, most: int
) -> None:
    machine = Machine(
        threads=64,
        memory_bytes=256 * GIB,
        gpus=gpus,
        gpu_memory_bytes=None if gpu_memory_gib is None else gpu_memory_gib * GIB,
    )
    need = LaneNeed(gpu_memory_bytes=None if need_gib is None else need_gib * GIB)
    lanes = choose_lanes("auto", machine, engine="realesrgan", videos=20, need=need)
    assert (lanes.begin, lanes.most) == (begin, most)


@pytest.mark.parametrize(
    ("gpus", "memory_gib", "videos", "result"),
    [
        (1, 24, 10, "min(1, 1.5, 5.0) = 1"),
        (4, 256, 100, "min(4, 16.0, 50.0) = 4"),
        (0, 8, 1, "min(0, 0.5, 0.5) = 0"),
    ],
)
def test_the_rule_of_thumb_stands_beside_the_choice(
    gpus: int, memory_gib: int, videos: int, result: str
) -> None:
    machine = Machine(threads=8, memory_bytes=memory_gib * GIB, all_gpus=gpus)
    for parallel in ("auto", "1..4"):
        notes = choose_lanes(parallel, machine, engine="ffmpeg", videos=videos).notes
        assert notes[-1] == f"the rule of thumb min(GPUs, RAM_GB / 16, Videos / 2) gives {result}"


@given(
    machine=MACHINES,
    engine=ENGINES,
    need=NEEDS,
    least=st.integers(1, 9),
    more=st.integers(0, 9),
    auto=st.booleans(),
)
def test_a_batch_begins_within_its_bounds(
    machine: Machine, engine: str, need: LaneNeed | None, least: int, more: int, auto: bool
) -> None:
    parallel = "auto" if auto else f"{least}..{least + more}"
    lanes = choose_lanes(parallel, machine, engine=engine, videos=3, need=need)
    assert 1 <= lanes.least <= lanes.begin <= lanes.most
    assert auto or (lanes.least, lanes.most) == (least, least + more)


@given(machine=MACHINES, engine=ENGINES)
def test_more_of_a_machine_never_means_fewer(machine: Machine, engine: str) -> None:
    from dataclasses import replace

    def begin(machine: Machine) -> int:
        return choose_lanes("auto", machine, engine=engine, videos=3).begin

    assert begin(machine) <= begin(replace(machine, threads=machine.threads + 2))
    assert begin(machine) <= begin(replace(machine, memory_bytes=machine.memory_bytes + 4 * GIB))
    assert (
        engine == "ffmpeg"
        or begin(machine) <= begin(replace(machine, gpus=machine.gpus + 1))
        or not machine.gpus
    )
