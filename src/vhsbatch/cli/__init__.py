"""The command line: one file per command."""

from vhsbatch.cli.app import app
from vhsbatch.cli.program import main, run

__all__ = ["app", "main", "run"]
