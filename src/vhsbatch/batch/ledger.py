"""What is proven of a folder: its results, and what they were made of, by its journal and by records."""

import os
import stat
from dataclasses import dataclass, field, replace
from pathlib import Path

from vhsbatch.batch.naming import folded
from vhsbatch.errors import InputError
from vhsbatch.events.events import BatchStarted, Fact, JobPlanned, JobPublished
from vhsbatch.events.journal import STATE_FOLDER, journal_files, read_journal
from vhsbatch.fs import digest, state_of
from vhsbatch.model.plan import Job, JobPlan
from vhsbatch.model.source import SourceIdentity
from vhsbatch.restore.ownership import Found, InTheWay, Nothing, Result, Standing, is_as_published, standing
from vhsbatch.restore.proofs import proofs_in
from vhsbatch.restore.record import read_record, record_path


class _UnreadError(Exception):
    """A file would have to be read."""


@dataclass(slots=True)
class Ledger:
    """The fold of a journal's facts that proves which files in a folder are results.

    Attributes:
        folder: the output folder.
        published: what was published last under each name, by the name's folded form.
        names: the source that was planned or published last under each name, likewise.
        sources: every file that a run on this folder took for a source.
        recordings: all files of the recording in several that a run last took each of them for a part of.
    """

    folder: Path
    published: dict[str, Result] = field(default_factory=dict)
    names: dict[str, Path] = field(default_factory=dict)
    sources: set[Path] = field(default_factory=set)
    recordings: dict[Path, tuple[Path, ...]] = field(default_factory=dict)
    _spelt: dict[str, str] = field(default_factory=dict)
    _plans: dict[str, JobPlan] = field(default_factory=dict)
    _expected: dict[str, Result] = field(default_factory=dict)

    def apply(self, fact: Fact) -> None:
        """Take a fact in."""
        match fact:
            case BatchStarted():
                self._plans = {}
                self.sources |= {file for job in fact.jobs for file in job.files}
                self.recordings |= {part: job.parts for job in fact.jobs for part in job.parts}
            case JobPlanned():
                self._plans[fact.job_id] = fact.plan
                self.names[folded(fact.job_id)] = fact.plan.job.source
            case JobPublished():
                self._publish(fact)
            case _:
                pass

    def expect(self, fact: JobPublished) -> None:
        """Take in what a run that died may have published without having said so."""
        self._expected[folded(fact.job_id)] = _result(fact, fact.source)

    def _publish(self, fact: JobPublished) -> None:
        source, plan = fact.source, self._plans.get(fact.job_id)
        # What an older version published says nothing of its source: its plan does.
        if source is None and plan is not None:
            source = SourceIdentity(
                path=plan.job.source, size_bytes=plan.info.size_bytes, modified_ns=plan.info.modified_ns
            )
        if source is not None:
            self.names[folded(fact.job_id)] = source.path
        self._spelt[folded(fact.job_id)] = fact.job_id
        self.published[folded(fact.job_id)] = _result(fact, source)

    @property
    def holds_captures(self) -> bool:
        """Whether a run on this folder took videos from the folder itself."""
        return any(source.is_relative_to(self.folder) for source in self.sources)

    def path_of(self, name: str) -> Path:
        """Where the result of a name lies, by the name's folded form."""
        return self.folder / self._spelt[name]

    # --- files -----------------------------------------------------------------------------------

    def result_at(self, path: Path) -> Result | None:
        """What is known to have been published under a name, by the journal or by the record beside it."""
        found, by_journal = look(path), None
        if path.is_relative_to(self.folder):
            name = folded(path.relative_to(self.folder).as_posix())
            by_journal, expected = self.published.get(name), self._expected.get(name)
            if expected is not None and found is not None and is_as_published(expected, found, lambda: ""):
                return expected
        fits = by_journal is not None and found is not None and by_journal.size_bytes == found.size_bytes
        if by_journal is not None and fits and by_journal.source is not None and by_journal.source.sha256:
            return by_journal
        by_record = _by_record(path)
        if by_journal is None or by_record is None:
            return by_journal or by_record
        if by_record.sha256 == by_journal.sha256 or not fits:
            # It says more than an older version's journal; or it came with the result from elsewhere.
            return replace(by_record, modified_ns=by_journal.modified_ns if fits else 0)
        return by_journal

    def is_result(self, path: Path) -> bool:
        """Whether a file is a result, as it was published."""
        result, found = self.result_at(path), look(path)
        if result is None or found is None:
            return False
        return is_as_published(result, found, lambda: digest(path))

    def standing(self, job: Job, *, records: bool, reading: bool = True) -> Standing:
        """What is where the result of a job is to go.

        Args:
            job: the video.
            records: whether a record is to be put beside the result.
            reading: whether files are read where that decides; without it nothing is in the way then.

        Raises:
            InputError: the source is gone, or cannot be read.
        """

        def read(*paths: Path) -> str:
            if not reading:
                raise _UnreadError
            return digest(*paths)

        try:
            size_bytes, modified_ns = state_of(*job.files)
            found = standing(
                job.output,
                SourceIdentity(
                    path=job.source, size_bytes=size_bytes, modified_ns=modified_ns, parts=job.parts
                ),
                look(job.output),
                self.result_at(job.output),
                digest_of_output=lambda: read(job.output),
                digest_of_source=lambda: read(*job.files),
            )
        except _UnreadError:
            return Nothing()
        except OSError as error:
            raise InputError(f"{error.filename or job.source}: {error.strerror}") from error
        if records and not isinstance(found, InTheWay) and _is_foreign_record(job.output):
            return InTheWay(
                f"{record_path(job.output)} exists, and is not a record of this program "
                "(move it away, or add --no-record or --overwrite)"
            )
        return found


def read_ledger(folder: Path) -> Ledger:
    """What the journal of an output folder proves, if there is one.

    Raises:
        OutputFolderError: the journal cannot be read.
    """
    ledger = Ledger(folder)
    for fact in read_journal(folder / STATE_FOLDER / "journal"):
        ledger.apply(fact)
    for proof in proofs_in(folder / STATE_FOLDER):
        ledger.expect(proof)
    return ledger


class LedgerReader:
    """Reads what is proven of an output folder, whenever its journal has grown."""

    def __init__(self, folder: Path) -> None:
        self._ledger = Ledger(folder)
        self._read: list[tuple[Path, int]] = []

    def now(self) -> Ledger:
        """What is proven.

        Raises:
            OutputFolderError: the journal cannot be read.
        """
        files = journal_files(self._ledger.folder / STATE_FOLDER / "journal")
        state = [(path, path.stat().st_size) for path in files]
        if state != self._read:
            self._ledger, self._read = read_ledger(self._ledger.folder), state
        return self._ledger


def holds_state(folder: Path) -> bool:
    """Whether batches have been run into a folder."""
    try:
        return stat.S_ISDIR((folder / STATE_FOLDER / "journal").stat().st_mode)
    except PermissionError:  # the state may not be entered; where the folder may not, who lists it says so
        return os.access(folder, os.X_OK)
    except OSError:
        return False


def look(path: Path) -> Found | None:
    """What is under a name; None if nothing is."""
    if not os.path.lexists(path):
        return None
    try:
        status = path.stat()
    except OSError:  # a link that leads nowhere
        return Found(size_bytes=0, modified_ns=0, regular=False)
    return Found(size_bytes=status.st_size, modified_ns=status.st_mtime_ns, regular=path.is_file())


def _result(fact: JobPublished, source: SourceIdentity | None) -> Result:
    return Result(
        source=source,
        size_bytes=fact.size_bytes,
        sha256=fact.sha256,
        modified_ns=fact.modified_ns,
        fingerprint=fact.fingerprint,
        trim=fact.trim,
    )


def _by_record(path: Path) -> Result | None:
    record_file = record_path(path)
    if not os.path.isfile(record_file):  # noqa: PTH113 - a name that is too long is none either
        return None
    try:
        record = read_record(record_file)
    except InputError:
        return None
    # A result that was renamed together with its record is still one.
    return Result(
        source=SourceIdentity(
            path=Path(record.source.path),
            size_bytes=record.source.size_bytes,
            modified_ns=record.source.modified_ns,
            sha256=record.source.sha256,
            parts=tuple(Path(part.path) for part in record.parts),
        ),
        size_bytes=record.output.size_bytes,
        sha256=record.output.sha256,
        fingerprint=record.fingerprint,
        trim=record.trim,
        proof="its record",
    )


def _is_foreign_record(output: Path) -> bool:
    """Whether something that is no record has the name of the one beside an output."""
    path = record_path(output)
    if not os.path.lexists(path):
        return False
    try:
        # One of another name is that of a result which is elsewhere by now, unless it came with the output.
        return read_record(path).output.path != output.name and not os.path.lexists(output)
    except InputError:
        return True
