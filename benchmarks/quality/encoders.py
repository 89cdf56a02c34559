"""What each step of an encoder costs and keeps: rate, distortion and CPU time on restored tapes.

    python -m benchmarks.quality.encoders [--work FOLDER] [--json FILE] [--scenes A,B] [--kinds A,B]
                                          [--encoders A,B] [--frames N] [--height LINES]

Restores captures with the preset `vhs` and encodes the frames with the program's own arguments, at three
qualities with each of the encoder's own steps of speed. Each step is compared with the one that the program
uses *at the same distortion*: sizes are interpolated to the PSNR that it reaches at the middle quality.
"""

import argparse
import dataclasses
import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from pathlib import Path
from statistics import geometric_mean

import numpy as np

from benchmarks.quality import restore, scenes, score, video
from benchmarks.quality.captures import capture
from benchmarks.quality.video import Shape
from benchmarks.result import machine
from vhsbatch.config.preset_files import find_preset, load_presets
from vhsbatch.config.presets import override
from vhsbatch.ffmpeg.encoders import EncodeArguments, video_arguments

# Around the quality of the preset `vhs` with libx264, and what each other encoder has by itself.
QUALITIES = {"libx264": (15, 18, 21), "libx265": (15, 18, 21), "libsvtav1": (17, 20, 26)}
STEPS = {
    "libx264": ("superfast", "veryfast", "faster", "fast", "medium", "slow"),
    "libx265": ("superfast", "veryfast", "faster", "fast", "medium"),
    "libsvtav1": ("10", "8", "6", "4"),
}
_THREADS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Encode:
    """One encode of one restored capture.

    Attributes:
        kilobytes: of a frame.
        cpu_ms: of a frame.
        psnr_y: dB, to the frames that were encoded.
        neg: VMAF-NEG, to the original; at the middle quality alone.
    """

    encoder: str
    step: str
    quality: int
    kilobytes: float
    cpu_ms: float
    psnr_y: float
    neg: float | None
    scene: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A step beside the one that the program uses: ratios at the same PSNR, means over all captures.

    Attributes:
        cpu: CPU time, of the encoder alone.
        size: bytes.
        worst_size: bytes, of the capture on which it does worst.
        neg: difference of VMAF-NEG at the same setting of quality; the least.
    """

    encoder: str
    step: str
    cpu: float
    size: float
    worst_size: float
    neg: float


def main(words: Sequence[str] | None = None) -> None:
    """Measure what the command line asks for, and print a table."""
    arguments = _parser().parse_args(words)
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.work or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        encodes = list(_measure(arguments, folder))
    found = steps(encodes)
    if arguments.json:
        rows = {"machine": machine(), "steps": found, "encodes": encodes}
        arguments.json.write_text(json.dumps(rows, indent=1, default=asdict) + "\n")
    print(table(found))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality.encoders")
    names = lambda text: text.split(",")  # noqa: E731
    parser.add_argument("--json", type=Path, help="file for the results")
    parser.add_argument("--work", type=Path, help="folder in which originals and captures are kept")
    parser.add_argument("--scenes", type=names, default=["portraits", "exhibition"])
    parser.add_argument("--kinds", type=names, default=["tape", "deck_copy", "hi8"])
    parser.add_argument("--encoders", type=names, default=list(QUALITIES))
    parser.add_argument("--frames", type=int, default=48)
    parser.add_argument("--height", type=int, default=1080)
    return parser


def _measure(arguments: argparse.Namespace, folder: Path) -> Iterator[Encode]:
    for scene in scenes.by_name().values():
        if scene.name not in arguments.scenes:
            continue
        large = replace(scene, height=arguments.height)
        original = folder / f"{scene.name}.nut"
        scenes.film(large, arguments.frames, original)
        for kind in arguments.kinds:
            made = capture(kind, original, large.shape, folder, seed=1)
            truth, restored = folder / "truth.yuv", folder / "restored.yuv"
            score.reference(original, large.shape, every=made.every, unpacked=truth)
            preset = override(find_preset(load_presets([]), "vhs"), {"target_height": arguments.height})
            done = restore.restore(made.file, preset, "ffmpeg", restored)
            shape = Shape(width=done.width, height=done.height, rate=done.rate)
            for encoder in arguments.encoders:
                for encode in _encodes(encoder, shape, restored, truth):
                    yield replace(encode, scene=scene.name, kind=kind)


def _encodes(encoder: str, shape: Shape, restored: Path, truth: Path) -> Iterator[Encode]:
    _, middle, _ = QUALITIES[encoder]
    for step in STEPS[encoder]:
        for quality in QUALITIES[encoder]:
            file, decoded = restored.with_name("encoded.mkv"), restored.with_name("decoded.yuv")
            words = _arguments(encoder, quality, shape)
            words = replace(words, arguments=_with_step(words.arguments, step))
            cpu_s = _encode(words, shape, restored, file)
            video.unpack(file, "null", decoded)
            frames = restored.stat().st_size * 2 // (3 * shape.width * shape.height)
            made = Encode(
                encoder=encoder,
                step=step,
                quality=quality,
                kilobytes=file.stat().st_size / frames / 1000,
                cpu_ms=cpu_s * 1000 / frames,
                psnr_y=_psnr_y(decoded, restored, shape),
                neg=score.compare(decoded, truth, shape).neg if quality == middle else None,
            )
            print(*dataclasses.astuple(made), flush=True)
            yield made


def _encode(encode: EncodeArguments, shape: Shape, frames: Path, file: Path) -> float:
    """Encode frames as a segment is encoded; the CPU time in seconds."""
    size, rate = f"{shape.width}x{shape.height}", str(shape.rate)
    bare = ("-f", "rawvideo", "-pix_fmt", "yuv420p", "-video_size", size, "-framerate", rate, "-i", frames)
    began_s = restore.children_cpu_s()
    video.run(*bare, "-pix_fmt", encode.pixel_format, *encode.arguments, file)
    return restore.children_cpu_s() - began_s


def _psnr_y(decoded: Path, restored: Path, shape: Shape) -> float:
    luma = [video.luma(file, shape.width, shape.height) for file in (decoded, restored)]
    error = np.mean(
        [np.mean(np.square(np.subtract(*pair, dtype=np.float32))) for pair in zip(*luma, strict=True)]
    )
    return float(10 * np.log10(255**2 / error))


def _arguments(encoder: str, quality: int, shape: Shape) -> EncodeArguments:
    return video_arguments(
        encoder, quality=quality, speed="medium", bit_depth=8, rate=shape.rate, threads=_THREADS
    )


def _with_step(arguments: tuple[str, ...], step: str) -> tuple[str, ...]:
    at = arguments.index("-preset") + 1
    return (*arguments[:at], step, *arguments[at + 1 :])


def steps(encodes: Sequence[Encode]) -> list[Step]:
    """Each step of each encoder beside the one that the program uses."""
    found = []
    for encoder in dict.fromkeys(encode.encoder for encode in encodes):
        own = _arguments(encoder, 18, Shape(width=2, height=2, rate=Fraction(25))).arguments
        used = own[own.index("-preset") + 1]
        for step in STEPS[encoder]:
            pairs = [_beside(curve[step], curve[used]) for curve in _curves(encodes, encoder)]
            cpu, size, neg = zip(*pairs, strict=True)
            found.append(
                Step(
                    encoder=encoder,
                    step=step,
                    cpu=geometric_mean(cpu),
                    size=geometric_mean(size),
                    worst_size=max(size),
                    neg=min(neg),
                )
            )
    return found


def _curves(encodes: Sequence[Encode], encoder: str) -> list[dict[str, list[Encode]]]:
    """For each capture the encodes of each step, from the best quality to the worst."""
    captures: dict[tuple[str, str], dict[str, list[Encode]]] = {}
    for encode in sorted(encodes, key=lambda encode: encode.quality):
        if encode.encoder == encoder:
            captures.setdefault((encode.scene, encode.kind), {}).setdefault(encode.step, []).append(encode)
    return list(captures.values())


def _beside(curve: Sequence[Encode], default: Sequence[Encode]) -> tuple[float, float, float]:
    """Ratios of CPU time and size at the PSNR of the default's middle quality, and the difference of NEG."""
    middle = default[len(default) // 2]

    def there(values: Sequence[float]) -> float:
        ascending = sorted(zip((encode.psnr_y for encode in curve), values, strict=True))
        psnr, logarithms = zip(*((psnr, np.log(value)) for psnr, value in ascending), strict=True)
        return float(np.exp(np.interp(middle.psnr_y, psnr, logarithms)))

    cpu, size = there([encode.cpu_ms for encode in curve]), there([encode.kilobytes for encode in curve])
    beside = curve[len(curve) // 2]
    assert beside.neg is not None
    assert middle.neg is not None
    return cpu / middle.cpu_ms, size / middle.kilobytes, beside.neg - middle.neg


def table(found: Sequence[Step]) -> str:
    """The steps as a table in Markdown."""
    lines = [
        "| encoder | step | CPU | size | size, worst | NEG, worst |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {step.encoder} | {step.step} | {step.cpu:.2f} | {step.size:.2f} | {step.worst_size:.2f} "
        f"| {step.neg:+.2f} |"
        for step in found
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
