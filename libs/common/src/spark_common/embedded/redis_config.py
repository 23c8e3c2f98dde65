"""The configuration of redis-server, rendered: one user, our keys only, a sync on every write."""

import hashlib
import json

USER = "spark"
RULES = (
    "resetkeys ~sc:* resetchannels -@all +@read +@write +@string +@hash +@sortedset +@set +@list"
    " +@connection +@transaction +eval +evalsha +script|load +time -@dangerous"
    " +client|setname"
)
"""Our keys only; scripts, but nothing that looks at or empties the whole server."""


def render(*, listen: str, data: str, password: str) -> str:
    """Return the text of ``redis.conf``; it holds a digest of the password only.

    ``listen`` is host:port, ``data`` the folder of the append-only file. Nobody logs in as the
    default user, but Valkey replays the file in its name at a start, and drops, with a line in
    its log, every transaction that this user may not run: hence off, and allowed everything.
    """
    host, _, port = listen.rpartition(":")
    digest = hashlib.sha256(password.encode()).hexdigest()
    return f"""\
bind {host}
port {port}
dir {json.dumps(data)}
daemonize no
appendonly yes
appendfsync always
no-appendfsync-on-rewrite no
aof-use-rdb-preamble yes
save ""
maxmemory 64mb
maxmemory-policy noeviction
user default off resetpass ~* &* +@all
user {USER} on #{digest} {RULES}
"""
