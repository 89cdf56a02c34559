"""What was measured: a row for each restoration, kept as JSON and shown as a table."""

import json
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One restoration.

    Attributes:
        scene: the original.
        held_out: whether nothing was tuned on it.
        kind: what became of it before.
        preset: what it was restored with.
        engine: `ffmpeg` or `realesrgan`.
        frames: how many were compared.
        vmaf: 0 to 100.
        neg: VMAF without its gain for enhancement, 0 to 100.
        ssim: of the luma.
        psnr_y: dB.
        psnr_u: dB.
        psnr_v: dB.
        fps_per_core: frames that a core makes in a second of its time, without the encoder; None
            where it was not measured.
    """

    scene: str
    held_out: bool
    kind: str
    preset: str
    engine: str
    frames: int
    vmaf: float
    neg: float
    ssim: float
    psnr_y: float
    psnr_u: float
    psnr_v: float
    fps_per_core: float | None

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What it is a measurement of."""
        return self.kind, self.preset, self.engine, self.scene


def load(path: Path) -> dict[tuple[str, str, str, str], Row]:
    """The rows of a file; none where there is no file."""
    if not path.exists():
        return {}
    rows = [Row(**values) for values in json.loads(path.read_text())["rows"]]
    return {row.key: row for row in rows}


def save(path: Path, rows: Iterable[Row]) -> None:
    """Write rows, a line for each, in an order that does not depend on how they came to be."""
    lines = [
        json.dumps(
            {name: round(value, 4) if isinstance(value, float) else value for name, value in row.items()}
        )
        for row in (asdict(row) for row in sorted(rows, key=lambda row: row.key))
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('{"rows": [\n' + ",\n".join(lines) + "\n]}\n")


def table(rows: Iterable[Row], baseline: str = "clean") -> str:
    """Markdown: means over the scenes, as gains over the plainest preset on the same captures."""
    known = {row.key: row for row in rows}
    groups: dict[tuple[str, str, str], list[Row]] = {}
    for row in sorted(known.values(), key=lambda row: row.key):
        groups.setdefault((row.kind, row.engine, row.preset), []).append(row)
    lines = [
        "| capture | preset | scenes | VMAF | NEG | NEG held out | SSIM | PSNR Y | U | V | frames/s a core |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for (kind, engine, preset), members in groups.items():
        bases = [known.get((kind, baseline, "ffmpeg", row.scene)) for row in members]
        if (preset, engine) == (baseline, "ffmpeg"):
            figures = _absolute(members)
        elif any(base is None for base in bases):
            continue
        else:
            figures = _gains(members, [base for base in bases if base is not None])
        speeds = [row.fps_per_core for row in members if row.fps_per_core is not None]
        speed = f"{statistics.median(speeds):.3g}" if speeds else ""
        name = f"`{preset}`" + ("" if engine == "ffmpeg" else ", network")
        lines.append(f"| {kind} | {name} | {len(members)} | {' | '.join(figures)} | {speed} |")
    return "\n".join(lines) + "\n"


_COLUMNS = (("vmaf", 1), ("neg", 1), ("ssim", 3), ("psnr_y", 1), ("psnr_u", 1), ("psnr_v", 1))


def _absolute(rows: Sequence[Row]) -> list[str]:
    figures = [f"{_mean(rows, name):.{digits}f}" for name, digits in _COLUMNS]
    held_out = [row for row in rows if row.held_out]
    figures.insert(2, f"{_mean(held_out, 'neg'):.1f}" if held_out else "")
    return figures


def _gains(rows: Sequence[Row], bases: Sequence[Row]) -> list[str]:
    figures = [f"{_mean(rows, name) - _mean(bases, name):+.{digits}f}" for name, digits in _COLUMNS]
    pairs = [(row, base) for row, base in zip(rows, bases, strict=True) if row.held_out]
    gain = statistics.fmean(row.neg - base.neg for row, base in pairs) if pairs else None
    figures.insert(2, "" if gain is None else f"{gain:+.1f}")
    return figures


def _mean(rows: Sequence[Row], name: str) -> float:
    return statistics.fmean(getattr(row, name) for row in rows)
