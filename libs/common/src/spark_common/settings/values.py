"""Checked values of settings: addresses, users, names that reach a command line, numbers."""

import ipaddress
import re
import socket
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

from spark_common.errors import InvalidRequestError
from spark_common.settings.load import Shown
from spark_common.webhook_address import read_url

_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\Z")
_USER = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,31}\Z")
_CONTAINER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}\Z")
_IMAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_./:@-]{0,254}\Z")
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}\Z")
_MAX_NAME = 253


def check_address(text: str) -> str:
    """Return an IP address or host name as it is; a ``.local`` name as its IPv4 address.

    ``.local`` names resolve to IPv6 first on many systems while vLLM listens on IPv4 only, and
    not at all inside most containers: so once, here, or a clear refusal.
    """
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        pass
    name = text.removesuffix(".")
    labels = name.split(".")
    numeric = labels[-1].isdigit()
    if len(name) > _MAX_NAME or numeric or not all(_LABEL.match(label) for label in labels):
        raise ValueError("must be an IP address or a host name, without user, port or path")
    return resolve_local(name) if name.lower().endswith(".local") else name


def resolve_local(name: str) -> str:
    """Return the IPv4 address of a ``.local`` name; raises ValueError with what to do."""
    try:
        found = socket.getaddrinfo(name, None, socket.AF_INET, socket.SOCK_STREAM)
    except OSError:
        found = []
    if not found:
        raise ValueError(
            f"{name!r} does not resolve to an IPv4 address on this machine; "
            "write the Spark's IP address instead"
        )
    return str(found[0][4][0])


def check_user(text: str) -> str:
    """Return a login name."""
    if not _USER.match(text):
        raise ValueError("must be a login name: letters, digits, dot, dash, underscore")
    return text


def _check_container(text: str) -> str:
    if not _CONTAINER.match(text):
        raise ValueError("must be a container name: letters, digits, dot, dash, underscore")
    return text


def _check_image(text: str) -> str:
    if not _IMAGE.match(text):
        raise ValueError("must be an image name with an optional tag")
    return text


def _check_directory(text: str) -> str:
    if text.startswith(("~", "-")) or "$" in text or ".." in text.split("/") or "\0" in text:
        raise ValueError("must be a path without ~, $ or .., absolute or below the remote home")
    return text.rstrip("/") or "/"


def _check_nats_url(text: str) -> str:
    return _check_url(text, ("nats", "tls"), "must look like nats://127.0.0.1:4222")


def _check_redis_url(text: str) -> str:
    return _check_url(text, ("redis", "rediss", "unix"), "must look like redis://127.0.0.1:6379/0")


def _check_url(text: str, schemes: tuple[str, ...], shape: str) -> str:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ValueError(shape) from None
    if parts.scheme not in schemes or port == 0 or not (parts.hostname or parts.scheme == "unix"):
        raise ValueError(shape)
    if parts.username is not None or parts.password is not None:
        raise ValueError("must not contain credentials: URLs end up in logs; use the file setting")
    return text


def _check_http_url(text: str) -> str:
    shape = "must look like https://chat.example/path"
    if any(letter.isspace() or not letter.isprintable() for letter in text):
        raise ValueError(shape)
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ValueError(shape) from None
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise ValueError(shape)
    if parts.username is not None or parts.password is not None:
        raise ValueError("must not contain a user or a password: addresses end up in logs")
    return text


def _check_webhook(text: str) -> str:
    try:
        return str(read_url(text))
    except InvalidRequestError as error:
        raise ValueError(error.message) from error


def _check_name(text: str) -> str:
    if not _NAME.match(text):
        raise ValueError("must be names: small letters, digits, dash, underscore")
    return text


def _words(text: object) -> object:
    """Split a list as people write it into a variable: commas, blanks or both."""
    return tuple(text.replace(",", " ").split()) if isinstance(text, str) else text


def _check_alias(text: str) -> str:
    name, equals, model = text.partition("=")
    if not (name and equals and model) or len(text) > 400 or not text.isprintable():
        raise ValueError("must be pairs like gpt-4o=auto: what clients say, and what is meant")
    return text


Port = Annotated[int, Field(ge=1, le=65535)]
BindPort = Annotated[int, Field(ge=0, le=65535)]
"""0 asks the system for a free port; the log line ``service.listening`` names it."""
Seconds = Annotated[float, Field(gt=0, le=7 * 24 * 3600, allow_inf_nan=False)]
Address = Annotated[str, AfterValidator(check_address), Shown(kind="address")]
User = Annotated[str, AfterValidator(check_user)]
ContainerName = Annotated[str, AfterValidator(_check_container)]
ImageName = Annotated[str, AfterValidator(_check_image)]
RemoteDirectory = Annotated[str, AfterValidator(_check_directory)]
NatsUrl = Annotated[str, AfterValidator(_check_nats_url)]
RedisUrl = Annotated[str, AfterValidator(_check_redis_url)]
HttpUrl = Annotated[
    str, StringConstraints(max_length=2000), AfterValidator(_check_http_url), Shown(kind="url")
]
"""Of a page or a service, without credentials."""
WebhookAddress = Annotated[
    str, StringConstraints(max_length=2000), AfterValidator(_check_webhook), Shown(kind="url")
]
"""Of a webhook, in its one canonical form."""
ServiceName = Annotated[str, AfterValidator(_check_name)]
Names = Annotated[tuple[ServiceName, ...], BeforeValidator(_words), Shown(kind="list")]
"""Several names, separated by commas or blanks; a comma alone is an empty list."""
Aliases = Annotated[
    tuple[Annotated[str, AfterValidator(_check_alias)], ...],
    BeforeValidator(_words),
    Shown(kind="list"),
]
"""Other names, as ``name=meant`` separated by commas or blanks; case and slashes count."""
