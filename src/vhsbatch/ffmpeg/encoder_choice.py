"""Which encoder is used: being listed by FFmpeg says nothing about the hardware, so each is tried."""

import re
import tempfile
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from vhsbatch.errors import ToolError
from vhsbatch.ffmpeg.encoders import EncodeArguments, video_arguments
from vhsbatch.process.spawn import Finished, run

# What `auto` tries, best first. H.264 plays everywhere, as what libx264 makes in their place does.
_HARDWARE = ("h264_nvenc", "h264_qsv", "h264_amf", "h264_vaapi", "h264_vulkan", "h264_videotoolbox")
_PICTURE = ("-f", "lavfi", "-i", "testsrc2=size=256x256:rate=25")
_FRAMES = 3
# A driver can be there and wrong: a picture that was mistaken for another one had 6 dB, and what
# encoders make of this one at their default quality has 40.
_LEAST_PSNR_DB = 25.0
_TIMEOUT_S = 30
# FFmpeg describes a Vulkan device at length.
_DEVICE_LINES = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """Whether an encoder really encodes here; if not, what it said."""

    encoder: str
    works: bool
    reason: str = ""


async def try_encoder(encoder: str, ffmpeg: str) -> Trial:
    """Encode a few frames, decode them, and look whether they show the same picture."""
    encode = video_arguments(
        encoder, quality=None, speed="fastest", bit_depth=8, rate=Fraction(25), threads=1
    )
    try:
        problem = await _problem(encoder, encode, ffmpeg)
    except TimeoutError:
        problem = f"it did not encode {_FRAMES} frames in {_TIMEOUT_S} s"
    return Trial(encoder=encoder, works=problem is None, reason=problem or "")


async def _problem(encoder: str, encode: EncodeArguments, ffmpeg: str) -> str | None:
    if encoder.endswith("_vulkan") and (problem := await _vulkan_problem(encode, ffmpeg)) is not None:
        return problem
    chain = f"format={encode.pixel_format}" + (f",{encode.upload_filter}" if encode.upload_filter else "")
    quiet = (ffmpeg, "-hide_banner", "-nostdin", "-nostats")
    with tempfile.TemporaryDirectory() as folder:
        file = str(Path(folder) / "trial.mkv")
        encoded = await run(
            (
                *(*quiet, "-loglevel", "error", *encode.global_arguments, *_PICTURE),
                *("-frames:v", str(_FRAMES), "-vf", chain, *encode.arguments, file),
            ),
            timeout_s=_TIMEOUT_S,
        )
        if encoded.exit_code != 0:
            return _said(encoded)
        both = "[0:v]format=yuv420p[encoded];[1:v]format=yuv420p[picture];[encoded][picture]psnr=shortest=1"
        compared = await run(
            (*quiet, "-i", file, *_PICTURE, "-frames:v", str(_FRAMES), "-lavfi", both, "-f", "null", "-"),
            timeout_s=_TIMEOUT_S,
        )
    if (psnr_db := _psnr_db(compared.stderr_tail)) is None:
        return f"what it encodes does not decode: {_said(compared)}"
    if psnr_db < _LEAST_PSNR_DB:
        return f"what it encodes is another picture ({psnr_db:.0f} dB): its driver is at fault"
    return None


async def _vulkan_problem(encode: EncodeArguments, ffmpeg: str) -> str | None:
    """Why FFmpeg's Vulkan device cannot encode; one that is software may take minutes to say so itself."""
    asked = await run(
        (ffmpeg, "-hide_banner", "-nostdin", "-loglevel", "verbose", *encode.global_arguments[:2]),
        timeout_s=_TIMEOUT_S,
        tail_lines=_DEVICE_LINES,
    )
    return software_device(asked.stderr_tail)


def software_device(said: tuple[str, ...]) -> str | None:
    """What is wrong with the Vulkan device that FFmpeg chose; None if it is a GPU, or there is none.

    >>> software_device(("[Vulkan @ 0x1] Device 0 selected: llvmpipe (LLVM 15) (software) (0x0)",))
    'the only Vulkan device is software: llvmpipe (LLVM 15)'
    """
    chosen = (re.search(r"Device \d+ selected: (.*) \(software\)", line) for line in said)
    return next((f"the only Vulkan device is software: {match[1]}" for match in chosen if match), None)


def _psnr_db(said: tuple[str, ...]) -> float | None:
    found = (re.search(r"PSNR .*\baverage:(\S+)", line) for line in said)
    return next((float(match[1]) for match in found if match), None)


def _said(finished: Finished) -> str:
    said = next(iter(finished.stderr_tail), "it said nothing")
    return said.split("] ")[-1].split("via dlopen: ")[-1]


async def choose_encoder(requested: str, ffmpeg: str) -> tuple[str, str | None]:
    """The encoder to use, and a note where it was chosen for the user.

    Raises:
        ToolError: the encoder that was asked for does not work here.
    """
    if requested != "auto":
        trial = await try_encoder(requested, ffmpeg)
        if not trial.works:
            raise ToolError(
                f"the encoder {requested} does not work here: {trial.reason}",
                fix="choose another with --encoder; 'vhs-upscale doctor' says which work",
            )
        return requested, None
    for encoder in _HARDWARE:
        if (await try_encoder(encoder, ffmpeg)).works:
            return encoder, f"encoder: {encoder}, the first that works here"
    return "libx264", "encoder: libx264, since no hardware encoder works here"


# What each kind of hardware encoder needs.
_NEEDS = {
    "nvenc": "needs an NVIDIA GPU and its driver",
    "qsv": "needs an Intel GPU: apt-get install intel-media-va-driver",
    "amf": "needs an AMD GPU and its AMF runtime",
    "vulkan": "needs a GPU whose Vulkan driver encodes video: a recent Mesa, or NVIDIA's",
    "vaapi": "needs an AMD or Intel GPU: apt-get install libva-drm2 mesa-va-drivers intel-media-va-driver",
    "videotoolbox": "needs a Mac",
}
_NOT_BUILT_IN = "Unknown encoder"
_SYSTEM_FFMPEG = "not in this FFmpeg: apt-get install ffmpeg, and set VHSBATCH_FFMPEG=ffmpeg"


def is_hardware(encoder: str) -> bool:
    """Whether an encoder is a GPU's."""
    return encoder.rpartition("_")[2] in _NEEDS


def hardware_fix(encoder: str, reason: str) -> str:
    """What makes a hardware encoder work that said `reason`.

    >>> hardware_fix("h264_nvenc", "Cannot load libcuda.so.1")
    'needs an NVIDIA GPU and its driver'
    """
    needs = _NEEDS[encoder.rpartition("_")[2]]
    return f"{needs}; {_SYSTEM_FFMPEG}" if _NOT_BUILT_IN in reason and "Mac" not in needs else needs
