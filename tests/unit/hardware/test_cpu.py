"""What is read of a CPU, from copies of what kernels and drivers write."""

from pathlib import Path

from vhsbatch.hardware.cpu import CpuGauge, cpu_gauge, parse_cpuinfo


def put(root: Path, name: str, text: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_name_and_heat(tmp_path: Path) -> None:
    put(tmp_path, "proc/cpuinfo", "processor\t: 0\nmodel name\t: AMD EPYC 7763 64-Core Processor\n")
    put(tmp_path, "sys/class/hwmon/hwmon0/name", "nvme\n")
    put(tmp_path, "sys/class/hwmon/hwmon0/temp1_input", "84000\n")
    put(tmp_path, "sys/class/hwmon/hwmon1/name", "k10temp\n")
    put(tmp_path, "sys/class/hwmon/hwmon1/temp1_input", "61500\n")
    assert cpu_gauge(tmp_path) == CpuGauge(name="AMD EPYC 7763", temperature_c=61.5)


def test_a_small_board_tells_its_heat_elsewhere(tmp_path: Path) -> None:
    put(tmp_path, "proc/cpuinfo", "processor\t: 0\nModel\t\t: Raspberry Pi 5 Model B Rev 1.0\n")
    put(tmp_path, "sys/class/thermal/thermal_zone0/type", "cpu-thermal\n")
    put(tmp_path, "sys/class/thermal/thermal_zone0/temp", "48312\n")
    assert cpu_gauge(tmp_path) == CpuGauge(name="Raspberry Pi 5 Model B Rev 1.0", temperature_c=48.312)


def test_what_is_not_there_is_not_invented(tmp_path: Path) -> None:
    assert cpu_gauge(tmp_path) == CpuGauge(name="", temperature_c=None)


def test_names_without_ornaments() -> None:
    assert (
        parse_cpuinfo("model name\t: 12th Gen Intel(R) Core(TM) i7-12700K") == "12th Gen Intel Core i7-12700K"
    )
