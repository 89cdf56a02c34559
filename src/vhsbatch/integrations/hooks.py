"""Commands of the user's own, run after each video and after the batch.

What happened is on the command's standard input, as one JSON object. A command that fails is reported
in one line, and changes nothing for the batch. What it leaves running is ended with it.
"""

import shlex
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import anyio.to_thread

from vhsbatch.batch.session import Session
from vhsbatch.errors import ShortageError, ToolError
from vhsbatch.events.bus import Mailbox
from vhsbatch.events.events import BatchFinished, JobFailed, JobPublished
from vhsbatch.events.serialize import dump_line
from vhsbatch.events.telemetry import LogLine
from vhsbatch.integrations.payload import batch_payload, video_payload
from vhsbatch.process import spawn as process
from vhsbatch.restore.record import record_beside

Command = tuple[str, ...]

# The end of a batch waits for its commands: one that never ends must not be waited for each time.
_MOST_HUNG = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Hooks:
    """Runs the commands, one after the other.

    Attributes:
        on_video: run after each video that was published or failed; empty for none.
        on_batch: run when the batch has ended, in whatever way; empty for none.
        folder: the output folder.
        timeout_s: how long a command may take.
        niceness: how much its priority is lowered.
        after: what the command that is run when the batch has ended may want to find.
    """

    on_video: Command
    on_batch: Command
    folder: Path
    timeout_s: float
    niceness: int
    after: anyio.Event | None = None
    _hung: Counter[str] = field(default_factory=Counter)

    async def follow(self, session: Session, mailbox: Mailbox) -> None:
        """Run what is to be run until the batch is over.

        When a second signal wants the run to end at once, commands that have not begun are left out.
        """
        async for event in mailbox:
            if session.hurried:
                continue
            match event:
                case JobPublished() | JobFailed() if self.on_video:
                    job = session.state.jobs[event.job_id]
                    told = video_payload(job)
                    if isinstance(event, JobPublished):
                        told["record"] = await anyio.to_thread.run_sync(record_beside, job.job.output, event)
                    await self._run("--on-video", self.on_video, told, session)
                case BatchFinished() if self.on_batch:
                    if self.after is not None:
                        await self.after.wait()
                    account = batch_payload(session.state, self.folder, exit_code=event.exit_code)
                    await self._run("--on-batch", self.on_batch, account, session)
                case _:
                    pass

    async def _run(self, option: str, command: Command, told: object, session: Session) -> None:
        if self._hung[option] >= _MOST_HUNG:
            return
        try:
            problem = await run_told(command, told, timeout_s=self.timeout_s, niceness=self.niceness)
            self._hung[option] = 0
        except TimeoutError:
            self._hung[option] += 1
            problem = f"it was stopped after {self.timeout_s:g} s"
            if self._hung[option] >= _MOST_HUNG:
                problem += f", {_MOST_HUNG} times in a row: it will not run again"
        except anyio.get_cancelled_exc_class():
            self._warn(option, command, "it was ended with the batch", session)
            raise
        if problem is not None:
            self._warn(option, command, problem, session)

    def _warn(self, option: str, command: Command, problem: str, session: Session) -> None:
        text = f"{option} {shlex.join(command)}: {problem}; the batch is not affected"
        session.tell(LogLine(level="warning", text=text))


async def run_told(command: Command, told: object, *, timeout_s: float, niceness: int) -> str | None:
    """Run a command with `told` as JSON on its standard input; what went wrong, None if nothing did.

    Raises:
        TimeoutError: it did not end within `timeout_s`; it has been stopped.
    """
    line = dump_line(told).encode() + b"\n"
    try:
        done = await process.run_told(command, line, timeout_s=timeout_s, niceness=niceness)
    except (ToolError, ShortageError) as error:
        return str(error)
    if done.exit_code == 0:
        return None
    said = f": {done.stderr_tail[-1]}" if done.stderr_tail else ""
    if done.exit_code < 0:
        return f"it was ended by signal {-done.exit_code}{said}"
    return f"exit code {done.exit_code}{said}"
