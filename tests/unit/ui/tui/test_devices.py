"""CPU, GPUs and disks in as many words as there is room for."""

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from vhsbatch.events.telemetry import DeviceReading, DeviceReadings, DiskReading
from vhsbatch.ui.tui.devices import device_words, machine_line

GIB = 2**30
CPU = DeviceReading(
    id="cpu", name="AMD Ryzen 9 5950X", total_bytes=64 * GIB, used_bytes=12 * GIB, temperature_c=61.4
)
GPU = DeviceReading(
    id="0",
    name="NVIDIA GeForce RTX 4090",
    total_bytes=24 * GIB,
    used_bytes=GIB // 2,
    temperature_c=72.0,
    busy_percent=97,
)
DISK = DiskReading(folder="/out", free_bytes=120 * GIB)
READINGS = DeviceReadings(devices=(CPU, GPU), disks=(DISK,))
UNKNOWN = DeviceReading(id="cpu", name="")


def test_everything_where_there_is_room() -> None:
    assert machine_line(READINGS, 130) == (
        "AMD Ryzen 9 5950X 12.0 of 64.0 GiB 61 °C   "
        "NVIDIA GeForce RTX 4090 512.0 MiB of 24.0 GiB 72 °C 97 % busy   120.0 GiB free on disk"
    )


def test_names_are_the_first_to_go() -> None:
    assert machine_line(READINGS, 88) == (
        "CPU 12.0 of 64.0 GiB 61 °C   GPU 512.0 MiB of 24.0 GiB 72 °C 97 % busy   120.0 GiB free"
    )


def test_many_gpus_are_one() -> None:
    gpus = tuple(
        DeviceReading(
            id=str(n), name="A2", total_bytes=GIB, used_bytes=GIB, temperature_c=n, busy_percent=90 + n
        )
        for n in range(8)
    )
    line = machine_line(DeviceReadings(devices=(CPU, *gpus), disks=(DISK,)), 89)
    assert line == "CPU 12.0 of 64.0 GiB 61 °C   8 GPUs 8.0 of 8.0 GiB 7 °C 90 % busy   120.0 GiB free"


def test_several_disks_are_told_apart() -> None:
    disks = (DISK, DiskReading(folder="/tmp/x\x1b[31m", free_bytes=GIB))
    line = machine_line(DeviceReadings(devices=(), disks=disks), 80)
    assert line == "120.0 GiB free in /out   1.0 GiB free in /tmp/x\\x1b[31m"


def test_what_cannot_be_read_is_not_shown() -> None:
    assert machine_line(DeviceReadings(devices=(UNKNOWN,), disks=()), 80) == ""
    assert device_words(DeviceReading(id="0", name="llvmpipe")) == "llvmpipe"
    assert device_words(DeviceReading(id="cpu", name="", temperature_c=50.0)) == "CPU 50 °C"


@given(st.integers(60, 300))
def test_a_longer_line_is_taken_only_where_it_fits(width: int) -> None:
    shortest = machine_line(READINGS, 0)
    assert cell_len(machine_line(READINGS, width)) <= max(width, cell_len(shortest))
