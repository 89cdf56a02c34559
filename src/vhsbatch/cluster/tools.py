"""What this machine makes frames with, apart from plan and source."""

import platform
from importlib.metadata import PackageNotFoundError, version

from vhsbatch.cluster.protocol import Tools


def tools(*, ffmpeg_version: str, runtime: str, device: str, qtgmc: str = "") -> Tools:
    """The tools of this machine.

    Args:
        ffmpeg_version: what `ffmpeg -version` calls itself.
        runtime: what runs the model, empty where none is used.
        device: where it runs.
        qtgmc: the versions of QTGMC's packages, empty where it is not used.
    """
    return Tools(
        ffmpeg=ffmpeg_version,
        runtime=_runtime(runtime, device),
        processor=platform.machine(),
        qtgmc=qtgmc,
    )


def _runtime(runtime: str, device: str) -> str:
    if not runtime:
        return ""
    try:
        number = version(runtime)
    except PackageNotFoundError:
        number = "of an unknown version"
    return f"{runtime} {number} on {'the CPU' if device == 'cpu' else 'a Vulkan device'}"
