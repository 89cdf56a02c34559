"""What is read of a CPU, from copies of what kernels and drivers write."""

from pathlib import Path

from vhsbatch.hardware.cpu import CpuGauge, CpuTime, cpu_gauge, cpu_time, parse_cpuinfo, parse_stat


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


def test_how_busy_the_cores_were_between_two_readings(tmp_path: Path) -> None:
    assert cpu_time(tmp_path) is None
    put(tmp_path, "proc/stat", "cpu  100 0 50 800 50 0 0 0 0 0\ncpu0 1 2 3 4 5\n")
    before = cpu_time(tmp_path)
    put(tmp_path, "proc/stat", "cpu  160 0 65 815 60 0 0 0 0 0\ncpu0 1 2 3 4 5\n")
    after = cpu_time(tmp_path)
    assert after == CpuTime(busy=225, total=1100)
    assert after.busy_percent_since(before) == 75
    assert after.busy_percent_since(None) is None
    assert after.busy_percent_since(after) is None


def test_a_table_of_times_that_is_none_says_nothing() -> None:
    for text in ("", "cpu\n", "cpu a b c d e\n", "intr 1 2 3 4 5 6\n"):
        assert parse_stat(text) is None
