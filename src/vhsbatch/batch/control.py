"""How other processes watch and control a running batch: through files beside the journal.

Files work where sockets do not: on network file systems, from other machines, under long
paths. They prove nothing, so they are not synced. A slow or vanished
attached session costs the run nothing.

    live/RUN.json        progress, rewritten every second
    commands/RUN/*.json  commands, taken in the order of their names
"""

import errno
import json
import os
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import anyio
import anyio.to_thread

from vhsbatch.events.bus import Mailbox
from vhsbatch.events.commands import Command
from vhsbatch.events.serialize import dump, dump_line, load_command, load_telemetry
from vhsbatch.events.telemetry import DeviceReadings, LogLine, Progress, Telemetry
from vhsbatch.fs import files_in

_EVERY_S = 1.0
_LOG_LINES = 200
# A command may arrive while its folder is being closed; what cannot be removed is not a command.
_CLOSING_ATTEMPTS = 3


class Live:
    """The run's side: writes progress, and takes commands."""

    def __init__(self, folder: Path, run_id: str) -> None:
        self._file = _live_file(folder, run_id)
        self._commands = _commands_folder(folder, run_id)
        self._progress: dict[int, Progress] = {}
        self._readings: list[DeviceReadings] = []
        self._log: deque[LogLine] = deque(maxlen=_LOG_LINES)
        self._logged = 0
        self._written = ""
        self._taking = anyio.Lock()

    async def open(self) -> None:
        """Create the folders, before anybody can know of the run and send a command."""
        await anyio.to_thread.run_sync(self._make_folders)

    async def keep(self, mailbox: Mailbox, command: Callable[[Command], None]) -> None:
        """Write and take until the batch is over.

        Args:
            mailbox: what happens.
            command: takes a command.
        """
        async with anyio.create_task_group() as group:
            group.start_soon(self._exchange, command)
            async for event in mailbox:
                match event:
                    case Progress():
                        self._progress[event.lane] = event
                    case DeviceReadings():
                        self._readings = [event]
                    case LogLine() if event.level != "debug":
                        self._log.append(event)
                        self._logged += 1
                    case _:
                        pass
            group.cancel_scope.cancel()
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(self._end)

    async def _exchange(self, command: Callable[[Command], None]) -> None:
        while True:
            await anyio.to_thread.run_sync(self._write)
            await self._pass_on(self._take, command)
            await anyio.sleep(_EVERY_S)

    async def last_call(self, command: Callable[[Command], None]) -> None:
        """Take the commands that have arrived; if there are none, accept no more.

        A later command finds no folder, and its sender learns that the run has ended.
        """
        await self._pass_on(self._close, command)

    async def _pass_on(self, take: Callable[[], list[Command]], command: Callable[[Command], None]) -> None:
        async with self._taking:
            commands = await anyio.to_thread.run_sync(take)
        for commanded in commands:
            command(commanded)

    def _make_folders(self) -> None:
        # A folder that cannot be written is noticed by the journal; a batch runs without attached sessions.
        with suppress(OSError):
            self._file.parent.mkdir(exist_ok=True)
            self._commands.mkdir(parents=True, exist_ok=True)

    def _end(self) -> None:
        with suppress(OSError):
            self._file.unlink(missing_ok=True)
            for path in self._commands.iterdir():
                path.unlink(missing_ok=True)
            self._commands.rmdir()

    def _write(self) -> None:
        newest = [*map(dump, self._progress.values()), *map(dump, self._readings)]
        content = dump_line(
            {"logged": self._logged, "log": [dump(line) for line in self._log], "newest": newest}
        )
        if content != self._written:
            self._written = content
            with suppress(OSError):
                _write_whole(self._file, content)

    def _take(self) -> list[Command]:
        commands = []
        with suppress(OSError):
            for path in files_in(self._commands, ".json"):
                content = path.read_bytes()
                path.unlink()
                with suppress(ValueError):  # nobody waits for an answer to nonsense
                    commands.append(load_command(content))
        return commands

    def _close(self) -> list[Command]:
        for _ in range(_CLOSING_ATTEMPTS):
            if commands := self._take():
                return commands
            try:
                self._commands.rmdir()
            except OSError as error:
                if error.errno == errno.ENOTEMPTY:
                    self._drop_drafts()
                    continue
            break
        return []

    def _drop_drafts(self) -> None:
        with suppress(OSError):
            for draft in files_in(self._commands, ".new"):
                draft.unlink()


@dataclass(slots=True)
class Line:
    """The attached session's side.

    Attributes:
        folder: the state folder of an output folder.
        run_id: the run to watch.
    """

    folder: Path
    run_id: str
    _logged: int = 0

    def news(self) -> list[Telemetry]:
        """What is going on; log lines only once."""
        try:
            content = json.loads(_live_file(self.folder, self.run_id).read_bytes())
        except (OSError, ValueError):
            return []
        new = content["logged"] - self._logged
        self._logged = content["logged"]
        lines = content["log"][-new:] if new > 0 else []
        return [load_telemetry(event) for event in (*lines, *content["newest"])]

    def command(self, command: Command) -> None:
        """Send a command.

        Raises:
            FileNotFoundError: the run has ended.
            OSError: the folder cannot be written to.
        """
        name = f"{time.time_ns():020d}-{os.getpid()}.json"
        _write_whole(_commands_folder(self.folder, self.run_id) / name, dump_line(command))


def _write_whole(path: Path, content: str) -> None:
    """Write a file that nobody sees half written."""
    draft = path.with_suffix(f".{os.getpid()}.new")
    draft.write_text(content)
    draft.rename(path)


def _live_file(folder: Path, run_id: str) -> Path:
    return folder / "live" / f"{run_id}.json"


def _commands_folder(folder: Path, run_id: str) -> Path:
    return folder / "commands" / run_id
