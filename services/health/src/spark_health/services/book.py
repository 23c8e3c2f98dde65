"""The owner's own services as a YAML file in the data folder that a person reads and edits."""

import asyncio
import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from spark_common.contracts.services import CustomService
from spark_common.errors import ConflictError, NotFoundError, UnavailableError
from spark_common.forbidden_address import forbidden
from spark_common.settings.values import check_address
from spark_common.whole_file import write_whole
from spark_health.services import yaml_text

FILE = "services.yaml"
MOST = 100
_HEAD = """\
# Services of your own. Each name has fields below it:
#   kind: http (answers on a port), vllm (the same, watched only) or bot (a container, no port)
#   host: spark1, or an address; port, path (/health), container, user, label
"""
_SPARK = re.compile(r"spark[1-9][0-9]{0,2}\Z")


@dataclass(frozen=True)
class Listed:
    """What the file says, and what of it cannot be used."""

    services: tuple[CustomService, ...] = ()
    problems: tuple[str, ...] = ()


@dataclass
class YamlServices:
    """``services.yaml``: whole at every moment, also when the power fails."""

    data_dir: Path
    refusal: Callable[[CustomService], str | None] = lambda _: None
    """Says why an entry cannot be used beside what there is already."""
    _alone: asyncio.Lock = field(default_factory=asyncio.Lock)
    _seen: tuple[object, Listed] = (None, Listed())

    @property
    def path(self) -> Path:
        """Where it is."""
        return self.data_dir / FILE

    def read(self) -> Listed:
        """Return every entry; while the file cannot be read, what it said before."""
        try:
            found = self.path.stat()
            mark: object = (found.st_ino, found.st_mtime_ns, found.st_size)
        except (FileNotFoundError, NotADirectoryError):
            self._seen = (None, Listed())
            return self._seen[1]
        except OSError as error:
            mark = type(error).__name__
        if mark != self._seen[0]:
            self._seen = (mark, self._read())
        usable, problems = [], list(self._seen[1].problems)
        for one in self._seen[1].services:
            if (why := self.refusal(one)) is None:
                usable.append(one)
            else:
                problems.append(f"{FILE}: {one.name}: {why}.")
        return Listed(tuple(usable), tuple(problems))

    async def put(self, service: CustomService, *, replace: bool) -> None:
        """Write one down. Raises ConflictError, UnavailableError."""
        async with self._alone:
            await asyncio.to_thread(self._put, service, replace)

    async def drop(self, name: str) -> None:
        """Strike one out. Raises NotFoundError, ConflictError, UnavailableError."""
        async with self._alone:
            await asyncio.to_thread(self._drop, name)

    def _read(self) -> Listed:
        try:
            rows, twice = yaml_text.read(self._text())
        except (yaml_text.UnreadableError, UnavailableError) as error:
            sentence = f"{FILE} in the data folder cannot be read: {error}. Put it right."
            return Listed(self._seen[1].services, (sentence,))
        found: list[CustomService] = []
        problems = [
            f"{FILE}: {name[:60]!r} stands there twice; the last one counts." for name in twice
        ]
        for name, fields in list(rows.items())[:MOST]:
            try:
                if not isinstance(fields, dict):
                    raise TypeError
                found.append(checked(CustomService.model_validate({**fields, "name": name})))
            except ValidationError as error:
                first = error.errors(include_input=False, include_url=False)[0]
                where = ".".join(str(part) for part in first["loc"])[:60]
                problems.append(f"{FILE}: {str(name)[:60]!r}: {where}: {first['msg'][:150]}.")
            except ValueError as error:
                problems.append(f"{FILE}: {str(name)[:60]!r}: {error}.")
            except TypeError:
                problems.append(f"{FILE}: {str(name)[:60]!r}: must be fields with values.")
        if len(rows) > MOST:
            problems.append(f"{FILE}: only the first {MOST} of {len(rows)} are used.")
        return Listed(tuple(found), tuple(problems))

    def _text(self) -> str:
        try:
            with self.path.open("rb") as stream:
                return stream.read(yaml_text.MOST_BYTES + 1).decode()
        except (FileNotFoundError, NotADirectoryError):
            return ""
        except (OSError, UnicodeDecodeError) as error:
            raise UnavailableError(type(error).__name__) from error

    def _put(self, service: CustomService, replace: bool) -> None:
        rows, text = self._rows()
        if service.name in rows and not replace:
            raise ConflictError(
                f"there is a service {service.name} already; say replace, or take another name",
                name=service.name,
            )
        if service.name not in rows and len(rows) >= MOST:
            raise ConflictError(f"there are {MOST} services already; remove one first")
        fields = service.model_dump(mode="json", exclude={"name"}, exclude_none=True)
        if service.kind == "bot":
            fields.pop("path", None)
        self._write(yaml_text.with_entry(text or _HEAD, service.name, fields))

    def _drop(self, name: str) -> None:
        rows, text = self._rows()
        if name not in rows:
            raise NotFoundError(f"{FILE} has no service {name!r}", name=name)
        self._write(yaml_text.without_entry(text, name))

    def _rows(self) -> tuple[dict[object, object], str]:
        try:
            text = self._text()
            return yaml_text.read(text)[0], text
        except (yaml_text.UnreadableError, UnavailableError) as error:
            raise ConflictError(
                f"{FILE} in the data folder cannot be read: {error}. Put it right first"
            ) from error

    def _write(self, text: str) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(self.path, text.encode())
        except OSError as error:
            raise UnavailableError(
                f"{FILE} could not be written ({type(error).__name__}); look at the data folder"
            ) from error


def checked(service: CustomService) -> CustomService:
    """Return it if its fields go together. Raises ValueError."""
    if service.host is not None and not _SPARK.match(service.host):
        service = service.model_copy(update={"host": _machine(service.host)})
    if service.kind == "bot":
        if service.container is None:
            raise ValueError("a bot needs its container")
        if service.port is not None:
            raise ValueError("a bot has no port; of kind http it has one")
    elif service.port is None:
        raise ValueError(f"kind {service.kind} needs a port")
    return service


def _machine(host: str) -> str:
    """Return the address of a machine that may be asked. Raises ValueError."""
    host = check_address(host)
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if (why := forbidden(address)) is not None:
        raise ValueError(f"the host {why}")
    return host
