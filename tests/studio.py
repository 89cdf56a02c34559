"""Sources whose sound is of every kind, and results of them, made by the steps of a real batch."""

import dataclasses
import shutil
import subprocess
from array import array
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

import make
from clips import FFMPEG, ffmpeg
from vhsbatch.config.presets import Preset
from vhsbatch.events.events import JobPublished, SegmentFinished
from vhsbatch.ffmpeg.recipe import resolve
from vhsbatch.model.media import MediaInfo
from vhsbatch.model.plan import JobPlan
from vhsbatch.restore.assemble import assemble
from vhsbatch.restore.planner import Toolchain, make_plan
from vhsbatch.restore.segment import make_segment
from vhsbatch.restore.workspace import Workspace

RATE_HZ = 48_000
BEEPS_S = (0.5, 1.5)
_BEEP = "if(gte(t,0.5)*lt(mod(t-0.5,1),0.1),0.8*sin(2*PI*1000*t),0)"
BEEP = f"aevalsrc='{_BEEP}|{_BEEP}':d=2:s=48000"
PICTURE = "color=gray:s=64x48:r=25:d=2"

PICTURES: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("avi", "mkv", "nut"), ("ffv1", "-g", "1")),
    **dict.fromkeys(("mpg", "vob", "ts", "m2ts", "mxf", "wtv"), ("mpeg2video",)),
    **dict.fromkeys(("mov", "mp4", "3gp", "f4v"), ("libx264", "-bf", "0")),
    "gxf": ("mpeg2video", "-s", "720x576", "-aspect", "4:3"),
    "dv": ("dvvideo", "-s", "720x576", "-pix_fmt", "yuv420p"),
    "flv": ("flv",),
    "wmv": ("wmv2",),
    "ogv": ("libtheora",),
    "webm": ("libvpx",),
    "rm": ("rv20", "-s", "176x144"),
}


def workspace(folder: Path) -> Workspace:
    temporary = folder / "work"
    temporary.mkdir(exist_ok=True)
    return Workspace(
        ffmpeg=FFMPEG,
        temporary=temporary,
        publishing=folder / "publishing",
        threads_per_lane=1,
        niceness=0,
        stall_timeout_s=60,
    )


class Studio:
    """Makes results; the picture of those that have the same one is made once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._made = 0
        self._pictures: dict[tuple[object, ...], tuple[Path, SegmentFinished]] = {}

    async def restore(
        self, info: MediaInfo, audio: dict[str, Any], container: str = "mp4"
    ) -> tuple[Path, JobPublished]:
        """The result of a source, and what was said of it."""
        where = workspace(self.folder)
        preset = Preset.model_validate(
            {"name": "own", "target_height": 120, "container": container, "audio": audio}
            | {"denoise": {"method": "none"}, "sharpen": {"amount": 0.0}, "deinterlace": {"method": "none"}}
        )
        self._made += 1  # no result replaces another one
        name = f"{info.path.stem}-{self._made}.{container}"
        job = dataclasses.replace(make.job(), id=name, source=info.path, output=self.folder / "out" / name)
        means = Toolchain(
            engine="ffmpeg", upscaling=None, encoder="libx264", container=container, identity={}
        )
        plan = make_plan(job, info, preset, resolve(info.video, preset), means)
        plan = dataclasses.replace(plan, segments=make.plan(segments=1, frames=plan.frames).segments)
        segments = (await self._picture(plan, where),)
        published = await assemble(plan, segments, where, lane=1, tell=lambda _: None)
        return job.output, published

    async def _picture(self, plan: JobPlan, where: Workspace) -> SegmentFinished:
        alike = (plan.width, plan.height, plan.sar, plan.rate, plan.frames, plan.info.video.colour)
        if alike not in self._pictures:
            proof = await make_segment(
                plan, plan.segments[0], where, lane=1, attempt=1, fallback=0, tell=lambda _: None
            )
            self._pictures[alike] = (where.job_folder(plan) / proof.file, proof)
        file, proof = self._pictures[alike]
        where.job_folder(plan).mkdir(parents=True, exist_ok=True)
        if file.parent != where.job_folder(plan):
            shutil.copy(file, where.job_folder(plan) / proof.file)
        return proof


def make_sounds(path: Path, *tracks: str, sound: str = BEEP, more: Sequence[str] = ()) -> Path:
    """A grey picture with tracks that beep.

    Args:
        path: the clip; its suffix decides the container.
        tracks: FFmpeg's options for each, as for one: ``-c ac3 -ac 6``; stereo if they do not say.
        sound: what makes the sound.
        more: FFmpeg's other options for the file.
    """
    suffix = path.suffix.removeprefix(".")
    muxers = {"m2ts": ("-f", "mpegts", "-mpegts_m2ts_mode", "1"), "wmv": ("-f", "asf")}
    muxer: Sequence[str] = muxers.get(suffix, ())
    of_tracks: list[str] = []
    for number, track in enumerate(tracks):
        words = track.split()
        options = words if "-ac" in words else ["-ac", "2", *words]
        of_tracks += ["-map", "1"]
        of_tracks += [f"{word}:a:{number}" if word.startswith("-") else word for word in options]
    ffmpeg(
        *("-f", "lavfi", "-i", PICTURE, "-f", "lavfi", "-i", sound),
        *("-map", "0", "-c:v", *PICTURES[suffix], *of_tracks, "-strict", "-2", *muxer, *more),
        path,
    )
    return path


def picture_starts_s(path: Path) -> float:
    """When the picture of a result begins."""
    with av.open(str(path)) as container:
        picture = container.streams.video[0]
        return float((picture.start_time or 0) * Fraction(str(picture.time_base or 0)))


def beeps_s(path: Path, stream: int, start_s: float) -> list[float]:
    """When sound begins after silence, as FFmpeg decodes it; times count from `start_s`."""
    filters = f"aresample={RATE_HZ}:async=1:min_hard_comp=0.02:first_pts=0,highpass=f=500"
    command: Sequence[str | Path] = [
        *(FFMPEG, "-v", "quiet", "-copyts", "-i", path, "-map", f"0:{stream}"),
        *("-af", filters, "-f", "s16le", "-ac", "1", "-"),
    ]
    samples = array("h", subprocess.run(command, capture_output=True, check=True).stdout)
    loud = [number for number, sample in enumerate(samples) if abs(sample) > 1500]
    starts = [at for before, at in zip([-RATE_HZ, *loud], loud, strict=False) if at - before > RATE_HZ // 4]
    return [start / RATE_HZ - start_s for start in starts]
