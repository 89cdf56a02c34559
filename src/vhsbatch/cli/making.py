"""Commands that make videos: words into values. Everything heavy is imported inside them."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from vhsbatch.cli.app import app
from vhsbatch.cli.completion import preset_lists
from vhsbatch.cli.options import (
    ClusterOptions,
    DisplayOptions,
    FolderOptions,
    IntegrationOptions,
    MachineOptions,
    ResultOptions,
)

_NO_RESULT = ResultOptions()
_NO_MACHINE = MachineOptions()
_NO_DISPLAY = DisplayOptions()
_NO_FOLDER = FolderOptions()
_NO_CLUSTER = ClusterOptions()
_NO_INTEGRATIONS = IntegrationOptions()


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
    integration: IntegrationOptions = _NO_INTEGRATIONS,
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
        integration: What follows.
    """
    from vhsbatch.cli.restore import restore_folder

    return restore_folder(
        input_folder,
        output_folder,
        which=which,
        result=result,
        machine=machine,
        cluster=cluster,
        display=display,
        integration=integration,
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
    integration: IntegrationOptions = _NO_INTEGRATIONS,
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
        integration: What follows.
    """
    from vhsbatch.cli.watch import watch_folder

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
        integration=integration,
    )


@app.command
def upscale(
    video: Path,
    /,
    *,
    output: Annotated[Path, Parameter(name=["--output", "-o"])],
    resume: bool = False,
    overwrite: bool = False,
    from_results: bool = False,
    result: ResultOptions = _NO_RESULT,
    machine: MachineOptions = _NO_MACHINE,
    cluster: ClusterOptions = _NO_CLUSTER,
    display: DisplayOptions = _NO_DISPLAY,
    integration: IntegrationOptions = _NO_INTEGRATIONS,
) -> int:
    """Restore one video.

    Args:
        video: The capture. It is never changed.
        output: The result: a file, or a folder in which it gets its usual name.
        resume: Continue an interrupted run; finished segments are not made again.
        overwrite: Make the result again, and replace a file of its name that this program did not make.
        from_results: Take the video although it is a result itself.
        result: What comes out.
        machine: How it is made.
        cluster: Other machines that help.
        display: What is shown.
        integration: What follows.
    """
    from vhsbatch.cli.restore import restore_video

    return restore_video(
        video,
        output,
        resume=resume,
        overwrite=overwrite,
        from_results=from_results,
        result=result,
        machine=machine,
        cluster=cluster,
        display=display,
        integration=integration,
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
    overwrite: bool = False,
    from_results: bool = False,
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
        overwrite: Replace files of the comparisons' names that this program did not make.
        from_results: Take the video although it is a result itself.
        machine: How it is made.
        verbose: Show the commands that are run, and stack traces.
    """
    from vhsbatch.cli.test_presets import compare_presets

    return compare_presets(
        video,
        output,
        presets=presets,
        clip_count=clip_count if clip_count is not None else 3 if multi_clip else 1,
        duration_s=duration,
        start_s=start,
        resolution=resolution,
        overwrite=overwrite,
        from_results=from_results,
        machine=machine,
        verbose=verbose,
    )
