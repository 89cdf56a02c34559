"""`log`: what happened in an output folder, run by run."""

import math
import time
from collections.abc import Iterable
from pathlib import Path

from vhsbatch.batch.attached import OUTPUT_FOLDER, expect_output_folder
from vhsbatch.errors import UsageError
from vhsbatch.events.describe import fact_line
from vhsbatch.events.events import BatchFinished, BatchStarted, Fact
from vhsbatch.events.journal import STATE_FOLDER, read_journal
from vhsbatch.formatting import counted, plain
from vhsbatch.ui.text import say, show_line


def log(output_folder: Path, /) -> int:
    """Show the history of an output folder.

    Args:
        output_folder: Folder of results.
    """
    expect_output_folder(output_folder)
    facts = list(read_journal(output_folder / STATE_FOLDER / "journal", say))
    if not facts:
        raise UsageError(f"nothing has been restored into {output_folder} yet", fix=OUTPUT_FOLDER)
    for fact in in_order(facts):
        clock = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(fact.at_s))
        match fact:
            case BatchStarted():
                videos = counted(len(fact.jobs), "video")
                show_line(f"{clock}  run {fact.run_id}: {videos} from {plain(fact.input)}")
            case BatchFinished():
                show_line(f"{clock}  run {fact.run_id}: {fact.outcome}, exit code {fact.exit_code}")
            case _:
                show_line(f"{clock}  {plain(fact_line(fact))}")
    return 0


def in_order(facts: Iterable[Fact]) -> list[Fact]:
    """The facts of several runs, one run after the other, in the order in which they happened. Pure.

    Runs that went on at the same time are told apart by the clock; a run whose clock was behind that of an
    earlier one comes after all of that.
    """
    placed: list[tuple[tuple[int, float], Fact]] = []
    era, begun_s, now_s = 0, -math.inf, -math.inf
    for fact in facts:
        if isinstance(fact, BatchStarted):
            era, begun_s = era + (fact.at_s < begun_s), fact.at_s
            now_s = fact.at_s
        now_s = max(now_s, fact.at_s)
        placed.append(((era, now_s), fact))
    return [fact for _, fact in sorted(placed, key=lambda placed: placed[0])]
