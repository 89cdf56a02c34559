"""CPU, GPUs and disks in words, as many as there is room for. Pure."""

from collections.abc import Iterable

from rich.cells import cell_len

from vhsbatch.events.telemetry import DeviceReading, DeviceReadings, DiskReading
from vhsbatch.formatting import plain, size

_BETWEEN = "   "
_SHORT_NAME = 14


def machine_line(readings: DeviceReadings, width: int) -> str:
    """Everything that was read, in the longest form that fits into `width` cells; if none does, the shortest.

    Devices that tell nothing, and disks that cannot be read, are not in it.
    """
    told = [reading for reading in readings.devices if tells_something(reading)]
    line = ""
    for devices, on_disk in (
        ([device_words(reading) for reading in told], " on disk"),
        (
            [device_words(reading, name=device_name(reading)[:_SHORT_NAME].rstrip()) for reading in told],
            " on disk",
        ),
        ([device_words(reading, name=_kind(reading)) for reading in told], " on disk"),
        ([_together(kind, told) for kind in dict.fromkeys(map(_kind, told))], ""),
    ):
        line = _BETWEEN.join((*devices, *_disks(readings.disks, on_disk)))
        if cell_len(line) <= width:
            break
    return line


def tells_something(reading: DeviceReading) -> bool:
    """Whether more is known of a device than its place."""
    told = (reading.temperature_c, reading.busy_percent)
    return bool(reading.name or reading.total_bytes) or any(figure is not None for figure in told)


def device_words(reading: DeviceReading, *, name: str | None = None) -> str:
    """A device: name, memory, temperature, how busy it is, as far as they are known.

    >>> device_words(DeviceReading(id="0", name="A2", used_bytes=2**30, total_bytes=2**34, temperature_c=54))
    'A2 1.0 of 16.0 GiB 54 °C'
    """
    named = device_name(reading) if name is None else name
    return " ".join(filter(None, (named, _memory(reading), _heat(reading), _load(reading))))


def device_name(reading: DeviceReading) -> str:
    """What a device is called, or its kind."""
    return plain(reading.name) or _kind(reading)


def _kind(reading: DeviceReading) -> str:
    return "CPU" if reading.id == "cpu" else "GPU"


def _memory(reading: DeviceReading) -> str:
    if reading.total_bytes is None or reading.used_bytes is None:
        return ""
    used, used_unit = size(reading.used_bytes).split()
    total, unit = size(reading.total_bytes).split()
    return f"{used} of {total} {unit}" if used_unit == unit else f"{used} {used_unit} of {total} {unit}"


def _heat(reading: DeviceReading) -> str:
    return "" if reading.temperature_c is None else f"{reading.temperature_c:.0f} °C"


def _load(reading: DeviceReading) -> str:
    return "" if reading.busy_percent is None else f"{reading.busy_percent} % busy"


def _together(kind: str, readings: Iterable[DeviceReading]) -> str:
    """All devices of a kind as one: the sum of their memory, the hottest and the least busy of them."""
    alike = [reading for reading in readings if _kind(reading) == kind]
    sizes = [
        (one.total_bytes, one.used_bytes) for one in alike if one.total_bytes and one.used_bytes is not None
    ]
    sum_of = DeviceReading(
        id=alike[0].id,
        name=kind,
        total_bytes=sum(total for total, _ in sizes) if sizes else None,
        used_bytes=sum(used for _, used in sizes) if sizes else None,
        temperature_c=max(
            (one.temperature_c for one in alike if one.temperature_c is not None), default=None
        ),
        busy_percent=min((one.busy_percent for one in alike if one.busy_percent is not None), default=None),
    )
    return device_words(sum_of, name=kind if len(alike) == 1 else f"{len(alike)} {kind}s")


def _disks(disks: tuple[DiskReading, ...], alone: str) -> Iterable[str]:
    for disk in disks:
        where = f" in {plain(disk.folder)}" if len(disks) > 1 else alone
        yield f"{size(disk.free_bytes)} free{where}"
