"""`scheduler`."""

from pathlib import Path

from vhsbatch.cli.configure import settings_from
from vhsbatch.cli.options import NO_NETWORK_OPTIONS, MachineOptions, NetworkOptions
from vhsbatch.cluster.address import parse_address, refuse_open_network
from vhsbatch.cluster.availability import expect_dask
from vhsbatch.process.stop_signals import run_until_stopped
from vhsbatch.ui.text import show_line


def scheduler(
    address: str = "tcp://127.0.0.1:8786",
    /,
    *,
    network: NetworkOptions = NO_NETWORK_OPTIONS,
    config: Path | None = None,
) -> int:
    """Run the scheduler of a cluster.

    Args:
        address: Address to listen on, for example 'tls://0.0.0.0' for a whole network.
        network: See `NetworkOptions`.
        config: Configuration file, instead of ./vhsbatch.toml and your own.
    """
    expect_dask()
    settings = settings_from(MachineOptions(config=config), network)
    where = parse_address(address)
    refuse_open_network(where, settings)
    from vhsbatch.cluster.program import schedule

    run_until_stopped(schedule, where, settings, show_line)
    return 0
