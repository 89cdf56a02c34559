"""What is true of the batch at one time: all that one refresh draws is drawn from one of these."""

from collections.abc import Mapping
from dataclasses import dataclass

from vhsbatch.events.figures import Figures, figures
from vhsbatch.events.state import BatchState
from vhsbatch.events.telemetry import DeviceReadings, Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchMoment:
    """The batch now.

    Attributes:
        state: its state; only read, and not later than in the refresh.
        progress: the newest report of each lane.
        readings: what the machine says of itself, None until it has.
        now_s: seconds since the epoch.
        numbers: what follows from these.
    """

    state: BatchState
    progress: Mapping[int, Progress]
    readings: DeviceReadings | None
    now_s: float
    numbers: Figures


def moment(
    state: BatchState, progress: Mapping[int, Progress], readings: DeviceReadings | None, now_s: float
) -> BatchMoment:
    """The batch at `now_s`."""
    return BatchMoment(
        state=state,
        progress=dict(progress),
        readings=readings,
        now_s=now_s,
        numbers=figures(state, progress, now_s),
    )
