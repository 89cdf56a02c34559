"""From typed options to checked settings and a preset: the same for every command."""

from vhsbatch.cli.options import (
    ClusterOptions,
    IntegrationOptions,
    MachineOptions,
    NetworkOptions,
    ResultOptions,
)
from vhsbatch.config.preset_files import find_preset, load_presets
from vhsbatch.config.presets import Preset, override
from vhsbatch.config.settings import Settings
from vhsbatch.config.sources import load_settings, preset_paths
from vhsbatch.engines.models import user_model
from vhsbatch.errors import UsageError

DEFAULT_PRESET = "vhs"


def settings_from(
    machine: MachineOptions, integration: IntegrationOptions | None = None, **typed: object
) -> Settings:
    """The settings, of which whatever was typed wins.

    Raises:
        UsageError: a value is wrong; the message says where it came from.
    """
    engine, integration = machine.engine, integration or IntegrationOptions()
    for option in ("model", "device", "gpus", "slots_per_gpu", "runtime"):
        value = getattr(machine, option)
        if engine == "ffmpeg" and value not in (None, "auto"):
            raise UsageError(
                f"--{option.replace('_', '-')} {value} is the network's, and --engine ffmpeg uses none"
            )
    if machine.model is not None:
        user_model(machine.model)
        # Whoever brings a network of their own wants it used.
        engine = "realesrgan"
    options = {
        "engine": engine,
        "device": machine.device,
        "gpus": machine.gpus,
        "slots_per_gpu": machine.slots_per_gpu,
        "runtime": machine.runtime,
        "model": machine.model,
        "vapoursynth_python": machine.vapoursynth_python,
        "temp_dir": machine.temp_dir,
        "keep_temp": machine.keep_temp,
        "nice": machine.nice,
        "retries": machine.retries,
        "max_pixels": machine.max_pixels,
        "report": False if integration.no_report else None,
        "on_video": integration.on_video,
        "on_batch": integration.on_batch,
        "notify": integration.notify or None,
        "notify_on": integration.notify_on,
        **typed,
    }
    return load_settings(options, config_file=machine.config)


def network_settings(network: NetworkOptions) -> dict[str, object]:
    """What was typed of a cluster, by setting."""
    return {
        "map_path": network.map_path,
        "tls": network.tls,
        "tls_ca": network.tls_ca,
        "tls_cert": network.tls_cert,
        "tls_key": network.tls_key,
        "insecure": network.insecure or None,
        **({"cluster": network.cluster} if isinstance(network, ClusterOptions) else {}),
    }


def preset_from(result: ResultOptions, settings: Settings, *, container: str | None = None) -> Preset:
    """The preset that was named, with what was typed in its place.

    Args:
        result: what was typed.
        settings: where presets are.
        container: the one that the output's name asks for.

    Raises:
        UsageError: there is no such preset, or a value does not fit it.
    """
    if result.auto_detect and result.preset is not None:
        raise UsageError(
            f"--auto-detect chooses the preset, and --preset {result.preset} names one",
            fix="leave one of them out",
        )
    preset = find_preset(load_presets(preset_paths(settings)), result.preset or DEFAULT_PRESET)
    return override(
        preset,
        height=result.resolution,
        quality=result.crf,
        encoder=result.encoder,
        container=container,
        fix_drift=result.fix_drift,
        keep_sar=result.keep_sar,
        pad=result.pad,
        deinterlace=result.deinterlace,
        vfr=result.vfr,
        dropouts=result.dropouts,
    )


def detectable_presets(result: ResultOptions, settings: Settings, base: Preset) -> dict[str, Preset] | None:
    """What `--auto-detect` chooses from; None where it was not asked for.

    Results are named before anything is analysed, so their size and container are `base`'s.

    Raises:
        UsageError: a value that was typed does not fit one of them.
    """
    if not result.auto_detect:
        return None
    presets = load_presets(preset_paths(settings))
    return {name: _as_of_the_run(preset, result, base) for name, preset in presets.items()}


def preset_named(name: str, result: ResultOptions, settings: Settings, base: Preset) -> Preset:
    """The preset that is named for a single video, in the size and the container of the run's `base`.

    Raises:
        UsageError: there is none, or a value that was typed does not fit it.
    """
    return _as_of_the_run(find_preset(load_presets(preset_paths(settings)), name), result, base)


def _as_of_the_run(preset: Preset, result: ResultOptions, base: Preset) -> Preset:
    return override(
        preset,
        height=base.target_height,
        quality=result.crf,
        encoder=base.video.encoder,
        container=base.container,
        fix_drift=result.fix_drift,
        keep_sar=result.keep_sar,
        pad=result.pad,
        deinterlace=result.deinterlace,
        vfr=result.vfr,
        dropouts=result.dropouts,
    )
