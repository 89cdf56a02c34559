"""Addresses of clusters, and what is refused before anything listens."""

from pathlib import Path

import pytest

from vhsbatch.cluster.address import Address, parse_address, parse_cluster, refuse_open_network
from vhsbatch.config.settings import Settings
from vhsbatch.config.sources import load_settings
from vhsbatch.errors import UsageError


def settings(**changes: object) -> Settings:
    return load_settings(changes, cwd=Path("/"), environ={}, user_folder=Path("/nowhere"))


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("tcp://tapes", Address("tcp", "tapes", 8786)),
        ("tls://tapes.example.org:9000/", Address("tls", "tapes.example.org", 9000)),
        ("tcp://[fe80::1]:80", Address("tcp", "fe80::1", 80)),
    ],
)
def test_addresses(text: str, address: Address) -> None:
    assert parse_address(text) == address
    assert parse_address(str(address)) == address


@pytest.mark.parametrize(
    "text", ["", "tapes", "http://tapes", "tcp://", "tcp://a:99999", "tcp://a b", "local", "local:0"]
)
def test_what_is_no_cluster(text: str) -> None:
    with pytest.raises(UsageError, match="for example"):
        parse_cluster(text)


def test_workers_on_this_machine() -> None:
    assert parse_cluster("local:4") == 4


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_this_machine_alone_needs_no_certificates(host: str) -> None:
    refuse_open_network(Address("tcp", host, 1), settings())


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.1", "tapes"])
def test_a_network_needs_certificates_or_a_word(host: str) -> None:
    address = Address("tcp", host, 1)
    with pytest.raises(UsageError, match=r"can run programs.*--insecure"):
        refuse_open_network(address, settings())
    refuse_open_network(address, settings(insecure=True))


def test_certificates_that_are_missing_are_named(tmp_path: Path) -> None:
    ca, cert, key = (tmp_path / name for name in ("ca.pem", "cert.pem", "key.pem"))
    ca.touch()
    cert.touch()
    address = Address("tls", "tapes", 1)
    with pytest.raises(UsageError, match="needs --tls-cert, --tls-key"):
        refuse_open_network(address, settings(tls_ca=ca))
    with pytest.raises(UsageError, match=r"--tls-key .*key.pem is not there"):
        refuse_open_network(address, settings(tls_ca=ca, tls_cert=cert, tls_key=key))
    key.touch()
    refuse_open_network(address, settings(tls_ca=ca, tls_cert=cert, tls_key=key))


def test_certificates_without_tls_are_no_protection(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="tls://"):
        refuse_open_network(Address("tcp", "tapes", 1), settings(tls_ca=tmp_path / "ca.pem", insecure=True))
