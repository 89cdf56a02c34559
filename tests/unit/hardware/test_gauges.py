"""What is read of a machine, from copies of what kernels and drivers write."""

import os
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from vhsbatch.errors import ToolError
from vhsbatch.hardware import gauges
from vhsbatch.hardware.gauges import (
    GpuGauge,
    MemoryGauge,
    _drm_gpus,
    memory_gauge,
    memory_stall,
    parse_nvidia,
    parse_pressure,
    processor_limit,
    resident_bytes,
    tightest,
)
from vhsbatch.model.plan import EncoderDevice

MIB = 2**20
MACHINE = MemoryGauge(total_bytes=8192 * MIB, used_bytes=2048 * MIB)


def put(root: Path, name: str, text: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_the_machines_memory_is_what_can_be_had_without_swapping(monkeypatch: pytest.MonkeyPatch) -> None:
    memory = SimpleNamespace(total=8192 * MIB, available=6144 * MIB, used=1 * MIB)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: memory)
    monkeypatch.setattr(gauges, "tightest", lambda machine: machine)
    assert memory_gauge() == MACHINE
    assert MACHINE.used == 0.25


def test_a_system_that_tells_nothing_of_its_memory_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails() -> None:
        raise FileNotFoundError(2, "No such file or directory", "/proc/meminfo")

    monkeypatch.setattr(psutil, "virtual_memory", fails)
    with pytest.raises(ToolError, match="/proc/meminfo") as caught:
        memory_gauge()
    assert caught.value.fix == "mount /proc"


def test_without_a_control_group_the_machine_counts(tmp_path: Path) -> None:
    assert tightest(MACHINE, tmp_path) == MACHINE


def test_a_container_has_the_memory_that_it_is_given(tmp_path: Path) -> None:
    put(tmp_path, "proc/self/cgroup", "0::/\n")
    put(tmp_path, "sys/fs/cgroup/memory.max", str(1024 * MIB))
    put(tmp_path, "sys/fs/cgroup/memory.current", str(900 * MIB))
    put(tmp_path, "sys/fs/cgroup/memory.stat", f"anon 1\ninactive_file {388 * MIB}\n")
    gauge = tightest(MACHINE, tmp_path)
    assert (gauge.total_bytes, gauge.used_bytes) == (1024 * MIB, 512 * MIB)


def test_the_limit_of_a_group_around_counts_too(tmp_path: Path) -> None:
    put(tmp_path, "proc/self/cgroup", "0::/user.slice/app.scope\n")
    put(tmp_path, "sys/fs/cgroup/user.slice/app.scope/memory.max", "max\n")
    put(tmp_path, "sys/fs/cgroup/user.slice/app.scope/memory.current", "5")
    put(tmp_path, "sys/fs/cgroup/user.slice/memory.max", str(2048 * MIB))
    put(tmp_path, "sys/fs/cgroup/user.slice/memory.current", str(2000 * MIB))
    gauge = tightest(MACHINE, tmp_path)
    assert gauge.total_bytes == 2048 * MIB


def test_control_groups_of_the_older_kind(tmp_path: Path) -> None:
    put(tmp_path, "proc/self/cgroup", "5:cpu,cpuacct:/\n3:memory:/job\n")
    put(tmp_path, "sys/fs/cgroup/memory/job/memory.limit_in_bytes", str(512 * MIB))
    put(tmp_path, "sys/fs/cgroup/memory/job/memory.usage_in_bytes", str(400 * MIB))
    put(tmp_path, "sys/fs/cgroup/memory/memory.limit_in_bytes", str(2**63 - 4096))
    put(tmp_path, "sys/fs/cgroup/memory/memory.usage_in_bytes", "7")
    gauge = tightest(MACHINE, tmp_path)
    assert (gauge.total_bytes, gauge.used_bytes) == (512 * MIB, 400 * MIB)


def test_a_container_has_the_processor_time_that_it_is_given(tmp_path: Path) -> None:
    put(tmp_path, "proc/self/cgroup", "0::/\n")
    put(tmp_path, "sys/fs/cgroup/cpu.max", "max 100000\n")
    assert processor_limit(tmp_path) is None
    put(tmp_path, "sys/fs/cgroup/cpu.max", "150000 100000\n")
    assert processor_limit(tmp_path) == 1.5


def test_processor_time_in_control_groups_of_the_older_kind(tmp_path: Path) -> None:
    # As a container sees it: the path is its host's, and what is mounted is its own group.
    put(tmp_path, "proc/self/cgroup", "4:memory:/pods/pod1\n3:cpu,cpuacct:/pods/pod1\n")
    put(tmp_path, "sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n")
    put(tmp_path, "sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n")
    assert processor_limit(tmp_path) is None
    put(tmp_path, "sys/fs/cgroup/cpu/cpu.cfs_quota_us", "200000\n")
    assert processor_limit(tmp_path) == 2


def test_what_is_not_there_is_not_invented(tmp_path: Path) -> None:
    assert processor_limit(tmp_path) is None
    assert memory_stall(tmp_path) is None
    assert list(_drm_gpus(tmp_path)) == []


@pytest.mark.parametrize("text", ["", "full avg10=3.00 avg60=1.00", "some total=4"])
def test_pressure_without_the_figure(text: str) -> None:
    assert parse_pressure(text) is None


def test_gpus_of_amd_and_intel(tmp_path: Path) -> None:
    amd = tmp_path / "sys/class/drm/card0/device"
    (amd / "drm/renderD128").mkdir(parents=True)
    put(amd, "mem_info_vram_total", f"{8192 * MIB}\n")
    put(amd, "mem_info_vram_used", f"{2048 * MIB}\n")
    put(amd, "hwmon/hwmon3/temp1_input", "71000\n")
    put(amd, "gpu_busy_percent", "97\n")
    put(tmp_path, "sys/class/drm/card1/device/hwmon/hwmon5/temp1_input", "55000\n")
    put(tmp_path, "sys/class/drm/card0-DP-1/device/mem_info_vram_total", "9\n")
    put(tmp_path, "sys/class/drm/card2/device/vendor", "0x8086\n")
    assert list(_drm_gpus(tmp_path)) == [
        GpuGauge(
            name="card0",
            total_bytes=8192 * MIB,
            used_bytes=2048 * MIB,
            temperature_c=71.0,
            busy_percent=97,
            device=EncoderDevice(render_node="/dev/dri/renderD128"),
        ),
        GpuGauge(name="card1", temperature_c=55.0),
    ]


def test_gpus_of_nvidia_with_what_one_of_them_does_not_tell() -> None:
    text = "NVIDIA A2, 15356, 1024, 41, 100\nQuadro, the old one, 2048, [N/A], [N/A], [N/A]\n"
    assert parse_nvidia(text) == (
        GpuGauge(
            name="NVIDIA A2",
            total_bytes=15356 * MIB,
            used_bytes=1024 * MIB,
            temperature_c=41.0,
            busy_percent=100,
            device=EncoderDevice(cuda=0),
        ),
        GpuGauge(name="Quadro, the old one", total_bytes=2048 * MIB, device=EncoderDevice(cuda=1)),
    )


def test_what_has_ended_holds_no_memory() -> None:
    own = resident_bytes([os.getpid()])
    assert own > MIB
    assert resident_bytes([2**22 + 1]) == 0
