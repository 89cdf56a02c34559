"""The table of commands. A command's module is imported when the command runs, not before."""

from cyclopts import App, Parameter

from vhsbatch import __version__
from vhsbatch.cli.help import common_options, epilogue

app = App(
    name="vhs-upscale",
    help="Turn digitised VHS tapes into restored, upscaled and verified masters.",
    version=__version__,
    help_format="plaintext",
    # Which signal it was decides the exit code, and the library knows Ctrl-C alone.
    suppress_keyboard_interrupt=False,
    default_parameter=Parameter(negative=(), show_default=False),
)
config_app = App(name="config", help="Show the configuration.")
app.command(config_app)

models_app = App(name="models", help="List, check, add and remove the models that upscale.")
app.command(models_app)

# The list of commands shows these lines; they are the first ones of the functions' docstrings.
_COMMANDS = (
    ("vhsbatch.cli.init:init", "Write a commented vhsbatch.toml, after three questions."),
    ("vhsbatch.cli.batch:batch", "Restore every video of a folder."),
    ("vhsbatch.cli.watch:watch", "Restore videos as they arrive in a folder, until Ctrl-C."),
    ("vhsbatch.cli.upscale:upscale", "Restore one video."),
    ("vhsbatch.cli.stack:stack", "Make one capture out of several of the same tape."),
    ("vhsbatch.cli.test_presets:test_presets", "Compare presets side by side on clips of one video."),
    ("vhsbatch.cli.analyze:analyze", "Analyse a video and suggest a preset."),
    ("vhsbatch.cli.verify:verify", "Verify finished results against their records."),
    ("vhsbatch.cli.log:log", "Show the history of an output folder."),
    ("vhsbatch.cli.attach:attach", "Show the running or last batch of an output folder."),
    ("vhsbatch.cli.steer:steer", "Control a running batch: pause, skip, retry, reorder or stop."),
    ("vhsbatch.cli.serve:serve", "Show the running or last batch of an output folder in web browsers."),
    ("vhsbatch.cli.presets:presets", "List the presets, or show all keys of one."),
    ("vhsbatch.cli.completion:completion", "Print a completion script for a shell."),
    ("vhsbatch.cli.doctor:doctor", "Check what works on this machine, and how to fix the rest."),
    (
        "vhsbatch.cli.benchmark:benchmark",
        "Measure how fast this machine is, and how long an hour of tape takes.",
    ),
    ("vhsbatch.cli.scheduler:scheduler", "Run the scheduler of a cluster."),
    ("vhsbatch.cli.worker:worker", "Make this machine a worker of a cluster, until Ctrl-C."),
)
for _function, _summary in _COMMANDS:
    _name = _function.rpartition(":")[2].replace("_", "-")
    if (_examples := epilogue(_name)) is None:
        app.command(_function, name=_name, help=_summary)
    else:
        app.command(
            _function, name=_name, help=_summary, help_formatter=common_options, help_epilogue=_examples
        )
config_app.command("vhsbatch.cli.config:show", name="show", help="Show each setting and where it comes from.")
for _function, _name, _summary in (
    ("list_models", "list", "List the shipped models and those that you added."),
    ("add", "add", "Check a model, and keep a copy of it under a name."),
    ("check", "check", "Run a model on a small picture, and say what it is."),
    ("remove", "remove", "Remove a model that you added. The file that it was added from stays."),
):
    models_app.command(f"vhsbatch.cli.models:{_function}", name=_name, help=_summary)
