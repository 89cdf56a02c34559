"""Which videos of a folder are captures: what is proven to be a result is none, whatever it is called."""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path

from vhsbatch.batch.discover import Discovered, discover, sort_key
from vhsbatch.batch.discs import Contents, TitleOnDisc, contents_of, in_words
from vhsbatch.batch.ledger import Ledger, holds_state, read_ledger
from vhsbatch.batch.parts import FoundRecordings, Recording, find_recordings
from vhsbatch.errors import InputError, OutputFolderError, UsageError
from vhsbatch.events.journal import STATE_FOLDER
from vhsbatch.fs import digest
from vhsbatch.probe.heads import heads_of
from vhsbatch.restore.comparisons import comparisons_in

RESULT = "a result of this program"
_RESULTS_ALONE = "a folder of results"
_WORK = "unfinished work of this program"
# Where segments are with --temp-dir, which may be below IN: none of them is a capture.
_WORK_FOLDER = re.compile(r"vhsbatch-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Captures:
    """The videos that may be restored.

    Attributes:
        root: the folder that they were found in.
        sources: those that match, in the order of their names.
        others: those that do not match, which must not be replaced either.
        left_out: what else is called like a matching video, by the reason why it is left out.
        recordings: those in several files, by the first of these, which alone is among the sources.
        joining: what was joined, and what was not although it looks as if, a line each.
        lacking: why one of the sources seems to lack a part.
    """

    root: Path
    sources: tuple[Path, ...]
    others: tuple[Path, ...]
    left_out: dict[str, list[Path]]
    recordings: dict[Path, Recording] = field(default_factory=dict)
    joining: tuple[str, ...] = ()
    lacking: Mapping[Path, str] = field(default_factory=dict)

    @property
    def notes(self) -> Iterator[str]:
        """What is joined, and what is left out, a line for each reason."""
        yield from self.joining
        for reason, paths in self.left_out.items():
            first = _below(self.root, paths[0])
            many = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
            yield f"left out: {first}{many} ({reason})"


def captures_of(
    folder: Path, ledger: Ledger, *, pattern: str, recursive: bool, from_results: bool, join: bool = True
) -> Captures:
    """The captures in a folder.

    Args:
        folder: IN.
        ledger: what is proven of OUT.
        pattern: a shell pattern that the file's name must match, in any case.
        recursive: whether to look into sub-folders.
        from_results: whether folders that only hold results are looked into too.
        join: whether files that are one recording are one capture.

    Raises:
        UsageError: the folder cannot be read, or is an output folder.
    """
    ledgers = _Ledgers(ledger)
    root = folder.resolve()
    if not from_results:
        _refuse_output_folder(folder, root, ledgers)

    def why_not(path: Path) -> str | None:
        if _WORK_FOLDER.fullmatch(path.name):
            return _WORK
        return _RESULTS_ALONE if not from_results and ledgers.holds_results_alone(path) else None

    found = discover(
        folder,
        pattern="*",
        recursive=recursive,
        exclude=ledger.folder,
        why_not=why_not,
        join=join,
    )
    results = [path for path in found.videos if ledgers.is_result(path)]
    captures = [path for path in found.videos if path not in set(results)]
    for path in results:
        found.leave_out(path, RESULT)
    in_several = find_recordings(captures, heads_of) if join else FoundRecordings()
    wanted = pattern.lower()
    discs = list(_discs(found, root))
    chosen = _chosen(
        root,
        captures,
        in_several,
        [title for disc in discs for title in disc.titles if title.matches(wanted)],
        wanted=wanted,
        left_out=_matching(found, wanted),
    )
    lacking = {title.path: disc.lacking for disc in discs if disc.lacking for title in disc.titles}
    return replace(chosen, lacking={**chosen.lacking, **lacking})


def _discs(found: Discovered, root: Path) -> Iterator[Contents]:
    """What is on the discs that were found."""
    for disc in found.discs:
        try:
            contents = contents_of(disc, root)
        except InputError as error:
            found.leave_out(disc.path, in_words(error))
            continue
        for path, reason in contents.left_out:
            found.leave_out(path, reason)
        yield contents


def _chosen(
    root: Path,
    captures: Sequence[Path],
    in_several: FoundRecordings,
    titles: Sequence[TitleOnDisc],
    *,
    wanted: str,
    left_out: dict[str, list[Path]],
) -> Captures:
    """Those of the captures that match; the first part of a recording stands for all of it."""
    later_parts = {part for recording in in_several.recordings for part in recording.parts[1:]}
    sources = [
        path for path in captures if path not in later_parts and fnmatchcase(path.name.lower(), wanted)
    ]
    firsts = {recording.parts[0]: recording for recording in in_several.recordings}
    recordings = {first: recording for first, recording in firsts.items() if first in set(sources)}
    recordings |= {title.path: title.recording for title in titles}
    depth = len(root.parts)
    sources = sorted(
        [*sources, *(title.path for title in titles)], key=lambda path: sort_key(path.parts[depth:])
    )
    used = {*sources, *(part for recording in recordings.values() for part in recording.parts)}
    return Captures(
        root=root,
        sources=tuple(sources),
        others=tuple(path for path in captures if path not in used),
        left_out=left_out,
        recordings=recordings,
        joining=(*(recording.note for recording in recordings.values()), *in_several.notes),
        lacking={path: why for path, why in in_several.lacking.items() if path in set(sources)},
    )


def refuse_result(video: Path) -> None:
    """Promise that a single video is no result.

    Raises:
        UsageError: it is one.
    """
    ledgers = _Ledgers(Ledger(video))
    if ledgers.is_result(video):
        result = ledgers.of(video.parent).result_at(video)
        made_of = "" if result is None or result.source is None else f", made of {result.source.path}"
        raise UsageError(f"{video} is {RESULT}{made_of}", fix="restore its source, or add --from-results")


def _refuse_output_folder(folder: Path, root: Path, ledgers: "_Ledgers") -> None:
    """Promise that IN is no output folder, unless captures have been restored in it.

    Raises:
        UsageError: it is one.
    """
    if STATE_FOLDER in root.parts:
        raise UsageError(f"{folder} is inside the state folder of a batch", fix="give a folder of captures")
    if root == ledgers.output.folder or not ledgers.holds_results_alone(root):
        return
    sources = {source.parent for source in ledgers.of(root).sources}
    if any(source.is_relative_to(ledgers.output.folder) for source in sources):
        raise UsageError(
            f"{folder} holds the results of {ledgers.output.folder}: input and output are swapped",
            fix=f"vhs-upscale batch {ledgers.output.folder} {folder}; or add --from-results",
        )
    raise UsageError(
        f"{folder} is the output folder of a batch, not a folder of captures",
        fix="give the folder of its sources, or add --from-results for videos in it that are no results",
    )


@dataclass(slots=True)
class _Ledgers:
    """What is proven of folders, each read once.

    Attributes:
        output: that of OUT.
    """

    output: Ledger
    _of: dict[Path, Ledger] = field(default_factory=dict)
    _comparisons: dict[Path, dict[str, list[str]]] = field(default_factory=dict)

    def of(self, folder: Path) -> Ledger:
        """That of the folder, or of the nearest one above it that holds the state of a batch."""
        if folder not in self._of:
            self._of[folder] = self._read(folder)
        return self._of[folder]

    def _read(self, folder: Path) -> Ledger:
        if folder == self.output.folder:
            return self.output
        if holds_state(folder):
            return read_ledger(folder)
        above = folder.parent
        if above == folder:
            return Ledger(folder)
        # What is above IN may belong to anybody.
        with suppress(OutputFolderError):
            return self.of(above)
        return Ledger(folder)

    def holds_results_alone(self, folder: Path) -> bool:
        """Whether batches were run into a folder, and none on captures in it."""
        if folder == self.output.folder or not holds_state(folder):
            return False
        return not self.of(folder).holds_captures

    def is_result(self, path: Path) -> bool:
        """Whether a file is a result or a comparison, or a link to one."""
        return self._is_result(path) or (path.is_symlink() and self._is_result(path.resolve()))

    def _is_result(self, path: Path) -> bool:
        if path.parent not in self._comparisons:
            self._comparisons[path.parent] = comparisons_in(path.parent)
        digests = self._comparisons[path.parent].get(path.name)
        with suppress(OSError):  # its own probe says why it cannot be read
            if digests and digest(path) in digests:
                return True
        return self.of(path.parent).is_result(path) or (
            path.is_relative_to(self.output.folder) and self.output.is_result(path)
        )


def _matching(found: Discovered, pattern: str) -> dict[str, list[Path]]:
    """What is left out of what matches; a folder of results is always reported."""
    left_out = {
        reason: [path for path in paths if path.is_dir() or fnmatchcase(path.name.lower(), pattern)]
        for reason, paths in found.left_out.items()
    }
    return {reason: paths for reason, paths in left_out.items() if paths}


def _below(root: Path, path: Path) -> str:
    return os.path.relpath(path, root)
