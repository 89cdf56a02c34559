import json
from pathlib import Path

import pytest

import make
from vhsbatch.events.events import (
    AssemblyStarted,
    BatchFinished,
    Fact,
    JobFailed,
    JobPublished,
    JobSkipped,
    SegmentDiscarded,
    SegmentFailed,
)
from vhsbatch.events.serialize import dump, load_fact
from vhsbatch.events.telemetry import LogLine
from vhsbatch.model.plan import Job

PLAN = make.plan()
STRANGE = Job(id="a", index=1, source=Path("/in/\udcff[b]\n“ü”\x1b[31m.avi"), output=Path("/out/a.mp4"))


@pytest.mark.parametrize(
    "fact",
    [
        make.batch_started(make.job(), STRANGE),
        make.planned(PLAN),
        make.started(PLAN),
        make.finished(PLAN),
        SegmentDiscarded(at_s=1.5, job_id="a", segment=0, reason="gone"),
        SegmentFailed(
            at_s=1.5, job_id="a", segment=0, attempt=1, lane=1, reason="r", final=True, detail=("x",)
        ),
        AssemblyStarted(at_s=1.5, job_id="a", lane=2),
        JobPublished(at_s=1, job_id="a", fingerprint="f", size_bytes=1, sha256="s", frames=2, wall_s=0.5),
        JobFailed(at_s=1, job_id="a", reason="r"),
        JobSkipped(at_s=1, job_id="a", reason="r"),
        BatchFinished(at_s=1, run_id="r", outcome="complete", exit_code=0),
    ],
    ids=lambda fact: fact.kind,
)
def test_every_fact_comes_back_as_it_was(fact: Fact) -> None:
    line = dump(fact)
    assert "\n" not in line
    assert line.isascii()
    assert load_fact(line) == fact


def test_telemetry_is_json_too() -> None:
    assert json.loads(dump(LogLine(level="info", text="[b]", at_s=2.5))) == {
        "level": "info", "text": "[b]", "job_id": None, "lane": None, "at_s": 2.5, "kind": "log",
    }  # fmt: skip


@pytest.mark.parametrize(
    "line", ["", "{}", '{"kind":"job_failed"', '{"kind":"from the future"}', "[]", "null"]
)
def test_what_is_no_fact_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        load_fact(line)
