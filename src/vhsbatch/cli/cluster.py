"""`scheduler` and `worker`: the programs of a cluster."""

import importlib.util
import os
from pathlib import Path

import anyio

from vhsbatch.cli.configure import network_settings, settings_from
from vhsbatch.cli.options import MachineOptions, NetworkOptions
from vhsbatch.config.settings import Settings
from vhsbatch.errors import ToolError
from vhsbatch.events.telemetry import LogLine
from vhsbatch.ui.logfile import LogFilePrinter
from vhsbatch.ui.text import show_line


def run_scheduler(typed: str, *, network: NetworkOptions, config: Path | None) -> int:
    """Run a scheduler until it is stopped; the exit code."""
    expect_dask()
    from vhsbatch.cluster.address import parse_address, refuse_open_network

    settings = settings_from(MachineOptions(config=config), None, **network_settings(network))
    address = parse_address(typed)
    refuse_open_network(address, settings)
    from vhsbatch.cluster.program import schedule

    anyio.run(schedule, address, settings, show_line)
    return 0


def run_worker(
    typed: str,
    *,
    parallel: str | None,
    name: str | None,
    log_file: Path | None,
    machine: MachineOptions,
    network: NetworkOptions,
) -> int:
    """Help a cluster until it is stopped; the exit code."""
    expect_dask()
    from vhsbatch.cluster.address import parse_address, refuse_open_network
    from vhsbatch.cluster.protocol import parse_map

    settings = settings_from(machine, None, parallel=parallel, **network_settings(network))
    address = parse_address(typed)
    refuse_open_network(address, settings)
    parse_map(settings.map_path)
    from vhsbatch.cluster.program import help_cluster

    log = None if log_file is None else LogFilePrinter(log_file)

    def note(line: LogLine) -> None:
        if log is not None:
            log.show(line)
            log.write()

    def say(text: str) -> None:
        note(LogLine(level="info", text=text))
        show_line(text)

    anyio.run(help_cluster, address, settings, name or os.uname().nodename, say, note)
    return 0


def expect_cluster(settings: Settings) -> None:
    """Find out whether there can be such a cluster.

    Raises:
        UsageError: its address, or what was said of its network, makes no sense.
        ToolError: Dask is not installed.
    """
    expect_dask()
    from vhsbatch.cluster.address import Address, parse_cluster, refuse_open_network
    from vhsbatch.cluster.protocol import parse_map

    parse_map(settings.map_path)
    where = parse_cluster(settings.cluster or "")
    if isinstance(where, Address):
        refuse_open_network(where, settings)


def expect_dask() -> None:
    """Raise where the packages of the cluster are not installed.

    Raises:
        ToolError: they are not.
    """
    if importlib.util.find_spec("distributed") is None:
        raise ToolError("a cluster needs Dask, which is not installed", fix="pip install 'vhsbatch[cluster]'")
