"""What `--cluster` and the other commands take for an address, and which of them are safe. Pure."""

import ipaddress
import re
from dataclasses import dataclass

from vhsbatch.config.settings import Settings
from vhsbatch.errors import UsageError

DEFAULT_PORT = 8786
_LOOPBACK_NAMES = ("localhost",)


@dataclass(frozen=True, slots=True)
class Address:
    """Where a scheduler is.

    Attributes:
        protocol: ``tcp`` or ``tls``.
        host: a name or a number.
        port: the port.
    """

    protocol: str
    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.protocol}://{host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """Whether nobody but this machine can be there.

        >>> Address("tcp", "127.0.0.1", 1).is_loopback, Address("tcp", "0.0.0.0", 1).is_loopback
        (True, False)
        """
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host in _LOOPBACK_NAMES


_ADDRESS = re.compile(
    r"(?P<protocol>tcp|tls)://(?P<host>\[[0-9a-fA-F:.]+\]|[^\s:/\[\]]+)(?::(?P<port>\d{1,5}))?/?"
)


def parse_address(text: str) -> Address:
    """The address of a scheduler.

    >>> str(parse_address("tcp://tapes")), parse_address("tls://[::1]:9000")
    ('tcp://tapes:8786', Address(protocol='tls', host='::1', port=9000))

    Raises:
        UsageError: it is none.
    """
    match = _ADDRESS.fullmatch(text)
    if match is None or int(match["port"] or 0) > 65535:
        raise UsageError(
            f"{text} is not the address of a cluster", fix=f"for example tcp://192.168.1.10:{DEFAULT_PORT}"
        )
    return Address(match["protocol"], match["host"].strip("[]"), int(match["port"] or DEFAULT_PORT))


def parse_cluster(text: str) -> Address | int:
    """What `--cluster` says: a scheduler's address, or a number of workers on this machine (``local:4``).

    Raises:
        UsageError: it is neither.
    """
    if (match := re.fullmatch(r"local:(\d{1,3})", text)) is not None and int(match[1]) >= 1:
        return int(match[1])
    if text.startswith("local"):
        raise UsageError(f"--cluster {text}: how many workers?", fix="for example --cluster local:4")
    return parse_address(text)


def refuse_open_network(address: Address, settings: Settings) -> None:
    """Anyone who can connect to a Dask process can run programs on its machine: require certificates.

    Raises:
        UsageError: others could connect, or a certificate is missing.
    """
    tls = {"--tls-ca": settings.tls_ca, "--tls-cert": settings.tls_cert, "--tls-key": settings.tls_key}
    missing = [option for option, path in tls.items() if path is None]
    if address.protocol == "tls" and missing:
        raise UsageError(
            f"{address} needs {', '.join(missing)}",
            fix="--tls FOLDER names all three; scripts/make_certificates makes such folders",
        )
    if address.protocol == "tcp" and len(missing) < len(tls):
        raise UsageError(
            f"{address} uses no certificates", fix=f"write tls:// instead of {address.protocol}://"
        )
    for option, path in tls.items():
        if path is not None and not path.is_file():
            raise UsageError(
                f"{option} {path} is not there", fix="scripts/make_certificates makes a set of them"
            )
    if address.protocol == "tcp" and not address.is_loopback and not settings.insecure:
        raise UsageError(
            f"{address} has no TLS: anyone who can connect to it can run programs on these machines",
            fix="use tls:// with --tls FOLDER, or --insecure in a private network",
        )
