"""`batch` and `upscale`."""

import functools
import sys
from pathlib import Path

import anyio

from vhsbatch.commands.setup import detectable_presets, preset_from, settings_from
from vhsbatch.errors import UsageError
from vhsbatch.headless import print_events, show_line, stdout_printer
from vhsbatch.options import DisplayOptions, FolderOptions, MachineOptions, ResultOptions
from vhsbatch.request import BatchRequest, job_of_video, jobs_of_folder
from vhsbatch.scheduling.bus import Mailbox
from vhsbatch.session import Interface, Session, preview, run_batch


def restore_folder(
    input_folder: Path,
    output_folder: Path,
    *,
    which: FolderOptions,
    result: ResultOptions,
    machine: MachineOptions,
    display: DisplayOptions,
) -> int:
    """Restore a folder; the exit code."""
    settings = settings_from(machine, parallel=which.parallel)
    preset = preset_from(result, settings)
    if which.max_count is not None and which.max_count < 1:
        raise UsageError(f"--max-count {which.max_count} leaves nothing to do", fix="give 1 or more")
    jobs = jobs_of_folder(
        input_folder,
        output_folder,
        preset,
        pattern=which.pattern,
        recursive=which.recursive,
        suffix=which.suffix,
        max_count=which.max_count,
    )
    request = BatchRequest(
        input=str(input_folder),
        output=str(output_folder),
        jobs=jobs,
        folder=output_folder.resolve(),
        preset=preset,
        settings=settings,
        skip_existing=which.skip_existing,
        resume=which.resume,
        detectable=detectable_presets(result, settings, preset),
        verbose=display.verbose,
        notes=_notes(machine),
    )
    if which.dry_run:
        return anyio.run(preview, request, show_line)
    return anyio.run(run_batch, request, _interface(request, display))


def restore_video(
    video: Path, output: Path, result: ResultOptions, machine: MachineOptions, display: DisplayOptions
) -> int:
    """Restore one video; the exit code."""
    # A single video: its segments are shared out among all lanes.
    settings = settings_from(machine)
    preset = preset_from(result, settings)
    job = job_of_video(video, output, preset)
    request = BatchRequest(
        input=str(video),
        output=str(output),
        jobs=(job,),
        folder=job.output.parent,
        preset=preset,
        settings=settings,
        detectable=detectable_presets(result, settings, preset),
        verbose=display.verbose,
        notes=_notes(machine),
    )
    return anyio.run(run_batch, request, _interface(request, display))


def _notes(machine: MachineOptions) -> tuple[str, ...]:
    if machine.skip_maxine:
        return ("--skip-maxine changes nothing: NVIDIA Maxine is never used",)
    return ()


def _interface(request: BatchRequest, display: DisplayOptions) -> Interface:
    """The terminal interface where there is a terminal, lines otherwise."""
    # Textual draws on stderr, and reads keys from stdin.
    terminal = all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr))
    if display.json or display.no_tui or not terminal:
        return functools.partial(_print, json=display.json, verbose=display.verbose)
    return _show


async def _print(session: Session, mailbox: Mailbox, *, json: bool, verbose: bool) -> None:
    await print_events(mailbox, stdout_printer(session.state, json=json, verbose=verbose))


async def _show(session: Session, mailbox: Mailbox) -> None:
    from vhsbatch.tui.app import BatchApp

    await BatchApp(session.state, mailbox, session).run_async()
    # The interface leaves no trace on the terminal; the result stays.
    stdout_printer(session.state, json=False, verbose=False).close()
