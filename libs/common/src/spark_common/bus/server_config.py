"""The configuration of nats-server, rendered: identities, limits, and a sync on every write."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from spark_common.bus.permissions import OPERATOR, PERMISSIONS, Permissions, automation

_NO_AUTOMATIONS: Mapping[str, str] = {}

MAX_FILE_BYTES = 2_000_000_000
"""Above the sum of what all streams may take."""


def render(
    public_keys: Mapping[str, str],
    *,
    store_dir: Path,
    listen: str = "127.0.0.1:4222",
    monitor: str = "127.0.0.1:8222",
    automations: Mapping[str, str] = _NO_AUTOMATIONS,
) -> str:
    """Return the text of ``nats.conf``; it holds public keys only.

    ``public_keys`` has one for every identity, ``automations`` one for each that the owner
    added; ``listen`` and ``monitor`` are host:port.
    """
    known = [_user(public_keys[name], name, PERMISSIONS[name]) for name in PERMISSIONS]
    added = [
        _user(key, f"automation {name}", automation(name))
        for name, key in sorted(automations.items())
    ]
    users = ",\n".join([*known, *added])
    return f"""\
server_name: spark-control
listen: {json.dumps(listen)}
http: {json.dumps(monitor)}
max_payload: 1MB
max_connections: 200
write_deadline: "5s"
ping_interval: "20s"
lame_duck_duration: "30s"
lame_duck_grace_period: "1s"
jetstream {{
  store_dir: {json.dumps(str(store_dir))}
  sync_interval: always
  max_memory_store: 67108864
  max_file_store: {MAX_FILE_BYTES}
}}
accounts {{
  SPARK {{
    jetstream: enabled
    users: [
{users}
    ]
  }}
  SYS {{ users: [ {{ nkey: {public_keys[OPERATOR]} }} ] }}
}}
system_account: SYS
"""


@dataclass(frozen=True)
class Places:
    """What a configuration says beside who may do what."""

    store_dir: Path
    listen: str
    monitor: str


def places_of(text: str) -> Places:
    """Read the places out of a configuration that ``render`` wrote.

    Raises ValueError for a text that somebody else wrote.
    """
    return Places(
        store_dir=Path(_quoted("store_dir", text)),
        listen=_quoted("listen", text),
        monitor=_quoted("http", text),
    )


def _quoted(name: str, text: str) -> str:
    found = re.search(rf'^ *{name}: ("(?:[^"\\]|\\.)*")$', text, re.MULTILINE)
    if found is None:
        raise ValueError(f"there is no line {name} as spark-control writes it")
    return str(json.loads(found[1]))


def _user(public_key: str, name: str, permissions: Permissions) -> str:
    answers = ", allow_responses: true" if permissions.answers else ""
    return (
        f"      # {name}\n"
        f"      {{ nkey: {public_key}, permissions: {{\n"
        f"          publish: {json.dumps(permissions.publish)}\n"
        f"          subscribe: {json.dumps(permissions.subscribe)}{answers} }} }}"
    )
