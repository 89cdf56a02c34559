"""`test-presets`."""

import tempfile
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Annotated

import anyio
import anyio.to_thread
from cyclopts import Parameter

from vhsbatch import formatting
from vhsbatch.batch.captures import refuse_result
from vhsbatch.batch.dvd import refuse_part
from vhsbatch.batch.request import about_video, expect_video
from vhsbatch.cli.completers import preset_lists
from vhsbatch.cli.configure import settings_from
from vhsbatch.cli.options import NO_MACHINE_OPTIONS, MachineOptions, flags_of_preset_keys
from vhsbatch.config.preset_files import find_preset, load_presets
from vhsbatch.config.presets import Preset, override
from vhsbatch.config.settings import Settings
from vhsbatch.config.sources import preset_paths
from vhsbatch.errors import UsageError
from vhsbatch.events.telemetry import LogLine, Telemetry
from vhsbatch.formatting import plain
from vhsbatch.model.trim import NO_TRIM
from vhsbatch.process.stalls import no_stall
from vhsbatch.process.stop_signals import run_until_stopped
from vhsbatch.restore.compare import choose_clips, compare, names_of
from vhsbatch.restore.comparisons import expect_own, note
from vhsbatch.restore.prepare import probe_source
from vhsbatch.restore.workspace import expect_writable
from vhsbatch.scheduling.environment import open_environment
from vhsbatch.ui.text import show_line


def test_presets(
    video: Path,
    /,
    *,
    output: Annotated[Path, Parameter(name=["--output", "-o"])],
    presets: Annotated[str, Parameter(completer=preset_lists)] = "vhs,vhs_clean,vhs_heavy",
    multi_clip: bool = False,
    clip_count: int | None = None,
    duration: float = 10.0,
    start: float | None = None,
    resolution: Annotated[int | None, Parameter(name=["--resolution", "-r"])] = None,
    overwrite: bool = False,
    from_results: bool = False,
    machine: MachineOptions = NO_MACHINE_OPTIONS,
    verbose: bool = False,
) -> int:
    """Compare presets side by side on clips of one video.

    Args:
        video: The capture. It is never changed.
        output: Folder for the clips, the comparison videos and the contact sheets.
        presets: Names of presets, separated by commas.
        multi_clip: Use clips from several places of the tape instead of one.
        clip_count: Number of clips; implies --multi-clip. [default: 3]
        duration: Length of each clip in seconds. [default: 10]
        start: Start of the first clip in seconds.
        resolution: Height of the results in lines, instead of the presets' own.
        overwrite: Replace files with the comparisons' names that vhs-upscale did not make.
        from_results: Use the video even if it is a result itself.
        machine: See `MachineOptions`.
        verbose: Show commands and stack traces.
    """
    count = clip_count if clip_count is not None else 3 if multi_clip else 1
    if count < 1:
        raise UsageError(f"--clip-count {count} leaves no clip", fix="use 1 or more")
    if not duration > 0:
        raise UsageError(f"--duration {duration:g} is not a length", fix="use more than 0 seconds")
    if start is not None and not start >= 0:
        raise UsageError(f"--start {start:g} is before the start of the video", fix="use 0 or more seconds")
    expect_video(video)
    if not from_results:
        refuse_result(video.resolve())
    refuse_part(video)
    settings = settings_from(machine)
    known = load_presets(preset_paths(settings))
    names = list(dict.fromkeys(name.strip() for name in presets.split(",") if name.strip()))
    if not names:
        raise UsageError("--presets names no preset", fix=f"presets: {', '.join(known)}")
    changes = {} if resolution is None else {"target_height": resolution}
    chosen = [override(find_preset(known, name), changes, options=flags_of_preset_keys()) for name in names]
    places = Places(count=count, duration_s=duration, start_s=start, overwrite=overwrite)
    with about_video(video):
        return run_until_stopped(
            _compare, (video.absolute(), output.absolute()), chosen, settings, places, verbose
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
    async with no_stall("measuring", settings.stall_timeout_s):
        info, _ = await probe_source(video, environment.intent)
    length_s, trim = info.video.frames / info.video.rate, info.trim
    # The excerpt says where clips may be; they are made as of the whole source.
    info = replace(info, trim=NO_TRIM)
    clips = choose_clips(
        length_s if trim.to_s is None else min(length_s, trim.to_s),
        count=places.count,
        duration_s=Fraction(places.duration_s).limit_denominator(1000),
        start_s=None if places.start_s is None else Fraction(places.start_s).limit_denominator(1000),
        begin_s=trim.from_s or Fraction(0),
    )
    await expect_own(folder, names_of(presets, clips), video, overwrite=places.overwrite)

    def tell(telemetry: Telemetry) -> None:
        if verbose and isinstance(telemetry, LogLine):
            show_line(plain(telemetry.text))

    with tempfile.TemporaryDirectory(prefix=".vhsbatch-", dir=folder) as temporary:
        workspace = environment.workspace_in(Path(temporary), settings)
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
        show_line(f"Clip {clip.number} of {len(made)}, from {formatting.duration(float(clip.start_s))}:")
        for name, path in comparison.files.items():
            show_line(f"  {name}: {plain(str(path))}")
        show_line(f"  side by side: {plain(str(comparison.video))}")
        show_line(f"  contact sheet: {plain(str(comparison.contact_sheet))}")
    return 0
