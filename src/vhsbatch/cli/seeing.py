"""Commands that show something. Everything heavy is imported inside them."""

import sys
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from vhsbatch.cli.app import app, config_app
from vhsbatch.cli.completion import IN_ZSH, Shell, preset_names, videos_to_steer
from vhsbatch.cli.options import ClusterOptions

_NO_CLUSTER = ClusterOptions()


@app.command
def analyze(video: Path, /, *, json: bool = False, config: Path | None = None) -> int:
    """Say what a video is: fields, shape, colours, noise, sound, and which preset suits it.

    Args:
        video: The capture. It is never changed.
        json: Print one JSON object.
        config: Configuration file, instead of ./vhsbatch.toml and the user's own.
    """
    from vhsbatch.cli.analyze import analyze_video

    return analyze_video(video, json=json, config=config)


@app.command
def verify(output_folder: Path, /, *, config: Path | None = None) -> int:
    """Prove once more that the results in a folder are what their records say.

    Args:
        output_folder: Folder of results.
        config: Configuration file, instead of ./vhsbatch.toml and the user's own.
    """
    from vhsbatch.cli.history import verify_results

    return verify_results(output_folder, config)


@app.command
def log(output_folder: Path, /) -> int:
    """Show what happened in an output folder, run by run.

    Args:
        output_folder: Folder of results.
    """
    from vhsbatch.cli.history import show_log

    return show_log(output_folder)


@app.command
def attach(output_folder: Path, /, *, read_only: bool = False, plain: bool = False) -> int:
    """Show the batch that runs into a folder, in another terminal or on another machine, or the last one.

    Args:
        output_folder: Folder of results.
        read_only: Look, and change nothing.
        plain: Print sentences for a screen reader until it ends, instead of drawing; 'steer' changes things.
    """
    from vhsbatch.cli.attach import attach_to, read_out

    return read_out(output_folder) if plain else attach_to(output_folder, read_only=read_only)


@app.command
def steer(
    output_folder: Path,
    what: Literal[
        "pause", "resume", "more", "fewer", "skip", "retry", "earlier", "later", "priority", "stop"
    ],
    video: Annotated[str | None, Parameter(completer=videos_to_steer)] = None,
    priority: int | None = None,
    /,
    *,
    finish: bool = False,
) -> int:
    """Change what the batch does that runs into a folder, in words, and say what comes of it.

    Args:
        output_folder: Folder of results.
        what: Pause and resume; one worker more or fewer; skip, retry or move a video; stop.
        video: Which video: the name of its file, or of its result.
        priority: Which priority it is to have; higher ones are begun first.
        finish: Finish the running segments before stopping.
    """
    from vhsbatch.cli.steer import Typed, steer_batch

    return steer_batch(output_folder, Typed(what=what, video=video, priority=priority, finish=finish))


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
    from vhsbatch.cli.serve import ServeOptions, serve_folder

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
    from vhsbatch.cli.show import show_presets

    return show_presets(name, config)


@app.command
def completion(shell: Shell, /) -> int:
    """Print a script with which a shell completes commands, options, presets, and the videos of a batch.

    Args:
        shell: Which shell.
    """
    sys.stdout.write(app.generate_completion(shell=shell) + (IN_ZSH if shell == "zsh" else ""))
    return 0


@app.command
def doctor(*, cluster: ClusterOptions = _NO_CLUSTER, config: Path | None = None) -> int:
    """Say what works on this machine, what does not, and how to mend it.

    With --cluster, say instead which machines of a cluster would help a batch, and why others would not.

    Args:
        cluster: Which cluster, and how it is reached.
        config: Configuration file, instead of ./vhsbatch.toml and the user's own.
    """
    if cluster.cluster is not None:
        from vhsbatch.cli.cluster_doctor import show_cluster

        return show_cluster(cluster, config)
    from vhsbatch.cli.show import show_doctor

    return show_doctor(config)


@config_app.command
def show(*, config: Path | None = None) -> int:
    """Show each setting and where it comes from.

    Args:
        config: Configuration file, instead of ./vhsbatch.toml and the user's own.
    """
    from vhsbatch.cli.show import show_config

    return show_config(config)
