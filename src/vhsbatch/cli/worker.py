"""`worker`."""

import platform
from pathlib import Path

from vhsbatch.cli.configure import settings_from
from vhsbatch.cli.options import NO_MACHINE_OPTIONS, NO_NETWORK_OPTIONS, MachineOptions, NetworkOptions
from vhsbatch.cluster.address import parse_address, refuse_open_network
from vhsbatch.cluster.availability import expect_dask
from vhsbatch.cluster.protocol import parse_map
from vhsbatch.events.telemetry import LogLine
from vhsbatch.process.stop_signals import run_until_stopped
from vhsbatch.ui.logfile import LogFilePrinter
from vhsbatch.ui.text import show_line


def worker(
    address: str,
    /,
    *,
    parallel: str | None = None,
    name: str | None = None,
    log_file: Path | None = None,
    machine: MachineOptions = NO_MACHINE_OPTIONS,
    network: NetworkOptions = NO_NETWORK_OPTIONS,
) -> int:
    """Make this machine a worker of a cluster, until Ctrl-C.

    Args:
        address: The cluster's scheduler: 'tcp://HOST:8786' or 'tls://HOST:8786'.
        parallel: Segments to make at the same time: a number or 'auto'.
        name: Name of this machine, instead of its host name.
        log_file: Also write all messages to this file. It is rotated at 10 MB.
        machine: See `MachineOptions`.
        network: See `NetworkOptions`.
    """
    expect_dask()
    settings = settings_from(machine, network, parallel=parallel)
    where = parse_address(address)
    refuse_open_network(where, settings)
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

    run_until_stopped(help_cluster, where, settings, name or platform.node(), say, note)
    return 0
