"""What is typed to steer a batch, and what is answered."""

from dataclasses import replace

import pytest

import make
from vhsbatch.cli.steer import Typed, command_of, videos_for, what_comes_of
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
from vhsbatch.events.events import PAUSED_BY_USER, BatchPaused, JobFailed
from vhsbatch.events.state import BatchState, fold

ONE, TWO, THREE = (make.job(number) for number in (1, 2, 3))
FAILED = JobFailed(at_s=1.0, job_id=THREE.id, reason="truncated", detail=())


def batch() -> BatchState:
    return fold([make.batch_started(ONE, TWO, THREE), FAILED])


@pytest.mark.parametrize(
    ("typed", "command", "answer"),
    [
        (Typed(what="pause"), Pause(), "The batch pauses: running segments are finished, and no new work"),
        (Typed(what="more"), ChangeLanes(by=1), "The batch goes on with "),
        (Typed(what="fewer"), ChangeLanes(by=-1), "what the one that goes is doing is finished first."),
        (Typed(what="skip", video="tape1.dv"), Skip(job_id=ONE.id), "tape1.dv is left out of this run"),
        (Typed(what="skip", video=ONE.id), Skip(job_id=ONE.id), "tape1.dv is left out of this run"),
        (Typed(what="skip", video="/in/tape1.dv"), Skip(job_id=ONE.id), "tape1.dv is left out of this run"),
        (Typed(what="retry", video="tape3.dv"), Retry(job_id=THREE.id), "tape3.dv is tried again, behind"),
        (Typed(what="earlier", video="tape2.dv"), Move(job_id=TWO.id, by=-1), "is begun before tape1.dv."),
        (Typed(what="later", video="tape1.dv"), Move(job_id=ONE.id, by=1), "begun last of its priority."),
        (
            Typed(what="priority", video="tape2.dv", priority=5),
            Prioritise(job_id=TWO.id, by=5),
            "tape2.dv has priority 5 from now on.",
        ),
        (Typed(what="stop"), Stop(), "The batch stops: running segments are given up, and finished ones"),
        (Typed(what="stop", finish=True), Stop(drain=True), "running segments are finished first"),
    ],
)
def test_what_is_typed_becomes_a_wish_and_is_answered(typed: Typed, command: Command, answer: str) -> None:
    state = batch()
    state.lanes = 2
    assert command_of(typed, state) == command
    assert answer in what_comes_of(command, state)


def test_a_paused_batch_goes_on() -> None:
    state = batch()
    with pytest.raises(UsageError, match="nothing is paused"):
        what_comes_of(Continue(), state)
    state.apply(BatchPaused(at_s=2.0, reason=PAUSED_BY_USER))
    assert what_comes_of(Continue(), state) == "The batch goes on."


@pytest.mark.parametrize(
    ("typed", "refusal"),
    [
        (Typed(what="pause", video="tape1.dv"), "pause is of the whole batch (leave tape1.dv out)"),
        (Typed(what="pause", finish=True), "--finish is of stop, and not of pause (leave it out)"),
        (Typed(what="skip"), "skip of which video? (videos: tape1.dv, tape2.dv, tape3.dv)"),
        (
            Typed(what="skip", video="tape4.dv"),
            "there is no video 'tape4.dv' in this batch (did you mean 'tape3.dv'? videos: tape1.dv,",
        ),
        (Typed(what="priority", video="tape1.dv"), "priority needs a whole number (for example priority"),
        (Typed(what="skip", video="tape1.dv", priority=3), "skip takes no number (leave 3 out)"),
        (Typed(what="retry", video="tape1.dv"), "tape1.dv has not failed: it is waiting"),
        (Typed(what="earlier", video="tape1.dv"), "tape1.dv is first of its priority"),
    ],
)
def test_what_cannot_be_had_is_refused_in_a_line(typed: Typed, refusal: str) -> None:
    with pytest.raises(UsageError) as error:
        what_comes_of(command_of(typed, batch()), batch())
    assert str(error.value).startswith(refusal)


def test_of_two_videos_of_one_name_the_result_is_asked_for() -> None:
    twin = replace(TWO, source=ONE.source)
    with pytest.raises(UsageError, match=f"name its result: {ONE.id}, {TWO.id}"):
        command_of(Typed(what="skip", video="tape1.dv"), fold([make.batch_started(ONE, twin)]))


def test_many_videos_are_not_all_named() -> None:
    jobs = [make.job(number) for number in range(1, 31)]
    with pytest.raises(UsageError, match=r"tape8\.dv and 22 more"):
        command_of(Typed(what="skip"), fold([make.batch_started(*jobs)]))


@pytest.mark.parametrize(
    ("what", "videos"),
    [
        ("skip", {"tape1.dv": "waiting", "tape2.dv": "waiting"}),
        ("retry", {"tape3.dv": "failed"}),
        ("earlier", {"tape2.dv": "waiting"}),
        ("later", {"tape1.dv": "waiting"}),
        ("priority", {"tape1.dv": "waiting", "tape2.dv": "waiting"}),
        ("pause", {}),
        ("", {}),
    ],
)
def test_the_videos_of_which_something_can_be_wished(what: str, videos: dict[str, str]) -> None:
    assert videos_for(what, batch()) == videos


def test_videos_of_one_name_are_offered_by_their_results() -> None:
    twin = replace(TWO, source=ONE.source)
    assert [*videos_for("skip", fold([make.batch_started(ONE, twin)]))] == [ONE.id, TWO.id]
