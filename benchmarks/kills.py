"""SIGKILL at random moments: nothing is lost or made twice, and results equal those of an undisturbed run.

    python benchmarks/kills.py [--kills 500] [--longest 8] [--minutes 90] [--seed 1987] [--json RESULT]

A batch of four short clips is killed (the program; a child, then the program; or all its processes at once)
and continued by `--resume` until it ends. Then its results are compared, and a new series begins. A kill
counts if it ended the program; those while child processes worked are counted apart, too. The busier the
machine, the longer `--longest` has to be for that. The result is written after each series. A series with a
fault keeps its folder.
"""

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import imageio_ffmpeg
from result import give, machine, target, write

from vhsbatch.events.events import SegmentFinished
from vhsbatch.events.journal import read_journal
from vhsbatch.fs import digest

FFMPEG: str = imageio_ffmpeg.get_ffmpeg_exe()
PRESET = '[short]\ninherits = "vhs"\ntarget_height = 240\nsegment_s = 1\nai_segment_s = 1\n'
SUFFIXES = (".mp4", ".mkv")
WAYS = ("program", "child", "all")
SHORTEST_S, GONE_S, ENDS_S = 0.2, 30.0, 300.0
PICTURE, SOUND = "testsrc2=s=160x120:r={rate}", "sine=r=48000"
FIELDS = "interlace=scan={order}:lowpass=0,setfield={order}"
MPEG2 = ("-c:v", "mpeg2video", "-q:v", "3", "-g", "12")
# Name, rate of the drawn pictures, filter, codecs: NTSC and PAL, with and without fields, in four containers.
CLIPS = (
    ("ntsc.avi", "60000/1001", FIELDS.format(order="tff"), ("-c:v", "ffv1", "-g", "1", "-c:a", "pcm_s16le")),
    ("pal.mkv", "50", FIELDS.format(order="bff"), (*MPEG2, "-flags", "+ilme+ildct", "-c:a", "flac")),
    ("frames.ts", "25", "null", (*MPEG2, "-c:a", "mp2")),
    ("film.mp4", "30000/1001", "null", ("-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac")),
)


@dataclass
class Campaign:
    """What was done and found so far."""

    seed: int
    longest_s: float
    kills: Counter[str] = field(default_factory=Counter)
    at_work: int = 0
    children: int = 0
    series: int = 0
    results: int = 0
    segments: int = 0
    faults: list[str] = field(default_factory=list)

    def given(self, wanted: int) -> dict[str, Any]:
        """As the other benchmarks give theirs."""
        total = self.kills.total()
        return {
            "machine": machine(),
            "seed": self.seed,
            "longest_s": self.longest_s,
            "kills": total,
            "kills_by_way": dict(self.kills),
            "kills_while_children_worked": self.at_work,
            "children_killed_alone": self.children,
            "series": self.series,
            "results_compared": self.results,
            "segments_made": self.segments,
            "faults": self.faults,
            "targets": [
                target("kills at random moments", total, wanted, at_least=True),
                target("faults after them", len(self.faults), 0),
            ],
        }


def make_sources(folder: Path) -> None:
    """The clips; an hour old, as a file that has just been written is waited for."""
    folder.mkdir()
    for name, rate, filters, codecs in CLIPS:
        inputs = ("-f", "lavfi", "-i", PICTURE.format(rate=rate), "-f", "lavfi", "-i", SOUND)
        options = ("-t", "3", "-vf", f"{filters},format=yuv420p", "-ac", "2", *codecs)
        subprocess.run((FFMPEG, "-nostdin", "-v", "error", *inputs, *options, folder / name), check=True)
        os.utime(folder / name, (time.time() - 3600,) * 2)


def start(place: Path, out: str, *options: str) -> subprocess.Popen[bytes]:
    """Start the batch in a session of its own; what it says goes to a file."""
    command = (sys.executable, "-m", "vhsbatch.cli", "batch", "in", out, "-p", "short", "--engine", "ffmpeg")
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("VHSBATCH_")},
        "HOME": str(place),
        "XDG_CONFIG_HOME": str(place / ".config"),
        "VHSBATCH_NICE": "0",
        "XDG_CACHE_HOME": str(place / ".cache"),
    }
    with (place / f"{out}.log").open("ab") as log:
        return subprocess.Popen(
            (*command, "--retries", "100", *options),
            cwd=place,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def children(pid: int) -> list[int]:
    """The processes that `pid` has started, and theirs."""
    try:
        direct = [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []
    return [*direct, *(grandchild for child in direct for grandchild in children(child))]


def kill(pid: int) -> None:
    """SIGKILL, unless it has just ended by itself."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def disturb(process: subprocess.Popen[bytes], way: str, chance: random.Random) -> int:
    """Kill the program in one way; how many children were killed before it."""
    alone = 0
    if way == "child" and (alive := children(process.pid)):
        kill(chance.choice(alive))
        alone = 1
        time.sleep(chance.uniform(0.0, 0.5))
    for pid in [process.pid, *(children(process.pid) if way == "all" else [])]:
        kill(pid)
    process.wait(ENDS_S)
    return alone


def still_working(place: Path) -> list[int]:
    """Processes that name the folder of the series, a while after the program was killed."""
    ends_s = time.monotonic() + GONE_S
    while True:
        found = [
            int(entry.name)
            for entry in Path("/proc").iterdir()
            if entry.name.isdecimal() and names(entry, place)
        ]
        if not found or time.monotonic() > ends_s:
            return found
        time.sleep(0.05)


def names(process: Path, place: Path) -> bool:
    """If the command line of a process names the folder."""
    try:
        return process.name != str(os.getpid()) and os.fsencode(place) in (process / "cmdline").read_bytes()
    except OSError:
        return False


def frames(file: Path) -> str:
    """Digests of all decoded frames, of the audio too."""
    command = (FFMPEG, "-v", "error", "-xerror", "-i", file, "-map", "0", "-f", "framemd5", "-")
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False).stdout


def finished(folder: Path) -> list[Path]:
    """The results under their final names."""
    return sorted(file for file in folder.glob("*") if file.suffix in SUFFIXES)


class Series:
    """One batch, killed until it ends."""

    def __init__(self, place: Path, sources: dict[str, str], right: dict[str, str], lanes: int) -> None:
        self.place, self.sources, self.right = place, sources, right
        self.options = ("--parallel", str(lanes))
        self.seen: dict[str, str] = {}

    def check(self) -> list[str]:
        """Faults that can be seen at any moment: a source that changed, a final name that is not complete."""
        found = [
            f"the source {name} changed"
            for name, known in self.sources.items()
            if digest(self.place / "in" / name) != known
        ]
        for file in finished(self.place / "out"):
            now = digest(file)
            if file.name not in self.seen and frames(file) != self.right.get(file.name):
                found.append(f"{file.name} has other frames")
            if self.seen.setdefault(file.name, now) != now:
                found.append(f"{file.name} was made again")
        return [
            *found,
            *(f"{name} is gone" for name in self.seen if not (self.place / "out" / name).exists()),
        ]

    def check_end(self) -> tuple[list[str], int]:
        """What is left, and what was made, after the batch has ended; and how many segments that were."""
        found = self.check()
        if self.seen.keys() != self.right.keys():
            found.append(f"results: {sorted(self.seen)}")
        state = self.place / "out" / ".vhsbatch"
        left = [
            str(file) for file in state.rglob("*") if file.is_file() and file.suffix not in (".jsonl", ".jpg")
        ]
        found += [f"left over: {name}" for name in left]
        facts = read_journal(state / "journal")
        made = Counter((fact.job_id, fact.segment) for fact in facts if isinstance(fact, SegmentFinished))
        return [
            *found,
            *(f"{segment} was made {n} times" for segment, n in made.items() if n > 1),
        ], made.total()


def run_series(series: Series, campaign: Campaign, chance: random.Random, most: int) -> None:
    """Kill and continue until the batch ends by itself; at most so many kills, then let it end."""
    resume: tuple[str, ...] = ()
    found: list[str] = []
    for number in range(most + 1):
        process = start(series.place, "out", *series.options, *resume)
        resume = ("--resume",)
        try:
            process.wait(ENDS_S if number == most else chance.uniform(SHORTEST_S, campaign.longest_s))
        except subprocess.TimeoutExpired:
            if number == most:
                found.append(f"not ended in {ENDS_S:.0f} s")
            way = chance.choice(WAYS)
            campaign.at_work += bool(children(process.pid))
            campaign.children += disturb(process, way, chance)
            campaign.kills[way] += 1
            found += [f"process {pid} outlived the run" for pid in still_working(series.place)]
            found += series.check()
            if not found:
                continue
        else:
            if process.returncode:
                found.append(f"exit code {process.returncode}")
        break
    at_end, segments = series.check_end()
    campaign.segments += segments
    campaign.results += len(series.seen)
    campaign.series += 1
    campaign.faults += [f"series {campaign.series}: {text}" for text in [*found, *at_end]]


def prepare(place: Path) -> None:
    """Settings, sources, and the results of an undisturbed run, with their frames."""
    (place / "vhsbatch.toml").write_text('presets = ["presets.toml"]\n')
    (place / "presets.toml").write_text(PRESET)
    make_sources(place / "in")
    if start(place, "whole", "--parallel", "1").wait():
        raise SystemExit((place / "whole.log").read_text())


def measure(campaign: Campaign, wanted: int, minutes: float, file: Path | None) -> dict[str, Any]:
    """Kill until there were enough, or for so long."""
    chance = random.Random(campaign.seed)
    ends_s = time.monotonic() + minutes * 60
    place = Path(tempfile.mkdtemp(prefix="kills-"))
    prepare(place)
    right = {result.name: frames(result) for result in finished(place / "whole")}
    sources = {source.name: digest(source) for source in (place / "in").iterdir()}
    while campaign.kills.total() < wanted and time.monotonic() < ends_s:
        before = len(campaign.faults)
        most = min(40, wanted - campaign.kills.total())
        run_series(Series(place, sources, right, chance.randint(1, 3)), campaign, chance, most)
        write(campaign.given(wanted), file)
        print(f"{campaign.kills.total()} kills, {len(campaign.faults)} faults", file=sys.stderr, flush=True)
        if len(campaign.faults) > before:
            shutil.copytree(place, f"{place}-fault-{campaign.series}", symlinks=True)
            print(
                "\n".join(campaign.faults[before:]), f"kept: {place}-fault-{campaign.series}", file=sys.stderr
            )
        shutil.rmtree(place / "out", ignore_errors=True)
        (place / "out.log").unlink(missing_ok=True)
    shutil.rmtree(place)
    return campaign.given(wanted)


def main() -> None:
    """Kill, compare, print the counts, and write them where it is asked for; exit code 1 after a fault."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--longest", type=float, default=8)
    parser.add_argument("--minutes", type=float, default=90)
    parser.add_argument("--seed", type=int, default=1987)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    campaign = Campaign(arguments.seed, arguments.longest)
    result = measure(campaign, arguments.kills, arguments.minutes, arguments.json)
    give(result, arguments.json)
    sys.exit(int(bool(result["faults"])))


if __name__ == "__main__":
    main()
