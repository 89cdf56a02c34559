"""What happens while a lane works: shown to subscribers, dropped when there are none."""

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a lane is.

    Attributes:
        lane: the lane, from 1.
        job_id: the video.
        stage: what the lane does: ``segment``, ``assemble``, ``verify`` or ``publish``.
        segment: the segment's index, None outside of segments.
        done_frames: frames finished of this piece of work.
        total_frames: frames of this piece of work.
        frames_per_s: current speed.
        machine: the machine of a cluster that is at work, empty where there is no cluster.
        device: what does the slow part of it: ``cpu``, or the index of a Vulkan device.
        at_s: seconds since the epoch, as in all telemetry; the bus sets it.
    """

    lane: int
    job_id: str
    stage: str
    segment: int | None
    done_frames: int
    total_frames: int
    frames_per_s: float
    machine: str = ""
    device: str = "cpu"
    # When it was said says nothing of what was said.
    at_s: float = field(default=0.0, compare=False)
    kind: Literal["progress"] = "progress"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceReading:
    """What a CPU or a GPU says of itself; None for what it does not tell.

    Attributes:
        id: ``cpu``, the index of a Vulkan device, or empty for a GPU that the model does not run on.
        name: what it is called.
        total_bytes: its memory: a GPU's own, or for the CPU what this program may use.
        used_bytes: what of it is in use.
        temperature_c: how hot it is.
        busy_percent: the part of the last moments in which it was at work; of the CPU: all cores.
    """

    id: str
    name: str
    total_bytes: int | None = None
    used_bytes: int | None = None
    temperature_c: float | None = None
    busy_percent: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskReading:
    """A disk that the batch writes to.

    Attributes:
        folder: the folder on it that is written to.
        free_bytes: its free space.
    """

    folder: str
    free_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceReadings:
    """What the machine that runs the batch says of itself.

    Attributes:
        devices: the CPU first, then every GPU that tells something or is worked on.
        disks: those that are written to.
    """

    devices: tuple[DeviceReading, ...]
    disks: tuple[DiskReading, ...]
    at_s: float = field(default=0.0, compare=False)
    kind: Literal["device_readings"] = "device_readings"

    @property
    def gpus(self) -> tuple[DeviceReading, ...]:
        """All but the CPU."""
        return tuple(reading for reading in self.devices if reading.id != "cpu")

    def of(self, device_id: str) -> DeviceReading | None:
        """A device's reading; None if there is none."""
        return next((reading for reading in self.devices if reading.id == device_id), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """A line worth showing: `level` is ``debug`` (commands, child output), ``info`` or ``warning``."""

    level: Literal["debug", "info", "warning"]
    text: str
    job_id: str | None = None
    lane: int | None = None
    at_s: float = field(default=0.0, compare=False)
    kind: Literal["log"] = "log"


Telemetry = Progress | DeviceReadings | LogLine


def unheard(_event: Telemetry) -> None:
    """Show nothing: for work that is only tried."""
