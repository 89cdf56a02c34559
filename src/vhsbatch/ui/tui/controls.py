"""What a user can do: one table, from which keys, footer and command palette are made."""

from dataclasses import dataclass

from textual.binding import Binding

_WORKERS = "Workers"
_MOVE = "Move"
_PRIORITY = "Priority"
_LISTS = "Lists"


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """One thing to do.

    Attributes:
        key: the key.
        action: the application's action.
        label: its name in the footer.
        title: its name in the command palette.
        text: what it does.
        tabs: the tabs in which it means something; all of them if empty.
        steers: whether it changes the batch.
        group: the name in the footer that it shares with others.
        shown_as: how the footer writes the key, where that differs.
    """

    key: str
    action: str
    label: str
    title: str
    text: str
    tabs: tuple[str, ...] = ()
    steers: bool = False
    group: str | None = None
    shown_as: str | None = None

    @property
    def name(self) -> str:
        """The action without its arguments."""
        return self.action.partition("(")[0]

    @property
    def binding(self) -> Binding:
        """The key."""
        return Binding(self.key, self.action, self.label)


_WAITING = ("waiting",)
_LISTED = ("waiting", "finished", "failed", "skipped")

CONTROLS = (
    Control(
        key="q",
        action="leave_or_stop",
        label="Quit",
        title="Quit",
        text="Ask whether to finish running segments, then stop; an attached session just closes",
    ),
    Control(
        key="p",
        action="pause",
        label="Pause",
        title="Pause or continue",
        text="Start no new work, or start again; running segments finish",
        steers=True,
    ),
    Control(
        key="plus",
        action="lanes(1)",
        label="More",
        title="One more worker",
        text="Work on one more video at a time",
        steers=True,
        group=_WORKERS,
        shown_as="+",
    ),
    Control(
        key="minus",
        action="lanes(-1)",
        label="Fewer",
        title="One fewer worker",
        text="Work on one video fewer at a time, after its current segment",
        steers=True,
        group=_WORKERS,
        shown_as="-",
    ),
    Control(
        key="s",
        action="skip",
        label="Skip",
        title="Skip this video",
        text="Leave the selected video out of this run, but keep its finished segments",
        tabs=_WAITING,
        steers=True,
    ),
    Control(
        key="r",
        action="retry",
        label="Retry",
        title="Try this video again",
        text="Retry the selected failed or skipped video, after its finished segments",
        tabs=("failed", "skipped"),
        steers=True,
    ),
    Control(
        key="c",
        action="copy",
        label="Copy",
        title="Copy this error",
        text="Copy the reason of the selected failure, with what the programs said",
        tabs=("failed",),
    ),
    Control(
        key="v",
        action="snapshot",
        label="View",
        title="Compare before and after",
        text="Compare the selected video before and after, at any moment, with any preset",
        tabs=_LISTED,
    ),
    Control(
        key="i",
        action="details",
        label="Info",
        title="Details of this video",
        text="Show the selected video's properties, plan, outcome and log",
        tabs=_LISTED,
    ),
    Control(
        key="slash",
        action="find",
        label="Find",
        title="Find videos by name",
        text="Show only the videos and log lines that contain your words; Escape shows all",
        shown_as="/",
    ),
    Control(
        key="l",
        action="log",
        label="Log",
        title="Log of this video",
        text="Show the selected video's log",
        tabs=_LISTED,
    ),
    Control(
        key="u",
        action="move(-1)",
        label="Up",
        title="Move this video up",
        text="Start the selected video before the one above it",
        tabs=_WAITING,
        steers=True,
        group=_MOVE,
    ),
    Control(
        key="d",
        action="move(1)",
        label="Down",
        title="Move this video down",
        text="Start the selected video after the one below it",
        tabs=_WAITING,
        steers=True,
        group=_MOVE,
    ),
    Control(
        key="greater_than_sign",
        action="prioritise(1)",
        label="Higher",
        title="Higher priority for this video",
        text="Start the selected video before all with a lower priority",
        tabs=_WAITING,
        steers=True,
        group=_PRIORITY,
        shown_as=">",
    ),
    Control(
        key="less_than_sign",
        action="prioritise(-1)",
        label="Lower",
        title="Lower priority for this video",
        text="Start the selected video after all with a higher priority",
        tabs=_WAITING,
        steers=True,
        group=_PRIORITY,
        shown_as="<",
    ),
    Control(
        key="x",
        action="stop",
        label="Stop",
        title="Stop the batch",
        text="Ask whether to finish running segments, then stop the batch",
        steers=True,
    ),
    *(
        Control(
            key=key,
            action=f"tab('{tab}')",
            label=label,
            title=f"Show {what}",
            text=f"Show {what}",
            group=_LISTS,
        )
        for key, tab, label, what in (
            ("1", "waiting", "Queue", "running and waiting videos"),
            ("2", "finished", "Finished", "finished videos"),
            ("3", "failed", "Failed", "failed videos"),
            ("4", "skipped", "Skipped", "skipped videos"),
            ("5", "log", "Log", "the log"),
        )
    ),
    Control(
        key="o",
        action="report",
        label="Report",
        title="Open the report",
        text="Open the report of the batch in a browser, once it is written",
    ),
    Control(
        key="question_mark",
        action="help",
        label="Help",
        title="Help",
        text="Show every key and what it does",
        shown_as="?",
    ),
)
PALETTE = Control(
    key="ctrl+p",
    action="command_palette",
    label="All",
    title="All",
    text="Find any command by name",
    shown_as="^p",
)
BY_ACTION = {control.name: control for control in CONTROLS}
