"""With what previews are made: the tools of the batch itself, or, beside another process, one's own."""

import tempfile
from pathlib import Path

import anyio

from vhsbatch.config.preset_files import find_preset, load_presets
from vhsbatch.config.presets import Preset
from vhsbatch.config.settings import Settings
from vhsbatch.config.sources import preset_paths
from vhsbatch.errors import UsageError
from vhsbatch.process.guard import IDLE_NICENESS
from vhsbatch.restore.preview import Previews, PreviewTools
from vhsbatch.restore.workspace import Workspace, workspace_in
from vhsbatch.scheduling.environment import Environment, open_environment

_DEFAULT = "vhs"


def previews_of(settings: Settings, environment: Environment, workspace: Workspace) -> Previews:
    """Previews with the tools of the batch."""
    tools = PreviewTools(intent=environment.intent, workspace=workspace)

    async def found() -> PreviewTools:
        return tools

    return Previews(presets=_presets(settings), tools=found)


def own_previews(settings: Settings, *, yields: bool = False) -> Previews:
    """Previews beside a batch of another process; the tools are looked for when the first one is wanted.

    Args:
        settings: how this machine runs.
        yields: whether all other work goes first.
    """
    if yields:
        settings = settings.model_copy(update={"nice": IDLE_NICENESS})
    presets = _presets(settings) or load_presets()
    tools: list[PreviewTools] = []
    looking = anyio.Lock()

    async def found() -> PreviewTools:
        async with looking:
            if not tools:
                environment = await open_environment(settings, find_preset(presets, _DEFAULT))
                intent = environment.intent
                # Each preview says where it is made.
                workspace = workspace_in(
                    Path(tempfile.gettempdir()),
                    settings,
                    ffmpeg=intent.ffmpeg.path,
                    threads=environment.threads,
                )
                tools.append(PreviewTools(intent=intent, workspace=workspace))
        return tools[0]

    return Previews(presets=presets, tools=found, at_hand=False)


def _presets(settings: Settings) -> dict[str, Preset]:
    """Every preset; none where a file of the user's cannot be read any more: a batch does not need it."""
    try:
        return load_presets(preset_paths(settings))
    except UsageError:
        return {}
