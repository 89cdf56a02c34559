import os
import sqlite3
from contextlib import closing
from pathlib import Path
from threading import Thread

import pytest

import make
from vhsbatch.cache import Cache
from vhsbatch.events.serialize import load_media_info, to_jsonable


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "remembered.sqlite"


def test_what_one_run_keeps_another_recalls(file: Path) -> None:
    with closing(Cache(file)) as one:
        assert one.recall("tape", 1) is None
        one.keep({"frames": 3}, "tape", 1)
        one.keep({"frames": 4}, "tape", 2)
        one.keep({"frames": 5}, "tape", 2)
    with closing(Cache(file)) as other:
        assert other.recall("tape", 1) == {"frames": 3}
        assert other.recall("tape", 2) == {"frames": 5}
        assert other.recall("tape", 3) is None


def test_two_runs_and_many_threads_share_it(file: Path) -> None:
    with closing(Cache(file)) as one, closing(Cache(file)) as two:
        threads = [
            Thread(target=cache.keep, args=(number, "tape", number))
            for number in range(20)
            for cache in (one, two)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [one.recall("tape", number) for number in range(20)] == list(range(20))


def test_a_damaged_file_is_begun_anew(file: Path) -> None:
    file.parent.mkdir()
    file.write_bytes(b"no database" * 1000)
    with closing(Cache(file)) as cache:
        assert cache.recall("tape") is None
        cache.keep(1, "tape")
        assert cache.recall("tape") == 1


def test_a_folder_that_cannot_be_made_is_no_reason_to_fail(tmp_path: Path) -> None:
    (tmp_path / "cache").touch()
    cache = Cache(tmp_path / "cache" / "remembered.sqlite")
    cache.keep(1, "tape")
    assert cache.recall("tape") is None


def test_what_is_very_old_is_forgotten(file: Path) -> None:
    with closing(Cache(file)) as cache:
        cache.keep(1, "old")
        cache.keep(2, "new")
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("UPDATE remembered SET kept_s = 0 WHERE value = '1'")
    with closing(Cache(file)) as cache:
        assert (cache.recall("old"), cache.recall("new")) == (None, 2)


def test_a_source_of_any_name_comes_back_as_it_was(file: Path) -> None:
    path = Path(os.fsdecode(b"/in/t\xffpe [1].dv"))
    info = make.info(path=path, notes=("a note",))
    with closing(Cache(file)) as cache:
        cache.keep(to_jsonable(info), os.fspath(path), info.size_bytes)
        assert load_media_info(cache.recall(os.fspath(path), info.size_bytes)) == info
