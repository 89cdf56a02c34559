"""Every command line of the specification, run as it is written there, by a shell."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from clips import make_clip

pytestmark = [pytest.mark.slow, pytest.mark.sampled]

BATCHES = {
    "two workers": """
# Process with 2 parallel workers
vhs-upscale batch ./videos/ ./output/ -p vhs --parallel 2
""",
    "three workers": """
# Process with 3 workers for faster batch
vhs-upscale batch ./archive/ ./restored/ -p vhs_heavy --parallel 3
""",
    "4K": r"""
# High-performance batch (4 workers, 4K output)
vhs-upscale batch ./vhs_collection/ ./4k_restored/ \
    -p vhs_archive \
    -r 2160 \
    --parallel 4 \
    --skip-existing
""",
    "memory-efficient": r"""
# Memory-efficient parallel (2 workers, lower quality)
vhs-upscale batch ./videos/ ./output/ \
    -p vhs_standard \
    -r 1080 \
    --parallel 2 \
    --crf 23
""",
    "resume": r"""
# Resume interrupted parallel batch
vhs-upscale batch ./videos/ ./output/ \
    -p vhs \
    --parallel 3 \
    --resume
""",
    "subset": r"""
# Test with small subset first
vhs-upscale batch ./videos/ ./test_output/ \
    -p vhs \
    --parallel 3 \
    --max-count 5
""",
    "verbose": r"""
# View detailed errors
vhs-upscale batch ./videos/ ./output/ \
    -p vhs \
    --parallel 3 \
    --verbose
""",
    "low parallelism": r"""
# Test performance
vhs-upscale batch ./videos/ ./test/ \
    -p vhs \
    --parallel 2 \
    --max-count 3
""",
    "skip existing": r"""
vhs-upscale batch ./videos/ ./output/ \
    -p vhs \
    --parallel 3 \
    --skip-existing
""",
    "lower resolution": """
# Lower target resolution
vhs-upscale batch ./videos/ ./output/ -r 720 --parallel 2
""",
    "higher CRF": """
# Increase CRF (lower quality, less memory)
vhs-upscale batch ./videos/ ./output/ --crf 25 --parallel 2
""",
    "no temporary files": r"""
# Ensure using SSD for temp files
vhs-upscale batch ./videos/ ./output/ \
    --parallel 2 \
    --keep-temp=false  # Clean up temp files immediately
""",
    "balanced": r"""
# Moderate parallelism
vhs-upscale batch ./videos/ ./output/ \
    --parallel 3 \
    -p vhs_standard
""",
    "auto-detect": r"""
# Auto-detect analyzes sequentially, then processes in parallel
vhs-upscale batch ./videos/ ./output/ \
    --auto-detect \
    --parallel 3
""",
}

SEQUENTIAL = """
# Use sequential if order matters:
vhs-upscale batch ./videos/ ./output/ --parallel 1
"""

DRY_RUN = r"""
# Dry-run to preview batch
vhs-upscale batch ./videos/ ./output/ \
    -p vhs \
    --parallel 3 \
    --dry-run
"""

# A backslash with a comment behind it does not continue a line: a shell runs the first line with an
# argument of one space, and takes the next one for a command of its own.
BROKEN_LINES = {
    "GPU-bound": (
        r"""
vhs-upscale batch ./videos/ ./output/ \
    --parallel 2 \  # For dual GPU
""",
        "    --engine realesrgan",
    ),
    "CPU-bound": (
        r"""
vhs-upscale batch ./videos/ ./output/ \
    --parallel 4 \  # More workers for CPU tasks
""",
        r"""    --skip-maxine \
    --engine ffmpeg
""",
    ),
}

CUSTOM_PRESETS = """
# Process each with custom preset
for video in ./videos/*.mp4; do
    preset=$(determine_preset "$video")  # Custom logic
    vhs-upscale upscale "$video" -o "./output/$(basename "$video")" -p "$preset"
done
"""

DISTRIBUTED = """
# Machine 1: Videos 1-100
vhs-upscale batch ./videos/ ./output/ --parallel 4 --max-count 100

# Machine 2: Videos 101-200
vhs-upscale batch ./videos/ ./output/ --parallel 4 --skip-existing --max-count 200
"""

COMPARISON = r"""
# Use sequential for preset testing
vhs-upscale test-presets video.mp4 -o ./comparisons/ \
    --multi-clip \
    --presets vhs_standard,vhs_clean,vhs_heavy
"""


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("clips")
    codec = ("-c:v", "libx264", "-flags", "+ildct+ilme", "-x264-params", "tff=1", "-c:a", "aac")
    return [
        make_clip(folder / f"video{number}.mp4", *codec, seconds=0.07 * number, size="64x48")
        for number in (1, 2)
    ]


@pytest.fixture
def place(tmp_path: Path, clips: list[Path]) -> Path:
    for folder in ("videos", "archive", "vhs_collection"):
        (tmp_path / folder).mkdir()
        for clip in clips:
            os.link(clip, tmp_path / folder / clip.name)
    os.link(clips[1], tmp_path / "video.mp4")
    return tmp_path


def shell(script: str, place: Path) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    environment = {**os.environ, "PATH": path, "HOME": str(place), "XDG_CONFIG_HOME": str(place)}
    return subprocess.run(
        ["bash", "-c", script], cwd=place, env=environment, capture_output=True, text=True, check=False
    )


RULE, LINE = "=" * 60, "-" * 60


def assert_parallel_format(printed: str, workers: int, output: str) -> None:
    lines = printed.splitlines()
    assert lines[:4] == [
        "Starting batch processing (2 videos)",
        f"Parallel mode: {workers} workers",
        RULE,
        "",
    ]
    results, rules = lines[4:8:2], lines[5:8:2]
    assert sorted(results) == ["[1/2] SUCCESS: video1.mp4", "[2/2] SUCCESS: video2.mp4"]
    assert rules == [LINE, LINE]
    assert lines[8:] == [
        "",
        RULE,
        "BATCH PROCESSING COMPLETE",
        RULE,
        "Total videos: 2",
        "Successful:   2",
        "Failed:       0",
        f"Output:       {output}",
    ]


@pytest.mark.parametrize("name", BATCHES)
def test_batches(name: str, place: Path) -> None:
    script = BATCHES[name]
    done = shell(script, place)
    assert done.returncode == 0, done.stderr
    words = [word for line in script.splitlines() for word in line.partition("#")[0].split()]
    output = words[words.index("batch") + 2]
    workers = int(words[words.index("--parallel") + 1])
    assert_parallel_format(done.stdout, workers, output)
    height = words[words.index("-r") + 1] if "-r" in words else "1080"
    suffix = "mkv" if "vhs_archive" in words else "mp4"
    made = sorted(path.name for path in (place / output).glob("*.m*") if path.suffix != ".json")
    assert made == [f"video{number}_{height}p.{suffix}" for number in (1, 2)]


def test_sequential_batch(place: Path) -> None:
    done = shell(SEQUENTIAL, place)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "Starting batch processing (2 videos)",
        RULE,
        "",
        "[1/2] Processing: video1.mp4",
        "  Output: video1_1080p.mp4",
        "  Success",
        LINE,
        "[2/2] Processing: video2.mp4",
        "  Output: video2_1080p.mp4",
        "  Success",
        LINE,
        "",
        RULE,
        "BATCH PROCESSING COMPLETE",
        RULE,
        "Total videos: 2",
        "Successful:   2",
        "Failed:       0",
        "Output:       ./output/",
    ]


def test_dry_run_does_nothing(place: Path) -> None:
    done = shell(DRY_RUN, place)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Dry run: 2 videos, 3 workers\n")
    assert "[2/2] video2.mp4 -> video2_1080p.mp4" in done.stdout
    assert not (place / "output").exists()


@pytest.mark.parametrize("name", BROKEN_LINES)
def test_lines_broken_by_a_comment_run_up_to_the_comment(name: str, place: Path) -> None:
    first, rest = BROKEN_LINES[name]
    done = shell(first + rest, place)
    assert done.returncode == 127  # the shell's, for the line behind the comment
    workers = 2 if name == "GPU-bound" else 4
    assert_parallel_format(done.stdout, workers, "./output/")


@pytest.mark.parametrize("name", BROKEN_LINES)
def test_lines_broken_by_a_comment_run_as_they_are_meant(name: str, place: Path) -> None:
    first, rest = BROKEN_LINES[name]
    done = shell(first.partition("#")[0].rstrip() + "\n" + rest, place)
    assert done.returncode == 0, done.stderr
    assert_parallel_format(done.stdout, 2 if name == "GPU-bound" else 4, "./output/")
    assert ("Maxine is never used" in done.stderr) == (name == "CPU-bound")
    assert ("engine: realesrgan" in done.stderr) == (name == "GPU-bound")


def test_a_preset_for_each_video(place: Path) -> None:
    done = shell("determine_preset() { echo vhs_clean; }\nmkdir output\n" + CUSTOM_PRESETS, place)
    assert done.returncode == 0, done.stderr
    assert {path.name for path in (place / "output").glob("*.mp4")} == {"video1.mp4", "video2.mp4"}


def test_two_machines_one_after_the_other(place: Path) -> None:
    done = shell(DISTRIBUTED, place)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("SUCCESS") == 2
    assert done.stdout.count("SKIPPED") == 2
    assert done.stdout.count("Reason: already restored, as the journal proves") == 2


def test_comparison(place: Path) -> None:
    done = shell(COMPARISON, place)
    assert done.returncode == 0, done.stderr
    # The clip is too short for more than one place.
    presets = ("source", "vhs_standard", "vhs_clean", "vhs_heavy")
    assert {path.name for path in (place / "comparisons").iterdir()} == {
        "clip1_comparison.mp4",
        "clip1_contact_sheet.png",
        ".vhsbatch-comparisons.json",
        *(f"clip1_{name}.mp4" for name in presets),
    }
