"""Pictures of a video while it is being made, by real programs."""

import io
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from PIL import Image

import make
from clips import FFMPEG, ffmpeg, make_clip
from vhsbatch.batch.previews import own_previews
from vhsbatch.config.settings import Settings
from vhsbatch.events.state import fold
from vhsbatch.model.plan import Job, JobPlan
from vhsbatch.probe.probe import probe
from vhsbatch.restore.prepare import prepare, probe_source
from vhsbatch.restore.snapshot import SnapshotMaker
from vhsbatch.restore.workspace import job_folder

pytestmark = pytest.mark.anyio


def plan_of(source: Path, out: Path) -> JobPlan:
    job = Job(id="tape.mp4", index=1, source=source, output=out / "tape.mp4")
    video = make.track(
        width=96, height=64, codec="mpeg2video", pixel_format="yuv420p", sar=Fraction(1), frames=60
    )
    info = make.info(video, path=source, container="mpeg")
    return make.plan(job, info=info, segments=2, frames=120, width=96, height=64, rate=make.NTSC_RATE * 2)


def size_of(jpeg: bytes | None) -> tuple[int, int]:
    assert jpeg is not None
    return Image.open(io.BytesIO(jpeg)).size


async def test_before_and_after_while_a_video_is_being_made(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "tape.mpg", "-c:v", "mpeg2video", size="96x64")
    plan = plan_of(clip, tmp_path / "out")
    maker = SnapshotMaker(ffmpeg=FFMPEG, temporary=tmp_path / "work")
    begun = fold([make.batch_started(plan.job), make.planned(plan), make.started(plan)]).jobs[plan.job.id]
    still = await maker.make(begun, 30)
    assert still is not None
    assert still.after is None
    assert size_of(still.before) == (96, 64)
    assert still.at_s == Fraction(30) / plan.rate

    # A segment of one colour, in whose place no other frame can be taken for it.
    proof = make.finished(plan, 0)
    made = job_folder(maker.temporary, plan) / proof.file
    made.parent.mkdir(parents=True)
    red = ("-f", "lavfi", "-i", "color=red:s=96x64:r=60000/1001:d=1.001")
    ffmpeg(*red, "-c:v", "libx264", "-f", "mp4", made)
    going_on = fold([make.batch_started(plan.job), make.planned(plan), proof, make.started(plan, 1)]).jobs[
        plan.job.id
    ]
    still = await maker.make(going_on, 90)
    assert still is not None
    assert still.at_s == Fraction(59) / plan.rate
    assert size_of(still.before) == (96, 64)
    assert still.after is not None
    pixel = Image.open(io.BytesIO(still.after)).getpixel((48, 32))
    assert isinstance(pixel, tuple)
    assert pixel[0] > 180
    assert pixel[1] < 80


async def test_what_is_gone_is_left_out(tmp_path: Path) -> None:
    plan = plan_of(tmp_path / "gone.mpg", tmp_path)
    maker = SnapshotMaker(ffmpeg=FFMPEG, temporary=tmp_path)
    job = fold([make.batch_started(plan.job), make.planned(plan), make.finished(plan)]).jobs[plan.job.id]
    still = await maker.make(job, None)
    assert still is not None
    assert (still.before, still.after) == (None, None)


async def test_any_moment_with_any_preset_before_anything_is_made(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "tape.mpg", "-c:v", "mpeg2video", size="96x64")
    previews = own_previews(Settings(engine="ffmpeg", remember=False))
    intent = (await previews.tools()).intent
    intent = replace(intent, preset=intent.preset.model_copy(update={"target_height": 128}))
    info, _ = await probe_source(clip, intent)
    job = Job(id="tape.mp4", index=1, source=clip, output=tmp_path / "tape.mp4")
    plan = await prepare(job, info, intent)
    maker = SnapshotMaker(ffmpeg=FFMPEG, temporary=tmp_path / "work", previews=previews)
    planned = fold([make.batch_started(job), make.planned(plan)]).jobs[job.id]
    middle = plan.frames // 2
    as_planned = await maker.at(planned, middle)
    assert as_planned is not None
    assert (as_planned.frame, as_planned.why_not) == (middle, "")
    assert size_of(as_planned.before) == size_of(as_planned.after)
    assert size_of(as_planned.after)[1] == 128
    # Another preset gives another picture, of the same size, and the end is the last frame.
    worn = await maker.at(planned, middle, "vhs_heavy")
    assert worn is not None
    assert size_of(worn.after) == size_of(as_planned.after)
    assert worn.after != as_planned.after
    last = await maker.at(planned, 10**6, "clean")
    assert last is not None
    assert last.frame == plan.frames - 1
    assert size_of(last.after)[1] == 128
    # What follows the work gets a picture too before the first segment is finished.
    current = await maker.make(planned, middle, asked=True)
    assert current is not None
    assert current.after == as_planned.after
    # Unasked, only if no tool has to be looked for first.
    unasked = await maker.make(planned, middle)
    assert unasked is not None
    assert unasked.after is None
    at_hand = replace(maker, previews=replace(previews, at_hand=True))
    by_the_batch = await at_hand.make(planned, middle)
    assert by_the_batch is not None
    assert by_the_batch.after == as_planned.after


async def test_why_there_is_no_preview(tmp_path: Path) -> None:
    plan = plan_of(tmp_path / "gone.mpg", tmp_path)
    previews = own_previews(Settings(engine="ffmpeg", remember=False))
    maker = SnapshotMaker(ffmpeg=FFMPEG, temporary=tmp_path, previews=previews)
    job = fold([make.batch_started(plan.job), make.planned(plan)]).jobs[plan.job.id]
    still = await maker.at(job, 30, "vhs")
    assert still is not None
    assert still.after is None
    assert still.why_not == "it cannot be made: No such file or directory"


async def test_blank_stretches_are_found_for_the_map(tmp_path: Path) -> None:
    parts = ("color=blue:s=96x64:r=30000/1001:d=1.5", "testsrc2=s=96x64:r=30000/1001:d=2")
    inputs = [word for part in parts for word in ("-f", "lavfi", "-i", part)]
    clip = tmp_path / "tape.mkv"
    ffmpeg(*inputs, "-filter_complex", "[0][1]concat,format=yuv420p", "-c:v", "ffv1", "-g", "1", clip)
    info = await probe(clip, ffmpeg=FFMPEG)
    job = Job(id="tape.mp4", index=1, source=clip, output=tmp_path / "tape.mp4")
    plan = make.plan(job, info=info, segments=1, frames=2 * info.video.frames)
    maker = SnapshotMaker(ffmpeg=FFMPEG, temporary=tmp_path)
    planned = fold([make.batch_started(job), make.planned(plan)]).jobs[job.id]
    ((from_s, to_s),) = await maker.blank(planned)
    assert from_s == 0
    assert float(to_s) == pytest.approx(1.5, abs=0.15)
