"""From typed options to checked settings, a preset and a request: the same for every command."""

import functools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from vhsbatch.analysis.autodetect import AutoDetect
from vhsbatch.batch.request import BatchRequest, Chosen
from vhsbatch.cli.integrations import check_integrations
from vhsbatch.cli.options import (
    BatchOptions,
    ClusterOptions,
    FolderOptions,
    MachineOptions,
    ResultOptions,
    flags_of_preset_keys,
    typed,
    typed_preset_keys,
    typed_settings,
)
from vhsbatch.cli.resume import continued, preset_before, remembered
from vhsbatch.cluster.availability import expect_cluster
from vhsbatch.config.preset_files import find_preset, load_presets
from vhsbatch.config.presets import Preset, override
from vhsbatch.config.settings import Settings
from vhsbatch.config.sources import load_settings, preset_paths
from vhsbatch.engines.models import expect_model
from vhsbatch.errors import UsageError
from vhsbatch.model.source_overrides import source_overrides
from vhsbatch.model.trim import trim_of
from vhsbatch.restore.ownership import Rules
from vhsbatch.restore.per_video import Overrides

DEFAULT_PRESET = "vhs"
_OF_THE_MODEL = ("model", "device", "gpus", "slots_per_gpu", "runtime")


def settings_from(machine: MachineOptions, *groups: Any, **others: object) -> Settings:
    """The settings; what was typed wins.

    Args:
        machine: what was typed.
        groups: more options that were typed.
        others: settings that a command has options of its own for; None where they were not typed.

    Raises:
        UsageError: a value is wrong; the message says where it came from.
    """
    options = typed_settings(machine, *groups) | others
    for option, value in typed(machine):
        if machine.engine == "ffmpeg" and option.name in _OF_THE_MODEL and value != "auto":
            raise UsageError(
                f"{option.flag} {value} is for the model, and --engine ffmpeg uses no model",
                fix="leave one of them out",
            )
    if machine.model is not None:
        expect_model(str(machine.model))
        # Whoever names a model wants it used.
        options["engine"] = "realesrgan"
    return load_settings(options, config_file=machine.config)


def preset_from(result: ResultOptions, settings: Settings, *, container: str | None = None) -> Preset:
    """The named preset, with what was typed in its place.

    Args:
        result: what was typed.
        settings: where presets are.
        container: the one that the output's name asks for.

    Raises:
        UsageError: there is no such preset, or a value does not fit it.
    """
    if result.auto_detect and result.preset is not None:
        raise UsageError(
            f"--auto-detect chooses the preset, but --preset names {result.preset}",
            fix="leave one of them out",
        )
    preset = find_preset(load_presets(preset_paths(settings)), result.preset or DEFAULT_PRESET)
    changes = typed_preset_keys(result)
    if container is not None:
        changes["container"] = container
    return override(preset, changes, options=flags_of_preset_keys())


def decide(
    options: BatchOptions,
    before: Mapping[str, str] | None,
    *,
    replan: bool,
    container: str | None = None,
) -> tuple[BatchOptions, Settings, Preset]:
    """What was typed, or what an earlier run was started with.

    Args:
        options: what was typed.
        before: what the earlier run was started with; None if there is none to continue.
        replan: whether what was typed wins.
        container: the one that the output's name asks for.

    Raises:
        UsageError: a value is wrong, or differs from the earlier run's.
    """
    if before is not None:
        options = continued(options, before, replan=replan)
    settings = settings_from(options.machine, options.which, options.cluster, options.integration)
    if before is None or replan:
        return options, settings, preset_from(options.result, settings, container=container)
    return options, settings, preset_before(before)


def _preset_named(name: str, result: ResultOptions, settings: Settings, base: Preset) -> Preset:
    """The preset for a single video, in the size and the container of the run's `base`.

    Raises:
        UsageError: there is none, or a value that was typed does not fit it.
    """
    return _as_of_the_run(find_preset(load_presets(preset_paths(settings)), name), result, base)


def preset_finder(result: ResultOptions, settings: Settings, base: Preset) -> Callable[[str], Preset]:
    """Gives the preset of a name, as a run with the preset `base` uses it."""
    return functools.partial(_preset_named, result=result, settings=settings, base=base)


def _as_of_the_run(preset: Preset, result: ResultOptions, base: Preset) -> Preset:
    """A preset with what was typed. Results are named early: their size and container are `base`'s."""
    changes = typed_preset_keys(result) | {
        "target_height": base.target_height,
        "video.encoder": base.video.encoder,
        "container": base.container,
    }
    return override(preset, changes, options=flags_of_preset_keys())


def _auto_detect(result: ResultOptions, settings: Settings, base: Preset) -> AutoDetect | None:
    """What chooses a preset for each source; None where the user chose one for all."""
    if result.preset is not None:
        return None
    # A picture says nothing about the sound.
    sound = {"audio.highpass_hz": base.audio.highpass_hz, "audio.denoise_db": base.audio.denoise_db}
    presets = load_presets(preset_paths(settings))
    return AutoDetect(
        {
            name: override(_as_of_the_run(one, result, base), sound, options={})
            for name, one in presets.items()
        },
        adapts=result.auto_detect,
    )


def rules_of(which: FolderOptions, machine: MachineOptions) -> Rules:
    """What is left alone and what may be replaced.

    Raises:
        UsageError: two options contradict each other.
    """
    if which.skip_existing and which.overwrite:
        raise UsageError(
            "--skip-existing keeps results, but --overwrite makes them again", fix="leave one of them out"
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
    options: BatchOptions,
    settings: Settings,
    preset: Preset,
) -> BatchRequest:
    """What is asked for, from what was typed and decided.

    Raises:
        UsageError: a value that was typed does not fit a preset that may be used.
    """
    result, trim, machine = options.result, options.trim, options.machine
    return BatchRequest(
        input=typed_input,
        output=typed_output,
        jobs=chosen.jobs,
        in_the_way=chosen.in_the_way,
        rules=rules,
        folder=folder,
        preset=preset,
        settings=settings,
        options=remembered(options, Path(typed_input), preset, settings),
        resume=options.which.resume,
        auto_detect=_auto_detect(result, settings, preset),
        source_overrides=source_overrides(
            result.aspect, result.field_order, result.telecine, trim=trim_of(trim.from_, trim.to)
        ),
        preset_named=preset_finder(result, settings, preset),
        allow_truncated=result.allow_truncated,
        max_damage_percent=result.max_damage,
        drain=machine.drain,
        verbose=options.display.verbose,
        notes=(*_notes(machine), *chosen.notes, *chosen.lacking_notes),
    )


def expect_parts(
    settings: Settings, cluster: ClusterOptions, preset: Preset, named: Callable[[str], Preset]
) -> None:
    """Find out whether everything that the settings ask for is installed and can work.

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
    else:
        for option, _ in typed(cluster):
            raise UsageError(
                f"{option.flag} needs a cluster, and none is set", fix="add --cluster, or leave it out"
            )
    check_integrations(settings)


def _notes(machine: MachineOptions) -> tuple[str, ...]:
    if machine.skip_maxine:
        return ("--skip-maxine has no effect: NVIDIA Maxine is never used",)
    return ()
