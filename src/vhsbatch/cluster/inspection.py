"""Which machines of a cluster would help a batch, and why the others would not; nothing is changed there."""

import contextlib
import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from vhsbatch.cluster.address import Address
from vhsbatch.cluster.connection import Connection
from vhsbatch.cluster.dask import configure
from vhsbatch.cluster.machines import ANSWER_S, cause_of
from vhsbatch.cluster.protocol import Answer, Offer
from vhsbatch.cluster.rpc import inspect
from vhsbatch.config.settings import Settings
from vhsbatch.errors import ToolError


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """What one machine says.

    Attributes:
        machine: its name, or its address where it could not say that.
        helps: whether it would help.
        detail: how, or why not.
    """

    machine: str
    helps: bool
    detail: str


async def inspect_cluster(address: Address, settings: Settings, offer: Offer) -> list[Inspection]:
    """Ask every machine of a cluster, by name.

    Args:
        address: the scheduler's.
        settings: certificates.
        offer: what a batch would ask of them.

    Raises:
        ToolError: the scheduler does not answer.
    """
    configure()
    connection = Connection(address, settings, hear={})
    await connection.open_first()
    try:
        workers = sorted((await connection.identity())["workers"])
        if not workers:
            return []
        with _token(offer):
            asked = connection.ask_all(
                inspect, offer.version, pickle.dumps(offer), workers=workers, within_s=ANSWER_S
            )
            said = await asked
    except OSError as error:
        raise ToolError(
            f"the cluster at {address} does not answer: {error}", fix="see what its scheduler says"
        ) from error
    finally:
        await connection.close()
    answers = [_inspection(worker, answer, offer) for worker, answer in said.items()]
    return sorted(answers, key=lambda answer: answer.machine)


def _inspection(worker: str, said: object, offer: Offer) -> Inspection:
    if not isinstance(said, dict):
        return Inspection(machine=worker, helps=False, detail=f"does not help: {cause_of(said)}")
    answer = Answer(**said)
    if answer.refusal is not None:
        detail = f"does not help: {answer.refusal}"
        return Inspection(machine=answer.machine, helps=False, detail=detail)
    tools = offer.tools
    versions = (f"vhsbatch {offer.version}", f"FFmpeg {tools.ffmpeg}", tools.runtime, tools.processor)
    sees = (
        f"sees {offer.folder}"
        if answer.shares_folder
        else f"does not see {offer.folder}: sources and results are sent"
    )
    slots = f"{answer.slots} {'segment' if answer.slots == 1 else 'segments'} at a time"
    detail = ", ".join((f"helps with {slots}", *filter(None, versions), sees))
    return Inspection(machine=answer.machine, helps=True, detail=detail)


@contextmanager
def _token(offer: Offer) -> Iterator[None]:
    """The file by which machines recognise the folder; where none can be written, none of them does."""
    with contextlib.suppress(OSError):
        offer.token.write_text(offer.run_id, encoding="ascii")
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            offer.token.unlink(missing_ok=True)
