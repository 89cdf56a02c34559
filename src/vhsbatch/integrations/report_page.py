"""The report as a page: values for the template, and the template. Pure but for reading the template."""

import base64
import time
import urllib.parse
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import jinja2

from vhsbatch.events.describe import field_order, frame_rate
from vhsbatch.events.job_state import JobState, Phase
from vhsbatch.events.state import BatchState
from vhsbatch.formatting import counted, duration, plain, size
from vhsbatch.integrations.payload import elapsed_s
from vhsbatch.model.plan import JobPlan

# Pictures of more videos would make a page that browsers cannot open.
MOST_PICTURES = 200

_TEMPLATE = "report.html.j2"
# The first line of every report, so that a different file of that name is never replaced.
MARK = b"<!doctype html>\n<!-- vhsbatch report -->"


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoEntry:
    """One video, as the page shows it.

    Attributes:
        name: of the source.
        output: of the result, below OUT.
        link: the result's URL, relative to the page; None where there is none.
        outcome: ``done``, ``failed``, ``skipped`` or ``left``.
        reason: why it failed, was skipped or is left.
        detail: more lines about a failure.
        found: what the source is, as pairs of a label and a value.
        made: what was made of it, likewise.
        notes: what was decided and why.
        checks: what was proven.
        before: the snapshot of the source as a data URL, None where there is none.
        after: that of the result.
        shape: width and height of the snapshots, as CSS writes a ratio.
    """

    name: str
    output: str
    link: str | None
    outcome: str
    reason: str | None
    detail: tuple[str, ...]
    found: tuple[tuple[str, str], ...]
    made: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    checks: tuple[str, ...]
    before: str | None = None
    after: str | None = None
    shape: str = "4 / 3"


# The files of a result's snapshots, before and after, and their size.
Pictures = tuple[Path, Path, tuple[int, int]]


class Finder(Protocol):
    """Finds what lies beside results."""

    def pictures(self, job: JobState) -> Pictures | None:
        """The snapshots of a result; None where there are none."""
        ...

    def checks(self, job: JobState) -> tuple[str, ...]:
        """What is on record as proven of it."""
        ...


def render(state: BatchState, earlier: Mapping[str, JobState], find: Finder) -> str:
    """The page.

    Args:
        state: the batch.
        earlier: results in the same folder that earlier or other runs have made, by job.
        find: finds what lies beside results.
    """
    videos = list(_videos(state, earlier, find))
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    took_s = elapsed_s(state.started_s, state.ended_s)
    return environment.get_template(_TEMPLATE).render(
        title=plain(Path(state.output).name or state.output),
        input=plain(state.input),
        output=plain(state.output),
        complete=state.outcome == "complete",
        at="" if state.ended_s is None else time.strftime("%Y-%m-%d %H:%M", time.localtime(state.ended_s)),
        took="" if took_s is None else duration(took_s),
        counts=[
            (outcome, sum(video.outcome == outcome for video in videos))
            for outcome in ("done", "failed", "skipped", "left")
        ],
        videos=videos,
    )


def _videos(state: BatchState, earlier: Mapping[str, JobState], find: Finder) -> Iterator[VideoEntry]:
    """Failures first, since somebody has to look at them; then in the order of the batch."""
    jobs = {
        id_: earlier[id_] if job.phase in (Phase.SKIPPED, Phase.HELD) and id_ in earlier else job
        for id_, job in state.jobs.items()
    }
    others = [job for id_, job in earlier.items() if id_ not in jobs]
    ordered = sorted([*jobs.values(), *others], key=lambda job: job.phase is not Phase.FAILED)
    with_pictures = 0
    for job in ordered:
        snapshots = find.pictures(job) if with_pictures < MOST_PICTURES else None
        with_pictures += snapshots is not None
        yield _video(job, snapshots, find.checks(job))


def _video(job: JobState, snapshots: Pictures | None, checks: tuple[str, ...]) -> VideoEntry:
    done = job.phase is Phase.DONE
    before, after, (width, height) = snapshots or (None, None, (4, 3))
    return VideoEntry(
        name=plain(job.job.source.name),
        output=plain(job.job.id),
        link=urllib.parse.quote(job.job.id.encode("utf-8", "surrogateescape")) if done else None,
        outcome={Phase.DONE: "done", Phase.FAILED: "failed", Phase.SKIPPED: "skipped"}.get(job.phase, "left"),
        reason=None if done or job.reason is None else plain(job.reason),
        detail=tuple(map(plain, job.detail)),
        found=() if job.plan is None else tuple(_found(job.plan)),
        made=() if job.plan is None or not done else tuple(_made(job, job.plan)),
        notes=() if job.plan is None else tuple(map(plain, job.plan.notes)),
        checks=tuple(map(plain, checks)),
        before=None if before is None else _data_url(before),
        after=None if after is None else _data_url(after),
        shape=f"{width} / {height}",
    )


def _found(plan: JobPlan) -> Iterator[tuple[str, str]]:
    info, video = plan.info, plan.info.video
    yield "File", plain(f"{info.path.name}, {size(info.size_bytes)}, {info.container.partition(',')[0]}")
    length_s = float(video.frames / video.rate)
    yield (
        "Picture",
        plain(f"{video.width}x{video.height} {video.codec}, {frame_rate(video.rate)}, {duration(length_s)}"),
    )
    yield "Fields", plain(f"{field_order(video.field_order)} ({video.field_order_reason})")
    if video.repeated_frames or video.dropped_frames:
        yield "Gaps", f"{video.repeated_frames} frames missing, {video.dropped_frames} too many"
    for track in info.audio:
        language = f", {track.language}" if track.language else ""
        yield (
            "Sound",
            plain(
                f"{track.codec}, {track.sample_rate_hz} Hz, {counted(track.channels, 'channel')}{language}"
            ),
        )


def _made(job: JobState, plan: JobPlan) -> Iterator[tuple[str, str]]:
    yield "Preset", plain(f"{plan.preset.name}: {plan.preset.description}".removesuffix(": "))
    engine = plan.engine if plan.upscaling is None else f"{plan.engine}, {plan.upscaling.model}"
    yield "Picture", f"{plan.width}x{plan.height} {plan.encoder}, {frame_rate(plan.rate)}, {engine}"
    if job.published is not None:
        yield "File", f"{size(job.published.size_bytes)}, {counted(job.published.frames, 'frame')}"
    took_s = elapsed_s(job.started_s, job.ended_s)
    if took_s:
        yield "Time", f"{duration(took_s)} ({plan.frames / took_s:.1f} frames a second)"
    devices = dict.fromkeys(proof.device for proof in job.finished.values())
    segments, again = len(plan.segments), sum(job.attempts.values())
    yield "Segments", f"{segments}, {again} attempts failed" if again else str(segments)
    if devices:
        yield "Device", plain(", ".join(devices))


def _data_url(picture: Path) -> str | None:
    try:
        return "data:image/jpeg;base64," + base64.b64encode(picture.read_bytes()).decode("ascii")
    except OSError:
        return None
