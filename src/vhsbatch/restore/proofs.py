"""What proves a result that was published just before the program died, and before its journal said so."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import anyio
import anyio.to_thread

from vhsbatch.events.events import JobPublished
from vhsbatch.events.serialize import dump, load_fact
from vhsbatch.fs import files_in, publish
from vhsbatch.restore.workspace import make_private

_FOLDER = "published"


async def keep_proof(state_folder: Path, fact: JobPublished) -> None:
    """Put down what is about to be published; it survives a crash of the machine."""
    final = _file(state_folder, fact.job_id)
    await anyio.to_thread.run_sync(make_private, final.parent)
    temporary = anyio.Path(final.with_suffix(f".{os.getpid()}"))
    await temporary.write_text(dump(fact), encoding="ascii")
    await publish(Path(temporary), final)


def drop_proof(state_folder: Path, job_id: str) -> None:
    """Remove what the journal says by now."""
    _file(state_folder, job_id).unlink(missing_ok=True)


def proofs_in(state_folder: Path) -> Iterator[JobPublished]:
    """What runs were about to publish, and may have, when they died."""
    for path in files_in(state_folder / _FOLDER, ".json"):
        try:
            fact = load_fact(path.read_bytes())
        except (OSError, ValueError):  # the journal has it by now, or another version wrote it
            continue
        if isinstance(fact, JobPublished):
            yield fact


def _file(state_folder: Path, job_id: str) -> Path:
    name = hashlib.sha256(os.fsencode(job_id)).hexdigest()[:20]
    return state_folder / _FOLDER / f"{name}.json"
