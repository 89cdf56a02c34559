"""Which gauge belongs to which of the devices that work is given to; and disks, each told once."""

from pathlib import Path

import anyio
import pytest

from vhsbatch.events.telemetry import DeviceReading, DeviceReadings, Telemetry
from vhsbatch.hardware.gauges import GpuGauge
from vhsbatch.model.plan import ANY_DEVICE, EncoderDevice
from vhsbatch.scheduling.readings import NamedDevice, Reader, named_gpus

A2 = GpuGauge(name="NVIDIA A2", total_bytes=9, used_bytes=2, temperature_c=41.0, device=EncoderDevice(cuda=0))
A30 = GpuGauge(name="NVIDIA A30", temperature_c=50.0, busy_percent=96, device=EncoderDevice(cuda=1))
RADEON = GpuGauge(name="card1", temperature_c=71.0, device=EncoderDevice(render_node="/dev/dri/renderD129"))


def test_a_gpu_has_the_name_that_its_driver_gives_it() -> None:
    devices = {
        "0": NamedDevice("AMD Radeon RX 6800", EncoderDevice(render_node="/dev/dri/renderD129")),
        "2": NamedDevice("NVIDIA A30", EncoderDevice(cuda=1, render_node="/dev/dri/renderD128")),
    }
    assert named_gpus([A2, A30, RADEON], devices) == (
        DeviceReading(id="0", name="AMD Radeon RX 6800", temperature_c=71.0),
        DeviceReading(id="2", name="NVIDIA A30", temperature_c=50.0, busy_percent=96),
        DeviceReading(id="", name="NVIDIA A2", total_bytes=9, used_bytes=2, temperature_c=41.0),
    )


def test_a_device_without_a_gauge_has_its_name_alone() -> None:
    devices = {"0": NamedDevice("llvmpipe", ANY_DEVICE)}
    assert named_gpus([RADEON], devices)[0] == DeviceReading(id="0", name="llvmpipe")


@pytest.mark.anyio
async def test_this_machine_is_read_and_a_disk_told_once(tmp_path: Path) -> None:
    told: list[Telemetry] = []
    folders = (tmp_path / "out" / "later", tmp_path)
    reader = Reader(devices={}, folders=folders, tell=told.append)
    with anyio.fail_after(300):
        async with reader.reading():
            while not told:
                await anyio.sleep(0.01)
    (readings,) = told
    assert isinstance(readings, DeviceReadings)
    assert readings.devices[0].id == "cpu"
    (disk,) = readings.disks
    assert disk.folder == str(folders[0])
    assert disk.free_bytes > 0
