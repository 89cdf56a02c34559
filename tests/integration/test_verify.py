"""What proves an output, and what a damaged one runs into."""

import dataclasses
import json
from pathlib import Path

import pytest

import make
from clips import FFMPEG, make_clip
from vhsbatch.config.presets import Preset
from vhsbatch.errors import StalePlanError, VerificationError
from vhsbatch.events.events import SegmentFinished
from vhsbatch.ffmpeg.recipe import resolve
from vhsbatch.model.plan import JobPlan
from vhsbatch.probe.probe import probe
from vhsbatch.restore.assemble import assemble
from vhsbatch.restore.planner import Toolchain, make_plan
from vhsbatch.restore.record import record_path
from vhsbatch.restore.segment import make_segment
from vhsbatch.restore.verify import DECODED, SAME_PACKETS, verify_output
from vhsbatch.restore.workspace import Workspace

pytestmark = pytest.mark.anyio


def workspace(folder: Path) -> Workspace:
    temporary = folder / "work"
    temporary.mkdir(exist_ok=True)
    return Workspace(
        ffmpeg=FFMPEG,
        temporary=temporary,
        publishing=folder / "publishing",
        threads_per_lane=2,
        niceness=0,
        stall_timeout_s=60,
    )


async def planned(folder: Path, *, encoder: str = "libx264", container: str = "mp4") -> JobPlan:
    """A plan of three segments for a clip of one second with sound."""
    source = make_clip(
        folder / "tape.avi", "-c:v", "ffv1", "-g", "1", "-c:a", "pcm_s16le", seconds=1, size="96x64"
    )
    preset = Preset.model_validate({"name": "test", "target_height": 128, "container": container})
    job = dataclasses.replace(make.job(), source=source, output=folder / "out" / f"tape.{container}")
    means = Toolchain(engine="ffmpeg", upscaling=None, encoder=encoder, container=container, identity={})
    info = await probe(source, ffmpeg=FFMPEG)
    plan = make_plan(job, info, preset, resolve(info.video, preset), means)
    return dataclasses.replace(plan, segments=make.plan(segments=3, frames=plan.frames).segments)


async def made(plan: JobPlan, where: Workspace) -> tuple[SegmentFinished, ...]:
    return tuple(
        [
            await make_segment(plan, segment, where, lane=1, attempt=1, fallback=0, tell=lambda _: None)
            for segment in plan.segments
        ]
    )


@pytest.mark.parametrize(
    ("encoder", "container"),
    [
        ("libx264", "mp4"),
        ("libx264", "mkv"),
        ("libx265", "mp4"),
        ("libsvtav1", "mkv"),
        ("ffv1", "mkv"),
        ("prores", "mov"),
    ],
)
async def test_an_output_holds_the_packets_of_its_segments(
    encoder: str, container: str, tmp_path: Path
) -> None:
    plan, where = await planned(tmp_path, encoder=encoder, container=container), workspace(tmp_path)
    published = await assemble(plan, await made(plan, where), where, lane=1, tell=lambda _: None)
    assert published.frames == plan.frames == 60
    record = json.loads(record_path(plan.job.output).read_text())
    assert SAME_PACKETS in record["checks"]
    # Where packets tell nothing, the whole is decoded, with the same result.
    assert await verify_output(plan.job.output, plan, packets=None, ffmpeg=FFMPEG, threads=1) == DECODED


async def test_an_output_whose_packets_are_others_has_to_decode(tmp_path: Path) -> None:
    plan, where = await planned(tmp_path, encoder="ffv1", container="mkv"), workspace(tmp_path)
    await assemble(plan, await made(plan, where), where, lane=1, tell=lambda _: None)
    with plan.job.output.open("r+b") as file:
        for place in range(100_000, 1_000_000, 50_000):
            file.seek(place)
            file.write(b"rot")
    with pytest.raises(VerificationError, match="does not decode"):
        await verify_output(plan.job.output, plan, packets="murmur3=0", ffmpeg=FFMPEG, threads=1)


async def test_a_segment_that_was_damaged_since_it_was_proven_goes_into_no_output(tmp_path: Path) -> None:
    plan, where = await planned(tmp_path), workspace(tmp_path)
    segments = await made(plan, where)
    with (where.job_folder(plan) / segments[1].file).open("r+b") as file:
        file.seek(1000)
        file.write(b"rot")
    with pytest.raises(StalePlanError, match=r"segment-00001\.mp4 has changed"):
        await assemble(plan, segments, where, lane=1, tell=lambda _: None)
    assert not plan.job.output.exists()
