"""In which order videos are begun."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vhsbatch.batch.ordering import FileFacts, Priority, arrange, priorities
from vhsbatch.errors import UsageError
from vhsbatch.model.plan import Job


def jobs(*names: str) -> list[Job]:
    return [
        Job(id=name, index=index, source=Path("/in") / name, output=Path("/out") / name)
        for index, name in enumerate(names, start=1)
    ]


def names(
    *given: str, order: str = "name", by: tuple[Priority, ...] = (), ages: str = "", sizes: str = ""
) -> list[str]:
    """The names in their order; `ages` and `sizes` hold the stems from the least to the most."""

    def look(path: Path) -> FileFacts:
        return FileFacts(float(ages.find(path.stem)), sizes.find(path.stem))

    arranged = arrange(jobs(*given), order, by, look=look)  # type: ignore[arg-type]
    assert [job.index for job in arranged] == list(range(1, len(given) + 1))
    return [str(job.source.relative_to("/in")) for job in arranged]


def test_without_a_wish_nothing_moves() -> None:
    assert names("a.avi", "b.avi", "c.avi") == ["a.avi", "b.avi", "c.avi"]


def test_the_newest_come_first() -> None:
    assert names("a.avi", "b.avi", "c.avi", order="newest", ages="acb") == ["b.avi", "c.avi", "a.avi"]


def test_of_equally_new_ones_the_longest_comes_first() -> None:
    assert names("a.avi", "b.avi", "c.avi", order="newest", sizes="bac") == ["c.avi", "a.avi", "b.avi"]


@pytest.mark.parametrize(("order", "stems"), [("shortest", "bca"), ("longest", "acb")])
def test_size_stands_for_the_length_until_that_is_known(order: str, stems: str) -> None:
    assert names("a.avi", "b.avi", "c.avi", order=order, sizes="bca") == [f"{stem}.avi" for stem in stems]


def test_folders_take_turns() -> None:
    given = ("anna/1.avi", "anna/2.avi", "anna/3.avi", "ben/1.avi", "carl/1.avi", "carl/2.avi")
    turns = ["anna/1.avi", "ben/1.avi", "carl/1.avi", "anna/2.avi", "carl/2.avi", "anna/3.avi"]
    assert names(*given, order="fair") == turns


def test_what_is_urgent_does_not_use_up_its_folders_turn() -> None:
    by = priorities(["3*=1"])
    assert names("a/1.avi", "a/3.avi", "b/1.avi", order="fair", by=by) == ["a/3.avi", "a/1.avi", "b/1.avi"]


def test_a_job_knows_its_priority() -> None:
    arranged = arrange(jobs("a.avi", "b.avi"), "name", priorities(["b*=7"]), look=lambda _: FileFacts(0, 0))
    assert [(job.source.name, job.priority) for job in arranged] == [("b.avi", 7), ("a.avi", 0)]


def test_what_is_urgent_comes_first_and_what_can_wait_last() -> None:
    by = priorities(["B*=5", "a.avi=-1"])
    assert names("a.avi", "b.avi", "c.avi", "b2.avi", by=by) == ["b.avi", "b2.avi", "c.avi", "a.avi"]


def test_urgency_comes_before_age() -> None:
    by = priorities(["a.avi=1"])
    assert names("a.avi", "b.avi", "c.avi", order="newest", ages="abc", by=by) == ["a.avi", "c.avi", "b.avi"]


def test_the_last_pattern_that_matches_counts() -> None:
    by = priorities(["*=3", "a.avi=0"])
    assert names("a.avi", "b.avi", by=by) == ["b.avi", "a.avi"]


@pytest.mark.parametrize("typed", ["a", "a=", "a=high", "=3", "a=1.5"])
def test_a_priority_without_a_pattern_or_a_level_is_refused(typed: str) -> None:
    with pytest.raises(UsageError, match=r"must be a pattern and a whole number \(for example"):
        priorities([typed])


@given(st.lists(st.tuples(st.text(max_size=8), st.integers(-9, 9)), max_size=5), st.integers(0, 9))
def test_no_video_is_lost(typed: list[tuple[str, int]], count: int) -> None:
    by = tuple(Priority(pattern, level) for pattern, level in typed)
    every = [f"{number}.avi" for number in range(count)]
    assert sorted(names(*every, by=by)) == every
