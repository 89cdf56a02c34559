"""A cluster of real programs: a scheduler, workers, and batches that they help."""

import contextlib
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import program
from clips import make_clip

PRESETS = """
[short]
inherits = "vhs"
target_height = 240
segment_s = 1

[short.video]
encoder = "libx264"
"""
# Nobody has to look for GPUs, and for encoders on them.
SETTINGS = 'presets = ["presets.toml"]\nengine = "ffmpeg"\n'


class Program:
    """A long-running command, of which every line is kept."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self._lines: list[str] = []
        self._changed = threading.Condition()
        streams = [stream for stream in (process.stdout, process.stderr) if stream is not None]
        self._readers = [threading.Thread(target=self._read, args=(stream,)) for stream in streams]
        for reader in self._readers:
            reader.start()

    def _read(self, stream: IO[str]) -> None:
        with stream:
            for line in stream:
                with self._changed:
                    self._lines.append(line.rstrip("\n"))
                    self._changed.notify_all()

    @property
    def text(self) -> str:
        """Everything that it said."""
        with self._changed:
            return "\n".join(self._lines)

    def wait_for(
        self, pattern: str, *, count: int = 1, within_s: float = program.PATIENCE_S
    ) -> re.Match[str]:
        """Wait until it has said something so many times; the last of it."""
        with self._changed:
            self._changed.wait_for(lambda: len(self._found(pattern)) >= count, within_s)
            found = self._found(pattern)
        assert len(found) >= count, f"not said: {pattern}\n{self.text}"
        return found[-1]

    def _found(self, pattern: str) -> list[re.Match[str]]:
        return [match for line in self._lines if (match := re.search(pattern, line)) is not None]

    def end(self) -> None:
        """Wait until it and everything that it has started has ended."""
        if self.process.poll() is None:
            self.kill()
        for reader in self._readers:
            reader.join(30)

    def kill(self) -> None:
        """SIGKILL, to it alone."""
        self.process.kill()
        self.process.wait(30)

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)


class Cluster:
    """A scheduler and its workers on this machine; all of them end with the test."""

    def __init__(self, place: Path, *, enter: Callable[[str], tuple[str, ...]] = lambda _: ()) -> None:
        """Create a cluster without any program.

        Args:
            place: the current folder of all programs.
            enter: the command by which the machine of a given name runs what follows it.
        """
        self.place = place
        self._enter = enter
        self._programs: list[Program] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for started in self._programs:
            started.end()

    def start(self, *arguments: str | Path, machine: str = "", **environment: str) -> Program:
        """Start `vhs-upscale` on a machine."""
        return self._start(*self._enter(machine), *program.COMMAND, *map(str, arguments), **environment)

    def _start(self, *command: str, **environment: str) -> Program:
        process = subprocess.Popen(
            command,
            cwd=self.place,
            env=program.environment(self.place) | {"PYTHONUNBUFFERED": "1"} | environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self._programs.append(Program(process))
        return self._programs[-1]

    def scheduler(self, address: str = "tcp://127.0.0.1:0", *options: str) -> tuple[Program, str]:
        """A scheduler that listens, and its address."""
        started = self.start("scheduler", address, *options)
        return started, started.wait_for(r"listens at (\S+);")[1]

    def worker(
        self, address: str, name: str, *options: str, machine: str = "", **environment: str
    ) -> Program:
        """A worker that helps, or waits for its scheduler."""
        typed = ("worker", address, "--name", name, "--parallel", "1", *options)
        return self.start(*typed, machine=machine, **environment)

    def dask_worker(self, address: str, *options: str, **environment: str) -> Program:
        """A worker that knows nothing of `vhs-upscale`."""
        command = (
            sys.executable,
            "-m",
            "distributed.cli.dask_worker",
            address,
            "--no-nanny",
            "--no-dashboard",
        )
        return self._start(*command, *options, **environment)

    def batch(
        self, address: str, *options: str, folder: str | Path = "in", output: str | Path = "out"
    ) -> Program:
        """A batch of all that is in a folder."""
        return self.start("batch", folder, output, "-p", "short", "--cluster", address, "--json", *options)


class Link:
    """A way to an address on which nothing can be made to arrive, with all connections as they are."""

    def __init__(self, address: str) -> None:
        host, port = address.removeprefix("tcp://").split(":")
        self._there = (host, int(port))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"tcp://127.0.0.1:{self._listener.getsockname()[1]}"
        self._carries = threading.Event()
        self._carries.set()
        self._sockets = [self._listener]
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self.thaw()
        for end in self._sockets:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(30)
        for end in self._sockets:
            end.close()

    def freeze(self) -> None:
        """Carry nothing more."""
        self._carries.clear()

    def thaw(self) -> None:
        """Carry on, with what has been waiting."""
        self._carries.set()

    def _start(self, work: Callable[..., None], *arguments: socket.socket) -> None:
        self._threads.append(threading.Thread(target=work, args=arguments, daemon=True))
        self._threads[-1].start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                here, _ = self._listener.accept()
                self._sockets.append(here)
                there = socket.create_connection(self._there)
                self._sockets.append(there)
                self._start(self._carry, here, there)
                self._start(self._carry, there, here)

    def _carry(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(2**16):
                self._carries.wait()
                target.sendall(data)
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


def prepare(place: Path, *, clips: int = 2, seconds: float = 4, size: str = "352x240") -> None:
    """Sources, and a preset with short segments."""
    (place / "in").mkdir()
    (place / "vhsbatch.toml").write_text(SETTINGS)
    (place / "presets.toml").write_text(PRESETS)
    for number in range(1, clips + 1):
        clip = place / "in" / f"tape{number}.avi"
        make_clip(clip, "-c:v", "ffv1", "-g", "1", "-c:a", "pcm_s16le", seconds=seconds, size=size)


def results(folder: Path) -> dict[str, str]:
    """The frames of every result, by its name."""
    return {path.name: program.frame_digests(path) for path in sorted(folder.glob("*.mp4"))}
