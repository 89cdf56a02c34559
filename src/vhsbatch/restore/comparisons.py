"""Which files in a folder of comparisons are this program's: a list beside them has their digests."""

import json
import os
from collections.abc import Iterable
from pathlib import Path

import anyio
import anyio.to_thread

from vhsbatch.errors import UsageError
from vhsbatch.fs import has_digest, sha256

# In the folder of comparisons.
_LIST = ".vhsbatch-comparisons.json"


async def expect_own(folder: Path, names: Iterable[str], video: Path, *, overwrite: bool) -> None:
    """Promise that no file under one of `names` is anything but an earlier comparison.

    Args:
        folder: where comparisons go.
        names: what they are called.
        video: their source, which is never replaced.
        overwrite: whether any other file may be.

    Raises:
        UsageError: one is.
    """
    made = await anyio.to_thread.run_sync(comparisons_in, folder)
    for name in names:
        path = folder / name
        if not await anyio.to_thread.run_sync(os.path.lexists, path):
            continue
        if path.exists() and path.samefile(video):
            raise UsageError(f"{path} is the source and would be overwritten", fix="choose another folder")
        if overwrite or await has_digest(path, made.get(name, ())):
            continue
        raise UsageError(
            f"{path} exists, and this program did not make it",
            fix="choose another folder, or add --overwrite to replace it",
        )


async def note(folder: Path, paths: Iterable[Path]) -> None:
    """Keep what was made."""
    made = await anyio.to_thread.run_sync(comparisons_in, folder)
    for path in paths:
        # Of a clip of a few frames there is no contact sheet.
        if await anyio.Path(path).is_file():
            made[path.name] = [await sha256(path)]
    await anyio.Path(folder / _LIST).write_text(json.dumps(made), encoding="ascii")


def comparisons_in(folder: Path) -> dict[str, list[str]]:
    """The digests of what was made in a folder, by name."""
    try:
        made = json.loads((folder / _LIST).read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    listed = made.items() if isinstance(made, dict) else ()
    return {name: digests for name, digests in listed if isinstance(digests, list)}
