"""Pipes against folders of PNG frames: the same frames decoded, upscaled and encoded in both ways.

    python benchmarks/folders.py [--rounds 3] [--json RESULT]

By folders, as other programs work: FFmpeg writes every frame as a PNG file, the network reads each and
writes a larger one (with threads of its own that load and save, as upstream has), and FFmpeg encodes
those. By pipes: the same three programs at once, joined as in a segment. Once with the network on the CPU and
small frames, once with a stand-in for a GPU that makes 50 frames of 720x480 a second.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import numpy as np
from device_busy import SIZE, StandIn, stood_in
from PIL import Image
from result import give, machine
from worker import Size, network, opened, program

from vhsbatch.engines.devices import NCNN
from vhsbatch.engines.runtimes import Frame

FFMPEG: str = imageio_ffmpeg.get_ffmpeg_exe()
QUIET = (FFMPEG, "-nostdin", "-v", "error", "-y")
ENCODE = ("-c:v", "libx264", "-preset", "fast", "-crf", "18", "-pix_fmt", "yuv420p")
SCALE = 2
RATE = 25
GPU_FRAME_S = 0.02
# Frames that wait to be saved; upstream's program has as few.
SAVED_LATER = 4


@dataclass(frozen=True)
class Case:
    """So many frames of a size, upscaled by the CPU or by a stand-in that takes `frame_s` for each."""

    name: str
    size: Size
    frames: int
    frame_s: float | None


CASES = (
    Case("the CPU, 180x120", Size(180, 120), 40, None),
    Case(f"a stand-in for a GPU, {SIZE.width}x{SIZE.height}", SIZE, 80, GPU_FRAME_S),
)


def make_clip(case: Case, folder: Path) -> Path:
    """A noisy clip."""
    clip = folder / "clip.mkv"
    scene = f"testsrc2=size={case.size.width}x{case.size.height}:rate={RATE},noise=c0s=6:c0f=t"
    subprocess.run(
        (
            *(*QUIET, "-f", "lavfi", "-i", scene, "-frames:v", str(case.frames)),
            *("-c:v", "mpeg2video", "-q:v", "2", clip),
        ),
        check=True,
    )
    return clip


def by_pipes(case: Case, clip: Path, folder: Path) -> None:
    """All three at once."""
    worker = program(network(NCNN, case.size, in_flight=1 if case.frame_s is None else 2), case.size)
    if case.frame_s is not None:
        worker = stood_in(worker, case.frame_s)
    raw = ("-f", "rawvideo", "-pix_fmt", "rgb24")
    larger = f"{SCALE * case.size.width}x{SCALE * case.size.height}"
    decode = (*QUIET, "-i", clip, *raw, "-")
    encode = (*QUIET, *raw, "-s", larger, "-r", str(RATE), "-i", "-", *ENCODE, folder / "pipes.mp4")
    with (
        subprocess.Popen(decode, stdout=subprocess.PIPE) as first,
        subprocess.Popen(
            worker.argv,
            stdin=first.stdout,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **worker.env},
        ) as second,
        subprocess.Popen(encode, stdin=second.stdout) as third,
    ):
        for process in (first, second):
            assert process.stdout is not None
            process.stdout.close()
    assert [first.returncode, second.returncode, third.returncode] == [0, 0, 0]


def by_folders(case: Case, clip: Path, folder: Path) -> None:
    """One after the other."""
    before, after = folder / "before", folder / "after"
    before.mkdir()
    after.mkdir()
    subprocess.run((*QUIET, "-i", clip, before / "%05d.png"), check=True)
    number = str(CASES.index(case))
    subprocess.run((sys.executable, __file__, "--upscale", number, before, after), check=True)
    subprocess.run(
        (*QUIET, "-r", str(RATE), "-i", after / "%05d.png", *ENCODE, folder / "folders.mp4"), check=True
    )


def upscale_folder(case: Case, before: Path, after: Path) -> None:
    """Read, upscale and write every PNG file of a folder."""
    upscale = opened(network(NCNN, case.size)) if case.frame_s is None else StandIn(case.frame_s)
    with ThreadPoolExecutor(1) as loader, ThreadPoolExecutor(2) as savers:
        saved: deque[Future[None]] = deque()
        files = sorted(before.iterdir())
        ahead = loader.submit(_load, files[0])
        for file, following in zip(files, (*files[1:], files[-1]), strict=True):
            frame, ahead = ahead.result(), loader.submit(_load, following)
            saved.append(savers.submit(_save, upscale(frame), after / file.name))
            if len(saved) > SAVED_LATER:
                saved.popleft().result()
        for future in saved:
            future.result()


def _load(file: Path) -> Frame:
    return np.asarray(Image.open(file).convert("RGB"))


def _save(frame: Frame, file: Path) -> None:
    Image.fromarray(frame).save(file)


def measured(case: Case, rounds: int) -> dict[str, Any]:
    """Seconds of both ways, medians of runs that took turns, and the size of all PNG files."""
    took_s: dict[str, list[float]] = {"pipes": [], "folders": []}
    with tempfile.TemporaryDirectory() as place:
        clip = make_clip(case, Path(place))
        for number in range(rounds):
            folder = Path(place) / str(number)
            folder.mkdir()
            for name, way in (("pipes", by_pipes), ("folders", by_folders)):
                started_s = time.monotonic()
                way(case, clip, folder)
                took_s[name].append(time.monotonic() - started_s)
            png_bytes = sum(file.stat().st_size for file in folder.rglob("*.png"))
            frames = {name: count_frames(folder / f"{name}.mp4") for name in took_s}
            assert set(frames.values()) == {case.frames}, frames
            shutil.rmtree(folder)
    medians = {name: statistics.median(values) for name, values in took_s.items()}
    return {
        "case": case.name,
        "frames": case.frames,
        "took_s": medians,
        "folders_over_pipes": medians["folders"] / medians["pipes"],
        "png_bytes": png_bytes,
    }


def count_frames(video: Path) -> int:
    """How many frames came out."""
    return int(imageio_ffmpeg.count_frames_and_secs(str(video))[0])


def main() -> None:
    """Measure, print the figures, and write them where it is asked for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--upscale", nargs=3, help=argparse.SUPPRESS)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    if arguments.upscale is not None:
        number, before, after = arguments.upscale
        upscale_folder(CASES[int(number)], Path(before), Path(after))
        return
    cases = [measured(case, arguments.rounds) for case in CASES]
    give({"machine": machine(), "cases": cases}, arguments.json)


if __name__ == "__main__":
    main()
