"""The command line: words into values. Everything heavy is imported inside the commands."""

import contextlib
import io
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from cyclopts import App, CycloptsError, Parameter

from vhsbatch import __version__
from vhsbatch.completion import Shell, preset_lists, preset_names
from vhsbatch.errors import VhsBatchError
from vhsbatch.mistakes import mistake
from vhsbatch.options import (
    ClusterOptions,
    DisplayOptions,
    FolderOptions,
    FollowOptions,
    MachineOptions,
    NetworkOptions,
    ResultOptions,
)
from vhsbatch.wording import plain

app = App(
    name="vhs-upscale",
    help="Digitised VHS tapes in, restored, upscaled and verified masters out.",
    version=__version__,
    help_format="plaintext",
    default_parameter=Parameter(negative=(), show_default=False),
)
config_app = App(name="config", help="Show the configuration.")
app.command(config_app)

_NO_RESULT = ResultOptions()
_NO_MACHINE = MachineOptions()
_NO_DISPLAY = DisplayOptions()
_NO_FOLDER = FolderOptions()
_NO_CLUSTER = ClusterOptions()
_NO_NETWORK = NetworkOptions()
_NO_FOLLOW = FollowOptions()


@app.command
def batch(
    input_folder: str,
    output_folder: str,
    /,
    *,
    which: FolderOptions = _NO_FOLDER,
    result: ResultOptions = _NO_RESULT,
    machine: MachineOptions = _NO_MACHINE,
    cluster: ClusterOptions = _NO_CLUSTER,
    display: DisplayOptions = _NO_DISPLAY,
    follow: FollowOptions = _NO_FOLLOW,
) -> int:
    """Restore every video of a folder.

    Args:
        input_folder: Folder of captures. Nothing in it is ever changed.
        output_folder: Folder for the results; it is created if need be.
        which: Which videos.
        result: What comes out.
        machine: How it is made.
        cluster: Other machines that help.
        display: What is shown.
        follow: What follows.
    """
    from vhsbatch.commands.restore import restore_folder

    return restore_folder(
        input_folder,
        output_folder,
        which=which,
        result=result,
        machine=machine,
        cluster=cluster,
        display=display,
        follow=follow,
    )


@app.command
def watch(
    input_folder: str,
    output_folder: str,
    /,
    *,
    settle: float = 10.0,
    poll: float | None = None,
    which: FolderOptions = _NO_FOLDER,
    result: ResultOptions = _NO_RESULT,
    machine: MachineOptions = _NO_MACHINE,
    cluster: ClusterOptions = _NO_CLUSTER,
    display: DisplayOptions = _NO_DISPLAY,
    follow: FollowOptions = _NO_FOLLOW,
) -> int:
    """Restore the videos of a folder as they arrive, until Ctrl-C.

    Args:
        input_folder: Folder of captures. Nothing in it is ever changed.
        output_folder: Folder for the results; it is created if need be.
        settle: Take a file when it has not changed for so many seconds. [default: 10]
        poll: Look at the folder every so many seconds; for network shares, which do not say what changes.
        which: Which videos.
        result: What comes out.
        machine: How it is made.
        cluster: Other machines that help.
        display: What is shown.
        follow: What follows.
    """
    from vhsbatch.commands.watch import watch_folder

    return watch_folder(
        input_folder,
        output_folder,
        settle_s=settle,
        poll_s=poll,
        which=which,
        result=result,
        machine=machine,
        cluster=cluster,
        display=display,
        follow=follow,
    )


@app.command
def upscale(
    video: Path,
    /,
    *,
    output: Annotated[Path, Parameter(name=["--output", "-o"])],
    resume: bool = False,
    result: ResultOptions = _NO_RESULT,
    machine: MachineOptions = _NO_MACHINE,
    cluster: ClusterOptions = _NO_CLUSTER,
    display: DisplayOptions = _NO_DISPLAY,
    follow: FollowOptions = _NO_FOLLOW,
) -> int:
    """Restore one video.

    Args:
        video: The capture. It is never changed.
        output: The result: a file, or a folder in which it gets its usual name.
        resume: Continue an interrupted run; finished segments are not made again.
        result: What comes out.
        machine: How it is made.
        cluster: Other machines that help.
        display: What is shown.
        follow: What follows.
    """
    from vhsbatch.commands.restore import restore_video

    return restore_video(
        video,
        output,
        resume=resume,
        result=result,
        machine=machine,
        cluster=cluster,
        display=display,
        follow=follow,
    )


@app.command(name="test-presets")
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
    machine: MachineOptions = _NO_MACHINE,
    verbose: bool = False,
) -> int:
    """Compare presets on clips of one video, side by side.

    Args:
        video: The capture. It is never changed.
        output: Folder for the clips, the comparison videos and the contact sheets.
        presets: Names of presets, separated by commas.
        multi_clip: Take clips from several places of the tape instead of one.
        clip_count: How many places; implies --multi-clip. [default: 3]
        duration: Length of each clip in seconds.
        start: Where the first clip begins, in seconds.
        resolution: Lines of the picture instead of the presets' own.
        machine: How it is made.
        verbose: Show the commands that are run, and stack traces.
    """
    from vhsbatch.commands.compare import compare_presets

    return compare_presets(
        video,
        output,
        presets=presets,
        clip_count=clip_count if clip_count is not None else 3 if multi_clip else 1,
        duration_s=duration,
        start_s=start,
        resolution=resolution,
        machine=machine,
        verbose=verbose,
    )


@app.command
def analyze(video: Path, /, *, json: bool = False, config: Path | None = None) -> int:
    """Say what a video is: fields, shape, colours, noise, sound, and which preset suits it.

    Args:
        video: The capture. It is never changed.
        json: Print one JSON object.
        config: Configuration file, instead of ./vhsbatch.toml and the user's own.
    """
    from vhsbatch.commands.analyze import analyze_video

    return analyze_video(video, json=json, config=config)


@app.command
def verify(output_folder: Path, /, *, config: Path | None = None) -> int:
    """Prove once more that the results in a folder are what their records say.

    Args:
        output_folder: Folder of results.
        config: Configuration file, instead of ./vhsbatch.toml and the user's own.
    """
    from vhsbatch.commands.history import verify_results

    return verify_results(output_folder, config)


@app.command
def log(output_folder: Path, /) -> int:
    """Show what happened in an output folder, run by run.

    Args:
        output_folder: Folder of results.
    """
    from vhsbatch.commands.history import show_log

    return show_log(output_folder)


@app.command
def attach(output_folder: Path, /, *, read_only: bool = False) -> int:
    """Show the batch that runs into a folder, in another terminal or on another machine, or the last one.

    Args:
        output_folder: Folder of results.
        read_only: Look, and change nothing.
    """
    from vhsbatch.commands.attach import attach_to

    return attach_to(output_folder, read_only=read_only)


@app.command
def serve(
    output_folder: Path,
    /,
    *,
    host: str = "127.0.0.1",
    port: int = 8765,
    control: bool = False,
    token_file: Path | None = None,
    public_url: str | None = None,
    tabs: int = 8,
    open: bool = False,  # noqa: A002
) -> int:
    """Show the batch that runs into a folder, or the last one, as a page for browsers.

    Args:
        output_folder: Folder of results.
        host: The address to listen at; beyond this machine the page travels unencrypted. [default: 127.0.0.1]
        port: The port; 0 takes a free one. [default: 8765]
        control: Let browsers steer the batch too, instead of looking alone.
        token_file: Keep the token, which browsers need, in this file, instead of making one each time.
        public_url: The page's address where a proxy stands before it, for example https://tapes.example.org/.
        tabs: How many browser tabs may look at the same time. [default: 8]
        open: Open the page in a browser.
    """
    from vhsbatch.commands.serve import ServeOptions, serve_folder

    return serve_folder(
        output_folder,
        ServeOptions(
            host=host,
            port=port,
            control=control,
            token_file=token_file,
            public_url=public_url,
            tabs=tabs,
            open=open,
        ),
    )


@app.command
def presets(
    name: Annotated[str | None, Parameter(completer=preset_names)] = None, /, *, config: Path | None = None
) -> int:
    """List the presets, or show one with all of its keys.

    Args:
        name: The preset to show.
        config: Configuration file, instead of ./vhsbatch.toml and the user's own.
    """
    from vhsbatch.commands.show import show_presets

    return show_presets(name, config)


@app.command
def scheduler(
    address: str = "tcp://127.0.0.1:8786",
    /,
    *,
    network: NetworkOptions = _NO_NETWORK,
    config: Path | None = None,
) -> int:
    """Run the scheduler of a cluster, where its machines and batches meet.

    Args:
        address: Where to listen: 'tls://0.0.0.0' for all of a network.
        network: Whom it lets in.
        config: Configuration file, instead of ./vhsbatch.toml and the user's own.
    """
    from vhsbatch.commands.cluster import run_scheduler

    return run_scheduler(address, network=network, config=config)


@app.command
def worker(
    address: str,
    /,
    *,
    parallel: str | None = None,
    name: str | None = None,
    machine: MachineOptions = _NO_MACHINE,
    network: NetworkOptions = _NO_NETWORK,
) -> int:
    """Help the batches of a cluster with this machine, until it is stopped.

    Args:
        address: The cluster's scheduler: 'tcp://HOST:8786' or 'tls://HOST:8786'.
        parallel: How many segments are made at the same time: a number, or 'auto'.
        name: What this machine is called, instead of its host's name.
        machine: How it is made.
        network: How machines find each other, and whom they let in.
    """
    from vhsbatch.commands.cluster import run_worker

    return run_worker(address, parallel=parallel, name=name, machine=machine, network=network)


@app.command
def completion(shell: Shell, /) -> int:
    """Print a script with which a shell completes commands, options and the names of presets.

    Args:
        shell: Which shell.
    """
    sys.stdout.write(app.generate_completion(shell=shell))
    return 0


@app.command
def doctor(*, config: Path | None = None) -> int:
    """Say what works on this machine, what does not, and how to mend it.

    Args:
        config: Configuration file, instead of ./vhsbatch.toml and the user's own.
    """
    from vhsbatch.commands.show import show_doctor

    return show_doctor(config)


@config_app.command
def show(*, config: Path | None = None) -> int:
    """Show each setting and where it comes from.

    Args:
        config: Configuration file, instead of ./vhsbatch.toml and the user's own.
    """
    from vhsbatch.commands.show import show_config

    return show_config(config)


def main(arguments: Sequence[str] | None = None) -> None:
    """The program: runs a command and exits with its exit code. Every error becomes one line here."""
    _open_closed_streams()
    code = run(sys.argv[1:] if arguments is None else arguments)
    try:
        sys.stdout.flush()
    except OSError as error:
        code = code or _unwritable(error)
    sys.exit(code)


def run(arguments: Sequence[str]) -> int:
    """Run a command; its exit code."""
    # A backslash with a space behind it, as in pasted examples, leaves an argument of one space.
    words = [word for word in arguments if word == "" or not word.isspace()]
    try:
        result = app(words, exit_on_error=False, print_error=False, result_action="return_value")
    except CycloptsError as error:
        return _refuse(mistake(error), 2)
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except Exception as error:
        if "--verbose" in words:
            traceback.print_exc()
        return _failed(error)
    return result if isinstance(result, int) else 0


def _open_closed_streams() -> None:
    """Give a program that was started without a standard stream one that leads nowhere.

    The next file that is opened would get its number, and what is printed would go into that.
    """
    for descriptor, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(descriptor)
        except OSError:
            # The lowest number that is free is given out: this one.
            os.open(os.devnull, os.O_RDWR)
            setattr(sys, name, open(descriptor, "r" if descriptor == 0 else "w", encoding="utf-8"))  # noqa: PTH123, SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # Not every terminal has every letter; what it has not is written as an escape.
            stream.reconfigure(errors="backslashreplace")


def _failed(error: Exception) -> int:
    while isinstance(error, ExceptionGroup):  # a task group speaks of all that failed in it
        error = error.exceptions[0]
    match error:
        case VhsBatchError():
            return _refuse(str(error), error.exit_code)
        case BrokenPipeError():
            return _unwritable(error)
        case OSError() if error.filename is not None and error.strerror is not None:
            fix = (
                " (change its permissions, or run as its owner)" if isinstance(error, PermissionError) else ""
            )
            return _refuse(f"{os.fsdecode(error.filename)}: {error.strerror}{fix}", 1)
        case _:
            from vhsbatch.defects import defect_in_a_line

            return _refuse(defect_in_a_line(error), 1)


def _unwritable(error: OSError) -> int:
    """Nothing more can be printed, and the interpreter must not try again on its way out."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if isinstance(error, BrokenPipeError):  # whoever read the output has gone
        return 128 + signal.SIGPIPE
    return _refuse(f"cannot print: {error.strerror} (give standard output another place)", 1)


def _refuse(cause: str, exit_code: int) -> int:
    with contextlib.suppress(OSError):
        sys.stderr.write(f"vhs-upscale: {plain(cause)}\n")
        sys.stderr.flush()
    return exit_code


if __name__ == "__main__":
    main()
