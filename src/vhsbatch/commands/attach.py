"""`attach`: the interface on a batch of another process, or on the last state of one that has ended."""

import os
import sys
from pathlib import Path

import anyio

from vhsbatch.errors import UsageError
from vhsbatch.viewer import Viewer


def attach_to(folder: Path, *, read_only: bool) -> int:
    """Show the batch in an output folder until the user leaves; the exit code."""
    if not folder.is_dir():
        raise UsageError(f"{folder} is not a folder")
    # A page in a browser is no terminal, but Textual draws there too.
    if "TEXTUAL_DRIVER" not in os.environ and not all(map(_is_terminal, (0, 1, 2))):
        raise UsageError("attach needs a terminal", fix=f"vhs-upscale log {folder} prints what happened")
    anyio.run(_show, Viewer(folder.resolve(), read_only=read_only))
    return 0


def _is_terminal(descriptor: int) -> bool:
    return (sys.stdin, sys.stdout, sys.stderr)[descriptor].isatty()


async def _show(viewer: Viewer) -> None:
    from vhsbatch.tui.app import BatchApp
    from vhsbatch.tui.terminal import forgiving_terminal

    with forgiving_terminal():
        await BatchApp(viewer.state, viewer, viewer).run_async()
