"""Everything that is state, as one document; and such a document on an empty install."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import get_args

import structlog
from pydantic import JsonValue, SecretStr, ValidationError

from spark_common.bus.port import Serving
from spark_common.clock import Clock
from spark_common.contracts.owner_settings import (
    EXPORT_STATE,
    IMPORT_STATE,
    ExportState,
    Imported,
    ImportState,
    StateDocument,
)
from spark_common.errors import InvalidRequestError
from spark_common.owner import Table
from spark_common.settings.load import reason_of
from spark_coordinator.owner.change import Change, Problem, check
from spark_coordinator.owner.editing import Editing
from spark_coordinator.owner.state.overrides import RecipeFile
from spark_coordinator.owner.state.preview import differences
from spark_coordinator.owner.state.sealing import Secrets, seal, unseal
from spark_coordinator.owner.state.section import SectionName, StateSection, TakenIn
from spark_coordinator.owner.store import OverlayStore
from spark_coordinator.printable import printable

FORMAT = 1
_SETTINGS = "settings"
_MOST_WARNINGS = 200
_LONGEST_WARNING = 500
_log = structlog.get_logger()


class StateKeeping:
    """Writes the document and takes it in."""

    def __init__(
        self,
        store: OverlayStore,
        editing: Editing,
        table: Table,
        recipes: RecipeFile,
        sections: Sequence[StateSection],
        clock: Clock,
    ) -> None:
        self._store = store
        self._editing = editing
        self._table = table
        self._recipes = recipes
        self._sections = sections
        self._clock = clock

    def verbs(self) -> Sequence[Serving]:
        """Return both verbs; scrypt takes memory, so few at a time."""
        return (
            Serving(EXPORT_STATE, self.export, limit=2),
            Serving(IMPORT_STATE, self.take_in, limit=1),
        )

    async def export(self, request: ExportState) -> StateDocument:
        """Return all state. Raises UnavailableError rather than leave something out."""
        document, secrets = await self._here()
        named = [_named(part, name) for part, one in secrets.items() for name in sorted(one)]
        sealed: str | None = None
        if request.passphrase is not None:
            sealed = await asyncio.to_thread(seal, secrets, request.passphrase)
        return document.model_copy(
            update={
                "secrets": sealed if named else None,
                "missing_secrets": named if sealed is None else [],
            }
        )

    async def _here(self) -> tuple[StateDocument, Secrets]:
        """Return all state of this install, and its secrets apart."""
        owner = await self._store.read()
        recipes = await self._recipes.read()
        parts = {one.name: await one.export() for one in self._sections}
        secrets: dict[str, Mapping[str, str]] = {_SETTINGS: owner.secrets}
        secrets |= {name: part.secrets for name, part in parts.items()}
        document = StateDocument(
            exported_at=self._clock.now(), settings=dict(owner.values), overrides=recipes.text
        )
        entries = {str(name): list(part.entries) for name, part in parts.items()}
        return document.model_copy(update=entries), secrets

    async def take_in(self, request: ImportState) -> Imported:
        """Take a document in; what is there under the same names is replaced.

        Everything is checked before anything is changed; a dry run ends there. A repeat after a
        fault on the way does the rest. Raises InvalidRequestError, UnavailableError.
        """
        document = _read(request.document)
        secrets, warnings = await _secrets_of(document, request.passphrase)
        change, problems = await self._settings_of(document, secrets.get(_SETTINGS, {}))
        warnings += [f"{one.name} was left out: {one.rule}" for one in problems]
        await self._editing.require_agreement(change)
        if request.dry_run:
            return await self._foreseen(document, change, secrets, warnings)
        by = request.requested_by
        wrote = bool(document.overrides.strip())
        if wrote:
            # First what another service may refuse; until then nothing is changed.
            written = await self._recipes.write(document.overrides, by)
            warnings += written.problems
        await self._editing.apply(change, None, by)
        taken = {
            part.name: await part.take_in(
                getattr(document, part.name), secrets.get(part.name, {}), by
            )
            for part in self._sections
        }
        warnings += [one for part in taken.values() for one in part.warnings]
        warnings += self._homeless(document)
        _log.info("state.imported", by=by, warnings=len(warnings))
        return Imported(
            settings=len(change.values),
            secrets=len(change.secrets) + sum(part.secrets for part in taken.values()),
            schedules=taken.get("schedules", TakenIn()).entries,
            webhooks=taken.get("webhooks", TakenIn()).entries,
            overrides=wrote,
            api_keys=taken.get("api_keys", TakenIn()).entries,
            maintenance=taken.get("maintenance", TakenIn()).entries,
            warnings=_shortened(warnings),
        )

    async def _foreseen(
        self, document: StateDocument, change: Change, secrets: Secrets, warnings: list[str]
    ) -> Imported:
        """Say what an import would change; each entry's own rules are asked when it is done."""
        here, kept = await self._here()
        known: set[str] = {part.name for part in self._sections}
        wanted = {part: ones for part, ones in secrets.items() if part in known}
        wanted[_SETTINGS] = _set(change.secrets)
        heeded = document.model_copy(
            update={name: [] for name in get_args(SectionName) if name not in known}
            | {"settings": _set(change.values)}
        )
        changes = differences(here, kept, heeded, wanted)
        count = Counter(one.part for one in changes)
        return Imported(
            settings=count["settings"],
            secrets=count["secrets"],
            schedules=count["schedules"],
            webhooks=count["webhooks"],
            overrides=count["recipes"] > 0,
            api_keys=count["api_keys"],
            maintenance=count["maintenance"],
            warnings=_shortened([*warnings, *self._homeless(document)]),
            dry_run=True,
            changes=changes,
        )

    async def _settings_of(
        self, document: StateDocument, secrets: Mapping[str, str]
    ) -> tuple[Change, list[Problem]]:
        values: dict[str, JsonValue] = dict(document.settings)
        hushed: dict[str, SecretStr | None] = {
            name: SecretStr(secret) for name, secret in secrets.items()
        }
        return await asyncio.to_thread(check, self._table, values, hushed)

    def _homeless(self, document: StateDocument) -> list[str]:
        """Say which parts of the document nobody here takes in."""
        known = {part.name for part in self._sections}
        return [
            f"{name} of the document were left out: this version does not know them"
            for name in get_args(SectionName)
            if name not in known and getattr(document, name)
        ]


def _read(raw: Mapping[str, JsonValue]) -> StateDocument:
    if raw.get("product") != "spark-control":
        raise InvalidRequestError("this is no exported state of spark-control")
    if raw.get("format") != FORMAT:
        raise InvalidRequestError(
            "this document is of another version of spark-control: import it there, or update here"
        )
    try:
        return StateDocument.model_validate(raw)
    except ValidationError as wrong:
        place = ".".join(str(part) for part in wrong.errors(include_input=False)[0]["loc"])
        raise InvalidRequestError(
            f"the document is damaged at {place[:100]!r}: {reason_of(wrong)}"
        ) from wrong


async def _secrets_of(
    document: StateDocument, passphrase: SecretStr | None
) -> tuple[Secrets, list[str]]:
    missing = [f"{name} is not in the document: enter it anew" for name in document.missing_secrets]
    if document.secrets is None:
        return {}, missing
    if passphrase is None:
        left = "the secrets of the document were left out: no passphrase was given"
        return {}, [*missing, left]
    return await asyncio.to_thread(unseal, document.secrets, passphrase), missing


def _set(texts: Mapping[str, str | None]) -> dict[str, str]:
    return {name: text for name, text in texts.items() if text is not None}


def _shortened(warnings: list[str]) -> list[str]:
    told = [printable(warning[:_LONGEST_WARNING]) for warning in warnings[:_MOST_WARNINGS]]
    left = len(warnings) - len(told)
    return [*told, f"and {left} more"] if left else told


def _named(part: str, name: str) -> str:
    return name if part == _SETTINGS else f"{part}: {name}"
