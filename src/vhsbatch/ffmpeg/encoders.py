"""Video encoders: each has its own words for quality, speed and depth."""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import partial

from vhsbatch.config.preset_schema import EncoderSpeed
from vhsbatch.model.plan import ANY_DEVICE, EncoderDevice

# A picture that starts a group every two seconds lets players seek quickly.
_GOP_S = 2

# x264's output depends on how many threads it runs. It must not depend on the machine or on the
# number of lanes, so this is fixed; four keep a lane's share of a modern processor busy.
_X264_THREADS = 4
# When its lookahead runs in a separate thread, about one encode in 200 comes out differently on a busy
# machine: the same frames in, and other bits from some frame on. Without one, none of 1,000 did.
_X264_REPEATABLE = "sync-lookahead=0"
_X265_FRAME_THREADS = 2

SPEEDS: tuple[EncoderSpeed, ...] = ("fastest", "fast", "medium", "slow", "slowest")


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodeArguments:
    """An encoder's part of an FFmpeg command line.

    Attributes:
        arguments: for the output.
        pixel_format: what the filter graph hands over.
        upload_filter: filters that bring frames to the device, None for encoders on the CPU.
        global_arguments: for the beginning of the command line.
    """

    arguments: tuple[str, ...]
    pixel_format: str
    upload_filter: str | None = None
    global_arguments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    quality: int | None
    speed: EncoderSpeed
    ten_bits: bool
    gop_frames: int
    threads: int
    device: EncoderDevice

    def pick(self, *values: str) -> str:
        """The encoder's own word for the speed, from `values` for fastest … slowest."""
        return values[SPEEDS.index(self.speed)]

    def quality_or(self, default: int) -> str:
        return str(default if self.quality is None else self.quality)


def video_arguments(
    encoder: str,
    *,
    quality: int | None,
    speed: EncoderSpeed,
    bit_depth: int,
    rate: Fraction,
    threads: int,
    device: EncoderDevice = ANY_DEVICE,
) -> EncodeArguments:
    """The arguments for one encoder.

    Every segment is encoded on its own and joined with the others as it is: groups of pictures are
    closed, and headers are the same in all of them.

    Args:
        encoder: FFmpeg's name, or ``prores``.
        quality: on the encoder's own scale; None takes its default.
        speed: slower is smaller at the same quality.
        bit_depth: 8 or 10; encoders that cannot do 10 make 8.
        rate: frames per second.
        threads: CPU threads, where the result does not depend on them.
        device: the GPU of a hardware encoder, where it is not to be the first.
    """
    request = _Request(
        quality=quality,
        speed=speed,
        ten_bits=bit_depth == 10,
        gop_frames=max(1, round(rate * _GOP_S)),
        threads=threads,
        device=device,
    )
    return _ENCODERS[encoder](request)


def _x264(request: _Request) -> EncodeArguments:
    preset = request.pick("ultrafast", "veryfast", "faster", "slow", "veryslow")
    return EncodeArguments(
        arguments=(
            *("-c:v", "libx264", "-crf", request.quality_or(17), "-preset", preset),
            *("-threads", str(_X264_THREADS), "-g", str(request.gop_frames), "-flags", "+cgop"),
            *("-x264-params", _X264_REPEATABLE),
        ),
        pixel_format="yuv420p10le" if request.ten_bits else "yuv420p",
    )


def _x265(request: _Request) -> EncodeArguments:
    preset = request.pick("ultrafast", "fast", "medium", "slow", "veryslow")
    parameters = (
        f"open-gop=0:keyint={request.gop_frames}:frame-threads={_X265_FRAME_THREADS}"
        f":pools={request.threads}:log-level=error:info=0"
    )
    return EncodeArguments(
        arguments=(
            *("-c:v", "libx265", "-crf", request.quality_or(18), "-preset", preset),
            *("-x265-params", parameters),
        ),
        pixel_format="yuv420p10le" if request.ten_bits else "yuv420p",
    )


def _svtav1(request: _Request) -> EncodeArguments:
    return EncodeArguments(
        arguments=(
            *("-c:v", "libsvtav1", "-crf", request.quality_or(20)),
            *("-preset", request.pick("10", "8", "6", "4", "2"), "-g", str(request.gop_frames)),
            *("-svtav1-params", f"lp={min(6, request.threads)}:irefresh-type=2"),
        ),
        pixel_format="yuv420p10le" if request.ten_bits else "yuv420p",
    )


def _ffv1(request: _Request) -> EncodeArguments:
    return EncodeArguments(
        arguments=(
            *("-c:v", "ffv1", "-level", "3", "-coder", "1", "-context", "1", "-g", "1"),
            *("-slices", "24", "-slicecrc", "1", "-threads", str(request.threads)),
        ),
        pixel_format="yuv422p10le" if request.ten_bits else "yuv422p",
    )


def _prores(request: _Request) -> EncodeArguments:
    return EncodeArguments(
        arguments=(
            "-c:v",
            "prores_ks",
            "-profile:v",
            "hq",
            "-vendor",
            "apl0",
            "-threads",
            str(request.threads),
        ),
        pixel_format="yuv422p10le",
    )


def _nvenc(codec: str, request: _Request) -> EncodeArguments:
    return EncodeArguments(
        arguments=(
            *("-c:v", f"{codec}_nvenc", "-rc", "vbr", "-cq", request.quality_or(19), "-b:v", "0"),
            *("-preset", request.pick("p1", "p3", "p5", "p6", "p7"), "-g", str(request.gop_frames)),
            *("-strict_gop", "1", "-forced-idr", "1"),
            *(() if request.device.cuda is None else ("-gpu", str(request.device.cuda))),
        ),
        pixel_format="p010le" if request.ten_bits and codec != "h264" else "yuv420p",
    )


def _vaapi(codec: str, request: _Request) -> EncodeArguments:
    pixel_format = "p010le" if request.ten_bits and codec != "h264" else "nv12"
    node = request.device.render_node
    return EncodeArguments(
        arguments=(
            *("-c:v", f"{codec}_vaapi", "-rc_mode", "CQP"),
            *(
                "-global_quality" if codec == "av1" else "-qp",
                request.quality_or(90 if codec == "av1" else 19),
            ),
            *("-g", str(request.gop_frames)),
        ),
        pixel_format=pixel_format,
        upload_filter="hwupload",
        global_arguments=(
            *("-init_hw_device", "vaapi=encoder" + (f":{node}" if node else "")),
            *("-filter_hw_device", "encoder"),
        ),
    )


def _qsv(codec: str, request: _Request) -> EncodeArguments:
    node = request.device.render_node
    return EncodeArguments(
        arguments=(
            *("-c:v", f"{codec}_qsv", "-global_quality", request.quality_or(19)),
            *("-preset", request.pick("veryfast", "fast", "medium", "slow", "veryslow")),
            *("-g", str(request.gop_frames)),
        ),
        pixel_format="p010le" if request.ten_bits and codec != "h264" else "nv12",
        global_arguments=("-init_hw_device", f"qsv=encoder,child_device={node}") if node else (),
    )


def _amf(codec: str, request: _Request) -> EncodeArguments:
    quality = request.quality_or(90 if codec == "av1" else 19)
    return EncodeArguments(
        arguments=(
            *("-c:v", f"{codec}_amf", "-rc", "cqp", "-qp_i", quality, "-qp_p", quality),
            *("-quality", request.pick("speed", "speed", "balanced", "quality", "quality")),
            *("-g", str(request.gop_frames)),
        ),
        pixel_format="p010le" if request.ten_bits and codec != "h264" else "nv12",
    )


def _vulkan(codec: str, request: _Request) -> EncodeArguments:
    # It names devices by words of its own, which nothing here knows: it takes the first GPU.
    return EncodeArguments(
        arguments=(
            *("-c:v", f"{codec}_vulkan", "-rc_mode", "cqp"),
            *("-qp", request.quality_or(90 if codec == "av1" else 19), "-g", str(request.gop_frames)),
        ),
        pixel_format="p010le" if request.ten_bits and codec != "h264" else "nv12",
        upload_filter="hwupload",
        global_arguments=("-init_hw_device", "vulkan=encoder", "-filter_hw_device", "encoder"),
    )


def _videotoolbox(codec: str, request: _Request) -> EncodeArguments:
    return EncodeArguments(
        arguments=(
            *("-c:v", f"{codec}_videotoolbox", "-q:v", request.quality_or(70)),
            *("-g", str(request.gop_frames)),
        ),
        pixel_format="p010le" if request.ten_bits and codec == "hevc" else "nv12",
    )


_ENCODERS: dict[str, Callable[[_Request], EncodeArguments]] = {
    "libx264": _x264,
    "libx265": _x265,
    "libsvtav1": _svtav1,
    "ffv1": _ffv1,
    "prores": _prores,
    **{f"{codec}_nvenc": partial(_nvenc, codec) for codec in ("h264", "hevc", "av1")},
    **{f"{codec}_vaapi": partial(_vaapi, codec) for codec in ("h264", "hevc", "av1")},
    **{f"{codec}_qsv": partial(_qsv, codec) for codec in ("h264", "hevc", "av1")},
    **{f"{codec}_amf": partial(_amf, codec) for codec in ("h264", "hevc", "av1")},
    **{f"{codec}_vulkan": partial(_vulkan, codec) for codec in ("h264", "hevc", "av1")},
    **{f"{codec}_videotoolbox": partial(_videotoolbox, codec) for codec in ("h264", "hevc")},
}

ENCODERS = tuple(_ENCODERS)
