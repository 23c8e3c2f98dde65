"""Publishes the types on the bus: a JSON Schema each, and AsyncAPI for the subjects.

``python -m spark_common.schemas docs/events`` writes them; ``--check`` compares instead.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from spark_common import events, subjects
from spark_common.bus.streams import StreamSpec, stream_of
from spark_common.envelope import Envelope
from spark_common.events import COMMANDS, EVENTS, Command, Message

MESSAGES: tuple[type[Message], ...] = (*COMMANDS, *EVENTS)
_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_DAY_SECONDS = 24 * 3600
_SHORT: Mapping[str, type[Message]] = {
    "swap.complete": events.SwapComplete,
    "swap.failed": events.SwapFailed,
    "download.complete": events.DownloadComplete,
    "download.failed": events.DownloadFailed,
    "update.complete": events.UpdateComplete,
    "update.failed": events.UpdateFailed,
    "install.complete": events.InstallComplete,
    "install.failed": events.InstallFailed,
    "overlay.complete": events.OverlayComplete,
    "overlay.failed": events.OverlayFailed,
    "health.transition": events.HealthTransition,
}


@dataclass(frozen=True)
class Channel:
    """A subject, what is said there, and whether spark-control says or hears it."""

    address: str
    """With ``{id}`` where the id of a swap or job stands."""
    message: type[Message]
    action: Literal["send", "receive"]
    bare: bool = False
    """The message may also come without an envelope."""

    @property
    def name(self) -> str:
        """Key in the document: ``swap_progress_id``."""
        return self.address.replace(".", "_").replace("{", "").replace("}", "")

    @property
    def stream(self) -> StreamSpec | None:
        """Where it is stored."""
        return stream_of(self.address.replace("{id}", "x"))


CHANNELS: tuple[Channel, ...] = (
    Channel(subjects.SWAP_INGRESS, events.SwapRequested, "receive", bare=True),
    Channel(subjects.swap_start("{id}"), events.SwapStart, "send"),
    Channel(subjects.swap_cancel("{id}"), events.SwapCancel, "send"),
    Channel(subjects.swap_accepted("{id}"), events.SwapAccepted, "send"),
    Channel(subjects.swap_rejected("{id}"), events.SwapRejected, "send"),
    Channel(subjects.swap_progress("{id}"), events.SwapProgress, "send"),
    Channel(subjects.swap_complete("{id}"), events.SwapComplete, "send"),
    Channel(subjects.swap_failed("{id}"), events.SwapFailed, "send"),
    Channel(subjects.job_progress("download", "{id}"), events.DownloadProgress, "send"),
    Channel(subjects.job_complete("download", "{id}"), events.DownloadComplete, "send"),
    Channel(subjects.job_failed("download", "{id}"), events.DownloadFailed, "send"),
    Channel(subjects.job_progress("update", "{id}"), events.UpdateProgress, "send"),
    Channel(subjects.job_complete("update", "{id}"), events.UpdateComplete, "send"),
    Channel(subjects.job_failed("update", "{id}"), events.UpdateFailed, "send"),
    Channel(subjects.job_progress("install", "{id}"), events.InstallProgress, "send"),
    Channel(subjects.job_complete("install", "{id}"), events.InstallComplete, "send"),
    Channel(subjects.job_failed("install", "{id}"), events.InstallFailed, "send"),
    Channel(subjects.job_progress("overlay", "{id}"), events.OverlayProgress, "send"),
    Channel(subjects.job_complete("overlay", "{id}"), events.OverlayComplete, "send"),
    Channel(subjects.job_failed("overlay", "{id}"), events.OverlayFailed, "send"),
    *(
        Channel(message.type, message, "send")
        for message in EVENTS
        if issubclass(message, events.LockEvent | events.ScheduleEvent)
        or message is events.LockQueueChanged
    ),
    Channel(subjects.health_transition("{id}"), events.HealthTransition, "send"),
    Channel(subjects.health_checked("{id}"), events.HealthChecked, "send"),
    Channel(subjects.SERVICE_ACTION, events.ServiceAction, "send"),
    Channel(subjects.HEALTH_PROBE, events.HealthProbeRequested, "send"),
    Channel(subjects.HEALTH_REPORT, events.HealthReport, "receive", bare=True),
    Channel(subjects.AUDIO_SUSPECT, events.AudioSuspect, "send"),
    Channel(subjects.AUDIO_STATE, events.AudioState, "send"),
    Channel(subjects.AUDIO_REQUEST_DONE, events.AudioRequestDone, "send"),
    Channel(subjects.audio_job("{id}"), events.AudioJobChanged, "send"),
    Channel(subjects.redaction_audit("{id}"), events.RedactionAudited, "send"),
    Channel(subjects.SETTINGS_CHANGED, events.SettingsChanged, "send"),
    Channel(subjects.KEYS_CHANGED, events.KeysChanged, "send"),
    *(Channel(subject, message, "send") for subject, message in _SHORT.items()),
    Channel(subjects.MENU_CHANGED, events.MenuChanged, "send"),
)


def file_name(message: type[Message]) -> str:
    """Return the name of a type's published schema."""
    return f"{message.type}.v{message.version}.json"


def schema(message: type[Message]) -> dict[str, Any]:
    """Return the JSON Schema of the ``data`` of one type."""
    return {"$schema": _DIALECT, "$id": message.type_name(), **message.model_json_schema()}


def asyncapi() -> dict[str, Any]:
    """Return the AsyncAPI 3.0 document of every subject."""
    models: list[type[BaseModel]] = [Envelope, *MESSAGES]
    _, definitions = models_json_schema(
        [(model, "validation") for model in models],
        ref_template="#/components/schemas/{model}",
    )
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "spark-control on NATS",
            "version": "1.0.0",
            "description": "Commands and events of spark-control. `data` of the envelope is the "
            "named type; readers ignore fields they do not know.",
        },
        "defaultContentType": "application/json",
        "channels": {channel.name: _channel(channel) for channel in CHANNELS},
        "operations": {
            f"{channel.action}_{channel.name}": {
                "action": channel.action,
                "channel": {"$ref": f"#/channels/{channel.name}"},
            }
            for channel in CHANNELS
        },
        "components": {
            "messages": {message.type_name(): _message(message) for message in MESSAGES},
            "schemas": definitions["$defs"],
        },
    }


def documents() -> dict[str, str]:
    """Return every published file by name, as text."""
    files = {file_name(message): schema(message) for message in MESSAGES}
    files["asyncapi.json"] = asyncapi()
    return {name: _text(content) for name, content in files.items()}


def stale(folder: Path) -> list[str]:
    """Return what is missing, differs, or belongs to no type any more; empty when current."""
    wanted = documents()
    found = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.json")}
    return sorted(name for name in wanted | found if wanted.get(name) != found.get(name))


def write(folder: Path) -> None:
    """Write all files; those that belong to no type any more are removed."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted = documents()
    for path in folder.glob("*.json"):
        if path.name not in wanted:
            path.unlink()
    for name, text in wanted.items():
        (folder / name).write_text(text, encoding="utf-8")


def _channel(channel: Channel) -> dict[str, Any]:
    described: dict[str, Any] = {
        "address": channel.address,
        "messages": {
            channel.message.type: {"$ref": f"#/components/messages/{channel.message.type_name()}"}
        },
        "description": _kept(channel),
    }
    if "{id}" in channel.address:
        described["parameters"] = {"id": {"description": "The id of the swap or job."}}
    if channel.bare:
        described["description"] += " The type may also be published bare, without an envelope."
    return described


def _kept(channel: Channel) -> str:
    if channel.stream is None and channel.address in _SHORT:
        return f"Copies of `{channel.address}.{{id}}` for whoever listens; not stored."
    if channel.stream is None:
        return "Told to whoever listens; not stored."
    days = channel.stream.max_age_seconds / _DAY_SECONDS
    return f"Stored in {channel.stream.name} for {days:g} day{'' if days == 1 else 's'}."


def _message(message: type[Message]) -> dict[str, Any]:
    data = {"$ref": f"#/components/schemas/{message.__name__}"}
    enveloped = {
        "allOf": [
            {"$ref": "#/components/schemas/Envelope"},
            {"properties": {"type": {"const": message.type_name()}, "data": data}},
        ]
    }
    bare = any(channel.bare for channel in CHANNELS if channel.message is message)
    kind = "Command" if issubclass(message, Command) else "Event"
    return {
        "name": message.type_name(),
        "title": message.__name__,
        "summary": f"{kind}: {_first_line(message)}",
        "payload": {"anyOf": [enveloped, data]} if bare else enveloped,
    }


def _first_line(message: type[Message]) -> str:
    return (message.__doc__ or "").strip().splitlines()[0]


def _text(content: Mapping[str, Any]) -> str:
    return json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or compare; returns 1 when ``--check`` finds a difference."""
    parser = argparse.ArgumentParser(prog="python -m spark_common.schemas", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    chosen = parser.parse_args(arguments)
    if not chosen.check:
        write(chosen.folder)
        return 0
    differing = stale(chosen.folder)
    for name in differing:
        sys.stderr.write(f"{chosen.folder / name} is not current: run make schemas\n")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
