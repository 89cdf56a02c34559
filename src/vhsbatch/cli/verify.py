"""`verify`: every result in a folder is checked again."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import anyio

from vhsbatch.batch.attached import OUTPUT_FOLDER, expect_output_folder
from vhsbatch.config.settings import Settings
from vhsbatch.config.sources import load_settings
from vhsbatch.errors import InputError, OutputFolderError, UsageError, VerificationError, VhsBatchError
from vhsbatch.events.events import Fact, JobPublished
from vhsbatch.events.journal import STATE_FOLDER, read_journal
from vhsbatch.ffmpeg.toolchain import ffmpeg_tool
from vhsbatch.formatting import counted, plain
from vhsbatch.fs import sha256
from vhsbatch.process.stop_signals import run_until_stopped
from vhsbatch.restore.record import is_record, read_record
from vhsbatch.restore.verify import count_frames
from vhsbatch.scheduling.environment import cores
from vhsbatch.ui.text import say, show_line


def verify(output_folder: Path, /, *, config: Path | None = None) -> int:
    """Verify finished results against their records.

    Args:
        output_folder: Folder of results.
        config: Configuration file, instead of ./vhsbatch.toml and your own.
    """
    expect_output_folder(output_folder)
    return run_until_stopped(_verify, output_folder, load_settings({}, config_file=config))


async def _verify(folder: Path, settings: Settings) -> int:
    ffmpeg = await ffmpeg_tool(settings.ffmpeg)
    results = dict(_results(folder))
    if not results:
        raise UsageError(f"no results with a record are in {folder}", fix=OUTPUT_FOLDER)
    bad = 0
    for path, found in sorted(results.items(), key=lambda result: result[0]):
        name = plain(str(path.relative_to(folder)))
        try:
            if isinstance(found, InputError):
                raise found
            await _verify_one(path, found, ffmpeg.path)
            decode = "decodes" if found.frames == 1 else "decode"
            made_of = f"; made of {counted(found.parts, 'file')}" if found.parts else ""
            show_line(f"OK      {name}: {counted(found.frames, 'frame')} {decode}, as recorded{made_of}")
        except VhsBatchError as error:
            bad += 1
            show_line(f"DAMAGED {name}: {plain(str(error))}")
    are = "is what its record says" if len(results) == 1 else "are what their records say"
    show_line(f"{len(results) - bad} of {counted(len(results), 'result')} {are}")
    return int(bad > 0)


@dataclass(frozen=True, slots=True)
class _OnRecord:
    """What is on record of a result.

    Attributes:
        sha256: its digest.
        frames: its frames.
        parts: of how many files its source consists; 0 for a single one.
    """

    sha256: str
    frames: int
    parts: int


async def _verify_one(path: Path, recorded: _OnRecord, ffmpeg: str) -> None:
    """Hold a result against its record.

    Raises:
        VerificationError: the first difference.
    """
    if not await anyio.Path(path).is_file():
        raise VerificationError("it is gone", fix="the same batch with --resume makes it again")
    try:
        same = await sha256(path) == recorded.sha256
    except OSError as error:
        raise VerificationError(f"it cannot be read: {error.strerror}") from error
    if not same:
        raise VerificationError(
            "its content has changed", fix="remove it; the same batch with --resume makes it again"
        )
    decoded = await count_frames(path, ffmpeg=ffmpeg, threads=cores())
    if decoded != recorded.frames:
        raise VerificationError(f"{decoded} frames decode instead of {recorded.frames}")


def _results(folder: Path) -> Iterator[tuple[Path, _OnRecord | InputError]]:
    """Each result with what is on record of it: by journal, or beside it.

    Where neither can be read of a result, what is wrong with its record stands in their place.
    """
    by_journal: set[Path] = set()
    for fact in _facts(folder):
        if isinstance(fact, JobPublished):
            path = folder.joinpath(*Path(fact.job_id).parts)
            by_journal.add(path)
            parts = () if fact.source is None else fact.source.parts
            yield path, _OnRecord(fact.sha256, fact.frames, len(parts))
    for path in _below(folder):
        if is_record(path):
            result = path.with_suffix("")
            try:
                record = read_record(path)
            except InputError as error:
                if result not in by_journal:
                    yield result, error
            else:
                yield result, _OnRecord(record.output.sha256, record.frames, len(record.parts))


def _below(folder: Path) -> Iterator[Path]:
    """The files below a folder, apart from state; of folders that cannot be read it is said."""

    def say_why(error: OSError) -> None:
        say(f"{error.filename} was left out: {error.strerror}")

    for top, folders, names in os.walk(folder, onerror=say_why):
        folders[:] = sorted(name for name in folders if name != STATE_FOLDER)
        yield from (Path(top, name) for name in sorted(names))


def _facts(folder: Path) -> Iterator[Fact]:
    """What the journal says; nothing where it cannot be read: records prove as much."""
    try:
        yield from read_journal(folder / STATE_FOLDER / "journal", say)
    except OutputFolderError as error:
        say(str(error))
