"""`stack`."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import anyio.to_thread
from cyclopts import Parameter

from vhsbatch.batch.dvd import refuse_part
from vhsbatch.batch.request import about_video, expect_video
from vhsbatch.cache import default_cache
from vhsbatch.config.settings import Settings
from vhsbatch.config.sources import load_settings
from vhsbatch.errors import UsageError
from vhsbatch.ffmpeg.toolchain import ffmpeg_tool
from vhsbatch.formatting import counted, duration, plain
from vhsbatch.model.media import MediaInfo
from vhsbatch.probe.cached import Probing
from vhsbatch.process.stalls import no_stall
from vhsbatch.process.stop_signals import run_until_stopped
from vhsbatch.restore.stack import (
    FEWEST,
    MOST,
    CaptureRecord,
    StackRecord,
    StackTools,
    expect_place,
    stack_captures,
    stack_record_path,
)
from vhsbatch.restore.workspace import expect_writable
from vhsbatch.scheduling.environment import cores
from vhsbatch.ui.text import say, show_line

# Progress is told in steps of so many of a hundred.
_STEP_PERCENT = 10


def stack(
    *captures: Path,
    output: Annotated[Path, Parameter(name=["--output", "-o"])],
    overwrite: bool = False,
    config: Path | None = None,
) -> int:
    """Make one capture out of several of the same tape.

    Args:
        captures: Two to eight captures, never changed. The best one first: its length and sound stay.
        output: The stacked capture, an .mkv file without loss. Restore it as any other.
        overwrite: Replace an existing file with its name.
        config: Configuration file, instead of ./vhsbatch.toml and your own.
    """
    if not FEWEST <= len(captures) <= MOST:
        raise UsageError(
            f"{counted(len(captures), 'capture')} cannot be stacked", fix=f"give {FEWEST} to {MOST} captures"
        )
    for capture in captures:
        expect_video(capture)
        refuse_part(capture)
    paths = [capture.resolve() for capture in captures]
    # A hard link is another name of the same file.
    if len({(status.st_dev, status.st_ino) for status in map(Path.stat, paths)}) < len(paths):
        raise UsageError("one capture is named twice", fix="name each once")
    expect_place(output, paths, overwrite=overwrite)
    return run_until_stopped(
        _stack, paths, output.absolute(), overwrite, load_settings({}, config_file=config)
    )


async def _stack(captures: list[Path], output: Path, overwrite: bool, settings: Settings) -> int:
    ffmpeg = await ffmpeg_tool(settings.ffmpeg)
    await anyio.to_thread.run_sync(expect_writable, output.parent)
    probing = Probing(
        ffmpeg=ffmpeg,
        max_pixels=settings.max_pixels,
        cache=default_cache() if settings.remember else None,
    )
    infos: list[MediaInfo] = []
    async with no_stall("measuring", settings.stall_timeout_s):
        for capture in captures:
            with about_video(capture):
                infos.append(await probing.probe(capture))
    tools = StackTools(
        ffmpeg=ffmpeg.path,
        version=ffmpeg.version,
        threads=cores(),
        niceness=settings.nice,
        stall_timeout_s=settings.stall_timeout_s,
    )
    record = await stack_captures(infos, output, tools, overwrite=overwrite, on_progress=_progress())
    for line in summary(record):
        show_line(plain(line))
    show_line(plain(f"{output}: verified; {stack_record_path(output).name} has the details"))
    return 0


def summary(record: StackRecord) -> list[str]:
    """What became of each capture, and how far they agreed."""
    reference, *others = record.captures
    lines = [
        f"{Path(reference.file.path).name}: the reference, {counted(reference.frames, 'frame')}",
        *map(_beside_reference, others),
    ]
    count = len(record.captures)
    agreed = ", ".join(
        f"{'all' if number == count else f'at least {number}'} on {record.agreed_percent(number):.1f} %"
        for number in range(count, FEWEST - 1, -1)
    )
    numerator, _, denominator = record.rate.partition("/")
    length = duration(record.frames * int(denominator) / int(numerator))
    lines.append(f"{counted(count, 'capture')}, {length}: {agreed} of the frames agreed")
    if record.filled_fields:
        lines.append(
            f"{counted(record.filled_fields, 'field')} that the reference had lost came from another"
        )
    return lines


def _beside_reference(capture: CaptureRecord) -> str:
    """Where a capture begins beside the reference, how many frames it has more or fewer, and its use."""
    first, last = capture.first_offset or 0, capture.last_offset or 0
    begins, more = "begins with the reference", ""
    if first:
        begins = f"begins {counted(abs(first), 'frame')} {'earlier' if first > 0 else 'later'}"
    if last != first:
        more = f", {counted(abs(last - first), 'frame')} {'more' if last > first else 'fewer'} on the way"
    used = f"used for {capture.used_percent:.1f} % of the fields"
    return f"{Path(capture.file.path).name}: {begins}{more}, {used}"


def _progress() -> Callable[[str, int, int], None]:
    told: tuple[str, int] | None = None

    def show(what: str, done: int, total: int) -> None:
        nonlocal told
        percent = 100 * done // max(1, total) // _STEP_PERCENT * _STEP_PERCENT
        if told != (what, percent):
            told = (what, percent)
            say(plain(f"{what}: {percent} %" if percent else what))

    return show
