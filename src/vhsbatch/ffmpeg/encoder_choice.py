"""Which encoder is used: being listed by FFmpeg says nothing about the hardware, so each is tried."""

from dataclasses import dataclass
from fractions import Fraction

from vhsbatch.errors import ToolError
from vhsbatch.ffmpeg.encoders import video_arguments
from vhsbatch.process.spawn import run

# What `auto` tries, best first. H.264 plays everywhere, as what libx264 makes in their place does.
_HARDWARE = ("h264_nvenc", "h264_qsv", "h264_amf", "h264_vaapi", "h264_videotoolbox")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """Whether an encoder really encodes here; if not, what it said."""

    encoder: str
    works: bool
    reason: str = ""


async def try_encoder(encoder: str, ffmpeg: str) -> Trial:
    """Encode a few frames to nothing."""
    encode = video_arguments(
        encoder, quality=None, speed="fastest", bit_depth=8, rate=Fraction(25), threads=1
    )
    chain = f"format={encode.pixel_format}" + (f",{encode.upload_filter}" if encode.upload_filter else "")
    try:
        finished = await run(
            (
                *(ffmpeg, "-hide_banner", "-nostdin", "-loglevel", "error", *encode.global_arguments),
                *("-f", "lavfi", "-i", "testsrc2=size=256x256:rate=25", "-frames:v", "3"),
                *("-vf", chain, *encode.arguments, "-f", "null", "-"),
            ),
            timeout_s=30,
        )
    except TimeoutError:
        return Trial(encoder=encoder, works=False, reason="it did not encode three frames in 30 s")
    if finished.exit_code == 0:
        return Trial(encoder=encoder, works=True)
    said = next(iter(finished.stderr_tail), "it said nothing")
    return Trial(encoder=encoder, works=False, reason=said.split("] ")[-1].split("via dlopen: ")[-1])


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
