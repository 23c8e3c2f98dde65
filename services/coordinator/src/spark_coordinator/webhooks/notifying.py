"""Sends notifications to ntfy, by e-mail, to Matrix and Gotify through one library, apprise.

Its addresses hold passwords. It logs them, so its loggers, and those of what it uses, say nothing
here; only the number of an HTTP status is taken from them.
"""

import contextvars
import importlib
import json
import logging
import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from spark_common.contracts.webhooks import TargetKind
from spark_common.errors import InvalidRequestError
from spark_coordinator.webhooks.guard import TargetGuard
from spark_coordinator.webhooks.guarded_lookup import SYSTEM, GuardedLookUp, LookUp, guarded
from spark_coordinator.webhooks.ports import Answer, Parcel, Resolver, SendError
from spark_coordinator.webhooks.targets import Target
from spark_coordinator.webhooks.threads import OwnedThreads

_SECONDS = 20.0
"""A mail takes several round trips, each of which may take up to the two limits below."""
_CONNECT_SECONDS = 5.0
_READ_SECONDS = 10.0
_LOGGERS = ("apprise", "urllib3", "requests", "requests_oauthlib", "oauthlib", "MARKDOWN")
_STATUS = re.compile(r"error=([1-5][0-9]{2})\b")
_READS_FILES = frozenset({"attach", "pgp", "pgpkey", "pgppass"})

_heard: contextvars.ContextVar[list[int]] = contextvars.ContextVar("heard")

SCHEMES: Mapping[TargetKind, tuple[str, ...]] = {
    "ntfy": ("ntfy", "ntfys"),
    "email": ("mailto", "mailtos"),
    "matrix": ("matrix", "matrixs"),
    "gotify": ("gotify", "gotifys"),
}


@dataclass(frozen=True)
class Place:
    """Where a notification goes first."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.scheme}://{self.host}"


class AppriseSender:
    """Every kind but ``webhook``."""

    def __init__(
        self,
        resolver: Resolver,
        guard: TargetGuard,
        threads: OwnedThreads,
        look_up: LookUp = SYSTEM,
    ) -> None:
        """``look_up``: how the library itself finds the addresses of a name."""
        silence()
        self._look_up = look_up
        self._resolver = resolver
        self._guard = guard
        self._threads = threads

    async def send(self, target: Target, parcel: Parcel) -> Answer:
        """Try once. The id is not told: these services know none."""
        address = target.address.get_secret_value() if target.address else ""
        heard: list[int] = []
        token = _heard.set(heard)
        try:
            place = place_of(target.kind, address)
            addresses = await self._resolver.resolve(target.id, place.host)
            refusal = self._guard.refusal(place.host, place.port, addresses)
            if refusal is not None:
                return Answer(ok=False, problem=refusal)
            title, text = _words(parcel)
            looked_up = GuardedLookUp(self._guard, self._look_up)
            with guarded(looked_up):
                ok = await self._threads.run(
                    f"notify:{target.id}",
                    _SECONDS,
                    lambda: _notify(target.kind, address, title, text),
                )
            if not ok and looked_up.refusals:
                return Answer(ok=False, problem=looked_up.refusals[0])
        except SendError as error:
            return Answer(ok=False, problem=str(error))
        except InvalidRequestError as error:
            return Answer(ok=False, problem=error.message)
        except Exception as error:
            return Answer(ok=False, problem=f"the library failed with {type(error).__name__}")
        finally:
            _heard.reset(token)
        return Answer(ok=True) if ok else _refused(target.kind, heard)


def place_of(kind: TargetKind, address: str) -> Place:
    """Return where an address leads; raises InvalidRequestError, which never repeats it."""
    plugin = _plugin(kind, address)
    host = getattr(plugin, "smtp_host", None) or plugin.host or ""
    if kind == "ntfy" and plugin.mode == "cloud":
        host = urlsplit(plugin.cloud_notify_url).hostname
    elif kind == "matrix" and plugin.mode == "t2bot":
        # What stands where a host stands is the token here.
        host = "webhooks.t2bot.io"
    secure = bool(plugin.secure)
    port = int(plugin.port or (443 if secure else 80))
    return Place(_scheme(address), str(host).lower().strip("[]"), port)


def silence() -> None:
    """Make the library's loggers mute; repeatable."""
    for name in _LOGGERS:
        logger = logging.getLogger(name)
        logger.handlers[:] = [_Ear()]
        logger.propagate = False
        logger.setLevel(logging.WARNING if name == "apprise" else logging.CRITICAL + 1)


class _Ear(logging.Handler):
    """Takes the number of a status out of a record and drops the record."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            found = _STATUS.search(record.getMessage())
        except Exception:
            return
        heard = _heard.get(None)
        if found and heard is not None:
            heard.append(int(found[1]))


def _plugin(kind: TargetKind, address: str) -> Any:
    shape = f"this is no address of {kind}; it looks like {_EXAMPLES[kind]}"
    if _scheme(address) not in SCHEMES.get(kind, ()):
        raise InvalidRequestError(shape)
    try:
        options = {name.lower() for name, _ in parse_qsl(urlsplit(address).query)}
        if options & _READS_FILES:
            raise InvalidRequestError(
                f"leave out {', '.join(sorted(options & _READS_FILES))}: nothing is attached here"
            )
        kind_of_plugin = _load(kind)
        parsed = kind_of_plugin.parse_url(address)
        if not parsed:
            raise InvalidRequestError(shape)
        if kind == "matrix":
            parsed["e2ee"] = False
            # Its server could name any other one, which nobody would check.
            parsed["discovery"] = False
        plugin = kind_of_plugin(**parsed)
    except InvalidRequestError:
        raise
    except Exception as error:
        raise InvalidRequestError(shape) from _without_words(error)
    plugin.redirects = False
    plugin.socket_connect_timeout = _CONNECT_SECONDS
    plugin.socket_read_timeout = _READ_SECONDS
    return plugin


_EXAMPLES: Mapping[TargetKind, str] = {
    "webhook": "https://host/path",
    "ntfy": "ntfys://host/topic",
    "email": "mailtos://user:password@host?to=address",
    "matrix": "matrixs://token@host/!room:host",
    "gotify": "gotifys://host/token",
}


_PLUGINS: Mapping[TargetKind, tuple[str, str]] = {
    "ntfy": ("ntfy", "NotifyNtfy"),
    "email": ("email", "NotifyEmail"),
    "matrix": ("matrix", "NotifyMatrix"),
    "gotify": ("gotify", "NotifyGotify"),
}


def _load(kind: TargetKind) -> Any:
    # Here and not above: together they cost a sixth of a second at a start that may need none.
    if kind not in _PLUGINS:
        raise InvalidRequestError(f"{kind} has no address")
    module, name = _PLUGINS[kind]
    with warnings.catch_warnings():
        # Its mail part still looks for a module that Python is about to drop.
        warnings.simplefilter("ignore", DeprecationWarning)
        plugin = getattr(importlib.import_module(f"apprise.plugins.{module}"), name)
    silence()
    return plugin


def _notify(kind: TargetKind, address: str, title: str, text: str) -> bool:
    return bool(_plugin(kind, address).notify(body=text, title=title))


def _refused(kind: TargetKind, heard: Sequence[int]) -> Answer:
    if not heard:
        return Answer(
            ok=False, problem=f"{kind} did not take it: it is away, or refuses user or password"
        )
    return Answer(ok=False, status=heard[-1], problem=f"the receiver answered {heard[-1]}")


def _words(parcel: Parcel) -> tuple[str, str]:
    document = json.loads(parcel.body)
    return str(document["title"]), str(document["message"])


def _scheme(address: str) -> str:
    return address.partition("://")[0].strip().lower()


def _without_words(error: Exception) -> Exception:
    """Keep the type of an error and drop its text, for a log that shows causes."""
    return RuntimeError(type(error).__name__)
