import pytest

import make
from vhsbatch.events.events import (
    BatchFinished,
    BatchPaused,
    Fact,
    JobFailed,
    JobPublished,
)
from vhsbatch.events.state import BatchState
from vhsbatch.integrations.notifications import NotificationWriter, Occasion

JOBS = tuple(make.job(number) for number in range(1, 9))
STARTED = make.batch_started(*JOBS)
PAUSED = BatchPaused(at_s=2.0, reason="no room on /out")
COMPLETE = BatchFinished(at_s=3723.0, run_id="run", outcome="complete", exit_code=0)


def failed(number: int, reason: str = "truncated") -> JobFailed:
    return JobFailed(at_s=1.0, job_id=JOBS[number - 1].id, reason=reason)


def published(number: int) -> JobPublished:
    return JobPublished(
        at_s=1.0,
        job_id=JOBS[number - 1].id,
        fingerprint="f",
        size_bytes=1,
        sha256="d",
        frames=1,
        wall_s=1.0,
    )


def written(on: Occasion, *facts: Fact) -> list[tuple[str, str, bool]]:
    writer, state, notices = NotificationWriter(on), BatchState(), []
    for fact in facts:
        state.apply(fact)
        if (notification := writer.write(fact, state)) is not None:
            notices.append((notification.title, notification.body, notification.failure))
    return notices


def test_at_the_end_there_is_one_message() -> None:
    done = [published(number) for number in range(1, 9)]
    assert written("end", STARTED, PAUSED, *done, COMPLETE) == [
        ("vhs-upscale: complete, 8 of 8 done", "in -> out, 1:02:03", False)
    ]


def test_many_failures_are_one_message_and_a_list_at_the_end() -> None:
    failures = [failed(number) for number in range(1, 8)]
    end = BatchFinished(at_s=60.0, run_id="run", outcome="complete", exit_code=1)
    first, last = written("all", STARTED, *failures, published(8), end)
    assert first[0] == "vhs-upscale: tape1.dv failed"
    assert first[1].startswith("truncated\n")
    assert last[0] == "vhs-upscale: complete, 1 of 8 done, 7 failed"
    assert last[1].splitlines()[1:] == [*(f"tape{n}.dv: truncated" for n in range(1, 6)), "and 2 more"]
    assert last[2]


@pytest.mark.parametrize("on", ["failure", "all"])
def test_waiting_for_room_is_worth_a_message_once(on: Occasion) -> None:
    assert written(on, STARTED, PAUSED, PAUSED) == [("vhs-upscale waits", "no room on /out", True)]


def test_an_end_that_is_well_is_no_failure() -> None:
    assert written("failure", STARTED, *[published(number) for number in range(1, 9)], COMPLETE) == []


def test_an_interrupted_batch_says_how_it_goes_on() -> None:
    end = BatchFinished(at_s=60.0, run_id="run", outcome="interrupted", exit_code=130)
    ((title, body, failure),) = written("failure", STARTED, published(1), end)
    assert (title, failure) == ("vhs-upscale: interrupted, 1 of 8 done", True)
    assert body.splitlines()[-1] == "7 left; the same command with --resume continues"


def test_what_a_terminal_would_act_on_is_made_visible() -> None:
    ((_, body, _),) = written("failure", STARTED, failed(1, "bad \x1b[31mname"))
    assert "\x1b" not in body
