"""The list of installed NIMs as a YAML file in the data folder that a person can read."""

import asyncio
from pathlib import Path
from typing import Any

import structlog
import yaml
from pydantic import ValidationError

from spark_common.contracts.nim import NimService
from spark_common.errors import UnavailableError
from spark_common.whole_file import write_whole

FILE = "nim-services.yaml"
_HEAD = "# NIM services that spark-control installed. Written by it; a person may read it.\n"
_log = structlog.get_logger()


class YamlNims:
    """``nim-services.yaml``: whole at every moment, also when the power fails."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / FILE
        self._alone = asyncio.Lock()
        self._seen: tuple[object, list[NimService]] = (None, [])

    async def all(self) -> list[NimService]:
        """Return every one, by name. Raises UnavailableError for a file that cannot be read."""
        return await asyncio.to_thread(self.read)

    async def put(self, service: NimService) -> None:
        """Write one down."""
        async with self._alone:
            await asyncio.to_thread(self._change, service.name, service)

    async def drop(self, name: str) -> None:
        """Strike one out."""
        async with self._alone:
            await asyncio.to_thread(self._change, name, None)

    def read(self) -> list[NimService]:
        """Return every one, as ``all``; a damaged entry is left out and logged."""
        mark = self._mark()
        if mark is None or mark != self._seen[0]:
            self._seen = (mark, self._read())
        return list(self._seen[1])

    def _mark(self) -> object:
        """Return what changes whenever the file does."""
        try:
            found = self._path.stat()
        except OSError:
            return None
        return (found.st_ino, found.st_mtime_ns, found.st_size)

    def _read(self) -> list[NimService]:
        found = []
        for name, fields in self._rows().items():
            try:
                found.append(NimService.model_validate({**fields, "name": name}))
            except (ValidationError, TypeError):
                _log.warning("nim.service_unreadable", service=str(name)[:60])
        return sorted(found, key=lambda one: one.name)

    def _rows(self) -> dict[str, Any]:
        try:
            document = yaml.safe_load(self._path.read_text("utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, yaml.YAMLError) as error:
            raise UnavailableError(
                f"{FILE} in the data folder cannot be read ({type(error).__name__}); "
                "put it right or remove it"
            ) from error
        return document if isinstance(document, dict) else {}

    def _change(self, name: str, service: NimService | None) -> None:
        rows = self._rows()
        rows.pop(name, None)
        if service is not None:
            rows[name] = service.model_dump(mode="json", exclude={"name"})
        text = _HEAD + yaml.safe_dump(rows, sort_keys=True, allow_unicode=True)
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(self._path, text.encode())
        except OSError as error:
            raise UnavailableError(
                f"{FILE} could not be written ({type(error).__name__}); look at the data folder"
            ) from error
