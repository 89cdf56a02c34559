"""`doctor --cluster`: which machines would help a batch."""

import uuid
from pathlib import Path
from typing import TYPE_CHECKING

from vhsbatch.cli.configure import preset_from, settings_from
from vhsbatch.cli.doctor import Finding, Status, line
from vhsbatch.cli.options import ClusterOptions, MachineOptions, ResultOptions
from vhsbatch.cluster.availability import expect_dask
from vhsbatch.config.presets import Preset
from vhsbatch.config.settings import Settings
from vhsbatch.process.stop_signals import run_until_stopped
from vhsbatch.scheduling.environment import open_environment
from vhsbatch.ui.text import show_line

if TYPE_CHECKING:
    from vhsbatch.cluster.address import Address


def show_cluster(network: ClusterOptions, config: Path | None) -> int:
    """Say which machines of a cluster would help; 3 if none would."""
    expect_dask()
    from vhsbatch.cluster.address import parse_address, refuse_open_network
    from vhsbatch.cluster.protocol import parse_map

    settings = settings_from(MachineOptions(config=config), network)
    parse_map(settings.map_path)
    address = parse_address(network.cluster or "")
    refuse_open_network(address, settings)
    preset = preset_from(ResultOptions(), settings)
    return run_until_stopped(_inspect, address, settings, preset)


async def _inspect(address: "Address", settings: Settings, preset: Preset) -> int:
    from vhsbatch.cluster.inspection import inspect_cluster
    from vhsbatch.cluster.start import offer_of

    environment = await open_environment(settings, preset)
    folder = settings.temp_dir or Path.cwd()
    offer = offer_of(settings, environment, folder.absolute(), f"doctor-{uuid.uuid4().hex}")
    machines = await inspect_cluster(address, settings, offer)
    for found in machines:
        status: Status = "ok" if found.helps else "warn"
        show_line(line(Finding(status=status, subject=found.machine, detail=found.detail)))
    if any(found.helps for found in machines):
        return 0
    detail = "no machine would help" if machines else "no machine is there"
    fix = f"on each machine that is to help: vhs-upscale worker {address}"
    show_line(line(Finding(status="fail", subject=str(address), detail=detail, fix=fix)))
    return 3
