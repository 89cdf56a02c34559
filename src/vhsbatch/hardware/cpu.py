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


@dataclass(frozen=True, slots=True, kw_only=True)
class CpuTime:
    """What all cores have done since the machine started, in ticks of the kernel.

    Attributes:
        busy: at work.
        total: altogether.
    """

    busy: int
    total: int

    def busy_percent_since(self, before: "CpuTime | None") -> int | None:
        """The part of the time since `before` in which the cores were at work; None where none has passed."""
        if before is None or self.total <= before.total:
            return None
        busy = round(100 * (self.busy - before.busy) / (self.total - before.total))
        return min(100, max(0, busy))  # the kernel takes back what waited for disks


def cpu_time(root: Path = Path("/")) -> CpuTime | None:
    """What the cores have done; None where the system does not tell."""
    return parse_stat(text_of(root / "proc/stat") or "")


def parse_stat(text: str) -> CpuTime | None:
    r"""The time of all cores in ``/proc/stat``: user, nice, system, idle, waiting for disks, and others.

    >>> parse_stat("cpu  30 10 20 130 10 0 0 0 5 5\ncpu0 1 2\n")
    CpuTime(busy=60, total=200)
    """
    name, *ticks = text.partition("\n")[0].split()[:9] or [""]
    if name != "cpu" or len(ticks) < 5 or not all(map(str.isdecimal, ticks)):
        return None
    # What guests of the machine use is contained in the others.
    total, resting = sum(map(int, ticks)), int(ticks[3]) + int(ticks[4])
    return CpuTime(busy=total - resting, total=total)


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
