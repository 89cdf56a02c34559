"""What was found out before and need not be found out again: a small database in the user's cache folder.

Losing it costs time and nothing else, so whatever goes wrong with it counts as not remembering.
"""

import hashlib
import json
import sqlite3
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from vhsbatch.fs import user_folder

_FILE = "remembered.sqlite"
# What has not been asked for that long is forgotten.
_KEPT_S = 365 * 24 * 3600
_BUSY_S = 2.0


class Cache:
    """Values by key, kept between runs; several runs may use it at a time, and any thread."""

    def __init__(self, file: Path) -> None:
        """Use the database `file`, which is made when something is kept in it."""
        self._file = file
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._broken = False

    def recall(self, *key: str | int | None) -> Any | None:
        """The value of a key as JSON knows it; None if there is none."""
        rows = self._execute("SELECT value FROM remembered WHERE key = ?", (_digest(key),))
        try:
            return json.loads(rows[0][0]) if rows else None
        except ValueError:
            return None

    def keep(self, value: Any, *key: str | int | None) -> None:
        """Remember a value that JSON can hold."""
        self._execute(
            "INSERT OR REPLACE INTO remembered VALUES (?, ?, ?)",
            (_digest(key), int(time.time()), json.dumps(value)),
        )

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def __del__(self) -> None:
        """Runs use it to their end; from Python 3.13 on, a connection that nobody closed is reported."""
        self.close()

    def _execute(self, statement: str, values: Sequence[object]) -> list[Any]:
        with self._lock:
            if self._broken:
                return []
            try:
                if self._connection is None:
                    self._connection = _open(self._file)
                return self._connection.execute(statement, values).fetchall()
            except (sqlite3.Error, OSError):
                self._broken = True
                return []


def default_cache() -> Cache:
    """The memory of this user on this machine."""
    return Cache(user_folder("cache") / _FILE)


def _open(file: Path) -> sqlite3.Connection:
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        return _connect(file)
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError):  # busy, or a folder that cannot be written
            raise
        file.unlink()  # damaged
        return _connect(file)


def _connect(file: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(file, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
    try:
        # A crash of the machine may take all of it away.
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute(
            "CREATE TABLE IF NOT EXISTS remembered "
            "(key BLOB PRIMARY KEY, kept_s INTEGER, value TEXT) WITHOUT ROWID"
        )
        connection.execute("DELETE FROM remembered WHERE kept_s < ?", (int(time.time()) - _KEPT_S,))
    except BaseException:
        connection.close()
        raise
    return connection


def _digest(key: Sequence[str | int | None]) -> bytes:
    return hashlib.sha256(json.dumps(key).encode()).digest()
