"""The configuration of nats-server, rendered: identities, limits, and a sync on every write."""

import json
from collections.abc import Mapping
from pathlib import Path

from spark_common.bus.permissions import OPERATOR, PERMISSIONS

MAX_FILE_BYTES = 2_000_000_000
"""Above the sum of what all streams may take."""


def render(
    public_keys: Mapping[str, str],
    *,
    store_dir: Path,
    listen: str = "127.0.0.1:4222",
    monitor: str = "127.0.0.1:8222",
) -> str:
    """Return the text of ``nats.conf``; it holds public keys only.

    ``public_keys`` has one for every identity, ``listen`` and ``monitor`` are host:port.
    """
    users = ",\n".join(_user(public_keys[name], name) for name in PERMISSIONS)
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


def _user(public_key: str, name: str) -> str:
    permissions = PERMISSIONS[name]
    answers = ", allow_responses: true" if permissions.answers else ""
    return (
        f"      # {name}\n"
        f"      {{ nkey: {public_key}, permissions: {{\n"
        f"          publish: {json.dumps(permissions.publish)}\n"
        f"          subscribe: {json.dumps(permissions.subscribe)}{answers} }} }}"
    )
