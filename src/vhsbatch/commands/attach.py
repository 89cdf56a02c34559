"""`attach`: the interface on a batch of another process, or on the last state of one that has ended."""

import os
from pathlib import Path

import anyio

from vhsbatch.commands.history import expect_folder
from vhsbatch.commands.showing import no_terminal
from vhsbatch.errors import UsageError
from vhsbatch.viewer import Viewer


def attach_to(folder: Path, *, read_only: bool) -> int:
    """Show the batch in an output folder until the user leaves; the exit code."""
    expect_folder(folder)
    # A page in a browser is no terminal, but Textual draws there too.
    if "TEXTUAL_DRIVER" not in os.environ and (why := no_terminal()) is not None:
        raise UsageError(
            f"attach needs a terminal: {why}", fix=f"vhs-upscale log {folder} prints what happened"
        )
    anyio.run(_show, Viewer(folder.resolve(), read_only=read_only))
    return 0


async def _show(viewer: Viewer) -> None:
    from vhsbatch.tui.app import BatchApp
    from vhsbatch.tui.terminal import run_in_terminal

    error = await run_in_terminal(BatchApp(viewer.state, viewer, viewer))
    if error is not None:
        raise error
