import json
from pathlib import Path

import make
from vhsbatch.events.events import BatchFinished, JobFailed, JobPublished
from vhsbatch.events.state import fold
from vhsbatch.integrations.payload import batch_payload, video_payload

FIRST, SECOND, THIRD = make.job(1), make.job(2), make.job(3)
FACTS = (
    make.batch_started(FIRST, SECOND, THIRD),
    make.planned(make.plan(FIRST)),
    make.started(make.plan(FIRST)),
    JobPublished(
        at_s=12.5, job_id=FIRST.id, fingerprint="f", size_bytes=7, sha256="d", frames=60, wall_s=1.0
    ),
    JobFailed(at_s=13.0, job_id=SECOND.id, reason="truncated", detail=("line",)),
    BatchFinished(at_s=20.0, run_id="run", outcome="interrupted", exit_code=143),
)


def test_a_finished_video_is_told_with_its_proof_and_its_time() -> None:
    told = video_payload(fold(FACTS).jobs[FIRST.id])
    assert told["outcome"] == "done"
    assert (told["frames"], told["size_bytes"], told["sha256"]) == (60, 7, "d")
    assert (told["preset"], told["elapsed_s"]) == ("vhs", 10.5)


def test_a_failed_video_is_told_with_its_reason_and_no_proof() -> None:
    told = video_payload(fold(FACTS).jobs[SECOND.id])
    assert (told["outcome"], told["reason"], told["detail"]) == ("failed", "truncated", ["line"])
    assert told["sha256"] is None


def test_a_batch_is_told_with_what_is_left() -> None:
    told = batch_payload(fold(FACTS), Path("/out"), exit_code=143)
    assert (told["outcome"], told["exit_code"]) == ("interrupted", 143)
    assert (told["done"], told["failed"], told["skipped"], told["left"]) == (1, 1, 0, 1)
    videos = told["videos"]
    assert isinstance(videos, list)
    assert [video["outcome"] for video in videos] == ["done", "failed", "left"]
    assert told["elapsed_s"] == 20.0
    json.dumps(told)
