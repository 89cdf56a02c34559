"""How near predictions come: a kind of work is measured by one batch, and a second batch of it is predicted.

    python benchmarks/prediction.py [--rounds 1] [--json RESULT]

Clips of DV to 480 lines with preset `vhs`; what is remembered of other batches is not looked at. The figure
is the difference between what was predicted at the beginning and what it took, as a part of the prediction.
"""

import argparse
import shutil
import statistics
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from batches import events_of_batch
from ffmpeg_engine import make_clip
from result import give, machine, target

TARGET = 0.2
MEASURED_S = (3.0, 3.0)
PREDICTED_S = (7.0, 4.0, 6.0, 5.0)


def make_clips(folder: Path, lengths_s: Iterable[float], *, first: int) -> None:
    """Clips of different pictures, counted from `first`."""
    folder.mkdir()
    for number, seconds in enumerate(lengths_s, start=first):
        make_clip(folder / f"tape{number}.dv", number, seconds)


def batch(source: str, folder: Path) -> list[dict[str, Any]]:
    """The events of a batch of what is in `source`."""
    arguments = (source, f"{source} out", "-r", "480", "--encoder", "libx264", "--no-report")
    return events_of_batch(arguments, folder, {"XDG_CACHE_HOME": str(folder / "cache")})


def predicted_and_took(events: Iterable[dict[str, Any]]) -> tuple[float, float]:
    """The first prediction, and the time from then to the end."""
    by_kind = {event["kind"]: event for event in reversed([*events])}
    prediction = by_kind["batch_predicted"]
    return prediction["seconds_s"], by_kind["batch_finished"]["at_s"] - prediction["at_s"]


def measure(rounds: int) -> dict[str, Any]:
    """Predictions and times of as many rounds, each measured anew."""
    found = []
    for number in range(rounds):
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place)
            make_clips(folder / "before", MEASURED_S, first=10 * number)
            make_clips(folder / "in", PREDICTED_S, first=10 * number + len(MEASURED_S))
            batch("before", folder)
            found.append(predicted_and_took(batch("in", folder)))
            shutil.rmtree(folder / "in out")
    figure = statistics.median(abs(took - predicted) / predicted for predicted, took in found)
    return {
        "machine": machine(),
        "rounds": [{"predicted_s": predicted, "took_s": took} for predicted, took in found],
        "targets": [
            target("time of a batch beside its prediction, part by which it differs", figure, TARGET)
        ],
    }


def main() -> None:
    """Measure, print the figures beside the target, and write them where it is asked for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    give(measure(arguments.rounds), arguments.json)


if __name__ == "__main__":
    main()
