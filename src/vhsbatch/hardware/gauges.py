"""What the machine says of itself: memory, pressure, GPUs. What cannot be read is not invented."""

import shutil
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import psutil

from vhsbatch.errors import ToolError
from vhsbatch.model.plan import ANY_DEVICE, EncoderDevice
from vhsbatch.process.spawn import run

_NVIDIA = (
    "nvidia-smi",
    "--query-gpu=name,memory.total,memory.used,temperature.gpu,utilization.gpu",
    "--format=csv,noheader,nounits",
)
_NVIDIA_TIMEOUT_S = 10
# No limit, in the words of the older control groups.
_UNLIMITED_BYTES = 2**60


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryGauge:
    """The memory that this process and its children may use.

    Attributes:
        total_bytes: the machine's, or a control group's limit where that is tighter.
        used_bytes: what of it is in use and cannot be given back at once.
    """

    total_bytes: int
    used_bytes: int

    @property
    def used(self) -> float:
        """The part that is in use, from 0 to 1."""
        return self.used_bytes / self.total_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuGauge:
    """A GPU; None for what its driver does not tell.

    Attributes:
        name: what it is called, or its place in the system.
        total_bytes: its own memory.
        used_bytes: what of it is in use.
        temperature_c: how hot it is.
        busy_percent: the part of the last moments in which it was at work.
        device: what encoders call it.
    """

    name: str
    total_bytes: int | None = None
    used_bytes: int | None = None
    temperature_c: float | None = None
    busy_percent: int | None = None
    device: EncoderDevice = ANY_DEVICE


def memory_gauge() -> MemoryGauge:
    """The memory of this machine, or of this process's control group where that leaves less.

    Raises:
        ToolError: the system does not tell.
    """
    try:
        memory = psutil.virtual_memory()
    except OSError as error:
        raise ToolError(f"cannot read this machine's memory: {error}", fix="mount /proc") from error
    return tightest(MemoryGauge(total_bytes=memory.total, used_bytes=memory.total - memory.available))


def tightest(machine: MemoryGauge, root: Path = Path("/")) -> MemoryGauge:
    """The machine's memory, or a control group's where that leaves less.

    Args:
        machine: what the machine has.
        root: where the system's files are.
    """
    folders = _control_groups(root, "memory")
    groups = [gauge for folder in folders if (gauge := _control_group(folder)) is not None]
    return min((machine, *groups), key=lambda gauge: gauge.total_bytes - gauge.used_bytes)


def _control_groups(root: Path, controller: str) -> Iterable[Path]:
    """This process's control group and those that it is in, as far as they can be seen from here."""
    for line in (text_of(root / "proc/self/cgroup") or "").splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            base = root / "sys/fs/cgroup"
        elif controller in controllers.split(","):
            base = root / "sys/fs/cgroup" / controller
        else:
            continue
        inner = PurePosixPath(path.lstrip("/"))
        yield from (base / folder for folder in (inner, *inner.parents))


def _control_group(folder: Path) -> MemoryGauge | None:
    """The limit of one control group; None if it has none."""
    for limit, used, cache in (
        ("memory.max", "memory.current", "inactive_file"),
        ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    ):
        limit_text, used_text = text_of(folder / limit), text_of(folder / used)
        if limit_text is None or used_text is None or not limit_text.strip().isdecimal():
            continue
        total = int(limit_text)
        if total == 0 or total >= _UNLIMITED_BYTES:
            continue
        # What was read from files and not used since is given back when it is needed.
        statistics = dict(pairs_of(text_of(folder / "memory.stat") or "", " "))
        spare = int(statistics.get(cache, "0"))
        return MemoryGauge(total_bytes=total, used_bytes=max(0, int(used_text) - spare))
    return None


def processor_limit(root: Path = Path("/")) -> float | None:
    """How many cores' time this process and its children may take; None where that is not limited.

    A container is limited in this way: it sees all cores of its machine, and is held up on them.

    Args:
        root: where the system's files are.
    """
    limits = (_processor_limit(folder) for folder in _control_groups(root, "cpu"))
    return min((limit for limit in limits if limit is not None), default=None)


def _processor_limit(folder: Path) -> float | None:
    """The limit of one control group; None if it has none."""
    older = (text_of(folder / f"cpu.cfs_{name}_us") or "" for name in ("quota", "period"))
    match (text_of(folder / "cpu.max") or " ".join(older)).split():
        case [quota, period] if quota.isdecimal() and period.isdecimal():
            return int(quota) / int(period)
    return None


def memory_stall(root: Path = Path("/")) -> float | None:
    """Percentage of the last ten seconds in which some process waited for memory; None if not told."""
    text = text_of(root / "proc/pressure/memory")
    return None if text is None else parse_pressure(text)


def parse_pressure(text: str) -> float | None:
    r"""The ten seconds' average of "some" in one of the kernel's pressure files.

    >>> parse_pressure("some avg10=1.25 avg60=0.10 avg300=0.00 total=1\nfull avg10=0.00 avg60=0.00")
    1.25
    """
    for line in text.splitlines():
        kind, _, rest = line.partition(" ")
        values = dict(pairs_of(rest.replace(" ", "\n"), "="))
        if kind == "some" and "avg10" in values:
            return float(values["avg10"])
    return None


def resident_bytes(pids: Iterable[int]) -> int:
    """What processes hold in memory; pages that they share are counted for each of them."""
    held_bytes = 0
    for pid in pids:
        with suppress(psutil.Error):  # it has ended
            held_bytes += psutil.Process(pid).memory_info().rss
    return held_bytes


async def gpu_gauges(root: Path = Path("/")) -> tuple[GpuGauge, ...]:
    """Every GPU that tells something of itself: AMD's and Intel's in ``/sys``, NVIDIA's by its tool."""
    return (*_drm_gpus(root), *await _nvidia_gpus())


def _drm_gpus(root: Path) -> Iterable[GpuGauge]:
    drm = root / "sys/class/drm"
    for device in sorted(drm.glob("card[0-9]*/device")):
        if not device.parent.name.removeprefix("card").isdecimal():
            continue  # one of its connectors
        total, used = number_of(device / "mem_info_vram_total"), number_of(device / "mem_info_vram_used")
        # The first one is the chip itself; others are its memory, or its hottest corner.
        celsius = [number_of(file) for file in sorted(device.glob("hwmon/hwmon*/temp1_input"))]
        hottest = max((value for value in celsius if value is not None), default=None)
        busy = number_of(device / "gpu_busy_percent")
        if total or hottest is not None or busy is not None:
            nodes = (f"/dev/dri/{node.name}" for node in sorted((device / "drm").glob("renderD*")))
            yield GpuGauge(
                name=device.parent.name,
                total_bytes=total or None,
                used_bytes=used if total else None,
                temperature_c=None if hottest is None else hottest / 1000,
                busy_percent=busy,
                device=EncoderDevice(render_node=next(nodes, None)),
            )


async def _nvidia_gpus() -> tuple[GpuGauge, ...]:
    if shutil.which(_NVIDIA[0]) is None:
        return ()
    try:
        finished = await run(_NVIDIA, timeout_s=_NVIDIA_TIMEOUT_S)
    except (TimeoutError, ToolError):
        return ()
    return parse_nvidia(finished.stdout.decode("utf-8", "replace")) if finished.exit_code == 0 else ()


def parse_nvidia(text: str) -> tuple[GpuGauge, ...]:
    r"""What ``nvidia-smi`` prints: name, MiB in all, MiB in use, degrees Celsius, percent of the time busy.

    >>> parse_nvidia("NVIDIA A2, 15356, 1024, 41, 97\n")[0].temperature_c
    41.0
    """
    gauges: list[GpuGauge] = []
    for line in text.splitlines():
        name, *values = (part.strip() for part in line.rsplit(",", 4))
        total, used, celsius, busy = (int(value) if value.isdecimal() else None for value in values)
        gauges.append(
            GpuGauge(
                name=name,
                total_bytes=None if total is None else total * 2**20,
                used_bytes=None if used is None else used * 2**20,
                temperature_c=None if celsius is None else float(celsius),
                busy_percent=busy,
                device=EncoderDevice(cuda=len(gauges)),
            )
        )
    return tuple(gauges)


def number_of(path: Path) -> int | None:
    """The number in a file of the system; None where there is none."""
    text = text_of(path)
    return int(text) if text is not None and text.strip().isdecimal() else None


def pairs_of(text: str, sign: str) -> Iterable[tuple[str, str]]:
    """Names and values, one pair a line."""
    for line in text.splitlines():
        name, found, rest = line.partition(sign)
        if found:
            yield name.strip(), rest.strip()


def text_of(path: Path) -> str | None:
    """What a file of the system says; None where it cannot be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
