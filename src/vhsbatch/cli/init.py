"""`init`."""

import shlex
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from vhsbatch.batch.captures import captures_of
from vhsbatch.batch.ledger import Ledger
from vhsbatch.config.sources import FILE_NAME
from vhsbatch.config.template import template
from vhsbatch.engines.devices import VulkanDevice, vulkan_devices
from vhsbatch.errors import UsageError
from vhsbatch.formatting import counted, plain, size
from vhsbatch.fs import NOWHERE
from vhsbatch.integrations.notifications import check_addresses
from vhsbatch.process.stop_signals import run_until_stopped
from vhsbatch.scheduling.environment import cores
from vhsbatch.ui.text import show_line

_NO_GPU = "no GPU for Vulkan (on the CPU the model takes some 40 times as long as filters)"
_YIELD_MOST, _YIELD_NOTHING = 19, 0


def init(input_folder: str = "", /, *, yes: bool = False) -> int:
    """Write a commented vhsbatch.toml, after three questions.

    Args:
        input_folder: Folder of captures. Nothing in it is ever changed.
        yes: Ask nothing; take what is suggested.
    """
    file = Path(FILE_NAME)
    if file.is_symlink() or file.exists():
        raise UsageError(f"{FILE_NAME} exists and is not replaced", fix="edit it, or move it away")
    if input_folder:
        for line in _seen(Path(input_folder)):
            show_line(plain(line))
    gpus = [device for device in run_until_stopped(vulkan_devices) if device.is_gpu]
    show_line(f"this machine: {_machine(gpus)}")
    dialogue = Dialogue(None if yes or not sys.stdin.isatty() else sys.stdin)
    chosen = {**_courtesy(dialogue), **_engine(dialogue), **_messages(dialogue)}
    with file.open("x", encoding="utf-8") as out:
        out.write(template(chosen))
    show_line(f"wrote {FILE_NAME}; type next:")
    command = ("vhs-upscale", "batch", input_folder or "IN", "OUT", "--dry-run")
    show_line(f"  {plain(shlex.join(command))}")
    return 0


@dataclass(frozen=True, slots=True)
class Dialogue:
    """Asks questions, if there is somebody to ask.

    Attributes:
        answers: what is read; None where every suggestion is taken.
    """

    answers: TextIO | None

    def ask(self, question: str, suggestion: str) -> str:
        """An answer, or `suggestion` where there is none."""
        if self.answers is None:
            show_line(f"{question} {suggestion}")
            return suggestion
        sys.stdout.write(f"{question} [{suggestion}] ")
        sys.stdout.flush()
        return self.answers.readline().strip() or suggestion

    def agree(self, question: str, *, suggestion: bool) -> bool:
        """Yes or no; asked again until it is one of them."""
        while True:
            answer = self.ask(question, "yes" if suggestion else "no").lower()
            if answer in ("y", "yes", "n", "no"):
                return answer.startswith("y")
            show_line("Answer yes or no.")


def _seen(folder: Path) -> Iterator[str]:
    """What a folder holds: captures alone count, and a recording in several files is one."""
    found = captures_of(folder, Ledger(NOWHERE), pattern="*", recursive=False, from_results=False)
    recordings = [
        found.recordings[path].parts if path in found.recordings else (path,) for path in found.sources
    ]
    # Several titles of a DVD can be in one file.
    size_bytes = sum(part.stat().st_size for part in {part for parts in recordings for part in parts})
    yield f"{folder}: {counted(len(recordings), 'video')}, {size(size_bytes)}"
    yield from found.notes


def _machine(gpus: Iterable[VulkanDevice]) -> str:
    names = ", ".join(plain(gpu.name) for gpu in gpus) or _NO_GPU
    return f"{counted(cores(), 'CPU core')}, {names}"


def _courtesy(dialogue: Dialogue) -> dict[str, object]:
    shared = dialogue.agree("Do you work at this machine while it restores?", suggestion=True)
    return {"nice": _YIELD_MOST if shared else _YIELD_NOTHING}


def _engine(dialogue: Dialogue) -> dict[str, object]:
    draws = dialogue.agree("Enlarge with the Real-ESRGAN model, which invents detail?", suggestion=False)
    return {"engine": "realesrgan" if draws else "ffmpeg"}


def _messages(dialogue: Dialogue) -> dict[str, object]:
    """Where messages go; asked again until they can go there."""
    while True:
        answer = dialogue.ask(
            "Where to tell you that a batch is over (desktop, an address for Apprise, or no)?", "no"
        )
        if answer.lower() in ("n", "no"):
            return {}
        try:
            run_until_stopped(check_addresses, (answer,))
        except UsageError as error:
            show_line(plain(str(error).removeprefix("--notify: ")))
        else:
            return {"notify": [answer]}
