"""The command line."""

from vhsbatch.cli import making, seeing, workers
from vhsbatch.cli.app import app
from vhsbatch.cli.program import main, run

__all__ = ["app", "main", "making", "run", "seeing", "workers"]
