"""The program as its command line is described by: every command adds itself to it."""

from cyclopts import App, Parameter

from vhsbatch import __version__

app = App(
    name="vhs-upscale",
    help="Digitised VHS tapes in, restored, upscaled and verified masters out.",
    version=__version__,
    help_format="plaintext",
    default_parameter=Parameter(negative=(), show_default=False),
)
config_app = App(name="config", help="Show the configuration.")
app.command(config_app)
