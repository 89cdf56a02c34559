"""`batch` and `upscale`."""

import dataclasses
import functools
from collections.abc import Callable, Mapping
from pathlib import Path

from vhsbatch.batch.captures import refuse_result
from vhsbatch.batch.ledger import read_ledger
from vhsbatch.batch.ordering import priorities
from vhsbatch.batch.request import (
    BatchRequest,
    Chosen,
    container_of,
    in_the_way,
    job_of_video,
    jobs_of_folder,
    refuse_what_is_in_the_way,
)
from vhsbatch.batch.run import run_batch
from vhsbatch.cli.cluster import expect_cluster
from vhsbatch.cli.configure import (
    detectable_presets,
    network_settings,
    preset_from,
    preset_named,
    settings_from,
)
from vhsbatch.cli.display import interfaces
from vhsbatch.cli.dry_run import preview
from vhsbatch.cli.integrations import check_integrations, integrations
from vhsbatch.cli.options import (
    ClusterOptions,
    DisplayOptions,
    FolderOptions,
    IntegrationOptions,
    MachineOptions,
    ResultOptions,
)
from vhsbatch.cli.resume import Options, options_before, preset_before
from vhsbatch.config.presets import Preset
from vhsbatch.config.settings import Settings
from vhsbatch.errors import UsageError
from vhsbatch.model.source_overrides import source_overrides
from vhsbatch.process.stop_signals import run_until_stopped
from vhsbatch.restore.ownership import Rules
from vhsbatch.restore.per_video import Overrides
from vhsbatch.ui.text import show_line


def restore_folder(
    typed_input: str,
    typed_output: str,
    *,
    which: FolderOptions,
    result: ResultOptions,
    machine: MachineOptions,
    cluster: ClusterOptions,
    display: DisplayOptions,
    integration: IntegrationOptions,
) -> int:
    """Restore a folder; the exit code."""
    input_folder, output_folder = Path(typed_input), Path(typed_output)
    if which.replan and not which.resume:
        raise UsageError("--replan says how to go on, and nothing says that", fix="add --resume")
    if which.max_count is not None and which.max_count < 1:
        raise UsageError(f"--max-count {which.max_count} leaves nothing to do", fix="give 1 or more")
    rules = rules_of(which, machine)
    typed = Options(which, result, machine)
    before = options_before(output_folder, input_folder) if which.resume else None
    options, settings, preset = _decide(typed, before, integration, cluster, replan=which.replan)
    chosen = jobs_of_folder(
        input_folder,
        preset,
        read_ledger(output_folder.resolve()),
        pattern=options.which.pattern,
        recursive=options.which.recursive,
        suffix=options.which.suffix,
        max_count=options.which.max_count,
        order=options.which.order,
        by=priorities(options.which.priority),
        rules=rules,
    )
    refuse_what_is_in_the_way(chosen)
    request = request_for(
        chosen,
        rules,
        typed_input=typed_input,
        typed_output=typed_output,
        folder=output_folder.resolve(),
        options=options,
        settings=settings,
        preset=preset,
        verbose=display.verbose,
    )
    expect_parts(settings, cluster, request.preset, request.preset_named)
    if which.dry_run:
        return run_until_stopped(preview, request, show_line)
    return run_until_stopped(run_batch, request, interfaces(display), integrations(request))


def restore_video(
    video: Path,
    output: Path,
    *,
    resume: bool,
    overwrite: bool,
    from_results: bool,
    result: ResultOptions,
    machine: MachineOptions,
    cluster: ClusterOptions,
    display: DisplayOptions,
    integration: IntegrationOptions,
) -> int:
    """Restore one video; the exit code."""
    typed = Options(FolderOptions(), result, machine)
    folder = output if output.is_dir() or not output.suffix else output.parent
    before = options_before(folder, video) if resume else None
    options, settings, preset = _decide(
        typed, before, integration, cluster, replan=False, container=container_of(output)
    )
    rules = Rules(
        overwrite=overwrite, resume=resume, records=not machine.no_record, from_results=from_results
    )
    job = job_of_video(video, output, preset)
    if not rules.from_results:
        refuse_result(video.resolve())
    chosen = Chosen((job,), in_the_way([job], read_ledger(job.output.parent), rules))
    refuse_what_is_in_the_way(chosen)
    # Its segments are shared out among all lanes.
    request = request_for(
        chosen,
        rules,
        typed_input=str(video),
        typed_output=str(output),
        folder=job.output.parent,
        options=dataclasses.replace(options, which=dataclasses.replace(options.which, resume=resume)),
        settings=settings,
        preset=preset,
        verbose=display.verbose,
    )
    expect_parts(settings, cluster, request.preset, request.preset_named)
    return run_until_stopped(run_batch, request, interfaces(display), integrations(request, report=False))


def rules_of(which: FolderOptions, machine: MachineOptions) -> Rules:
    """What is left alone and what may be replaced.

    Raises:
        UsageError: two options contradict each other.
    """
    if which.skip_existing and which.overwrite:
        raise UsageError(
            "--skip-existing keeps results, and --overwrite makes them again", fix="leave one of them out"
        )
    return Rules(
        overwrite=which.overwrite,
        skip_existing=which.skip_existing,
        resume=which.resume,
        records=not machine.no_record,
        from_results=which.from_results,
    )


def request_for(
    chosen: Chosen,
    rules: Rules,
    *,
    typed_input: str,
    typed_output: str,
    folder: Path,
    options: Options,
    settings: Settings,
    preset: Preset,
    verbose: bool,
) -> BatchRequest:
    """What is asked for, from what was typed and decided."""
    which, result, machine = options.which, options.result, options.machine
    return BatchRequest(
        input=typed_input,
        output=typed_output,
        jobs=chosen.jobs,
        in_the_way=chosen.in_the_way,
        rules=rules,
        folder=folder,
        preset=preset,
        settings=settings,
        options=options.remembered(Path(typed_input), preset, settings),
        resume=which.resume,
        detectable=detectable_presets(result, settings, preset),
        source_overrides=source_overrides(result.aspect, result.field_order, result.telecine),
        preset_named=functools.partial(preset_named, result=result, settings=settings, base=preset),
        allow_truncated=result.allow_truncated,
        max_damage_percent=result.max_damage,
        drain=machine.drain,
        verbose=verbose,
        notes=(*_notes(machine), *chosen.notes),
    )


def _decide(
    typed: Options,
    before: Mapping[str, str] | None,
    integration: IntegrationOptions,
    cluster: ClusterOptions,
    *,
    replan: bool,
    container: str | None = None,
) -> tuple[Options, Settings, Preset]:
    """What was typed, or what an earlier run was started with."""
    options = typed if before is None else typed.continued(before, replan=replan)
    settings = settings_from(
        options.machine, integration, parallel=options.which.parallel, **network_settings(cluster)
    )
    if before is None or replan:
        return options, settings, preset_from(options.result, settings, container=container)
    return options, settings, preset_before(before)


def expect_parts(
    settings: Settings, cluster: ClusterOptions, preset: Preset, named: Callable[[str], Preset]
) -> None:
    """Find out whether what the settings ask for is installed and can work.

    Args:
        settings: what was decided.
        cluster: what was typed of a cluster.
        preset: the run's.
        named: gives the preset of a name, as the run would use it.

    Raises:
        UsageError: a table for single videos is wrong, or a command or an address cannot work.
        ToolError: a package is missing.
    """
    Overrides(tables=settings.files, preset_named=named).check(preset)
    if settings.cluster is not None:
        expect_cluster(settings)
    elif (option := _typed_of(cluster)) is not None:
        raise UsageError(f"{option} is a cluster's, and there is none", fix="add --cluster, or leave it out")
    check_integrations(settings)


def _typed_of(cluster: ClusterOptions) -> str | None:
    """An option of a cluster that was typed."""
    typed = (field.name for field in dataclasses.fields(cluster) if getattr(cluster, field.name))
    return next((f"--{name.replace('_', '-')}" for name in typed), None)


def _notes(machine: MachineOptions) -> tuple[str, ...]:
    if machine.skip_maxine:
        return ("--skip-maxine changes nothing: NVIDIA Maxine is never used",)
    return ()
