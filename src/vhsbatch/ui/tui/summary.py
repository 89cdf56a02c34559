"""What is shown at the end, and the question that is asked before one."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from vhsbatch.events.commands import Stop
from vhsbatch.events.describe import compared_with_prediction
from vhsbatch.events.job_state import Phase
from vhsbatch.events.state import BatchState
from vhsbatch.formatting import duration, plain, size


def summary_text(state: BatchState, report: Path | None = None) -> Text:
    """Counts, times, sizes, and the reason of each failure. Pure."""
    text = Text()
    complete = state.outcome == "complete"
    failed = state.count(Phase.FAILED)
    if not complete:
        title, style = "Batch interrupted", "bold yellow"
    elif failed:
        title, style = f"Batch complete, {failed} failed", "bold red"
    else:
        title, style = "Batch complete", "bold green"
    text.append(f"{title}\n\n", style=style)
    done = [job for job in state.jobs.values() if job.phase is Phase.DONE]
    made_bytes = sum(job.published.size_bytes for job in done if job.published is not None)
    elapsed_s = (state.ended_s or 0.0) - (state.started_s or state.ended_s or 0.0)
    rows = [
        ("Total videos", str(len(state.jobs))),
        ("Successful", f"{len(done)}" + (f" ({size(made_bytes)})" if done else "")),
        ("Failed", str(failed)),
        ("Skipped", str(state.count(Phase.SKIPPED))),
        ("Time", duration(elapsed_s)),
        ("Output", plain(state.output)),
    ]
    if (compared := compared_with_prediction(state)) is not None:
        what, _, more = compared.split(", ")
        rows[5:5] = [("Predicted", f"{what}; it took {more}")]
    if report is not None:
        rows.append(("Report", plain(str(report))))
    if failed:
        rows.append(("Again", "add --resume to try failed videos again"))
    left = sum(not job.phase.ended for job in state.jobs.values())
    if left:
        rows.insert(4, ("Left", f"{left}; the same command with --resume continues"))
    for label, value in rows:
        text.append(f"  {label:<14}", style="dim")
        text.append(f"{value}\n")
    for job in state.jobs.values():
        if job.phase is Phase.FAILED:
            text.append(f"\n  {plain(job.job.source.name)}\n", style="bold red")
            text.append(f"    {plain(job.reason or '')}\n")
    return text


class SummaryScreen(ModalScreen[None]):
    """The final panel; it stays until a key is pressed. The lists below it can be looked at then."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,escape", "app.pop_screen", "Lists"),
        Binding("o", "app.report", "Report"),
        Binding("q", "app.leave", "Quit"),
    ]

    def __init__(self, state: BatchState, report: Path | None) -> None:
        super().__init__()
        self._state = state
        self._report = report

    def compose(self) -> ComposeResult:
        """The panel."""
        with Vertical(classes="panel"):
            with VerticalScroll():
                yield Static(summary_text(self._state, self._report), id="summary")
            opens = "" if self._report is None else "o opens the report, "
            keys = f"Enter shows the lists and details, {opens}q quits"
            yield Static(Text(keys, style="dim"), classes="hint")


@dataclass(frozen=True, slots=True)
class Leave:
    """Close the interface; the batch goes on."""


class StopQuestion(ModalScreen[Stop | Leave | None]):
    """Asks what becomes of the work before a batch is stopped."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "now", "Stop"),
        Binding("d", "drain", "Finish segments"),
        Binding("l", "leave", "Close this view"),
        Binding("n,escape,q", "go_on", "Go on"),
    ]

    def __init__(self, *, owns: bool) -> None:
        super().__init__()
        self._owns = owns

    def compose(self) -> ComposeResult:
        """The question."""
        answers = [
            ("y", "stop now and discard running segments"),
            ("d", "finish the running segments, then stop"),
            ("n", "go on"),
        ]
        if self._owns:
            answers.insert(2, ("l", "close this view; the batch goes on and prints lines"))
        with Vertical(classes="panel question"):
            yield Static(
                Text.assemble(
                    ("Stop this batch?\n\n", "bold"),
                    "Finished segments are kept. The same command with --resume continues after them.\n",
                    *(part for key, words in answers for part in ("\n", (f"  {key}", "bold"), f"  {words}")),
                )
            )

    def action_now(self) -> None:
        """Stop."""
        self.dismiss(Stop())

    def action_drain(self) -> None:
        """Finish what is running, then stop."""
        self.dismiss(Stop(drain=True))

    def action_leave(self) -> None:
        """Close the interface alone."""
        if self._owns:
            self.dismiss(Leave())

    def action_go_on(self) -> None:
        """Stop nothing."""
        self.dismiss(None)
