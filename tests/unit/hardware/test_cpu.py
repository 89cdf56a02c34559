"""What is read of a CPU, from copies of what kernels and drivers write."""

import platform
from collections import namedtuple
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from vhsbatch.hardware.cpu import CpuGauge, CpuTime, cpu_gauge, cpu_time, parse_cpuinfo


def put(root: Path, name: str, text: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def heat(monkeypatch: pytest.MonkeyPatch, **sensors: float) -> None:
    read = {name: [SimpleNamespace(current=celsius)] for name, celsius in sensors.items()}
    monkeypatch.setattr(psutil, "sensors_temperatures", lambda: read)


def test_name_and_heat(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, "proc/cpuinfo", "processor\t: 0\nmodel name\t: AMD EPYC 7763 64-Core Processor\n")
    heat(monkeypatch, nvme=84.0, k10temp=61.5)
    assert cpu_gauge(tmp_path) == CpuGauge(name="AMD EPYC 7763", temperature_c=61.5)


def test_a_small_board_tells_its_name_and_heat_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, "proc/cpuinfo", "processor\t: 0\nModel\t\t: Raspberry Pi 5 Model B Rev 1.0\n")
    heat(monkeypatch, cpu_thermal=48.312)
    assert cpu_gauge(tmp_path) == CpuGauge(name="Raspberry Pi 5 Model B Rev 1.0", temperature_c=48.312)


def test_what_is_not_there_is_not_invented(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    heat(monkeypatch, nvme=84.0)
    monkeypatch.setattr(platform, "processor", str)
    assert cpu_gauge(tmp_path) == CpuGauge(name="", temperature_c=None)


def test_names_without_ornaments() -> None:
    assert (
        parse_cpuinfo("model name\t: 12th Gen Intel(R) Core(TM) i7-12700K") == "12th Gen Intel Core i7-12700K"
    )


def test_how_busy_the_cores_were_between_two_readings(monkeypatch: pytest.MonkeyPatch) -> None:
    Times = namedtuple("Times", "user nice system idle iowait guest")
    monkeypatch.setattr(psutil, "cpu_times", lambda: Times(100, 0, 50, 800, 50, 70))
    before = cpu_time()
    monkeypatch.setattr(psutil, "cpu_times", lambda: Times(160, 0, 65, 815, 60, 90))
    after = cpu_time()
    assert after == CpuTime(busy_s=225, total_s=1100)
    assert after.busy_percent_since(before) == 75
    assert after.busy_percent_since(None) is None
    assert after.busy_percent_since(after) is None
