"""One frame of a video as a preset makes it, at any moment, whether or not the batch has got there."""

import dataclasses
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from vhsbatch.config.presets import Preset
from vhsbatch.model.plan import JobPlan
from vhsbatch.model.trim import NO_TRIM
from vhsbatch.restore.compare import Clip, MadeClip, make_clip
from vhsbatch.restore.prepare import Intent
from vhsbatch.restore.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewTools:
    """With what a preview is made.

    Attributes:
        intent: what the run wants; the presets are given with each preview.
        workspace: where and with what this machine works.
    """

    intent: Intent
    workspace: Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Previews:
    """Makes previews.

    Attributes:
        presets: every preset, by name.
        tools: finds the tools; it is asked each time.
        at_hand: whether the tools are there without a search, which can take a while and a GPU.
    """

    presets: Mapping[str, Preset]
    tools: Callable[[], Awaitable[PreviewTools]]
    at_hand: bool = True

    async def make(
        self, plan: JobPlan, frame: int, preset: str | None, folder: Path, *, niceness: int | None = None
    ) -> MadeClip:
        """A clip of one frame.

        Args:
            plan: the video's own plan.
            frame: which frame, counted in the result of the whole source.
            preset: the preset's name; None for what the batch does.
            folder: where the clip goes.
            niceness: that of its processes; None for that of the batch's.

        Raises:
            VhsBatchError: it cannot be made.
        """
        tools = await self.tools()
        nice = tools.workspace.niceness if niceness is None else niceness
        workspace = dataclasses.replace(
            tools.workspace, temporary=folder, publishing=folder, served=None, niceness=nice
        )
        return await make_clip(
            dataclasses.replace(plan.info, trim=NO_TRIM),
            plan.preset if preset is None else as_planned(self.presets[preset], plan),
            Clip(number=1, start_s=frame / plan.rate, duration_s=Fraction(1) / plan.rate),
            folder,
            # What chooses presets has none to choose here.
            intent=dataclasses.replace(tools.intent, auto_detect=None),
            workspace=workspace,
            tell=lambda _: None,
            parts=plan.job.parts,
        )


def as_planned(preset: Preset, plan: JobPlan) -> Preset:
    """A preset in the size, shape and container of a plan: the pictures are laid over each other. Pure."""
    own = plan.preset
    return preset.model_copy(
        update={"target_height": own.target_height, "crop": own.crop, "container": own.container}
    )


def preview_folder() -> "tempfile.TemporaryDirectory[str]":
    """A folder for one preview."""
    return tempfile.TemporaryDirectory(prefix="vhsbatch-preview-", ignore_cleanup_errors=True)
