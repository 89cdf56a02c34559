"""A chain: child processes joined by OS pipes, which succeed or fail as one.

The frames never pass through this process. It creates the pipes, hands them to the children, closes
its own copies, and then only reads what the children say on stderr (and the last one on stdout).
"""

import os
import re
import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import anyio
import anyio.to_thread
from anyio.abc import Process

from vhsbatch.errors import (
    DISK_FULL,
    EMBEDDED_FIX,
    ChainError,
    OutOfMemoryError,
    StageFailure,
)
from vhsbatch.process.feeds import FEEDS
from vhsbatch.process.out_of_memory import out_of_memory_kills
from vhsbatch.process.process_limits import limit_error, refusals, refused_since
from vhsbatch.process.spawn import LineSink, Tail, describe_exit, read_lines, spawn
from vhsbatch.process.system import BROKEN_PIPE, KILLED

# So begins what a program of ours says to this one, and not to people.
PROTOCOL = '{"vhsbatch"'

StageLineSink = Callable[[str, str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class StageSpec:
    """One child process of a chain.

    Attributes:
        name: what it does, one word: ``decode``, ``upscale``, ``encode``.
        argv: program and arguments; it reads frames on stdin and writes frames on stdout, apart
            from the first, whose stdin is /dev/null, and the last, whose stdout is read as lines.
        env: variables added to its environment.
        feeds: further programs, whose stdout it reads at the same time (`vhsbatch.process.feeds`).
    """

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    feeds: tuple["StageSpec", ...] = ()


@dataclass(slots=True)
class _Running:
    spec: StageSpec
    process: Process
    tail: Tail


async def run_chain(
    stages: tuple[StageSpec, ...],
    *,
    on_stdout: LineSink,
    on_stderr: StageLineSink,
    niceness: int = 0,
) -> None:
    """Run `stages` joined by pipes until all have ended.

    Args:
        stages: at least one.
        on_stdout: receives the last stage's lines on stdout.
        on_stderr: receives the name of a stage and a line of its stderr.
        niceness: added to the niceness of this process, for every stage.

    Raises:
        ChainError: a stage ended with another code than 0; the cause is the failure that came
            first, since the others are mostly its echo (a broken pipe, an early end of input).
        OutOfMemoryError: the system killed a stage for want of memory.
        ProcessLimitError: a stage failed while the system had no process or thread left.
        ToolError: a stage cannot be started.
    """
    failed_first: list[str] = []
    kills = await anyio.to_thread.run_sync(out_of_memory_kills)
    refused = await anyio.to_thread.run_sync(refusals)
    async with AsyncExitStack() as stack:
        running = await _start(stages, stack, niceness)
        async with anyio.create_task_group() as group:
            for stage in running:
                group.start_soon(_watch_stderr, stage, on_stderr)
            group.start_soon(read_lines, running[-1].process.stdout, on_stdout)
            for stage in running:
                group.start_soon(_watch_end, stage, failed_first)
    if failed_first:
        kills_since = await anyio.to_thread.run_sync(out_of_memory_kills) - kills
        error = _chain_error(failed_first, running, memory_ran_out=kills_since > 0)
        if not isinstance(error, OutOfMemoryError):
            limit = await anyio.to_thread.run_sync(refused_since, refused)
            error = error if limit is None else limit_error(limit, f"{error.culprit} failed", error)
        raise error


async def _start(stages: tuple[StageSpec, ...], stack: AsyncExitStack, niceness: int) -> list[_Running]:
    """Spawn the stages from first to last; the parent keeps no end of any pipe between them."""
    running: list[_Running] = []
    upstream = subprocess.DEVNULL
    fed: list[int] = []
    try:
        for spec in stages:
            for feed in spec.feeds:
                fed.append(await _start_feed(feed, running, stack, niceness))
            env = {**spec.env, FEEDS: ",".join(map(str, fed))} if fed else spec.env
            last = spec is stages[-1]
            next_upstream, stdout = (-1, subprocess.PIPE) if last else os.pipe()
            try:
                process = await stack.enter_async_context(
                    spawn(spec.argv, stdin=upstream, stdout=stdout, env=env, niceness=niceness, pass_fds=fed)
                )
            except BaseException:
                _close(next_upstream)
                raise
            finally:
                _close(stdout)
                _close(upstream)
                upstream = subprocess.DEVNULL
            while fed:
                _close(fed.pop())
            upstream = next_upstream
            running.append(_Running(spec, process, Tail()))
    except BaseException:
        _close(upstream)
        while fed:
            _close(fed.pop())
        raise
    return running


async def _start_feed(spec: StageSpec, running: list[_Running], stack: AsyncExitStack, niceness: int) -> int:
    """Spawn a program that feeds a stage; the descriptor to read from."""
    readable, writable = os.pipe()
    try:
        process = await stack.enter_async_context(
            spawn(spec.argv, stdout=writable, env=spec.env, niceness=niceness)
        )
    except BaseException:
        _close(readable)
        raise
    finally:
        _close(writable)
    running.append(_Running(spec, process, Tail()))
    return readable


def _close(descriptor: int) -> None:
    if descriptor >= 0:  # subprocess.PIPE and DEVNULL are negative
        os.close(descriptor)


async def _watch_stderr(stage: _Running, on_stderr: StageLineSink) -> None:
    def sink(line: str) -> None:
        if not line.startswith(PROTOCOL):
            stage.tail(line)
        on_stderr(stage.spec.name, line)

    await read_lines(stage.process.stderr, sink)


async def _watch_end(stage: _Running, failed_first: list[str]) -> None:
    if await stage.process.wait() != 0:
        failed_first.append(stage.spec.name)


def _chain_error(failed: list[str], running: list[_Running], *, memory_ran_out: bool) -> ChainError:
    """The error of the stage that is to blame.

    A stage that dies of a broken pipe is the victim of its successor, however early it is noticed.
    """
    failures = {
        stage.spec.name: StageFailure(
            stage=stage.spec.name,
            command=stage.spec.argv,
            exit_code=stage.process.returncode or 0,
            stderr_tail=stage.tail.lines,
        )
        for stage in running
    }
    killed = next((failure for failure in failures.values() if failure.exit_code == KILLED), None)
    if memory_ran_out and killed is not None:
        return OutOfMemoryError(
            f"out of memory: the system ended {killed.stage}",
            fix="close other programs, or take a lower resolution or fewer workers",
            culprit=killed.stage,
            stages=tuple(failures.values()),
        )
    culprits = [name for name in failed if not _is_broken_pipe(failures[name])]
    if not culprits and (quitter := _successor_of_last(failed, running)) is not None:
        return ChainError(
            f"{quitter} ended before its input did", culprit=quitter, stages=tuple(failures.values())
        )
    culprit = failures[(culprits or failed)[0]]
    # What was killed from outside did not know of it: a warning is all that it can have said.
    said = first_error(culprit.stderr_tail) if culprit.exit_code != KILLED else None
    return ChainError(
        f"{culprit.stage} {describe_exit(culprit.exit_code)}: {said or 'it said nothing'}",
        culprit=culprit.stage,
        fix=_fix_of(said or ""),
        stages=tuple(failures.values()),
    )


def _fix_of(said: str) -> str | None:
    """What can be done about what a stage said last; None where that is not known.

    >>> _fix_of("[AVFilterGraph @ 0x1] No such filter: 'bwdif'")
    "leave the setting 'ffmpeg' out to use the embedded one"
    """
    if "No such filter" in said or "Unknown encoder" in said:
        return EMBEDDED_FIX
    if any(words in said for words in DISK_FULL):
        return "make room on the disk"
    return None


def _successor_of_last(failed: list[str], running: list[_Running]) -> str | None:
    """The stage after the last one that failed, None at the end of the chain."""
    names = [stage.spec.name for stage in running]
    after = max(map(names.index, failed)) + 1
    return names[after] if after < len(names) else None


# What FFmpeg puts before an error, if it is told to: who says it, and its level.
_ERROR = re.compile(r"(?:\[[^]]*\] )*\[(?:error|fatal|panic)\] ")


def first_error(lines: Sequence[str]) -> str | None:
    """The line that tells what went wrong: an FFmpeg's first error, any other program's last words.

    >>> first_error(["[out @ 0x1] [error] No space left", "[out @ 0x1] [error] Conversion failed!"])
    'No space left'
    >>> first_error(["progress", "cannot load the model"])
    'cannot load the model'
    """
    errors = (line[match.end() :] for line in lines if (match := _ERROR.match(line)) is not None)
    return next(errors, lines[-1] if lines else None)


def _is_broken_pipe(failure: StageFailure) -> bool:
    return failure.exit_code == BROKEN_PIPE or any("Broken pipe" in line for line in failure.stderr_tail[-5:])
