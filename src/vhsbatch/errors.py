"""Everything that can go wrong, as the user is told it.

Each error is one line with the cause and, where there is one, the fix. Its class carries the exit
code with which the program ends when that error ends the program.

    VhsBatchError                    1
    ├── UsageError                   2   an option, a preset, a configuration file
    ├── ToolError                    3   FFmpeg, a runtime or a model is missing or unusable
    ├── ShortageError                3   the system has no process, thread or descriptor left for a while
    ├── OutputFolderError            4   OUT cannot be written, or another run holds it
    ├── InputError                   1   this video cannot be restored; trying again cannot help
    ├── StalePlanError               1   what the plan of this video rests on has changed
    ├── ChainError                   1   a child process failed
    │   ├── OutOfMemoryError         1   the system ended it, as there was no memory left
    │   ├── ProcessLimitError        1   the system gave it no process or thread
    │   └── MachineLostError         1   the machine that was at work on it is gone
    └── VerificationError            1   what was made is not what was planned
"""

import errno
import os
from dataclasses import dataclass

# What helps where FFmpeg itself is missing, too old, or lacks a part.
EMBEDDED_FIX = "leave the setting 'ffmpeg' out to use the embedded one"

# A disk or somebody's share of it is full, and what the system says then.
_FULL = (errno.ENOSPC, errno.EDQUOT)
DISK_FULL = tuple(map(os.strerror, _FULL))


def is_disk_full(error: OSError) -> bool:
    """Whether a disk, or somebody's share of it, was full."""
    return error.errno in _FULL


def fix_of_folder(error: OSError) -> str:
    """What can be done where a folder takes no files."""
    if is_disk_full(error):
        return "make room there, or choose another one"
    return "choose another one, or change its permissions"


def first_cause(error: BaseException) -> BaseException:
    """What a task group, which speaks of all that failed in it, was ended by."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


class VhsBatchError(Exception):
    """A failure that the user can understand.

    Attributes:
        cause: what happened, one line.
        fix: what the user can do about it, one line, or None.
        exit_code: the process exit code when this error ends the program.
        transient: whether doing the same again can succeed.
    """

    exit_code: int = 1
    transient: bool = False

    @property
    def disk_was_full(self) -> bool:
        """Whether a disk was full."""
        return any(words in self.cause for words in DISK_FULL)

    def __init__(self, cause: str, *, fix: str | None = None) -> None:
        # With the cause alone an error can be pickled: the rest is in its attributes.
        super().__init__(cause)
        self.cause = cause
        self.fix = fix

    def __str__(self) -> str:
        return self.cause if self.fix is None else f"{self.cause} ({self.fix})"


class UsageError(VhsBatchError):
    """A wrong option, preset or configuration value; nothing has been done yet."""

    exit_code = 2


class ToolError(VhsBatchError):
    """A program, a runtime or a model that the work needs is missing or does not work."""

    exit_code = 3


class ShortageError(VhsBatchError):
    """The system had no process, thread or descriptor left; it will have some later."""

    exit_code = 3
    transient = True


class OutputFolderError(VhsBatchError):
    """The output folder cannot be used: not writable, or another run is working in it."""

    exit_code = 4


class InputError(VhsBatchError):
    """The source cannot be restored, whatever is tried."""


class StalePlanError(VhsBatchError):
    """The source, or a finished segment, is not what it was: the video has to be planned again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StageFailure:
    """How one child process of a chain ended.

    Attributes:
        stage: the stage's name, for example ``decode``.
        command: its argument list.
        exit_code: negative for a signal, as `subprocess` reports it.
        stderr_tail: its last lines on stderr, oldest first.
    """

    stage: str
    command: tuple[str, ...]
    exit_code: int
    stderr_tail: tuple[str, ...]


class ChainError(VhsBatchError):
    """A chain of child processes failed.

    The cause names the stage that failed first.

    Attributes:
        culprit: that stage's name, None where no stage is to blame.
        stages: every stage, so that a log can show what each of them said last.
    """

    transient = True

    def __init__(
        self,
        cause: str,
        *,
        culprit: str | None = None,
        stages: tuple[StageFailure, ...] = (),
        fix: str | None = None,
    ) -> None:
        super().__init__(cause, fix=fix)
        self.culprit = culprit
        self.stages = stages

    @property
    def disk_was_full(self) -> bool:
        """Whether a stage found a disk full."""
        said = (line for stage in self.stages for line in stage.stderr_tail)
        return super().disk_was_full or any(words in line for line in said for words in DISK_FULL)


class OutOfMemoryError(ChainError):
    """The system ended a stage because there was no memory left."""


class ProcessLimitError(ChainError):
    """A stage failed, or hung, while the system gave it no process or thread; it will have some later."""


class MachineLostError(ChainError):
    """The machine that made a segment cannot be reached any more; the work can be done by another one."""


class VerificationError(VhsBatchError):
    """What was made differs from what was planned."""

    transient = True


class UndecodableError(VerificationError):
    """What was made does not decode from end to end without an error."""
