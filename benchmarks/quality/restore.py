"""The product's way from a capture to frames: its probe, its plan, its chain; only the encoder is left out.

What a user gets is this, behind an encoder whose loss is the user's choice.
"""

import resource
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import anyio

from benchmarks.quality import video
from vhsbatch.config.presets import Preset
from vhsbatch.config.settings import Settings
from vhsbatch.ffmpeg.toolchain import FFmpeg
from vhsbatch.model.media import MediaInfo
from vhsbatch.model.plan import Job
from vhsbatch.process.chain import StageSpec, run_chain
from vhsbatch.restore.prepare import Intent, prepare, probe_source
from vhsbatch.restore.segment import segment_stages
from vhsbatch.restore.workspace import Workspace
from vhsbatch.scheduling.environment import cores

_THREADS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """A restoration.

    Attributes:
        frames: how many there are.
        rate: how many of them are a second.
        width: of each.
        height: of each.
        cpu_s: what all stages of the chain took.
        note: what was decided about the fields.
    """

    frames: int
    rate: Fraction
    width: int
    height: int
    cpu_s: float
    note: str


def restore(capture: Path, preset: Preset, engine: str, output: Path) -> Restored:
    """Restore a capture; its frames, bare yuv420p, go to `output`.

    Raises:
        VhsBatchError: the product cannot do it.
    """
    return anyio.run(_restore, capture, preset, engine, output)


async def _restore(capture: Path, preset: Preset, engine: str, output: Path) -> Restored:
    intent = Intent(
        preset=preset,
        engine=engine,
        encoder="libx264",
        device="cpu",
        runtime="ncnn",
        model=None,
        tile_px=0,
        ffmpeg=FFmpeg(path=video.FFMPEG, version="embedded", embedded=True),
        max_pixels=Settings.model_fields["max_pixels"].default,
    )
    info = await _probed(capture, intent)
    plan = await prepare(Job(id=output.name, index=1, source=capture, output=output), info, intent)
    (segment,) = plan.segments
    workspace = Workspace(
        ffmpeg=video.FFMPEG,
        temporary=output.parent,
        publishing=output.parent,
        threads_per_lane=min(_THREADS, cores()),
        niceness=0,
        stall_timeout_s=600,
    )
    *before, last = segment_stages(plan, segment, workspace, output, plan.upscaling)
    began_s = children_cpu_s()
    await run_chain(
        (*before, _without_encoder(last, output)), on_stdout=lambda _: None, on_stderr=lambda *_: None
    )
    return Restored(
        frames=plan.frames,
        rate=plan.rate,
        width=plan.width,
        height=plan.height,
        cpu_s=children_cpu_s() - began_s,
        note=plan.notes[0],
    )


_known: dict[Path, MediaInfo] = {}


async def _probed(capture: Path, intent: Intent) -> MediaInfo:
    """Captures are looked at once: what they are does not depend on the preset."""
    if capture not in _known:
        _known[capture], _ = await probe_source(capture, intent)
    return _known[capture]


def _without_encoder(stage: StageSpec, output: Path) -> StageSpec:
    graph = stage.argv.index("-filter_complex")
    bare = ("-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "yuv420p", "-y", str(output))
    return replace(stage, argv=(*stage.argv[: graph + 4], *bare))


def children_cpu_s() -> float:
    """CPU time of all child processes that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
