"""The GPUs that the model runs on: each has a number of slots, and each lane keeps to one of them.

A GPU on which the model fails several times in a row is retired, and its work goes to the others, or to
the CPU when none is left. Which GPU makes a segment does not enter the fingerprint.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace

import anyio

from vhsbatch.engines.devices import NCNN
from vhsbatch.engines.fallback import fallback, fallbacks
from vhsbatch.errors import ChainError
from vhsbatch.model.plan import EncoderDevice, JobPlan, Segment, Upscaling
from vhsbatch.restore.workspace import Workspace
from vhsbatch.scheduling.failures import is_by_model

# This many failures in a row are the device's fault, not the video's.
_TOO_MANY_FAILURES = 3


class Gpus:
    """Devices with slots.

    Attributes:
        encoders: where a hardware encoder is told to run, by the device of the model.
    """

    def __init__(
        self,
        devices: Mapping[str, EncoderDevice],
        *,
        slots: int,
        retired: Callable[[str, str], Awaitable[None]],
    ) -> None:
        """Create the devices.

        Args:
            devices: indices of Vulkan devices, and what encoders call them.
            slots: how many segments each works on at a time.
            retired: called when a device is taken out of use, with the reason.
        """
        self.encoders = devices
        self._slots = {device: anyio.Semaphore(slots) for device in devices}
        self._waiting = dict.fromkeys(devices, 0)
        self._failures = dict.fromkeys(devices, 0)
        self._in_use = list(devices)
        self._failed_on: dict[tuple[str, int], set[str]] = {}
        self._retired = retired

    @asynccontextmanager
    async def way(
        self, plan: JobPlan, segment: Segment, *, lane: int, step: int
    ) -> AsyncIterator[Upscaling | None]:
        """How to run the model for a segment; holds a slot of a GPU meanwhile.

        Args:
            plan: the video's plan.
            segment: which part of it.
            lane: lanes spread over the devices by their numbers.
            step: how often the model has failed at this segment.
        """
        planned = plan.upscaling
        if planned is None or planned.device not in self.encoders:
            yield None if planned is None else fallback(planned, step)
            return
        # Beyond the second failure on one device the segment is given to another one.
        avoided = self._failed_on.get((plan.job.id, segment.index), set()) if step >= 2 else set()
        device = self._choose(lane, avoided)
        if device is None or step >= len(fallbacks(planned)) - 1:
            yield replace(fallback(planned, step), device="cpu", runtime=NCNN)
            return
        self._waiting[device] += 1
        try:
            async with self._slots[device]:
                yield replace(fallback(planned, step), device=device)
        finally:
            self._waiting[device] -= 1

    @asynccontextmanager
    async def placed(
        self, plan: JobPlan, segment: Segment, workspace: Workspace, *, lane: int, step: int
    ) -> AsyncIterator[tuple[Upscaling | None, Workspace]]:
        """Like `way`, with the workplace for it; what becomes of it counts for or against its device."""
        async with self.way(plan, segment, lane=lane, step=step) as way:
            if way is not None and (encoder := self.encoders.get(way.device)) is not None:
                workspace = replace(workspace, encoder_device=encoder)
            try:
                yield way, workspace
            except ChainError as error:
                if way is not None and is_by_model(error):
                    await self.failed(plan, segment, way.device, str(error))
                raise
        if way is not None:
            self.succeeded(plan, segment, way.device)

    def _choose(self, lane: int, avoided: set[str]) -> str | None:
        """The lane's own device, or the one with the shortest queue if that is not available."""
        own = list(self.encoders)[(lane - 1) % len(self.encoders)]
        if own in self._in_use and own not in avoided:
            return own
        others = [device for device in self._in_use if device not in avoided]
        return min(others, key=self._waiting.__getitem__, default=None)

    def succeeded(self, plan: JobPlan, segment: Segment, device: str) -> None:
        """The model made a whole segment."""
        self._failed_on.pop((plan.job.id, segment.index), None)
        if device in self._failures:
            self._failures[device] = 0

    async def failed(self, plan: JobPlan, segment: Segment, device: str, reason: str) -> None:
        """The model failed: take its device out where that was once too often."""
        self._failed_on.setdefault((plan.job.id, segment.index), set()).add(device)
        if device not in self._failures:
            return
        self._failures[device] += 1
        if device in self._in_use and self._failures[device] >= _TOO_MANY_FAILURES:
            self._in_use.remove(device)
            await self._retired(device, f"{_TOO_MANY_FAILURES} failures in a row, the last: {reason}")
