"""A folder of state that cannot be read is not an empty one."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vhsbatch.batch.leases import Leases, living_runs
from vhsbatch.batch.ledger import LedgerReader, holds_state, read_ledger
from vhsbatch.errors import OutputFolderError
from vhsbatch.events.journal import STATE_FOLDER, JournalReader, read_journal
from vhsbatch.fs import files_in
from vhsbatch.restore.proofs import proofs_in


@pytest.fixture
def secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An output folder whose state nobody may list, not even root."""
    state = tmp_path / STATE_FOLDER
    for name in ("journal", "runs", "leases", "made", "published"):
        (state / name).mkdir(parents=True)

    def refusing(list_: Callable[..., Any]) -> Callable[..., Any]:
        def listed(path: Path | str = ".", *rest: Any) -> Any:
            if state in (Path(path), *Path(path).parents):
                raise PermissionError(13, "Permission denied", os.fspath(path))
            return list_(path, *rest)

        return listed

    for name in ("listdir", "scandir"):
        monkeypatch.setattr(os, name, refusing(getattr(os, name)))
    return tmp_path


def test_listing_a_folder(tmp_path: Path) -> None:
    for name in ("b.json", "a.json", "c.new"):
        (tmp_path / name).touch()
    assert files_in(tmp_path, ".json") == [tmp_path / "a.json", tmp_path / "b.json"]
    assert len(files_in(tmp_path)) == 3
    assert files_in(tmp_path / "nowhere") == files_in(tmp_path / "a.json") == []


def test_a_journal_that_cannot_be_listed_is_not_an_empty_one(secret: Path) -> None:
    journal = secret / STATE_FOLDER / "journal"
    for read in (
        lambda: list(read_journal(journal)),
        lambda: JournalReader(journal).new_facts(()),
        lambda: read_ledger(secret),
        lambda: LedgerReader(secret).now(),
    ):
        with pytest.raises(
            OutputFolderError, match=r"cannot read the journal .*: Permission denied \(run as"
        ):
            read()


def test_runs_that_cannot_be_listed_are_not_dead(secret: Path) -> None:
    with pytest.raises(PermissionError):
        living_runs(secret / STATE_FOLDER)
    with pytest.raises(OutputFolderError, match="Permission denied"):
        Leases(secret / STATE_FOLDER, "run").begin(secret)


def test_proofs_that_cannot_be_listed_are_not_missing(secret: Path) -> None:
    with pytest.raises(PermissionError):
        list(proofs_in(secret / STATE_FOLDER))


def test_a_folder_with_a_state_that_may_not_be_entered_holds_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not holds_state(tmp_path)

    def refuse(path: Path, **_: object) -> os.stat_result:
        raise PermissionError(13, "Permission denied", os.fspath(path))

    monkeypatch.setattr(Path, "stat", refuse)
    assert holds_state(tmp_path)
