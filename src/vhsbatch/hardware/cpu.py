"""What the CPU says of itself. What cannot be read is not invented."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from vhsbatch.hardware.gauges import number_of, pairs_of, text_of

# Drivers of the sensors inside a CPU, as `/sys/class/hwmon` and `/sys/class/thermal` name them.
_SENSORS = ("coretemp", "k10temp", "zenpower", "cpu_thermal", "cpu-thermal", "x86_pkg_temp", "soc_thermal")
# What makers put around a name.
_ORNAMENTS = re.compile(r"\((R|TM|tm)\)|\bCPU\b|\bProcessor\b|@.*|\b\d+-Core\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class CpuGauge:
    """The CPU.

    Attributes:
        name: what it is called, empty where the system does not tell.
        temperature_c: how hot it is, None where that cannot be read.
    """

    name: str
    temperature_c: float | None


def cpu_gauge(root: Path = Path("/")) -> CpuGauge:
    """The CPU, from the system's files under `root`."""
    hottest = max(_temperatures(root), default=None)
    name = parse_cpuinfo(text_of(root / "proc/cpuinfo") or "")
    return CpuGauge(name=name, temperature_c=None if hottest is None else hottest / 1000)


def parse_cpuinfo(text: str) -> str:
    r"""The CPU's name in ``/proc/cpuinfo``, without what makers put around it.

    >>> parse_cpuinfo("model name\t: Intel(R) Xeon(R) CPU E5-2620 v4 @ 2.10GHz\n")
    'Intel Xeon E5-2620 v4'
    >>> parse_cpuinfo("model name\t: AMD Ryzen 9 5950X 16-Core Processor\n")
    'AMD Ryzen 9 5950X'
    """
    values = dict(pairs_of(text, ":"))
    name = values.get("model name") or values.get("Model") or values.get("Hardware") or ""
    return " ".join(_ORNAMENTS.sub(" ", name).split())


def _temperatures(root: Path) -> Iterable[int]:
    """Thousandths of a degree, of each sensor in a CPU."""
    for named, folder, sensor in (
        ("name", "hwmon", "temp1_input"),
        ("type", "thermal", "temp"),
    ):
        for name in (root / "sys/class" / folder).glob(f"*/{named}"):
            if (text_of(name) or "").strip() in _SENSORS:
                celsius = number_of(name.with_name(sensor))
                if celsius is not None:
                    yield celsius
