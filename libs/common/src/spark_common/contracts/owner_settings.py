"""What the owner edits under the gear: fields, their values, and everything that is state."""

from datetime import datetime
from typing import Annotated, Literal, TypeAlias

from pydantic import Field, JsonValue, SecretStr, StringConstraints

from spark_common.contracts.overrides import OverridesText
from spark_common.contracts.rpc import Reply, Request, Rpc
from spark_common.contracts.swaps import Text

SettingKind: TypeAlias = Literal[
    "text", "number", "integer", "flag", "choice", "list", "address", "url", "secret"
]
SettingName = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]{0,63}$")]


class SettingView(Reply):
    """One field of the table with its value; a secret only says whether it is set."""

    name: str
    label: str
    help: str
    group: str
    kind: SettingKind
    choices: list[str] = []
    unit: str | None = None
    default: JsonValue = None
    value: JsonValue = None
    """What holds now: of the owner, else of the environment, else the default."""
    source: Literal["owner", "environment", "default"]
    is_set: bool = False
    """For a secret: there is a value."""


class SettingsView(Reply):
    """All fields, in the order in which they are shown."""

    version: int = Field(ge=0)
    settings: list[SettingView] = []
    warnings: list[str] = []
    """What was blank, malformed, unknown or could not be migrated; one sentence each."""


class GetSettings(Request):
    """Ask for all settings."""


class ChangeSettings(Request):
    """Change some settings, all or none.

    A value replaces, None takes the owner's value back. Values are checked by the table.
    """

    version: int | None = Field(default=None, ge=0)
    """The version the change was made from; another one by now is a conflict."""
    values: dict[SettingName, JsonValue] = Field(default={}, max_length=200)
    secrets: dict[SettingName, SecretStr | None] = Field(default={}, max_length=200)
    """Write-only: set or replace; None clears."""
    requested_by: Text = "someone"


class ReadOverlay(Request):
    """Ask for the owner's values as a service needs them; answered only to services."""

    known_version: int | None = None
    """What the caller has already; the same version comes back without values."""


class Overlay(Reply):
    """The owner's values that are no secrets, by name, as text like in the environment."""

    version: int = Field(ge=0)
    values: dict[str, str] | None = None
    """None: unchanged since ``known_version``."""


class ExportState(Request):
    """Ask for everything that is state, as one document."""

    passphrase: SecretStr | None = None
    """Encrypts the secrets; without one they are left out and listed as missing."""


class StateDocument(Reply):
    """Everything that is state, in one document that an empty install can take in."""

    product: Literal["spark-control"] = "spark-control"
    format: int = 1
    exported_at: datetime
    settings: dict[str, str] = Field(default={}, max_length=1000)
    secrets: str | None = None
    """Encrypted with the passphrase, base64."""
    missing_secrets: list[str] = Field(default=[], max_length=1000)
    schedules: list[dict[str, JsonValue]] = Field(default=[], max_length=1000)
    webhooks: list[dict[str, JsonValue]] = Field(default=[], max_length=200)
    overrides: OverridesText = ""
    """``models.override.yaml`` as it is."""
    custom_services: list[dict[str, JsonValue]] = Field(default=[], max_length=200)
    api_keys: list[dict[str, JsonValue]] = Field(default=[], max_length=1000)
    """Hashes, never keys."""
    maintenance: list[dict[str, JsonValue]] = Field(default=[], max_length=200)
    """Windows that run or come."""


class ImportState(Request):
    """Take such a document in; what is there under the same names is replaced."""

    document: dict[str, JsonValue]
    passphrase: SecretStr | None = None
    requested_by: Text = "someone"
    dry_run: bool = False
    """Only say what would change."""


class StateChange(Reply):
    """One thing that an import would add or replace here."""

    part: Literal[
        "settings",
        "secrets",
        "recipes",
        "schedules",
        "webhooks",
        "custom_services",
        "api_keys",
        "maintenance",
    ]
    name: str
    how: Literal["added", "replaced"]
    before: str | None = None
    """The value that is set here; of settings alone, never of a secret."""
    after: str | None = None


class Imported(Reply):
    """What an import did; after a dry run, what it would do."""

    settings: int = 0
    secrets: int = 0
    schedules: int = 0
    webhooks: int = 0
    overrides: bool = False
    api_keys: int = 0
    maintenance: int = 0
    warnings: list[str] = []
    dry_run: bool = False
    changes: list[StateChange] = []
    """Filled by a dry run alone; what is here already just so is not in it."""


GET_SETTINGS = Rpc("rpc.coordinator.settings.get", GetSettings, SettingsView)
CHANGE_SETTINGS = Rpc("rpc.coordinator.settings.change", ChangeSettings, SettingsView)
READ_OVERLAY = Rpc("rpc.coordinator.settings.overlay", ReadOverlay, Overlay)
EXPORT_STATE = Rpc("rpc.coordinator.settings.export", ExportState, StateDocument)
IMPORT_STATE = Rpc("rpc.coordinator.settings.import", ImportState, Imported)
