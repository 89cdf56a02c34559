"""Whether a cluster can be used, as far as that is known before anything is connected."""

import importlib.util

from vhsbatch.cluster.address import Address, parse_cluster, refuse_open_network
from vhsbatch.cluster.protocol import parse_map
from vhsbatch.config.settings import Settings
from vhsbatch.errors import ToolError


def expect_cluster(settings: Settings) -> None:
    """Find out whether there can be such a cluster.

    Raises:
        UsageError: its address, or a setting of its network, makes no sense.
        ToolError: Dask is not installed.
    """
    expect_dask()
    parse_map(settings.map_path)
    where = parse_cluster(settings.cluster or "")
    if isinstance(where, Address):
        refuse_open_network(where, settings)


def expect_dask() -> None:
    """Find out whether the packages of the cluster are installed.

    Raises:
        ToolError: they are not.
    """
    if importlib.util.find_spec("distributed") is None:
        raise ToolError("a cluster needs Dask, which is not installed", fix="pip install distributed")
