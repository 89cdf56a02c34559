"""Where and with what this machine works: nothing here decides what comes out."""

import errno
import hashlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from vhsbatch.config.settings import Settings
from vhsbatch.errors import OutputFolderError, is_disk_full
from vhsbatch.ffmpeg.segment_commands import Threads, segment_muxer
from vhsbatch.model.plan import ANY_DEVICE, EncoderDevice, JobPlan, Segment
from vhsbatch.model.source import Served


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """What a lane needs to know of its machine.

    Attributes:
        ffmpeg: the FFmpeg program.
        temporary: folder for segments, private to this batch.
        publishing: folder for outputs that are not verified yet, on the file system of OUT.
        threads_per_lane: CPU threads that a lane may keep busy.
        niceness: added to the niceness of this process, for children.
        stall_timeout_s: a chain without progress for so long is stopped.
        encoder_device: the GPU that a hardware encoder runs on, where it is not to be the first.
        records: whether a record is put beside each output.
        skip_duplicates: whether the model leaves out frames that equal the one before.
        served: where the source is read, if it is no file of this machine.
        vapoursynth_python: the interpreter that has VapourSynth, None for this one.
    """

    ffmpeg: str
    temporary: Path
    publishing: Path
    threads_per_lane: int
    niceness: int
    stall_timeout_s: float
    encoder_device: EncoderDevice = ANY_DEVICE
    records: bool = True
    skip_duplicates: bool = True
    served: Served | None = None
    vapoursynth_python: str | None = None

    @property
    def threads(self) -> Threads:
        """A lane's threads, shared out among the parts of an FFmpeg.

        Only parts whose result does not depend on their number of threads are counted here; the
        encoder's threads are in its arguments.
        """
        return Threads(decode=min(4, self.threads_per_lane), filter=self.threads_per_lane)

    def job_folder(self, plan: JobPlan) -> Path:
        """Where the segments of this plan are."""
        return job_folder(self.temporary, plan)


def workspace_in(folder: Path, settings: Settings, *, ffmpeg: str, threads: int) -> Workspace:
    """Where and with what this machine works when all that it makes goes into one folder.

    Args:
        folder: for segments, and for outputs that are not verified yet.
        settings: how this machine runs.
        ffmpeg: the FFmpeg program.
        threads: CPU threads that a lane may keep busy.
    """
    return Workspace(
        ffmpeg=ffmpeg,
        temporary=folder,
        publishing=folder,
        threads_per_lane=threads,
        niceness=settings.nice,
        stall_timeout_s=settings.stall_timeout_s,
        skip_duplicates=settings.skip_duplicates,
        vapoursynth_python=settings.vapoursynth_python,
    )


def job_folder(temporary: Path, plan: JobPlan) -> Path:
    """Where the segments of a plan are; another plan for the same video has another folder."""
    name = hashlib.sha256(os.fsencode(plan.job.id)).hexdigest()[:12]
    return temporary / name / plan.fingerprint[:12]


def segment_file(plan: JobPlan, segment: Segment) -> str:
    """The name of a finished segment's file."""
    return f"segment-{segment.index:05d}.{segment_muxer(plan.encoder)}"


def expect_writable(folder: Path) -> None:
    """Create a folder if need be, and find out whether files can be made in it.

    Raises:
        OutputFolderError: they cannot, and waiting for free space does not help.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        if is_disk_full(error):
            return
        reason = "it is not a folder" if isinstance(error, FileExistsError) else error.strerror
        raise OutputFolderError(
            f"cannot write to {folder}: {reason}", fix="choose another folder, or change its permissions"
        ) from error


def make_private(folder: Path, within: Path | None = None) -> None:
    """Create a folder that nobody else can look into.

    Args:
        folder: the folder.
        within: what has to be there already. In the place of a disk that is away nothing is made.

    Raises:
        OSError: it cannot be created.
    """
    if within is not None and not within.is_dir():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(within))
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
