"""In which order runs are printed: by no clock."""

from dataclasses import replace

import make
from vhsbatch.cli.log import in_order
from vhsbatch.events.events import BatchStarted, Fact

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
