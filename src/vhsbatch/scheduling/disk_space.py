"""Whether the disks have space for more work."""

import errno
import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from vhsbatch.formatting import plain, size
from vhsbatch.model.plan import JobPlan

# Bits that an encoder spends on a pixel, as measured on noisy captures; lossless ones spend the most.
_BITS_PER_PIXEL = {"ffv1": 5.0, "prores": 2.2}
_BITS_PER_PIXEL_LOSSY = 0.3
# This multiple of a result's size is enough for it, its segments, and a wrong estimate.
_AMPLE = 20
# Why a folder that is there cannot be opened.
_SAYS_NOTHING = (errno.EACCES, errno.EPERM, errno.EMFILE, errno.ENFILE, errno.ENOMEM)


@dataclass(slots=True)
class DiskSpace:
    """Watches the disks that a batch writes to.

    Attributes:
        folders: where it writes; missing ones count as on their parents' disks.
        least_bytes: with less than this no new work starts.
        wanted_bytes: what must be free before new work starts, by folder, after a disk was full.
        marks: what is in those folders as long as the batch runs.
    """

    folders: tuple[Path, ...]
    least_bytes: int
    wanted_bytes: dict[Path, int] = field(default_factory=dict)
    marks: tuple[Path, ...] = ()

    def away(self) -> str | None:
        """The folder that is away; None if all are there."""
        for mark in self.marks:
            if not _is_there(mark):
                return f"the folder {plain(str(mark.parent))} is away: the batch continues when it is back"
        return None

    def lack(self) -> str | None:
        """Which disk is away, or has too little space for new work; None if all have enough."""
        if (away := self.away()) is not None:
            return away
        for folder, free in self._free():
            if free < max(self.least_bytes, self.wanted_bytes.get(folder, 0)):
                return f"only {size(free)} are free in {plain(str(folder))}: free some space to continue"
        self.wanted_bytes.clear()
        return None

    def is_ample(self, plan: JobPlan) -> bool:
        """Whether so much space is free that a video which found none hit something else: a quota."""
        ample = self.least_bytes + _AMPLE * result_bytes(plan)
        return all(free > ample for _, free in self._free())

    def want_more(self) -> None:
        """Require more space than is free now, which was not enough for one segment."""
        self.wanted_bytes = {folder: free + max(1, self.least_bytes) for folder, free in self._free()}

    def forecast(self, plans: Iterable[JobPlan]) -> str | None:
        """A warning where the results of `plans` will probably not fit; None if they will."""
        needed = sum(map(result_bytes, plans))
        for folder, free in self._free():
            if free - self.least_bytes < needed:
                return (
                    f"the results need about {size(needed)}, and {size(free)} are free "
                    f"in {plain(str(folder))}: the batch will wait for free space"
                )
        return None

    def lack_for(self, lanes: int, plans: Iterable[JobPlan]) -> str | None:
        """Which disk has too little space for a segment of each lane; None if all have enough."""
        segment = max((result_bytes(plan) // len(plan.segments) for plan in plans), default=0)
        for folder, free in self._free():
            if free < self.least_bytes + lanes * segment:
                return f"only {size(free)} are free in {plain(str(folder))}"
        return None

    def _free(self) -> list[tuple[Path, int]]:
        there: dict[Path, tuple[Path, int]] = {}
        for folder in self.folders:
            disk, free = free_for(folder)
            there[disk] = folder, free
        return list(there.values())


def _is_there(mark: Path) -> bool:
    # A share that is not answering says so in many ways.
    if not os.path.exists(mark):  # noqa: PTH110
        return False
    try:
        # A file is remembered for a second after its disk has gone: opening a folder asks the disk.
        with os.scandir(mark if mark.is_dir() else mark.parent):
            return True
    except OSError as error:
        return error.errno in _SAYS_NOTHING


def result_bytes(plan: JobPlan) -> int:
    """How large an output will be, roughly. Pure."""
    bits = _BITS_PER_PIXEL.get(plan.encoder, _BITS_PER_PIXEL_LOSSY)
    return int(plan.frames * plan.width * plan.height * bits / 8)


def free_for(folder: Path) -> tuple[Path, int]:
    """The folder, or the nearest one above it that is there, and the bytes that are free on its disk.

    Raises:
        OSError: not even the topmost one can be read.
    """
    while True:
        try:
            return folder, shutil.disk_usage(folder).free
        except OSError:
            # It may go at any moment: only asking shows whether it is there.
            if folder == folder.parent:
                raise
            folder = folder.parent
