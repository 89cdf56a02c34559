"""Reads CPU, GPUs and disks from time to time, and tells it."""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio
import anyio.to_thread

from vhsbatch.events.telemetry import DeviceReading, DeviceReadings, DiskReading, Telemetry
from vhsbatch.hardware.cpu import CpuTime, cpu_gauge, cpu_time
from vhsbatch.hardware.gauges import GpuGauge, gpu_gauges, memory_gauge
from vhsbatch.model.plan import ANY_DEVICE, EncoderDevice
from vhsbatch.scheduling.disk_space import free_for

_EVERY_S = 5.0


@dataclass(frozen=True, slots=True)
class NamedDevice:
    """A Vulkan device.

    Attributes:
        name: what its driver calls it.
        device: what encoders call it.
    """

    name: str
    device: EncoderDevice


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Reads this machine.

    Attributes:
        devices: Vulkan devices that work is given to, by index.
        folders: where the batch writes.
        tell: takes what was read.
    """

    devices: Mapping[str, NamedDevice]
    folders: tuple[Path, ...]
    tell: Callable[[Telemetry], None]

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[None]:
        """Read for as long as what is within runs."""
        async with anyio.create_task_group() as group:
            group.start_soon(self._read)
            yield
            group.cancel_scope.cancel()

    async def _read(self) -> None:
        before: CpuTime | None = None
        while True:
            gpus = named_gpus(await gpu_gauges(), self.devices)
            cpu, before = await anyio.to_thread.run_sync(_cpu, before)
            disks = await anyio.to_thread.run_sync(_disks, self.folders)
            self.tell(DeviceReadings(devices=(cpu, *gpus), disks=disks))
            await anyio.sleep(_EVERY_S)


def named_gpus(gauges: Iterable[GpuGauge], devices: Mapping[str, NamedDevice]) -> tuple[DeviceReading, ...]:
    """What GPUs say, under the names of the Vulkan devices that they are; then the others. Pure."""
    left = list(gauges)
    readings = []
    for index, named in devices.items():
        same = next((gauge for gauge in left if _is(gauge, named.device)), None)
        if same is not None:
            left.remove(same)
        readings.append(_reading(index, named.name, same))
    return (*readings, *(_reading("", gauge.name, gauge) for gauge in left))


def _is(gauge: GpuGauge, device: EncoderDevice) -> bool:
    if device == ANY_DEVICE:
        return False
    if device.cuda is not None:
        return gauge.device.cuda == device.cuda
    return gauge.device.render_node == device.render_node


def _reading(index: str, name: str, gauge: GpuGauge | None) -> DeviceReading:
    if gauge is None:
        return DeviceReading(id=index, name=name)
    return DeviceReading(
        id=index,
        name=name,
        total_bytes=gauge.total_bytes,
        used_bytes=gauge.used_bytes,
        temperature_c=gauge.temperature_c,
        busy_percent=gauge.busy_percent,
    )


def _cpu(before: CpuTime | None) -> tuple[DeviceReading, CpuTime]:
    """The CPU as it is now, and what it has done until now."""
    gauge, memory, time = cpu_gauge(), memory_gauge(), cpu_time()
    reading = DeviceReading(
        id="cpu",
        name=gauge.name,
        total_bytes=memory.total_bytes,
        used_bytes=memory.used_bytes,
        temperature_c=gauge.temperature_c,
        busy_percent=time.busy_percent_since(before),
    )
    return reading, time


def _disks(folders: Iterable[Path]) -> tuple[DiskReading, ...]:
    """Each disk once, however many of the folders are on it."""
    disks: dict[int, DiskReading] = {}
    for folder in folders:
        try:
            there, free_bytes = free_for(folder)
            disks.setdefault(there.stat().st_dev, DiskReading(folder=str(folder), free_bytes=free_bytes))
        except OSError:
            continue  # what cannot be read is noticed by those who write there
    return tuple(disks.values())
