"""What the terminal interface costs while eight lanes work, beyond its start.

    python benchmarks/tui.py --seconds 20

A batch of 60 videos is shown at 120x40 without a terminal; each lane tells its progress four times a
second.
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
from scenes import Commands, plans, progress  # noqa: E402
from vhsbatch.events.bus import Mailbox  # noqa: E402
from vhsbatch.events.events import Fact  # noqa: E402
from vhsbatch.events.state import fold  # noqa: E402
from vhsbatch.ui.tui.app import BatchApp  # noqa: E402

LANES = 8
VIDEOS = 60
TELLS_PER_S = 4
CPU_PART = 0.03
_START_S = 3.0


async def show(seconds: float) -> float:
    """The part of a core that the interface takes when it has started."""
    made = plans(VIDEOS)
    facts: list[Fact] = [make.batch_started(*(plan.job for plan in made), lanes=LANES)]
    facts += [make.planned(plan) for plan in made]
    facts += [make.started(plan, lane=lane) for lane, plan in enumerate(made[:LANES], start=1)]
    mailbox = Mailbox()
    app = BatchApp(fold(facts), mailbox, Commands(mailbox))
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
            await anyio.sleep(1 / TELLS_PER_S)
        cost = (time.process_time() - cpu_s) / seconds
        app.exit()

    async with anyio.create_task_group() as group:
        group.start_soon(work)
        await app.run_async(headless=True, size=(120, 40))
    return cost


def main() -> None:
    """Measure, print the figure beside the target, and write it where it is asked for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    figure = anyio.run(show, arguments.seconds)
    name = "terminal interface with 8 lanes, part of a core"
    result = {
        "machine": machine(),
        "targets": [target(name, figure, CPU_PART)],
    }
    give(result, arguments.json)


if __name__ == "__main__":
    main()
