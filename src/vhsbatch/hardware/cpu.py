"""What the CPU says of itself. What cannot be read is not invented."""

import platform
import re
import sys
from dataclasses import dataclass
from pathlib import Path

import psutil

from vhsbatch.hardware.gauges import pairs_of, text_of

# Drivers of the sensors inside a CPU.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class CpuTime:
    """What all cores have done since the machine started.

    Attributes:
        busy_s: at work.
        total_s: altogether.
    """

    busy_s: float
    total_s: float

    def busy_percent_since(self, before: "CpuTime | None") -> int | None:
        """The part of the time since `before` in which the cores were at work; None where none has passed."""
        if before is None or self.total_s <= before.total_s:
            return None
        busy = round(100 * (self.busy_s - before.busy_s) / (self.total_s - before.total_s))
        return min(100, max(0, busy))  # the kernel takes back what waited for disks


def cpu_time() -> CpuTime:
    """What the cores have done."""
    times = psutil.cpu_times()._asdict()
    # What guests of the machine use is contained in the others.
    total_s = sum(seconds for name, seconds in times.items() if not name.startswith("guest"))
    return CpuTime(busy_s=total_s - times["idle"] - times.get("iowait", 0.0), total_s=total_s)


def cpu_gauge(root: Path = Path("/")) -> CpuGauge:
    """The CPU; its name from the system's files under `root`."""
    name = parse_cpuinfo(text_of(root / "proc/cpuinfo") or "") or platform.processor()
    return CpuGauge(name=name, temperature_c=max(_temperatures(), default=None))


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


def _temperatures() -> list[float]:
    """Degrees Celsius, of each sensor in a CPU; nothing on systems that do not tell."""
    if sys.platform != "linux":
        return []
    told = psutil.sensors_temperatures()
    return [sensor.current for name in _SENSORS for sensor in told.get(name, ())]
