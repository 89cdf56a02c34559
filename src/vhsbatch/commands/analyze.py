"""`analyze`."""

from pathlib import Path

import anyio

from vhsbatch.config import Settings, load_settings, preset_paths
from vhsbatch.errors import UsageError
from vhsbatch.headless import show_line
from vhsbatch.media.probe import probe
from vhsbatch.model.wire import dump_line
from vhsbatch.pipeline.analysis import analyse, describe_analysis
from vhsbatch.pipeline.files import settled
from vhsbatch.preset_files import load_presets
from vhsbatch.proc.tools import ffmpeg_tool
from vhsbatch.wording import plain


def analyze_video(video: Path, *, json: bool, config: Path | None) -> int:
    """Say what a video is, and which preset suits it."""
    if not video.is_file():
        raise UsageError(f"{video} {'is not a file' if video.exists() else 'does not exist'}")
    return anyio.run(_analyze, video.absolute(), json, load_settings({}, config_file=config))


async def _analyze(video: Path, json: bool, settings: Settings) -> int:
    ffmpeg = (await ffmpeg_tool(settings.ffmpeg)).path
    await settled(video)
    info = await probe(video, ffmpeg=ffmpeg, max_pixels=settings.max_pixels)
    analysis = await analyse(info, load_presets(preset_paths(settings)), ffmpeg=ffmpeg)
    if json:
        show_line(dump_line(analysis))
        return 0
    show_line(plain(video.name))
    for word, text in describe_analysis(analysis):
        show_line(f"  {word:<14}{plain(text)}")
    return 0
