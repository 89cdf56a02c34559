"""Make short captures that look like digitised VHS: interlaced, soft, noisy, with torn bottom lines.

    python scripts/make_captures.py FOLDER

The four captures differ in length, format and standard. The last one breaks off in the middle, like an
interrupted copy.
"""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import imageio_ffmpeg


@dataclass(frozen=True, kw_only=True)
class Capture:
    """One capture: a moving scene at field rate, woven into fields as a camera does."""

    name: str
    scene: str
    seconds: float
    height: int
    field_rate: str
    order: str
    pixel_format: str
    codec: tuple[str, ...]
    audio: tuple[str, ...]
    intact_part: float = 1.0


CAPTURES = (
    Capture(
        name="birthday.dv",
        scene="testsrc2=size=720x480:rate={rate}",
        seconds=5,
        height=480,
        field_rate="60000/1001",
        order="bff",
        pixel_format="yuv411p",
        codec=("-c:v", "dvvideo"),
        audio=("-c:a", "pcm_s16le"),
    ),
    Capture(
        name="holiday.mpg",
        scene="mandelbrot=size=720x480:rate={rate}:start_scale=0.3:end_scale=0.05:end_pts=700",
        seconds=4,
        height=480,
        field_rate="60000/1001",
        order="tff",
        pixel_format="yuv420p",
        codec=("-c:v", "mpeg2video", "-flags", "+ildct+ilme", "-q:v", "3"),
        audio=("-c:a", "mp2", "-b:a", "192k"),
    ),
    Capture(
        name="garden.mp4",
        scene="gradients=size=720x576:rate={rate}:speed=0.06:nb_colors=6:seed=7,format=yuv444p,drawgrid=w=90:h=72:t=3:c=white@0.5,rotate=a=0.4*t:fillcolor=gray",
        seconds=3,
        height=576,
        field_rate="50",
        order="tff",
        pixel_format="yuv420p",
        codec=("-c:v", "libx264", "-flags", "+ildct+ilme", "-x264-params", "tff=1", "-crf", "16"),
        audio=("-c:a", "aac", "-b:a", "160k"),
    ),
    Capture(
        name="wedding.mkv",
        scene="testsrc2=size=720x480:rate={rate},hue=h=40*t",
        seconds=2.5,
        height=480,
        field_rate="60000/1001",
        order="tff",
        pixel_format="yuv422p",
        codec=("-c:v", "ffv1", "-level", "3", "-g", "1"),
        audio=("-c:a", "pcm_s16le"),
        intact_part=0.55,
    ),
)

# About 3 MHz of luma are 333 samples a line, 0.4 MHz of chroma are 40. A tape's chroma is noisier.
_TAPE = (
    "format=yuv444p,split[luma][chroma];"
    "[luma]scale=333:{height}:flags=bicubic,scale=720:{height}:flags=bicubic,noise=c0s=9:c0f=t[soft];"
    "[chroma]scale=40:{height}:flags=bicubic,scale=720:{height}:flags=bicubic,"
    "noise=c1s=14:c1f=t:c2s=14:c2f=t[smeared];"
    "[soft][smeared]mergeplanes=0x001112:yuv444p,interlace=scan={order}:lowpass=0,"
    "split[picture][bottom];"
    # The video heads switch during the last lines, which are torn sideways.
    "[bottom]crop=iw:6:0:ih-6,scroll=hpos=0.18,noise=c0s=30:c0f=t[torn];"
    "[picture][torn]overlay=0:H-6:format=yuv444,setfield={order},setdar=4/3,format={pixel_format}"
)


def make_capture(capture: Capture, folder: Path) -> Path:
    """Make one capture with the embedded FFmpeg, and return its file."""
    path = folder / capture.name
    scene = capture.scene.format(rate=capture.field_rate)
    tape = _TAPE.format(height=capture.height, order=capture.order, pixel_format=capture.pixel_format)
    subprocess.run(
        [
            *(imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-loglevel", "error", "-nostdin", "-y"),
            *("-f", "lavfi", "-i", scene),
            *(
                "-f",
                "lavfi",
                "-i",
                "aevalsrc=0.2*sin(2*PI*(300+100*floor(mod(t\\,4)))*t)|0.2*sin(2*PI*220*t):s=48000",
            ),
            *("-filter_complex", f"[0:v]{tape}[v]", "-map", "[v]", "-map", "1:a"),
            *("-t", str(capture.seconds), *capture.codec, *capture.audio, str(path)),
        ],
        check=True,
    )
    if capture.intact_part < 1:
        data = path.read_bytes()
        path.write_bytes(data[: int(len(data) * capture.intact_part)])
    return path


def main() -> None:
    """Make all captures in the folder that the command line names."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for capture in CAPTURES:
        path = make_capture(capture, folder)
        damage = "" if capture.intact_part == 1 else ", damaged on purpose: it breaks off"
        print(f"made {path} ({capture.seconds:g} s{damage})")


if __name__ == "__main__":
    main()
