"""`steer`: one wish for the batch that runs into a folder, and what comes of it in a sentence."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, assert_never, get_args

from cyclopts import Parameter

from vhsbatch.batch.attached import AttachedSession, expect_output_folder
from vhsbatch.cli.completers import videos_to_steer
from vhsbatch.config.validation import nearest
from vhsbatch.errors import UsageError
from vhsbatch.events.commands import (
    ChangeLanes,
    Command,
    Continue,
    Move,
    Pause,
    Prioritise,
    Retry,
    Skip,
    Stop,
)
from vhsbatch.events.events import (
    BatchContinued,
    BatchPaused,
    Fact,
    JobMoved,
    JobPrioritised,
    JobRetried,
    JobSkipped,
    LanesChanged,
)
from vhsbatch.events.job_state import JobState
from vhsbatch.events.state import BatchState
from vhsbatch.formatting import counted, plain
from vhsbatch.scheduling.command_effects import grant
from vhsbatch.ui.text import show_line

OfBatch = Literal["pause", "resume", "more", "fewer", "stop"]
OfVideo = Literal["skip", "retry", "earlier", "later", "priority"]
_OF_VIDEO: dict[str, OfVideo] = {what: what for what in get_args(OfVideo)}
_MOST_NAMED = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """What was typed.

    Attributes:
        what: what is wished.
        video: of which video.
        priority: which priority it is to have.
        finish: whether running segments are finished before the batch stops.
    """

    what: OfBatch | OfVideo
    video: str | None = None
    priority: int | None = None
    finish: bool = False


def steer(
    output_folder: Path,
    what: Literal[
        "pause", "resume", "more", "fewer", "skip", "retry", "earlier", "later", "priority", "stop"
    ],
    video: Annotated[str | None, Parameter(completer=videos_to_steer)] = None,
    priority: int | None = None,
    /,
    *,
    finish: bool = False,
) -> int:
    """Control a running batch: pause, skip, retry, reorder or stop.

    Args:
        output_folder: Folder of results.
        what: Pause or resume the batch, use one worker more or fewer, skip, retry or move a video, or stop.
        video: Name of the video: of its file, or of its result.
        priority: The video's new priority. Videos with a higher one start first.
        finish: Finish the running segments before stopping.
    """
    expect_output_folder(output_folder)
    viewer = AttachedSession(output_folder.resolve(), read_only=False)
    if not viewer.steerable:
        raise UsageError(
            f"no batch is running in {output_folder}",
            fix=f"'vhs-upscale log {output_folder}' shows what happened there",
        )
    typed = Typed(what=what, video=video, priority=priority, finish=finish)
    command = command_of(typed, viewer.state)
    answer = what_comes_of(command, viewer.state)
    viewer.command(command)
    show_line(plain(answer))
    return 0


def command_of(typed: Typed, state: BatchState) -> Command:
    """The wish that was typed. Pure.

    Raises:
        UsageError: its words do not go together, or there is no such video.
    """
    what = typed.what
    if typed.finish and what != "stop":
        raise UsageError(f"--finish is of stop, and not of {what}", fix="leave it out")
    if what in get_args(OfBatch) and typed.video is not None:
        raise UsageError(f"{what} is of the whole batch", fix=f"leave {typed.video} out")
    if typed.priority is not None and what != "priority":
        raise UsageError(f"{what} takes no number", fix=f"leave {typed.priority} out")
    match what:
        case "pause":
            return Pause()
        case "resume":
            return Continue()
        case "more" | "fewer":
            return ChangeLanes(by=1 if what == "more" else -1)
        case "stop":
            return Stop(drain=typed.finish)
        case "skip" | "retry" | "earlier" | "later" | "priority":
            return _command_of_video(what, typed, state)
        case _:
            assert_never(what)


def _command_of_video(what: OfVideo, typed: Typed, state: BatchState) -> Command:
    if typed.video is None:
        raise UsageError(f"{what} of which video?", fix=_there_are(state.jobs.values()))
    job = _video(typed.video, state)
    if what == "priority" and typed.priority is None:
        raise UsageError("priority needs a whole number", fix=f"for example priority {typed.video} 5")
    return _command_for(what, job, priority=typed.priority)


def _command_for(what: OfVideo, job: JobState, *, priority: int | None) -> Skip | Retry | Move | Prioritise:
    job_id = job.job.id
    match what:
        case "skip":
            return Skip(job_id=job_id)
        case "retry":
            return Retry(job_id=job_id)
        case "earlier" | "later":
            return Move(job_id=job_id, by=-1 if what == "earlier" else 1)
        case "priority":
            return Prioritise(job_id=job_id, by=(priority or 0) - job.priority)
        case _:
            assert_never(what)


def videos_in(folder: Path, what: str) -> dict[str, str]:
    """What a shell offers behind `what`: the videos of which that can be wished, and what each is doing."""
    viewer = AttachedSession(folder.resolve(), read_only=False)
    return videos_for(what, viewer.state) if viewer.steerable else {}


def videos_for(what: str, state: BatchState) -> dict[str, str]:
    """The videos of which something can be wished, and what each is doing. Pure.

    Args:
        what: what was typed; of anything but an `OfVideo` there are none.
        state: the batch.
    """
    if (known := _OF_VIDEO.get(what)) is None:
        return {}
    named = Counter(job.job.source.name for job in state.jobs.values())
    return {
        job.job.source.name if named[job.job.source.name] == 1 else job.job.id: job.phase
        for job in state.jobs.values()
        if not isinstance(grant(_command_for(known, job, priority=0), state, at_s=0.0), str)
    }


def _video(name: str, state: BatchState) -> JobState:
    """The video that goes by a name: that of its source, of its result, or a path."""
    jobs = state.jobs.values()
    found = [job for job in jobs if name in (job.job.source.name, job.job.id, str(job.job.source))]
    if len(found) == 1:
        return found[0]
    if found:
        results = ", ".join(job.job.id for job in found)
        raise UsageError(f"there are {len(found)} videos '{name}'", fix=f"name its result: {results}")
    near = nearest(name, [job.job.source.name for job in jobs])
    fix = _there_are(jobs) if near is None else f"did you mean '{near}'? {_there_are(jobs)}"
    raise UsageError(f"there is no video '{name}' in this batch", fix=fix)


def _there_are(jobs: Iterable[JobState]) -> str:
    names = [job.job.source.name for job in jobs]
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return f"videos: {', '.join(names[:_MOST_NAMED])}{more}"


def what_comes_of(command: Command, state: BatchState) -> str:
    """What a wish will change, in a sentence. Pure.

    Raises:
        UsageError: it cannot be had.
    """
    if isinstance(command, Stop):
        how = "running segments are finished first" if command.drain else "running segments are given up"
        return f"The batch stops: {how}, and finished ones are kept for --resume."
    # Only read: the fact that counts is the batch's own.
    granted = grant(command, state, at_s=0.0)
    if isinstance(granted, str):
        raise UsageError(granted)
    return _sentence(granted, state)


def _sentence(fact: Fact, state: BatchState) -> str:
    def name(job_id: str) -> str:
        return state.jobs[job_id].job.source.name

    match fact:
        case BatchPaused():
            sentence = "The batch pauses: running segments are finished, and no new work begins."
        case BatchContinued():
            sentence = "The batch goes on."
        case LanesChanged():
            end = "" if fact.lanes > state.lanes else "; what the one that goes is doing is finished first"
            sentence = f"The batch goes on with {counted(fact.lanes, 'worker')}{end}."
        case JobSkipped():
            sentence = f"{name(fact.job_id)} is left out of this run; its finished segments are kept."
        case JobRetried():
            sentence = f"{name(fact.job_id)} is tried again, behind its finished segments."
        case JobMoved():
            place = "last of its priority" if fact.before is None else f"before {name(fact.before)}"
            sentence = f"{name(fact.job_id)} is begun {place}."
        case JobPrioritised():
            sentence = f"{name(fact.job_id)} has priority {fact.priority} from now on."
        case _:
            raise AssertionError(fact)
    return sentence
