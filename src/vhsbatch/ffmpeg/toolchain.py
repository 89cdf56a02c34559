"""Which FFmpeg is used, and what it can do."""

import re
import shutil
from dataclasses import dataclass
from functools import cache

from vhsbatch.errors import EMBEDDED_FIX, ToolError
from vhsbatch.process.spawn import run

# Since 5.1 `-fps_mode` exists; `-vsync`, which it replaces, is gone in the newest.
OLDEST = (5, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class FFmpeg:
    """An FFmpeg that runs.

    Attributes:
        path: the program.
        version: what it calls itself, for example ``n9.0.2`` or ``5.1.6-0+deb12u1``.
        embedded: whether it is the one that came with the Python packages.
    """

    path: str
    version: str
    embedded: bool


def find_ffmpeg(setting: str | None) -> str:
    """The path of the FFmpeg that the setting names, or of the embedded one.

    Raises:
        ToolError: there is none.
    """
    if setting is None:
        return _embedded_path()
    path = shutil.which(setting)
    if path is None:
        raise ToolError(f"FFmpeg '{setting}' is not there or cannot be executed", fix=EMBEDDED_FIX)
    return path


@cache
def _embedded_path() -> str:
    import imageio_ffmpeg

    try:
        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError as error:
        raise ToolError(
            "no FFmpeg came with imageio-ffmpeg for this platform",
            fix="install FFmpeg and set VHSBATCH_FFMPEG=ffmpeg",
        ) from error


async def ffmpeg_tool(setting: str | None) -> FFmpeg:
    """The FFmpeg of this run, tried out.

    Raises:
        ToolError: it is missing, does not run, or is too old.
    """
    path = find_ffmpeg(setting)
    try:
        finished = await run((path, "-version"), timeout_s=20)
    except TimeoutError as error:
        raise ToolError(f"{path} does not answer", fix=EMBEDDED_FIX) from error
    version = parse_version(finished.stdout.decode("utf-8", "replace"))
    if finished.exit_code != 0 or version is None:
        raise ToolError(f"{path} is not an FFmpeg that runs here", fix=EMBEDDED_FIX)
    number = version_number(version)
    if number is not None and number < OLDEST:
        raise ToolError(f"{path} is FFmpeg {version}; 5.1 or newer is needed", fix=EMBEDDED_FIX)
    return FFmpeg(path=path, version=version, embedded=setting is None)


def parse_version(text: str) -> str | None:
    """The version in what ``ffmpeg -version`` prints.

    >>> parse_version("ffmpeg version 5.1.6-0+deb12u1 Copyright (c) 2000-2024 the FFmpeg developers")
    '5.1.6-0+deb12u1'
    """
    match = re.match(r"ffmpeg version (\S+)", text)
    return match[1] if match else None


def version_number(version: str) -> tuple[int, int] | None:
    """Major and minor number; None for a build that is named after a commit.

    >>> version_number("n9.0.2-17-g2a571b6068"), version_number("N-112233-gabc")
    ((9, 0), None)
    """
    match = re.match(r"n?(\d+)\.(\d+)", version)
    return (int(match[1]), int(match[2])) if match else None


def parse_names(text: str) -> frozenset[str]:
    """The names in what ``ffmpeg -filters`` or ``ffmpeg -encoders`` prints.

    >>> sorted(parse_names(" V....D libx264 (codec h264)") | parse_names(" TS bwdif   V->V  Deinterlace"))
    ['bwdif', 'libx264']
    """
    return frozenset(
        match[1] for match in re.finditer(r"^ [A-Z.|]{2,6} +([a-z0-9][a-z0-9_-]*) ", text, re.MULTILINE)
    )


async def names_of(ffmpeg: str, kind: str) -> frozenset[str]:
    """The ``filters`` or ``encoders`` (`kind`) that an FFmpeg has.

    Raises:
        ToolError: it does not run.
    """
    finished = await run((ffmpeg, "-hide_banner", f"-{kind}"), timeout_s=20)
    return parse_names(finished.stdout.decode("utf-8", "replace"))
