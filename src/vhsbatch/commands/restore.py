"""`batch` and `upscale`."""

import functools
import sys
from collections.abc import Mapping
from pathlib import Path

import anyio

from vhsbatch.commands.cluster import expect_dask
from vhsbatch.commands.following import followers
from vhsbatch.commands.resume import Options, options_before, preset_before
from vhsbatch.commands.setup import detectable_presets, network_settings, preset_from, settings_from
from vhsbatch.config import Settings
from vhsbatch.errors import UsageError
from vhsbatch.headless import print_events, show_line, stdout_printer
from vhsbatch.logfile import LogFilePrinter
from vhsbatch.options import (
    ClusterOptions,
    DisplayOptions,
    FolderOptions,
    FollowOptions,
    MachineOptions,
    ResultOptions,
)
from vhsbatch.pipeline.corrections import corrections
from vhsbatch.pipeline.order import priorities
from vhsbatch.presets import Preset
from vhsbatch.preview import preview
from vhsbatch.request import BatchRequest, container_of, job_of_video, jobs_of_folder
from vhsbatch.scheduling.bus import Mailbox
from vhsbatch.session import Interface, Session, run_batch


def restore_folder(
    typed_input: str,
    typed_output: str,
    *,
    which: FolderOptions,
    result: ResultOptions,
    machine: MachineOptions,
    cluster: ClusterOptions,
    display: DisplayOptions,
    follow: FollowOptions,
) -> int:
    """Restore a folder; the exit code."""
    input_folder, output_folder = Path(typed_input), Path(typed_output)
    if which.replan and not which.resume:
        raise UsageError("--replan says how to go on, and nothing says that", fix="add --resume")
    if which.max_count is not None and which.max_count < 1:
        raise UsageError(f"--max-count {which.max_count} leaves nothing to do", fix="give 1 or more")
    typed = Options(which, result, machine)
    before = options_before(output_folder, input_folder) if which.resume else None
    options, settings, preset = _decide(typed, before, follow, cluster, replan=which.replan)
    jobs = jobs_of_folder(
        input_folder,
        output_folder,
        preset,
        pattern=options.which.pattern,
        recursive=options.which.recursive,
        suffix=options.which.suffix,
        max_count=options.which.max_count,
        order=options.which.order,
        by=priorities(options.which.priority),
    )
    request = BatchRequest(
        input=typed_input,
        output=typed_output,
        jobs=jobs,
        folder=output_folder.resolve(),
        preset=preset,
        settings=settings,
        options=options.remembered(input_folder, preset, settings),
        skip_existing=which.skip_existing,
        resume=which.resume,
        detectable=detectable_presets(options.result, settings, preset),
        corrections=corrections(options.result.aspect, options.result.field_order),
        allow_truncated=options.result.allow_truncated,
        records=not machine.no_record,
        drain=machine.drain,
        verbose=display.verbose,
        notes=_notes(machine),
    )
    return _run(request, display, dry_run=which.dry_run)


def restore_video(
    video: Path,
    output: Path,
    *,
    resume: bool,
    result: ResultOptions,
    machine: MachineOptions,
    cluster: ClusterOptions,
    display: DisplayOptions,
    follow: FollowOptions,
) -> int:
    """Restore one video; the exit code."""
    typed = Options(FolderOptions(), result, machine)
    folder = output if output.is_dir() or not output.suffix else output.parent
    before = options_before(folder, video) if resume else None
    options, settings, preset = _decide(
        typed, before, follow, cluster, replan=False, container=container_of(output)
    )
    job = job_of_video(video, output, preset)
    # Its segments are shared out among all lanes.
    request = BatchRequest(
        input=str(video),
        output=str(output),
        jobs=(job,),
        folder=job.output.parent,
        preset=preset,
        settings=settings,
        options=options.remembered(video, preset, settings),
        resume=resume,
        detectable=detectable_presets(options.result, settings, preset),
        corrections=corrections(options.result.aspect, options.result.field_order),
        allow_truncated=options.result.allow_truncated,
        records=not machine.no_record,
        drain=machine.drain,
        verbose=display.verbose,
        notes=_notes(machine),
    )
    return _run(request, display, dry_run=False)


def _decide(
    typed: Options,
    before: Mapping[str, str] | None,
    follow: FollowOptions,
    cluster: ClusterOptions,
    *,
    replan: bool,
    container: str | None = None,
) -> tuple[Options, Settings, Preset]:
    """What was typed, or what an earlier run was started with."""
    options = typed if before is None else typed.continued(before, replan=replan)
    settings = settings_from(
        options.machine, follow, parallel=options.which.parallel, **network_settings(cluster)
    )
    if before is None or replan:
        return options, settings, preset_from(options.result, settings, container=container)
    return options, settings, preset_before(before)


def _run(request: BatchRequest, display: DisplayOptions, *, dry_run: bool) -> int:
    if request.settings.cluster is not None:
        expect_dask()
    if dry_run:
        return anyio.run(preview, request, show_line)
    interfaces = [_interface(display)]
    if display.log_file is not None:
        printer = LogFilePrinter(display.log_file)
        interfaces.append(functools.partial(_log, printer))
    return anyio.run(run_batch, request, interfaces, followers(request))


def _notes(machine: MachineOptions) -> tuple[str, ...]:
    if machine.skip_maxine:
        return ("--skip-maxine changes nothing: NVIDIA Maxine is never used",)
    return ()


def _interface(display: DisplayOptions) -> Interface:
    """The terminal interface where there is a terminal, lines otherwise."""
    if display.quiet and (display.json or display.verbose):
        other = "--json" if display.json else "--verbose"
        raise UsageError(f"--quiet says nothing, and {other} says more", fix="leave one of them out")
    # Textual draws on stderr, and reads keys from stdin.
    terminal = all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr))
    if display.json or display.no_tui or display.quiet or not terminal:
        return functools.partial(_print, display)
    return _show


async def _print(display: DisplayOptions, session: Session, mailbox: Mailbox) -> None:
    printer = stdout_printer(session.state, json=display.json, verbose=display.verbose, quiet=display.quiet)
    await print_events(mailbox, printer)


async def _log(printer: LogFilePrinter, _session: Session, mailbox: Mailbox) -> None:
    await print_events(mailbox, printer)


async def _show(session: Session, mailbox: Mailbox) -> None:
    from vhsbatch.tui.app import BatchApp
    from vhsbatch.tui.terminal import forgiving_terminal

    with forgiving_terminal():
        await BatchApp(session.state, mailbox, session).run_async()
    # The interface leaves no trace on the terminal; the result stays. If it broke down, the batch goes
    # on, and the rest is told in lines.
    await print_events(mailbox, stdout_printer(session.state, json=False, verbose=False))
