"""In which order runs are told, continued and printed: by no clock."""

from dataclasses import replace
from pathlib import Path

import pytest

import make
from vhsbatch.cli.history import in_order
from vhsbatch.cli.resume import options_before
from vhsbatch.events.events import BatchStarted, Fact
from vhsbatch.events.journal import Journal

pytestmark = pytest.mark.anyio

PLAN = make.plan()
DAY_S = 86400.0


def run(at_s: float, crf: str = "18") -> list[Fact]:
    started = make.batch_started(PLAN.job)
    assert isinstance(started, BatchStarted)
    options = {"source": "/in", "crf": crf}
    return [
        replace(started, at_s=at_s, run_id=crf, options=options),
        replace(make.planned(PLAN), at_s=at_s + 2),
    ]


async def test_the_run_that_began_last_is_continued_although_its_clock_was_behind(tmp_path: Path) -> None:
    for run_id, at_s, crf in (("20300102T000000Z-a-1", DAY_S, "30"), ("20300101T000000Z-a-2", 0.0, "15")):
        async with await Journal.create(tmp_path / ".vhsbatch" / "journal", run_id) as journal:
            for fact in run(at_s, crf):
                await journal.append(fact)
    options = options_before(tmp_path, Path("/in"))
    assert options is not None
    assert options["crf"] == "15"


def test_a_run_whose_clock_was_behind_is_told_after_those_before_it() -> None:
    first, second, third = run(DAY_S), run(0.0), run(DAY_S + 10)
    assert in_order([*first, *second, *third]) == [*first, *second, *third]


def test_runs_at_the_same_time_are_told_together() -> None:
    first, second = run(0.0), run(1.0)
    assert in_order([*first, *second]) == [first[0], second[0], first[1], second[1]]


def test_a_clock_that_is_set_back_in_a_run_changes_no_order() -> None:
    facts = run(DAY_S)
    facts.append(replace(facts[1], at_s=0.0))
    assert in_order(facts) == facts
