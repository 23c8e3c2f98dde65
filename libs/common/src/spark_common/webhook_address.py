"""Reads the address of a webhook strictly, so that nobody after us can read it differently."""

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import SplitResult, quote, urlsplit

import idna

from spark_common.errors import InvalidRequestError
from spark_common.forbidden_address import IpAddress

_PORTS = {"http": 80, "https": 443}
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\Z")
_NUMBER = re.compile(r"([0-9]+|0x[0-9a-f]*)\Z")
_MAX_NAME = 253
_IN_PATH = "/%:@!$&'()*+,;=~"
_IN_QUERY = _IN_PATH + "?"


@dataclass(frozen=True)
class WebhookUrl:
    """An http(s) address in its one canonical form."""

    scheme: str
    host: str
    """Lower case and ASCII, an IPv6 address without brackets, never a final dot."""
    port: int
    path: str
    """Path and query, percent-encoded, beginning with a slash."""

    @property
    def literal(self) -> IpAddress | None:
        """The address, where the host is one."""
        return _literal(self.host)

    @property
    def authority(self) -> str:
        """Host and port as the ``Host`` header has them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}{self.path}"


def read_url(text: str) -> WebhookUrl:
    """Return the canonical address; raises InvalidRequestError with what is wrong with it."""
    if "\\" in text or any(letter.isspace() or not letter.isprintable() for letter in text):
        raise InvalidRequestError("the address holds blanks, control characters or a backslash")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise InvalidRequestError("the address cannot be read; is the port a number?") from error
    scheme = parts.scheme.lower()
    if scheme not in _PORTS or not parts.netloc:
        raise InvalidRequestError("the address must begin with http:// or https:// and name a host")
    if "@" in parts.netloc:
        raise InvalidRequestError(
            "the address must not hold a user or password: it is shown to everybody; "
            "give the receiver a secret, which signs every delivery"
        )
    if "#" in text:
        raise InvalidRequestError("leave out the fragment (from # on): it would never be sent")
    if port == 0:
        raise InvalidRequestError("port 0 is no port")
    return WebhookUrl(scheme, _host(parts), port or _PORTS[scheme], _path(parts))


def _host(parts: SplitResult) -> str:
    host = parts.hostname or ""
    if "[" in parts.netloc:
        try:
            if "%" in host:
                raise ValueError("a zone")
            return str(ipaddress.IPv6Address(host))
        except ValueError as error:
            raise InvalidRequestError("in brackets there must be a plain IPv6 address") from error
    name = _ascii(host).removesuffix(".")
    labels = name.split(".")
    if _NUMBER.match(labels[-1]):
        # Systems read 127.1, 0177.0.0.1 and 2130706433 as addresses, and not all the same way.
        try:
            return str(ipaddress.IPv4Address(name))
        except ValueError as error:
            raise InvalidRequestError(
                "write an IPv4 address as four decimal numbers, without leading zeros"
            ) from error
    if len(name) > _MAX_NAME or not all(_LABEL.match(label) for label in labels):
        raise InvalidRequestError("the address names no host that can exist")
    return name


def _ascii(host: str) -> str:
    if host.isascii():
        return host.lower()
    try:
        return idna.encode(host, uts46=True).decode("ascii").lower()
    except (idna.IDNAError, UnicodeError) as error:
        raise InvalidRequestError("the host name cannot be written in ASCII (IDNA)") from error


def _path(parts: SplitResult) -> str:
    path = quote(parts.path or "/", safe=_IN_PATH)
    return f"{path}?{quote(parts.query, safe=_IN_QUERY)}" if parts.query else path


def _literal(host: str) -> IpAddress | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
