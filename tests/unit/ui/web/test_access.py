"""Who is let in."""

import re

import pytest

from vhsbatch.errors import UsageError
from vhsbatch.ui.web.access import HEADERS, Access, is_loopback, new_token, parse_public_url, parse_token

ACCESS = Access(token="t" * 43, names=frozenset({"tapes.lan"}))
PROXIED = Access(token="t" * 43, public=parse_public_url("https://Films.example.org/tapes/"))


def test_a_token_is_long_new_each_time_and_fit_for_an_address() -> None:
    tokens = {new_token() for _ in range(20)}
    assert len(tokens) == 20
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{43}", token) for token in tokens)
    assert all(parse_token(f"{token}\n") == token for token in tokens)


@pytest.mark.parametrize("text", ["", "short", "with a space in it, and long", "a" * 300, "a" * 30 + "&x=1"])
def test_what_is_no_token(text: str) -> None:
    assert parse_token(text) is None


@pytest.mark.parametrize("given", ["", "t", "T" * 43, "t" * 44, "ü" * 43, "\udcff"])
def test_only_the_token_is_the_token(given: str) -> None:
    assert ACCESS.is_token("t" * 43)
    assert not ACCESS.is_token(given)


def test_the_cookie_follows_from_the_token_and_does_not_hold_it() -> None:
    name, value = ACCESS.cookie
    assert "t" * 43 not in name + value
    assert ACCESS.is_cookie({name: value})
    assert ACCESS.cookie == Access(token="t" * 43).cookie
    other = Access(token="u" * 43)
    assert other.cookie[0] != name
    assert not other.is_cookie({name: value, other.cookie[0]: value})
    assert not ACCESS.is_cookie({})
    assert not ACCESS.is_cookie({name: ""})


@pytest.mark.parametrize(
    ("host", "known"),
    [
        ("127.0.0.1:8765", True),
        ("127.0.0.1", True),
        ("localhost:9000", True),  # the other end of a tunnel
        ("LOCALHOST:9000", True),
        ("[::1]:8765", True),
        ("192.168.1.10:8765", True),
        ("tapes.lan:8765", True),
        ("evil.example:8765", False),
        ("127.0.0.1.evil.example", False),
        ("localhost.evil.example", False),
        ("films.example.org", False),
        ("", False),
        ("127.0.0.1:x", False),
        ("evil.example@127.0.0.1", False),
        ("127.0.0.1/evil.example", False),
        ("[::1", False),
    ],
)
def test_only_names_that_nobody_else_can_point_here(host: str, *, known: bool) -> None:
    assert ACCESS.knows_host(host) is known


@pytest.mark.parametrize(
    ("origin", "host", "known"),
    [
        ("http://127.0.0.1:8765", "127.0.0.1:8765", True),
        ("http://localhost:9000", "localhost:9000", True),
        ("http://LOCALHOST:9000", "localhost:9000", True),
        ("http://127.0.0.1:8766", "127.0.0.1:8765", False),
        ("http://evil.example", "127.0.0.1:8765", False),
        ("null", "127.0.0.1:8765", False),
        ("file://", "127.0.0.1:8765", False),
        ("ftp://127.0.0.1:8765", "127.0.0.1:8765", False),
        ("http://[", "127.0.0.1:8765", False),
        (None, "127.0.0.1:8765", False),
        ("", "", False),
    ],
)
def test_only_its_own_page_opens_a_view(origin: str | None, host: str, *, known: bool) -> None:
    assert ACCESS.knows_origin(origin, host) is known


def test_a_proxy_is_known_by_its_name_whatever_host_it_passes_on() -> None:
    assert PROXIED.is_encrypted
    assert not ACCESS.is_encrypted
    assert PROXIED.knows_host("films.example.org")
    assert PROXIED.knows_origin("https://films.example.org", "films.example.org")
    assert PROXIED.knows_origin("https://films.example.org", "127.0.0.1:8765")
    assert not PROXIED.knows_origin("http://films.example.org", "127.0.0.1:8765")
    assert PROXIED.public is not None
    assert PROXIED.public.geturl() == "https://films.example.org/tapes"


@pytest.mark.parametrize(
    "text",
    [
        "films.example.org",
        "ftp://films.example.org",
        "https://",
        "https://a:b@c/",
        "https://c/?q=1",
        "https://c:x/",
    ],
)
def test_what_is_no_address_of_a_page(text: str) -> None:
    with pytest.raises(UsageError, match="is no address"):
        parse_public_url(text)


@pytest.mark.parametrize(
    ("host", "only_here"),
    [
        ("127.0.0.1", True),
        ("127.8.0.1", True),
        ("::1", True),
        ("LocalHost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("", False),
        ("192.168.1.10", False),
        ("tapes.lan", False),
    ],
)
def test_what_other_machines_cannot_reach(host: str, *, only_here: bool) -> None:
    assert is_loopback(host) is only_here


def test_a_page_may_fetch_nothing_from_elsewhere() -> None:
    policy = dict(rule.split(" ", 1) for rule in HEADERS["Content-Security-Policy"].split("; "))
    assert policy.pop("default-src") == "'none'"
    assert policy["script-src"] == "'self'"
    sources = {source for rule in policy.values() for source in rule.split()}
    assert sources == {"'self'", "'none'", "'unsafe-inline'", "data:"}
    assert [name for name, rule in policy.items() if "unsafe" in rule] == ["style-src"]
