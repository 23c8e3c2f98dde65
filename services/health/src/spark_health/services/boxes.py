"""What docker says of containers, read: pure, and what was cut off counts as not said."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import resources
from typing import Any, Final, Literal, TypeAlias

from spark_common.remote import RemoteCommand

LOOK_SECONDS: Final = 15.0
"""A look that takes longer is given up."""
SCRIPT: Final = (resources.files(__package__) / "look.sh").read_text().encode()
_VERSION = '{{index .Config.Labels "org.opencontainers.image.version" | json}}'
TEMPLATE: Final = (
    "[{{json .Name}},{{json .Id}},{{json .State.Status}},{{json .State.ExitCode}},"
    "{{json .RestartCount}},{{if .State.Health}}{{json .State.Health.Status}}{{else}}null{{end}},"
    "{{json .State.StartedAt}},{{json .State.OOMKilled}},{{json .HostConfig.RestartPolicy.Name}},"
    "{{json .Config.Image}},{{if .Config.Labels}}" + _VERSION + "{{else}}null{{end}}]"
)
_MISSING = re.compile(r"no such (?:object|container)", re.IGNORECASE)
_TIMED_OUT = (124, 137)
_STATES = frozenset(
    {"created", "running", "paused", "restarting", "removing", "exited", "dead"}
)  # fmt: skip
_HEALTH = ("healthy", "unhealthy", "starting")
_START = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)\Z")

State: TypeAlias = Literal[
    "created", "running", "paused", "restarting", "removing", "exited", "dead"
]


@dataclass(frozen=True)
class Box:
    """One container."""

    name: str
    id: str
    state: State
    exit_code: int
    restarts: int
    health: Literal["healthy", "unhealthy", "starting"] | None
    started_at: str
    """As docker says it: another run has another one."""
    out_of_memory: bool
    policy: str | None
    image: str | None
    version: str | None
    up_seconds: float | None
    """By the clock of its machine; None while it does not run."""

    @property
    def started(self) -> datetime | None:
        """When its latest run began."""
        return moment(self.started_at)


@dataclass(frozen=True)
class Looked:
    """One look at the containers of one login. ``problem``: why nothing is known of them."""

    boxes: Mapping[str, Box] = field(default_factory=dict)
    problem: str | None = None
    gpu_percent: int | None = None


def question(names: Sequence[str], *, gpu: bool, patience_seconds: int) -> RemoteCommand:
    """Return the command that asks for all of them at once; a docker that hangs is left."""
    words = (str(patience_seconds), "yes" if gpu else "no", TEMPLATE, *names)
    return RemoteCommand(("sh", "-s", "--", *words), stdin=SCRIPT)


def read_answer(text: str, names: Sequence[str], label: str) -> Looked:
    """Read what it printed. A container that docker does not know is in no box."""
    head, found, tail = text.partition("\nend ")
    if not found:
        return Looked(problem=f"the look at docker on {label} was cut off")
    code, _, said = tail.partition("\n")
    now, gpu, boxes = None, None, {}
    for line in head.splitlines():
        word, _, rest = line.partition(" ")
        match word:
            case "now":
                now = _number(rest)
            case "gpu":
                gpu = _number(rest)
            case "box":
                box = _box(rest, now)
                # docker also finds a container by the beginning of its id.
                if box is not None and box.name in names:
                    boxes[box.name] = box
            case _:
                pass
    percent = gpu if gpu is not None and 0 <= gpu <= 100 else None
    return Looked(boxes, _problem(code.strip(), said, label), percent)


def moment(text: str) -> datetime | None:
    """Read a time as docker writes it; the year one means never."""
    found = _START.match(text)
    if found is None or text.startswith("0001-"):
        return None
    fraction = (found[2] or "0")[:6].ljust(6, "0")
    try:
        return datetime.fromisoformat(f"{found[1]}.{fraction}{found[3].replace('Z', '+00:00')}")
    except ValueError:
        return None


def _problem(code: str, said: str, label: str) -> str | None:
    if code == "0":
        return None
    if code.isdigit() and int(code) in _TIMED_OUT:
        return f"docker on {label} takes questions and does not answer"
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    others = [line for line in lines if not _MISSING.search(line)]
    if code == "1" and lines and not others:
        return None
    if any("permission denied" in line.lower() for line in others):
        return f"docker on {label} does not let this user in; put it into the group docker there"
    if code == "127":
        return f"there is no docker on {label}"
    return f"docker on {label} says: {(others or lines or [f'exit code {code}'])[0][:200]}"


def _box(text: str, now: int | None) -> Box | None:
    try:
        row = json.loads(text)
        name, key, state, code, restarts, health, started, oom, policy, image, version = row
    except (ValueError, TypeError, RecursionError):
        return None
    if not all(isinstance(word, str) for word in (name, key, state)) or state not in _STATES:
        return None
    up = None
    if state == "running" and now is not None and (began := moment(_text(started) or "")):
        up = max(0.0, (datetime.fromtimestamp(now, UTC) - began).total_seconds())
    return Box(
        name=name.removeprefix("/"),
        id=key,
        state=state,
        exit_code=code if isinstance(code, int) else 0,
        restarts=restarts if isinstance(restarts, int) else 0,
        health=health if health in _HEALTH else None,
        started_at=_text(started) or "",
        out_of_memory=oom is True,
        policy=_text(policy),
        image=_text(image),
        version=_text(version),
        up_seconds=up,
    )


def _text(value: Any) -> str | None:
    return value[:200] if isinstance(value, str) and value and value.isprintable() else None


def _number(text: str) -> int | None:
    text = text.strip()
    return int(text) if text.isdigit() and text.isascii() and len(text) < 12 else None
