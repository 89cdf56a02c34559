"""The command line."""

from vhsbatch.cli import machines, making, seeing
from vhsbatch.cli.app import app
from vhsbatch.cli.program import main, run

__all__ = ["app", "machines", "main", "making", "run", "seeing"]
