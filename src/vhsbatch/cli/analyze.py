"""`analyze`."""

import functools
import shlex
from pathlib import Path

from anyio import to_thread

from vhsbatch.analysis.analyze import analyse, describe_analysis
from vhsbatch.batch.request import about_video, expect_video
from vhsbatch.cache import default_cache
from vhsbatch.config.preset_files import find_preset, load_presets
from vhsbatch.config.settings import Settings
from vhsbatch.config.sources import load_settings, preset_paths
from vhsbatch.events.serialize import dump_line
from vhsbatch.ffmpeg.toolchain import ffmpeg_tool
from vhsbatch.formatting import plain
from vhsbatch.model.source_overrides import corrected
from vhsbatch.probe.cached import Probing
from vhsbatch.process.stalls import no_stall
from vhsbatch.process.stop_signals import run_until_stopped
from vhsbatch.restore.per_video import Overrides
from vhsbatch.ui.text import show_line


def analyze(video: Path, /, *, json: bool = False, config: Path | None = None) -> int:
    """Analyse a video and suggest a preset.

    Args:
        video: The capture. It is never changed.
        json: Print one JSON object.
        config: Configuration file, instead of ./vhsbatch.toml and your own.
    """
    expect_video(video)
    with about_video(video):
        return run_until_stopped(
            _analyze, video.absolute(), video, json, load_settings({}, config_file=config)
        )


async def _analyze(video: Path, typed: Path, json: bool, settings: Settings) -> int:
    ffmpeg = await ffmpeg_tool(settings.ffmpeg)
    cache = default_cache() if settings.remember else None
    probing = Probing(
        ffmpeg=ffmpeg,
        max_pixels=settings.max_pixels,
        cache=cache,
    )
    presets = load_presets(preset_paths(settings))
    overrides = Overrides(tables=settings.files, preset_named=functools.partial(find_preset, presets))
    override = await to_thread.run_sync(overrides.of, video)
    async with no_stall("measuring", settings.stall_timeout_s):
        info = await probing.probe(video)
        info = corrected(info, override.source_overrides)
        analysis = await analyse(info, presets, cache, ffmpeg=ffmpeg)
    if json:
        show_line(dump_line(analysis))
        return 0
    show_line(plain(video.name))
    for word, text in describe_analysis(analysis):
        show_line(f"  {word:<14}{plain(text)}")
    for note in override.notes:
        show_line(f"  {'override':<14}{plain(note)}")
    # What was measured can ask for more than a preset: only --auto-detect applies that as well.
    way = ("--auto-detect",) if analysis.overrides else ("-p", analysis.preset)
    command = shlex.join(("vhs-upscale", "upscale", str(typed), "-o", "restored", *way))
    show_line(f"  {'restore it':<14}{plain(command)}")
    return 0
