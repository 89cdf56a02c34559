"""Commands for the machines of a cluster. Everything heavy is imported inside them."""

from pathlib import Path

from vhsbatch.cli.app import app
from vhsbatch.cli.options import (
    MachineOptions,
    NetworkOptions,
)

_NO_MACHINE = MachineOptions()
_NO_NETWORK = NetworkOptions()


@app.command
def scheduler(
    address: str = "tcp://127.0.0.1:8786",
    /,
    *,
    network: NetworkOptions = _NO_NETWORK,
    config: Path | None = None,
) -> int:
    """Run the scheduler of a cluster, where its machines and batches meet.

    Args:
        address: Where to listen: 'tls://0.0.0.0' for all of a network.
        network: Whom it lets in.
        config: Configuration file, instead of ./vhsbatch.toml and the user's own.
    """
    from vhsbatch.cli.cluster import run_scheduler

    return run_scheduler(address, network=network, config=config)


@app.command
def worker(
    address: str,
    /,
    *,
    parallel: str | None = None,
    name: str | None = None,
    log_file: Path | None = None,
    machine: MachineOptions = _NO_MACHINE,
    network: NetworkOptions = _NO_NETWORK,
) -> int:
    """Help the batches of a cluster with this machine, until it is stopped.

    Args:
        address: The cluster's scheduler: 'tcp://HOST:8786' or 'tls://HOST:8786'.
        parallel: How many segments are made at the same time: a number, or 'auto'.
        name: What this machine is called, instead of its host's name.
        log_file: Write everything that happens to this file too; it is rotated at 10 MB.
        machine: How it is made.
        network: How machines find each other, and whom they let in.
    """
    from vhsbatch.cli.cluster import run_worker

    return run_worker(
        address, parallel=parallel, name=name, log_file=log_file, machine=machine, network=network
    )
