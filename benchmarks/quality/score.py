"""Scores of a restoration against its original, by libvmaf, after the two have been proven aligned."""

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.quality import alignment, video
from benchmarks.quality.captures import to_standard
from benchmarks.quality.video import SITED, Shape

# VMAF rewards sharpening as such; its variant NEG ("no enhancement gain") does not.
_MODELS = "version=vmaf_v0.6.1\\:name=vmaf|version=vmaf_v0.6.1neg\\:name=neg"
_FEATURES = "name=psnr|name=float_ssim"
_HD_LINES = 720
# Blanking is captured at both ends of a line, and no restoration can know what it hides.
_BLANKING_PX = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """Means over all frames.

    Attributes:
        vmaf: 0 to 100.
        neg: VMAF-NEG, 0 to 100.
        ssim: of the luma, up to 1.
        psnr_y: dB.
        psnr_u: dB.
        psnr_v: dB.
    """

    vmaf: float
    neg: float
    ssim: float
    psnr_y: float
    psnr_u: float
    psnr_v: float


_NAMES = {
    "vmaf": "vmaf",
    "neg": "neg",
    "ssim": "float_ssim",
    "psnr_y": "psnr_y",
    "psnr_u": "psnr_cb",
    "psnr_v": "psnr_cr",
}


def score(result: Path, original: Path, shape: Shape) -> Score:
    """Score a restoration.

    Args:
        result: its frames, unpacked.
        original: the original's, by `reference`.
        shape: of both.

    Raises:
        MisalignedError: the result shows another moment or another place.
    """
    truth = video.luma(original, shape.width, shape.height)
    alignment.check(truth, video.luma(result, shape.width, shape.height))
    return compare(result, original, shape)


def compare(result: Path, original: Path, shape: Shape) -> Score:
    """Score frames that are known to be aligned with the original's.

    Raises:
        MisalignedError: there are more or fewer of them.
    """
    size = f"{shape.width}x{shape.height}"
    bare = ("-f", "rawvideo", "-pix_fmt", "yuv420p", "-video_size", size, "-framerate", "25", "-i")
    seen = f"crop=iw-{2 * _BLANKING_PX}:ih"
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "scores.json"
        scoring = f"libvmaf=model='{_MODELS}':feature='{_FEATURES}':log_fmt=json:log_path={log}:n_threads=2"
        video.run(
            *bare,
            result,
            *bare,
            original,
            "-lavfi",
            f"[0:v]{seen}[a];[1:v]{seen}[b];[a][b]{scoring}",
            "-f",
            "null",
            "-",
        )
        scores = json.loads(log.read_text())
    frames = len(video.luma(original, shape.width, shape.height))
    if len(scores["frames"]) != frames:
        raise alignment.MisalignedError(f"{len(scores['frames'])} of {frames} frames were scored")
    means = scores["pooled_metrics"]
    return Score(**{name: means[key]["mean"] for name, key in _NAMES.items()})


def reference(original: Path, shape: Shape, *, every: int, unpacked: Path) -> None:
    """What a perfect restoration of `shape` would be: every so-many-th frame, in the result's colours."""
    colours = "scale=out_color_matrix=bt709,format=yuv444p"
    if shape.height < _HD_LINES:
        # SD results keep the colours of their standard.
        colours += f",{to_standard(shape.rate)}"
    fitted = f"scale={shape.width}:{shape.height}:flags=lanczos+accurate_rnd:{SITED},format=yuv420p"
    video.unpack(original, f"select='not(mod(n,{every}))',{colours},{fitted}", unpacked)
