"""What the terminal interface costs while eight lanes work, beyond its start.

    python benchmarks/tui.py --seconds 20 --columns 120 --lines 40

A batch of 60 videos is shown without a terminal; each lane tells its progress four times a second, and the
machine its readings every five.
"""

import argparse
import sys
import time
from pathlib import Path

import anyio
from result import give, machine, target

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent / "tests"), str(HERE.parent / "tests" / "tui")]

import make  # noqa: E402
from scenes import Commands, plans, progress, readings  # noqa: E402
from vhsbatch.events.bus import Mailbox  # noqa: E402
from vhsbatch.events.events import Fact  # noqa: E402
from vhsbatch.events.state import fold  # noqa: E402
from vhsbatch.ui.tui.app import BatchApp  # noqa: E402

LANES = 8
VIDEOS = 60
TELLS_PER_S = 4
READ_EVERY_S = 5
CPU_PART = 0.03
_START_S = 3.0


async def show(seconds: float, size: tuple[int, int]) -> float:
    """The part of a core that the interface takes when it has started."""
    made = plans(VIDEOS)
    facts: list[Fact] = [make.batch_started(*(plan.job for plan in made), lanes=LANES)]
    facts += [make.planned(plan) for plan in made]
    facts += [make.started(plan, lane=lane) for lane, plan in enumerate(made[:LANES], start=1)]
    mailbox = Mailbox()
    # The batch is an hour old (its facts say that it began at 0 s), and a third of it is made.
    facts += [
        make.finished(plan, segment.index) for plan in made[-VIDEOS // 3 :] for segment in plan.segments
    ]
    begun_s = time.time() - 3600
    app = BatchApp(fold(facts), mailbox, Commands(mailbox), clock=lambda: time.time() - begun_s)
    cost = 0.0

    async def work() -> None:
        nonlocal cost
        begun_s, cpu_s, frames = time.monotonic(), 0.0, 0
        while time.monotonic() - begun_s < _START_S + seconds:
            if cpu_s == 0.0 and time.monotonic() - begun_s >= _START_S:
                cpu_s = time.process_time()
            frames += 7
            for lane, plan in enumerate(made[:LANES], start=1):
                mailbox.put(progress(plan, lane, frames % plan.segments[0].frames))
            if frames % (7 * TELLS_PER_S * READ_EVERY_S) == 0:
                mailbox.put(readings(gpus=1))
            await anyio.sleep(1 / TELLS_PER_S)
        cost = (time.process_time() - cpu_s) / seconds
        app.exit()

    async with anyio.create_task_group() as group:
        group.start_soon(work)
        await app.run_async(headless=True, size=size)
    return cost


def main() -> None:
    """Measure, print the figure beside the target, and write it where it is asked for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--columns", type=int, default=120)
    parser.add_argument("--lines", type=int, default=40)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    figure = anyio.run(show, arguments.seconds, (arguments.columns, arguments.lines))
    name = f"terminal interface with 8 lanes at {arguments.columns}x{arguments.lines}, part of a core"
    result = {
        "machine": machine(),
        "targets": [target(name, figure, CPU_PART)],
    }
    give(result, arguments.json)


if __name__ == "__main__":
    main()
