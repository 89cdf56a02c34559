"""What tells one source from another: where it is, how long it is, when it was changed, and its content."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceIdentity:
    """A source as it was at one time.

    Attributes:
        path: where it was.
        size_bytes: its size.
        modified_ns: when it was last changed, in nanoseconds since the epoch; 0 where nobody kept that.
        sha256: its digest; empty where it has not been read.
    """

    path: Path
    size_bytes: int
    modified_ns: int = 0
    sha256: str = ""


class Likeness(StrEnum):
    """How a source is related to the one that something was made of."""

    SAME = "same"
    CHANGED = "changed"
    ANOTHER = "another"
    UNREAD = "unread"


def likeness(made_of: SourceIdentity, now: SourceIdentity) -> Likeness:
    """Whether `now` is what something was made of. Pure.

    Size and time decide for a file that is where it was. Content decides for one that was moved, copied or
    only touched: `UNREAD` says that the digest of `now` is needed.
    """
    same_place = made_of.path == now.path
    differs = Likeness.CHANGED if same_place else Likeness.ANOTHER
    if made_of.size_bytes != now.size_bytes:
        return differs
    if same_place and made_of.modified_ns == now.modified_ns:
        return Likeness.SAME
    if not made_of.sha256:
        return differs
    if not now.sha256:
        return Likeness.UNREAD
    return Likeness.SAME if made_of.sha256 == now.sha256 else differs
