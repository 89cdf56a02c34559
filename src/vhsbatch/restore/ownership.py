"""Whose a file under a result's name is, and what may be done with it.

A file is a result of this program only if the journal of its folder or the record beside it proves that,
never by its name. The decisions here are pure; what they need of a disk is passed to them.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from vhsbatch.model.source import Likeness, SourceIdentity, likeness
from vhsbatch.model.trim import NO_TRIM, Trim

# Some file systems keep times no finer than this.
_SAME_TIME_NS = 2_000_000_000

# What takes the place of the digest of a file that may be replaced, where any file may be.
ANY_FILE = "any"

OTHER_WAYS = "choose another output folder or --suffix, or add --overwrite to replace it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What is not touched, and what may be replaced.

    Attributes:
        overwrite: whether files that this program did not make, or made of another source, may be replaced,
            and existing results are made again.
        skip_existing: whether results of the same source are kept whatever made them.
        resume: whether an unfinished batch is continued.
        records: whether a record is put beside each result.
        from_results: whether results, and videos beside them, count as sources.
    """

    overwrite: bool = False
    skip_existing: bool = False
    resume: bool = False
    records: bool = True
    from_results: bool = False


NO_RULES = Rules()


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A result as it was when it was published.

    Attributes:
        source: what it was made of; None where nothing says that any more.
        size_bytes: its size.
        sha256: its digest.
        modified_ns: the time of its last change then; 0 where nobody kept that.
        fingerprint: digest of all that decided it; empty where nobody kept that.
        trim: the excerpt of the source, as it was asked for.
        proof: what says so, in words.
    """

    source: SourceIdentity | None
    size_bytes: int
    sha256: str
    modified_ns: int = 0
    fingerprint: str = ""
    trim: Trim = NO_TRIM
    proof: str = "the journal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The file that lies where a result is to go.

    Attributes:
        size_bytes: its size.
        modified_ns: when it was last changed.
        regular: whether it is a regular file, itself or through a link.
    """

    size_bytes: int
    modified_ns: int
    regular: bool = True


@dataclass(frozen=True, slots=True)
class Nothing:
    """Nothing is in the way.

    Attributes:
        note: what the user should know of what is made, empty if nothing.
        replaces: the digest of the result of this source that is made again, empty if there is none.
    """

    note: str = ""
    replaces: str = ""


@dataclass(frozen=True, slots=True)
class Own:
    """A result of this very source is there, and proven."""

    result: Result


@dataclass(frozen=True, slots=True)
class InTheWay:
    """A file exists that must not be replaced.

    Attributes:
        reason: why.
        absolute: whether `--overwrite` does not help either.
    """

    reason: str
    absolute: bool = False


Standing = Nothing | Own | InTheWay


def is_as_published(result: Result, found: Found, digest: Callable[[], str]) -> bool:
    """Whether a file is what was published: it is read where its time has changed, or is not known. Pure."""
    if not found.regular or found.size_bytes != result.size_bytes:
        return False
    moved_ns = abs(found.modified_ns - result.modified_ns)
    return moved_ns <= _SAME_TIME_NS or digest() == result.sha256


def standing(
    output: Path,
    source: SourceIdentity,
    found: Found | None,
    result: Result | None,
    *,
    digest_of_output: Callable[[], str],
    digest_of_source: Callable[[], str],
) -> Standing:
    """What is where the result of a source is to go. Pure.

    Args:
        output: the place.
        source: the source as it is now.
        found: the existing file, None if there is none.
        result: what is known to have been published there.
        digest_of_output: reads the existing file.
        digest_of_source: reads the source.
    """
    if found is None:
        return Nothing()
    if not found.regular:
        return InTheWay(f"{output} exists, and is not a regular file", absolute=True)
    if result is None:
        return InTheWay(f"{output} exists, and this program did not make it ({OTHER_WAYS})")
    if not is_as_published(result, found, digest_of_output):
        return InTheWay(f"{output} has changed since this program made it ({OTHER_WAYS})")
    return _standing_of(output, source, result, digest_of_source)


def _standing_of(
    output: Path, source: SourceIdentity, result: Result, digest_of_source: Callable[[], str]
) -> Standing:
    """Whether a proven result is that of a source."""
    if result.source is None:
        return InTheWay(f"{output} was made from a source that no record names ({OTHER_WAYS})")
    alike = likeness(result.source, source)
    if alike is Likeness.UNREAD:
        alike = likeness(result.source, replace(source, sha256=digest_of_source()))
    match alike:
        case Likeness.SAME:
            return Own(result)
        case Likeness.CHANGED if gone := [
            part for part in result.source.parts if part not in (source.parts or (source.path,))
        ]:
            return InTheWay(
                f"{output} was made of {len(result.source.parts)} files, of which {gone[0].name} "
                f"is missing now (put it back; or {OTHER_WAYS})"
            )
        case Likeness.CHANGED:
            return Nothing("the source has changed since it was restored: restored again", result.sha256)
        case _:
            return InTheWay(
                f"{source.path} would replace {output}, which was made of {result.source.path} ({OTHER_WAYS})"
            )
