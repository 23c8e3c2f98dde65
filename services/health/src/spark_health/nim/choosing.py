"""From what somebody asked for to what is installed where; refuses before anything is touched."""

import hashlib
from collections.abc import Sequence

from pydantic import ValidationError

from spark_common.contracts.nim import InstallNim, NimEntry, NimService
from spark_common.errors import ConflictError, InvalidRequestError, NotFoundError
from spark_common.settings import HostSettings, HostsSettings
from spark_health.nim.catalogue import Catalogue, reserved

_ABOUT_THE_REQUEST = {
    "entry", "host", "ngc_api_key", "requested_by", "id", "force", "lock_token",
}  # fmt: skip

_NOT_OF_THE_ORDER = {"ngc_api_key", "id", "requested_by", "force", "lock_token"}


def choose(request: InstallNim, catalogue: Catalogue) -> NimEntry:
    """Return what to install. Raises NotFoundError, InvalidRequestError."""
    given = request.model_dump(exclude=_ABOUT_THE_REQUEST, exclude_none=True)
    if request.entry is not None:
        entry = catalogue.entries.get(request.entry)
        if entry is None:
            raise NotFoundError(
                f"the catalogue has no {request.entry!r}; GET /api/nim/catalog lists what it has",
                entry=request.entry,
            )
        base = entry.model_dump()
    elif request.name is None or request.image is None:
        raise InvalidRequestError("give the entry of the catalogue, or a name and an image")
    else:
        base = {"label": request.name}
    try:
        chosen = NimEntry.model_validate({**base, **given})
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise InvalidRequestError(f"{first['loc'][0]}: {first['msg']}") from None
    if (refused := reserved(chosen.env)) is not None:
        raise InvalidRequestError(refused)
    return chosen


def host_of(name: str | None, hosts: HostsSettings) -> HostSettings:
    """Return the Spark of that name, the one beside the model for none. Raises NotFoundError."""
    if name is None:
        return hosts.beside
    for host in hosts.hosts:
        if host.name == name:
            return host
    known = ", ".join(host.name for host in hosts.hosts)
    raise NotFoundError(f"there is no Spark {name!r}; there are {known}", host=name)


def volume_of(entry: NimEntry) -> str:
    """Return the volume of what it downloads."""
    return entry.volume or f"{entry.name}-cache"


def require_free(
    entry: NimEntry,
    host: HostSettings,
    services: Sequence[NimService],
    used: Sequence[tuple[str, str, int]],
    watched: frozenset[str],
) -> None:
    """Raise ConflictError when the name or the port belongs to something else that is known.

    ``used``: label, address and port of what the settings name; ``watched``: names of targets.
    """
    mine = next((one for one in services if one.name == entry.name), None)
    if mine is not None and mine.host != host.name:
        raise ConflictError(
            f"{entry.name} is installed on {mine.host}; remove it there first, or install it "
            "under another name",
            name=entry.name,
            host=mine.host,
        )
    if mine is None and entry.name in watched:
        raise ConflictError(
            f"{entry.name} is the name of another service; choose another", name=entry.name
        )
    for label, address, port in used:
        if address == host.address and port == entry.port:
            raise ConflictError(
                f"port {port} of {host.label} is that of {label}; choose another", port=port
            )
    for one in services:
        if one.name != entry.name and one.host == host.name and one.port == entry.port:
            raise ConflictError(
                f"port {one.port} of {host.label} is that of {one.label}; choose another",
                port=one.port,
            )
        if one.name != entry.name and one.host == host.name and one.volume == volume_of(entry):
            raise ConflictError(
                f"the volume {one.volume} is that of {one.label}; choose another",
                volume=one.volume,
            )


def digest_of(request: InstallNim) -> str:
    """Return the hash that tells a repetition from another request; nothing of the key is in it."""
    told = request.model_dump_json(exclude=_NOT_OF_THE_ORDER)
    return hashlib.sha256(told.encode()).hexdigest()
