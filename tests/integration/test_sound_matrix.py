"""Sound of every kind that FFmpeg writes, through the steps of a real batch: all of it is kept, and in sync."""

import dataclasses
import shutil
import subprocess
from array import array
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

import make
from clips import FFMPEG, ffmpeg
from vhsbatch.media.probe import probe
from vhsbatch.model.events import JobPublished, SegmentFinished
from vhsbatch.model.media import MediaInfo
from vhsbatch.model.plan import JobPlan
from vhsbatch.pipeline.assemble import assemble
from vhsbatch.pipeline.planner import Means, make_plan
from vhsbatch.pipeline.segment import make_segment
from vhsbatch.pipeline.workplace import Workplace
from vhsbatch.presets import Preset

pytestmark = pytest.mark.anyio

RATE_HZ = 48_000
BEEPS_S = (0.5, 1.5)
BEEP = "aevalsrc='if(gte(t,0.5)*lt(mod(t-0.5,1),0.1),0.8*sin(2*PI*1000*t),0)':d=2:s=48000"
PICTURE = "color=gray:s=64x48:r=25:d=2"

# An audio table that copies what it can, one that filters everything, one that keeps every sample.
AUDIO: dict[str, dict[str, Any]] = {
    "clean": {},
    "filtered": {"highpass_hz": 60, "hum_hz": 50, "denoise_db": 12, "declick": True, "loudness_lufs": -20.0},
    "lossless": {"lossless": True},
}

# Container, and FFmpeg's arguments for the sound; the picture's codec follows from the container.
KINDS = [
    # Captures.
    ("avi", "-c:a pcm_s16le"),
    ("avi", "-c:a pcm_u8 -ar 11025 -ac 1"),
    ("avi", "-c:a pcm_s24le -ac 4"),
    ("avi", "-c:a adpcm_ms -ar 22050"),
    ("avi", "-c:a adpcm_ima_wav -ar 44100"),
    ("avi", "-c:a pcm_mulaw -ar 8000 -ac 1"),
    ("avi", "-c:a mp2"),
    ("avi", "-c:a ac3"),
    ("avi", "-c:a libmp3lame -q:a 4 -ar 44100"),
    ("avi", "-c:a libmp3lame -b:a 64k -ar 16000 -ac 1"),
    ("dv", "-c:a pcm_s16le -s 720x576 -pix_fmt yuv420p"),
    # Decoders of RF captures, at the rates of their converters.
    *(("mkv", f"-c:a flac -ar {rate}") for rate in (37_800, 40_000, 78_125, 176_400, 192_000, 384_000)),
    ("mkv", "-c:a pcm_s16le -ar 50000"),
    ("mkv", "-c:a pcm_s24le -ar 65537"),
    ("mkv", "-c:a pcm_f32le -ac 3"),
    ("mkv", "-c:a pcm_s16le -ac 16"),
    ("mkv", "-c:a alac"),
    ("mkv", "-c:a libvorbis"),
    ("mkv", "-c:a libopus -ac 6 -mapping_family 1"),
    ("mkv", "-c:a truehd -strict -2"),
    ("mkv", "-c:a dca -strict -2"),
    ("mkv", "-c:a wavpack"),
    ("mkv", "-c:a adpcm_swf -ar 22050"),
    # Discs and broadcasts.
    ("mpg", "-c:a mp2 -ar 44100"),
    ("vob", "-c:a ac3 -ac 6"),
    ("vob", "-c:a pcm_dvd"),
    ("ts", "-c:a mp2 -ar 32000"),
    ("ts", "-c:a aac"),
    ("ts", "-c:a eac3 -ac 6"),
    ("ts", "-c:a s302m -strict -2"),
    ("m2ts", "-c:a pcm_bluray -mpegts_m2ts_mode 1"),
    ("mxf", "-c:a pcm_s24le"),
    ("gxf", "-c:a pcm_s16le -ac 1 -s 720x576 -aspect 4:3"),
    ("wtv", "-c:a mp2"),
    # Cameras and telephones.
    *(("mov", f"-c:a {codec}") for codec in ("pcm_s16be", "pcm_s24le", "pcm_f32be", "pcm_alaw", "adpcm_ima_qt")),
    ("mov", "-c:a pcm_s8 -ar 8000 -ac 1"),
    ("mov", "-c:a pcm_s16le -ar 96000 -ac 12"),
    ("mp4", "-c:a aac -ar 7350"),
    ("mp4", "-c:a aac -ar 96000"),
    ("mp4", "-c:a aac -ac 8"),
    ("mp4", "-c:a libmp3lame"),
    ("mp4", "-c:a pcm_s16be"),
    ("mp4", "-c:a libopus -ac 1"),
    ("3gp", "-c:a libopencore_amrnb -ar 8000 -ac 1 -b:a 12.2k"),
    # Computers and the network.
    ("wmv", "-c:a wmav2"),
    ("wmv", "-c:a wmav1 -ar 22050 -ac 1"),
    ("asf", "-c:a libmp3lame -ar 24000"),
    ("flv", "-c:a aac"),
    ("flv", "-c:a libmp3lame -ar 44100"),
    ("flv", "-c:a nellymoser -ar 22050 -ac 1"),
    ("ogv", "-c:a libvorbis -ar 44100"),
    ("ogv", "-c:a flac"),
    ("webm", "-c:a libopus -b:a 32k"),
    ("nut", "-c:a pcm_s16be"),
    ("rm", "-c:a ac3"),
]  # fmt: skip

PICTURES = {
    **dict.fromkeys(("avi", "mkv", "nut"), ("ffv1", "-g", "1")),
    **dict.fromkeys(("mpg", "vob", "ts", "m2ts", "mxf", "gxf", "wtv"), ("mpeg2video",)),
    **dict.fromkeys(("mov", "mp4", "3gp", "flv"), ("libx264", "-bf", "0")),
    **dict.fromkeys(("wmv", "asf"), ("wmv2",)),
    "dv": ("dvvideo",),
    "ogv": ("libtheora",),
    "webm": ("libvpx",),
    "rm": ("rv20", "-s", "176x144"),
}


def workplace(folder: Path) -> Workplace:
    return Workplace(
        ffmpeg=FFMPEG,
        temporary=folder / "work",
        publishing=folder / "publishing",
        threads_per_lane=1,
        niceness=0,
        stall_timeout_s=60,
    )


class Studio:
    """Makes results; the picture of those that have the same one is made once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._pictures: dict[tuple[object, ...], tuple[Path, SegmentFinished]] = {}

    async def restore(
        self, info: MediaInfo, audio: dict[str, Any], container: str = "mp4"
    ) -> tuple[JobPublished, MediaInfo]:
        """The result of a source: what was published, and what it is."""
        where = workplace(self.folder)
        preset = Preset.model_validate(
            {"name": "own", "target_height": 120, "container": container, "audio": audio}
            | {"denoise": {"method": "none"}, "sharpen": {"amount": 0.0}, "deinterlace": {"method": "none"}}
        )
        name = f"{info.path.stem}.{container}"
        job = dataclasses.replace(make.job(), id=name, source=info.path, output=self.folder / "out" / name)
        means = Means(engine="ffmpeg", upscaling=None, encoder="libx264", container=container, identity={})
        plan = make_plan(job, info, preset, means)
        plan = dataclasses.replace(plan, segments=make.plan(segments=1, frames=plan.frames).segments)
        segments = (await self._picture(plan, where),)
        published = await assemble(plan, segments, where, lane=1, tell=lambda _: None)
        return published, await probe(job.output, ffmpeg=FFMPEG)

    async def _picture(self, plan: JobPlan, where: Workplace) -> SegmentFinished:
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


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    return Studio(tmp_path_factory.mktemp("studio"))


def clip(path: Path, *codec: str, sound: str = BEEP) -> Path:
    """A grey picture with beeps."""
    suffix = path.suffix.removeprefix(".")
    muxer = {"m2ts": "mpegts", "wmv": "asf", "gxf": "gxf"}.get(suffix)
    ffmpeg(
        *("-f", "lavfi", "-i", PICTURE, "-f", "lavfi", "-i", sound),
        *("-map", "0", "-map", "1", "-c:v", *PICTURES[suffix], "-ac", "2", *codec),
        *(("-f", muxer) if muxer else ()),
        path,
    )
    return path


def beeps_of(info: MediaInfo, track: int = 0) -> list[float]:
    """When sound begins after silence, as FFmpeg decodes it; times count from the first picture."""
    filters = f"aresample={RATE_HZ}:async=1:min_hard_comp=0.02:first_pts=0,highpass=f=500"
    command: Sequence[str | Path] = [
        *(FFMPEG, "-v", "quiet", "-copyts", "-i", info.path, "-map", f"0:{info.audio[track].index}"),
        *("-af", filters, "-f", "s16le", "-ac", "1", "-"),
    ]
    samples = array("h", subprocess.run(command, capture_output=True, check=True).stdout)
    loud = [number for number, sample in enumerate(samples) if abs(sample) > 1500]
    starts = [at for before, at in zip([-RATE_HZ, *loud], loud, strict=False) if at - before > RATE_HZ // 4]
    return [start / RATE_HZ - float(info.video.start_s) for start in starts]


@pytest.mark.parametrize(("container", "codec"), KINDS, ids=lambda value: str(value).replace(" ", ""))
async def test_sound_of_every_kind(container: str, codec: str, studio: Studio, tmp_path: Path) -> None:
    source = clip(tmp_path / f"tape.{container}", *codec.split())
    info = await probe(source, ffmpeg=FFMPEG)
    assert len(info.audio) == 1
    expected = beeps_of(info)
    assert expected == pytest.approx(BEEPS_S, abs=0.12)  # encoders delay what they do not tell of
    for name, into in (("clean", "mkv"), ("clean", "mp4"), ("filtered", "mp4")):
        published, made = await studio.restore(info, AUDIO[name], into)
        assert not [note for note in published.notes if "damaged" in note or "another" in note]
        for track in range(len(made.audio)):
            assert beeps_of(made, track) == pytest.approx(expected, abs=0.02), (name, into)
        end_s = info.audio[0].end_s - info.video.start_s
        assert made.audio[0].end_s - made.video.start_s == pytest.approx(end_s, abs=Fraction(3, 100))
