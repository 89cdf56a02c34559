"""`attach`: the interface on a batch of another process, or on the last state of one that has ended."""

import os
import sys
from pathlib import Path

import anyio

from vhsbatch.batch.attached import AttachedSession
from vhsbatch.batch.run import temporary_folder
from vhsbatch.cli.display import no_terminal
from vhsbatch.cli.history import expect_folder
from vhsbatch.config.sources import load_settings
from vhsbatch.errors import ToolError, UsageError
from vhsbatch.ffmpeg.toolchain import find_ffmpeg
from vhsbatch.restore.snapshot import SnapshotMaker
from vhsbatch.ui.screen_reader import PlainPrinter


def attach_to(folder: Path, *, read_only: bool) -> int:
    """Show the batch in an output folder until the user leaves; the exit code."""
    expect_folder(folder)
    # A page in a browser is no terminal, but Textual draws there too.
    if "TEXTUAL_DRIVER" not in os.environ and (why := no_terminal()) is not None:
        raise UsageError(
            f"attach needs a terminal: {why}", fix=f"vhs-upscale log {folder} prints what happened"
        )
    viewer = AttachedSession(folder.resolve(), read_only=read_only)
    anyio.run(_show, viewer, _snapshots(viewer.folder))
    return 0


def read_out(folder: Path) -> int:
    """Print the batch in an output folder in sentences, until it ends; the exit code."""
    expect_folder(folder)
    viewer = AttachedSession(folder.resolve(), read_only=True)
    anyio.run(_read_out, viewer, PlainPrinter(viewer.state, sys.stdout))
    return 0


async def _read_out(viewer: AttachedSession, printer: PlainPrinter) -> None:
    printer.catch_up()
    printer.write()
    async for event in viewer.from_now_to_its_end():
        printer.show(event)
        printer.write()
    printer.close()
    printer.write()


def _snapshots(folder: Path) -> SnapshotMaker | None:
    """What makes pictures; where that cannot be done, all else can be seen still."""
    settings = load_settings({})
    try:
        ffmpeg = find_ffmpeg(settings.ffmpeg)
    except ToolError:
        return None
    return SnapshotMaker(ffmpeg=ffmpeg, temporary=temporary_folder(folder, settings.temp_dir))


async def _show(viewer: AttachedSession, snapshots: SnapshotMaker | None) -> None:
    from vhsbatch.ui.tui.app import BatchApp
    from vhsbatch.ui.tui.terminal import run_in_terminal

    error = await run_in_terminal(BatchApp(viewer.state, viewer, viewer, snapshots=snapshots))
    if error is not None:
        raise error
