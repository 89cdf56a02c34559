"""A picture of what `--dropouts` does: a worn tape restored without it and with it, and the original.

    python -m benchmarks.quality.streaks docs/quality/dropouts.jpg

It shows the part of all frames that has the most of the difference.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.quality import restore, scenes, score, stills, video
from benchmarks.quality.captures import capture
from vhsbatch.config.preset_files import find_preset, load_presets
from vhsbatch.config.presets import override

_SCENE = "fair"
_FRAMES = 32
# Corners of parts are looked for at multiples of so many pixels.
_STEP = 16


def main() -> None:
    """Make the picture that the command line names."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality.streaks")
    parser.add_argument("picture", type=Path)
    picture: Path = parser.parse_args().picture
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        scene = scenes.by_name()[_SCENE]
        original, truth = folder / f"{scene.name}.nut", folder / "truth.yuv"
        scenes.film(scene, _FRAMES, original)
        tape = capture("tape_worn", original, scene.shape, folder, seed=1)
        score.reference(original, scene.shape, every=tape.every, unpacked=truth)
        preset = override(find_preset(load_presets([]), "vhs_heavy"), {"target_height": scene.height})
        made = {preset.name: folder / "without.yuv", f"{preset.name} --dropouts": folder / "with.yuv"}
        for (name, file), dropouts in zip(made.items(), (False, True), strict=True):
            restore.restore(tape.file, override(preset, {"dropouts": dropouts}), "ffmpeg", file)
            print(name, flush=True)
        without, repaired = (
            video.luma(file, scene.shape.width, scene.shape.height) for file in made.values()
        )
        frame, corner = _most_different(without, repaired)
        parts = folder / "parts"
        stills.keep(truth, scene.shape, frame, parts, corner=corner)
        for name, file in made.items():
            stills.keep(file, scene.shape, frame, parts, name, corner=corner)
        picture.write_bytes(stills.join(parts).read_bytes())


def _most_different(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> tuple[int, tuple[int, int]]:
    """The frame, and the corner of the part in it, in which two films have most of what sets them apart."""
    best, found = 0.0, (0, (0, 0))
    for number, (before, after) in enumerate(zip(one, other, strict=True)):
        apart = np.square(before.astype(np.int64) - after)
        sums = np.pad(apart.cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))
        height, width = stills.HEIGHT, stills.WIDTH
        parts = (
            sums[height:, width:] - sums[height:, :-width] - sums[:-height, width:] + sums[:-height, :-width]
        )
        parts = parts[::_STEP, ::_STEP]
        top, left = np.unravel_index(int(np.argmax(parts)), parts.shape)
        if parts[top, left] > best:
            best, found = float(parts[top, left]), (number, (int(left) * _STEP, int(top) * _STEP))
    return found


if __name__ == "__main__":
    main()
