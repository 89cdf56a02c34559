"""`attach`: the interface on a batch of another process, or on the last state of one that has ended."""

import os
import sys
from pathlib import Path

from vhsbatch.batch.attached import AttachedSession, expect_output_folder
from vhsbatch.batch.previews import own_previews
from vhsbatch.batch.run import temporary_folder
from vhsbatch.cli.display import no_terminal
from vhsbatch.config.sources import load_settings
from vhsbatch.errors import ToolError, UsageError
from vhsbatch.ffmpeg.toolchain import find_ffmpeg
from vhsbatch.process.stop_signals import run_until_stopped
from vhsbatch.restore.snapshot import SnapshotMaker
from vhsbatch.ui.screen_reader import PlainPrinter


def attach(output_folder: Path, /, *, read_only: bool = False, plain: bool = False) -> int:
    """Show the running or last batch of an output folder.

    Args:
        output_folder: Folder of results.
        read_only: Only look: keys that control the batch do nothing.
        plain: Print sentences for a screen reader until the batch ends. Use 'steer' to control it.
    """
    expect_output_folder(output_folder)
    # A page in a browser is no terminal, but Textual draws there too.
    if not plain and "TEXTUAL_DRIVER" not in os.environ and (why := no_terminal()) is not None:
        raise UsageError(
            f"attach needs a terminal: {why}",
            fix=f"add --plain, or use 'vhs-upscale log {output_folder}'",
        )
    viewer = AttachedSession(output_folder.resolve(), read_only=read_only or plain)
    if plain:
        run_until_stopped(
            _read_out, viewer, PlainPrinter(viewer.state, sys.stdout, report=lambda: viewer.report)
        )
    else:
        run_until_stopped(_show, viewer, _snapshots(viewer.folder, read_only=read_only))
    return 0


async def _read_out(viewer: AttachedSession, printer: PlainPrinter) -> None:
    printer.catch_up()
    printer.write()
    async for event in viewer.from_now_to_its_end():
        printer.show(event)
        printer.write()
    printer.close()
    printer.write()


def _snapshots(folder: Path, *, read_only: bool) -> SnapshotMaker | None:
    """What makes pictures; where that cannot be done, all else can be seen still."""
    settings = load_settings({})
    try:
        ffmpeg = find_ffmpeg(settings.ffmpeg)
    except ToolError:
        return None
    return SnapshotMaker(
        ffmpeg=ffmpeg,
        temporary=temporary_folder(folder, settings.temp_dir),
        # Who only looks must not slow the batch down.
        previews=own_previews(settings, yields=read_only),
    )


async def _show(viewer: AttachedSession, snapshots: SnapshotMaker | None) -> None:
    from vhsbatch.ui.tui.app import BatchApp
    from vhsbatch.ui.tui.terminal import run_in_terminal

    error = await run_in_terminal(BatchApp(viewer.state, viewer, viewer, snapshots=snapshots))
    if error is not None:
        raise error
