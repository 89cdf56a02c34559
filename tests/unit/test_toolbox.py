"""How many workers a machine gets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vhsbatch.toolbox import choose_lanes

GIB = 2**30
ENGINES = st.sampled_from(["ffmpeg", "realesrgan"])


@given(
    parallel=st.integers(1, 64),
    threads=st.integers(1, 256),
    memory=st.integers(0, 2**42),
    engine=ENGINES,
    on_gpu=st.booleans(),
)
def test_a_number_that_was_asked_for_is_taken(
    parallel: int, threads: int, memory: int, engine: str, on_gpu: bool
) -> None:
    made = choose_lanes(parallel, threads=threads, memory_bytes=memory, engine=engine, on_gpu=on_gpu)
    assert made == (parallel, None)


@pytest.mark.parametrize(
    ("threads", "memory_gib", "lanes"),
    [
        (1, 64, 1),
        (2, 64, 1),
        (3, 64, 1),
        (4, 64, 2),
        (16, 64, 8),
        (64, 16, 8),
        (64, 3, 1),
        (64, 1, 1),
        (8, 4, 2),
        (128, 512, 64),
    ],
)
def test_a_worker_takes_two_threads_and_two_gibibytes(threads: int, memory_gib: int, lanes: int) -> None:
    made, note = choose_lanes(
        "auto", threads=threads, memory_bytes=memory_gib * GIB, engine="ffmpeg", on_gpu=False
    )
    assert made == lanes
    assert note == (
        f"{lanes} {'worker' if lanes == 1 else 'workers'}: {threads} threads at 2 a worker, "
        f"{memory_gib} GiB of memory at 2 a worker"
    )


@pytest.mark.parametrize(
    ("on_gpu", "memory_gib", "lanes", "note"),
    [
        (True, 16, 2, "2 workers: the network on a GPU"),
        (True, 4, 2, "2 workers: the network on a GPU"),
        (True, 3, 1, "1 worker: the network on a GPU"),
        (True, 1, 1, "1 worker: the network on a GPU"),
        (False, 256, 1, "1 worker: the network on the CPU"),
    ],
)
def test_the_network_takes_a_whole_device(on_gpu: bool, memory_gib: int, lanes: int, note: str) -> None:
    made = choose_lanes("auto", threads=64, memory_bytes=memory_gib * GIB, engine="realesrgan", on_gpu=on_gpu)
    assert made == (lanes, note)


@given(threads=st.integers(1, 256), memory=st.integers(0, 2**42), engine=ENGINES, on_gpu=st.booleans())
def test_there_is_always_a_worker_and_more_of_a_machine_never_means_fewer(
    threads: int, memory: int, engine: str, on_gpu: bool
) -> None:
    def lanes(threads: int, memory: int) -> int:
        made, note = choose_lanes("auto", threads=threads, memory_bytes=memory, engine=engine, on_gpu=on_gpu)
        assert note is not None
        assert note.startswith(f"{made} worker")
        return made

    assert 1 <= lanes(threads, memory) <= max(2, threads)
    assert lanes(threads, memory) <= lanes(threads + 2, memory)
    assert lanes(threads, memory) <= lanes(threads, memory + 2 * GIB)
