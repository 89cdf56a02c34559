import dataclasses
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

import make
from vhsbatch.events.events import (
    BatchFinished,
    Fact,
    JobFailed,
    JobPublished,
    JobSkipped,
)
from vhsbatch.events.job_state import JobState, Phase
from vhsbatch.events.state import BatchState, fold
from vhsbatch.integrations.report import published
from vhsbatch.integrations.report_page import MARK, MOST_PICTURES, render
from vhsbatch.model.plan import Job

HOSTILE = "<img src=x onerror=alert(1)>\"'{{7*7}}\x1b[31m\udcff.avi"
END = BatchFinished(at_s=100.0, run_id="run", outcome="complete", exit_code=0)


def job(number: int, name: str) -> Job:
    return dataclasses.replace(make.job(number), id=f"{name}_1080p.mp4", source=Path("/in") / name)


def done(of: Job) -> tuple[Fact, ...]:
    plan = make.plan(of, segments=1)
    return (
        make.planned(plan),
        make.started(plan),
        make.finished(plan),
        JobPublished(
            at_s=12.0, job_id=of.id, fingerprint="f", size_bytes=2048, sha256="d", frames=60, wall_s=1.0
        ),
    )


@dataclasses.dataclass(frozen=True)
class Beside:
    """What lies beside every result."""

    still: Path | None = None

    def pictures(self, _: JobState) -> tuple[Path, Path, tuple[int, int]] | None:
        return None if self.still is None else (self.still, self.still, (960, 720))

    def checks(self, job: JobState) -> tuple[str, ...]:
        return ("the whole decodes without an error",) if job.phase is Phase.DONE else ()


NOTHING = Beside()


class Reader(HTMLParser):
    """The tags of a page, and the words in it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.words.append(" ".join(data.split()))


def test_a_page_says_of_each_video_what_was_found_made_and_proven() -> None:
    good, bad = job(1, "good.dv"), job(2, "bad.dv")
    failed = JobFailed(
        at_s=5.0, job_id=bad.id, reason="truncated (copy it again)", detail=("line 1", "line 2")
    )
    state = fold((make.batch_started(good, bad), *done(good), failed, END))
    page = render(state, {}, NOTHING)
    assert page.encode().startswith(MARK)
    words = Reader(page).words
    for expected in (
        "720x480 dvvideo, 29.97 fps, 0:10",
        "interlaced, bottom field first (DV)",
        "1440x1080 libx264, 59.94 fps, ffmpeg",
        "2.0 KiB, 60 frames",
        "0:10 (6.0 frames a second)",
        "the whole decodes without an error",
        "truncated (copy it again)",
        "line 1 line 2",
    ):
        assert expected in words
    # What failed comes first.
    assert words.index("truncated (copy it again)") < words.index("720x480 dvvideo, 29.97 fps, 0:10")


def test_names_are_text_whatever_is_in_them() -> None:
    hostile = job(1, HOSTILE)
    reason = "</script><script>alert(2)</script>"
    bad = job(2, "bad.avi")
    facts = (
        make.batch_started(hostile, bad),
        *done(hostile),
        JobFailed(at_s=5.0, job_id=bad.id, reason=reason),
        END,
    )
    page = render(fold(facts), {}, NOTHING)
    reader = Reader(page)
    assert [tag for tag, _ in reader.tags if tag in ("img", "script")] == ["script"]
    assert "\x1b" not in page
    assert any("<img src=x onerror=alert(1)>\"'{{7*7}}\\x1b[31m\\udcff.avi" in word for word in reader.words)
    (link,) = [
        attributes["href"] for tag, attributes in reader.tags if tag == "a" and "_1080p" in str(attributes)
    ]
    assert link is not None
    assert re.fullmatch(r"[A-Za-z0-9%/._~-]+", link)


def test_nothing_is_fetched_from_anywhere() -> None:
    page = render(fold((make.batch_started(job(1, "a.dv")), *done(job(1, "a.dv")), END)), {}, NOTHING)
    reader = Reader(page)
    assert not [tag for tag, _ in reader.tags if tag in ("link", "iframe", "object", "base")]
    assert not [attributes for tag, attributes in reader.tags if tag == "script" and "src" in attributes]
    policy = next(attributes for tag, attributes in reader.tags if attributes.get("http-equiv"))
    assert str(policy["content"]).startswith("default-src 'none'; img-src data:;")


def test_a_result_of_an_earlier_run_is_shown_with_its_account() -> None:
    old, gone = job(1, "old.dv"), job(2, "gone.dv")
    first = (make.batch_started(old, gone), *done(old), *done(gone), END)
    skipped = JobSkipped(at_s=201.0, job_id=old.id, reason="already restored")
    facts = (*first, dataclasses.replace(make.batch_started(old), at_s=200.0), skipped)
    earlier = published(facts)
    words = Reader(render(fold(facts), earlier, NOTHING)).words
    assert set(earlier) == {old.id, gone.id}
    assert words.count("1440x1080 libx264, 59.94 fps, ffmpeg") == 2
    assert "skipped" not in words


@pytest.mark.parametrize("count", [MOST_PICTURES, MOST_PICTURES + 3])
def test_a_page_holds_no_more_pictures_than_a_browser_can_bear(count: int, tmp_path: Path) -> None:
    picture = tmp_path / "still.jpg"
    picture.write_bytes(b"jpeg")
    jobs = [job(number, f"{number}.dv") for number in range(1, count + 1)]
    state = BatchState()
    for fact in (make.batch_started(*jobs), *(fact for each in jobs for fact in done(each)), END):
        state.apply(fact)
    page = render(state, {}, Beside(picture))
    assert page.count('class="pair"') == MOST_PICTURES
    assert page.count("<article") == count


def test_a_video_that_was_not_reached_is_left() -> None:
    state = fold((make.batch_started(make.job(1)), dataclasses.replace(END, outcome="interrupted")))
    words = Reader(render(state, {}, NOTHING)).words
    assert "left" in words
    assert any("interrupted" in word for word in words)
