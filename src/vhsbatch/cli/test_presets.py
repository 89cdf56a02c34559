"""`test-presets`."""

import tempfile
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import anyio
import anyio.to_thread

from vhsbatch.batch.captures import refuse_result
from vhsbatch.batch.request import about_video, expect_video
from vhsbatch.cli.configure import settings_from
from vhsbatch.cli.options import MachineOptions
from vhsbatch.config.preset_files import find_preset, load_presets
from vhsbatch.config.presets import Preset, override
from vhsbatch.config.settings import Settings
from vhsbatch.config.sources import preset_paths
from vhsbatch.errors import UsageError
from vhsbatch.events.telemetry import LogLine, Telemetry
from vhsbatch.formatting import duration, plain
from vhsbatch.process.stop_signals import run_until_stopped
from vhsbatch.restore.compare import choose_clips, compare, names_of
from vhsbatch.restore.comparisons import expect_own, note
from vhsbatch.restore.prepare import probe_source
from vhsbatch.restore.workspace import Workspace, expect_writable
from vhsbatch.scheduling.environment import open_environment
from vhsbatch.ui.text import show_line


def compare_presets(
    video: Path,
    folder: Path,
    *,
    presets: str,
    clip_count: int,
    duration_s: float,
    start_s: float | None,
    resolution: int | None,
    overwrite: bool,
    from_results: bool,
    machine: MachineOptions,
    verbose: bool,
) -> int:
    """Make the comparisons; the exit code."""
    if clip_count < 1:
        raise UsageError(f"--clip-count {clip_count} leaves nothing to do", fix="give 1 or more")
    if not duration_s > 0:
        raise UsageError(f"--duration {duration_s:g} is no length", fix="give seconds, more than 0")
    if start_s is not None and not start_s >= 0:
        raise UsageError(f"--start {start_s:g} is before the video", fix="give seconds from its beginning")
    expect_video(video)
    if not from_results:
        refuse_result(video.resolve())
    settings = settings_from(machine)
    known = load_presets(preset_paths(settings))
    names = list(dict.fromkeys(name.strip() for name in presets.split(",") if name.strip()))
    if not names:
        raise UsageError("--presets names none", fix=f"presets: {', '.join(known)}")
    chosen = [override(find_preset(known, name), height=resolution) for name in names]
    places = Places(count=clip_count, duration_s=duration_s, start_s=start_s, overwrite=overwrite)
    with about_video(video):
        return run_until_stopped(
            _compare, (video.absolute(), folder.absolute()), chosen, settings, places, verbose
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Which parts of the video are compared, and whether other files make way, as the user typed it."""

    count: int
    duration_s: float
    start_s: float | None
    overwrite: bool


async def _compare(
    paths: tuple[Path, Path], presets: list[Preset], settings: Settings, places: Places, verbose: bool
) -> int:
    video, folder = paths
    await anyio.to_thread.run_sync(expect_writable, folder)
    environment = await open_environment(settings, presets[0])
    info, _ = await probe_source(video, environment.intent)
    clips = choose_clips(
        info.video.frames / info.video.rate,
        count=places.count,
        duration_s=Fraction(places.duration_s).limit_denominator(1000),
        start_s=None if places.start_s is None else Fraction(places.start_s).limit_denominator(1000),
    )
    await expect_own(folder, names_of(presets, clips), video, overwrite=places.overwrite)

    def tell(telemetry: Telemetry) -> None:
        if verbose and isinstance(telemetry, LogLine):
            show_line(plain(telemetry.text))

    with tempfile.TemporaryDirectory(prefix=".vhsbatch-", dir=folder) as temporary:
        workspace = Workspace(
            ffmpeg=environment.intent.ffmpeg.path,
            temporary=Path(temporary),
            publishing=Path(temporary),
            threads_per_lane=max(1, environment.threads // environment.lanes),
            niceness=settings.nice,
            stall_timeout_s=settings.stall_timeout_s,
            skip_duplicates=settings.skip_duplicates,
            vapoursynth_python=settings.vapoursynth_python,
        )
        made = await compare(
            info,
            presets,
            clips,
            folder,
            intent=environment.intent,
            workspace=workspace,
            lanes=environment.lanes,
            tell=tell,
        )
    await note(
        folder,
        [path for one in made for path in (*one.files.values(), one.video, one.contact_sheet)],
    )
    for comparison in made:
        clip = comparison.clip
        show_line(f"Clip {clip.number} of {len(made)}, from {duration(float(clip.start_s))}:")
        for name, path in comparison.files.items():
            show_line(f"  {name}: {plain(str(path))}")
        show_line(f"  side by side: {plain(str(comparison.video))}")
        show_line(f"  contact sheet: {plain(str(comparison.contact_sheet))}")
    return 0
