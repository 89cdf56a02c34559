"""Who is let in: a token, the names a browser may use, and what every answer forbids. Pure."""

import hashlib
import hmac
import ipaddress
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from vhsbatch.errors import UsageError

_TOKEN_BYTES = 32
_TOKEN = re.compile(r"[A-Za-z0-9_-]{20,200}")

# Nothing comes from elsewhere, and nothing goes there. The terminal writes its own style sheets.
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self' 'unsafe-inline'",
            "font-src 'self'",
            "img-src 'self' data:",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    ),
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "clipboard-read=(), camera=(), microphone=(), geolocation=()",
    "Referrer-Policy": "no-referrer",
    "Server": "vhs-upscale",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Decides whom to let in.

    Attributes:
        token: what the address that is given to the user holds.
        names: host names of this server, lower case; addresses need not be listed.
        public: the address under which a proxy makes the page known, if one does.
    """

    token: str
    names: frozenset[str] = frozenset()
    public: SplitResult | None = None

    @property
    def is_encrypted(self) -> bool:
        """Whether browsers reach it through a proxy with a certificate."""
        return self.public is not None and self.public.scheme == "https"

    def is_token(self, given: str) -> bool:
        """Whether it is the token; it takes as long for every wrong one."""
        return _same(given, self.token)

    @property
    def cookie(self) -> tuple[str, str]:
        """Name and value of the cookie for which the token is exchanged.

        It follows from the token, which cannot be found from it. Cookies do not tell ports of a machine
        apart, so that two servers need two names.
        """
        digest = hmac.new(self.token.encode(), b"vhs-upscale serve", hashlib.sha256).hexdigest()
        return f"vhs-upscale-{digest[:8]}", digest[8:]

    def is_cookie(self, cookies: Mapping[str, str]) -> bool:
        """Whether a browser has exchanged the token."""
        name, value = self.cookie
        return _same(cookies.get(name, ""), value)

    def knows_host(self, host: str) -> bool:
        """Whether a request may name this host (with or without a port).

        A foreign site can have its own name point at this machine, and then read what it answers. An
        address cannot be made to point elsewhere.
        """
        parts = _split(f"//{host}")
        if parts is None or parts.hostname is None or parts.netloc != host or parts.username is not None:
            return False
        own = self.names | {"localhost"} | ({self.public.hostname} if self.public is not None else set())
        return parts.hostname in own or _is_address(parts.hostname)

    def knows_origin(self, origin: str | None, host: str) -> bool:
        """Whether a page of this origin may open a view: this server's own page alone.

        Args:
            origin: the request's ``Origin``.
            host: its ``Host``, which a proxy may have replaced by this server's own.
        """
        parts = _split((origin or "").lower())
        if parts is None:
            return False
        if self.public is not None and (parts.scheme, parts.netloc) == self.public[:2]:
            return True
        return parts.scheme in {"http", "https"} and parts.netloc == host.lower()


def new_token() -> str:
    """A token that nobody can guess."""
    return secrets.token_urlsafe(_TOKEN_BYTES)


def parse_token(text: str) -> str | None:
    """The token that a file holds; None where it is too short, or cannot stand in an address as it is."""
    token = text.strip()
    return token if _TOKEN.fullmatch(token) else None


def parse_public_url(text: str) -> SplitResult:
    """What `--public-url` says.

    Raises:
        UsageError: it is no address of a page.
    """
    parts = _split(text)
    if (
        parts is None
        or parts.scheme not in {"http", "https"}
        or parts.hostname is None
        or parts.query
        or parts.fragment
        or parts.username is not None
    ):
        raise UsageError(f"--public-url {text} is no address", fix="for example https://tapes.example.org/")
    return parts._replace(netloc=parts.netloc.lower(), path=parts.path.rstrip("/"))


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach what listens there."""
    return host.lower() == "localhost" or (_is_address(host) and ipaddress.ip_address(host).is_loopback)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _split(address: str) -> SplitResult | None:
    try:
        parts = urlsplit(address)
        # Reading the port checks it.
        _ = parts.port
    except ValueError:
        return None
    return parts


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode(errors="replace"), wanted.encode())
