"""Every block of configuration in a page is read by what reads it in the end, or by its parser.

* ```` ```yaml services ````: the service list of health takes all of it;
* ```` ```yaml compose ````: services of deploy/compose.yaml, with fields that are used there;
* ```` ```yaml package ````: it says what the StartOS package is made of;
* ```` ```ini unit ````: a unit of systemd whose command ``sparkctl`` understands;
* ```` ```text nats ````: nats-server takes it as a part of its configuration;
* ```` ```text events ````: server-sent events, each with data that is JSON;
* ```` ```text ```` without a word, and ``mermaid``: drawn, or not run with a reason.
"""

import configparser
import json
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from spark_cli.__main__ import main as sparkctl
from spark_common.embedded.binaries import NATS, find_binary
from spark_common.testing.documents import Example, examples
from spark_health.services.book import FILE, YamlServices

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    str(path.relative_to(ROOT))
    for place in (ROOT, ROOT / "startos", ROOT / "benchmarks")
    for path in place.glob("*.md")
) + sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").glob("**/*.md"))
ELSEWHERE = {"sh", "bash", "python", "json", "mermaid"}
"""Languages whose examples other tests look at, or that are pictures."""
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text())
_UNIT = {
    "Unit": {"Description", "After", "Wants"},
    "Service": {
        *("User", "WorkingDirectory", "ExecStart", "KillSignal", "TimeoutStopSec", "Restart"),
        *("NoNewPrivileges", "ProtectSystem", "ReadWritePaths", "MemoryMax"),
    },
    "Install": {"WantedBy"},
}
"""What a unit of ours says; a key with another name would be ignored by systemd."""


def blocks() -> Iterator[Example]:
    for page in PAGES:
        yield from (one for one in examples(ROOT, page) if one.language not in ELSEWHERE)


def problem_of_services(text: str, folder: Path) -> str | None:
    (folder / FILE).write_text(text)
    listed = YamlServices(folder).read()
    if listed.problems:
        return "; ".join(listed.problems)
    return None if listed.services else "it lists nothing"


def problem_of_compose(text: str, _: Path) -> str | None:
    value = yaml.safe_load(text)
    known = {field for service in COMPOSE["services"].values() for field in service}
    for name, service in value["services"].items():
        if name not in COMPOSE["services"]:
            return f"there is no service {name}"
        if unknown := set(service) - known:
            return f"{name}: nobody uses {unknown}"
    return None if set(value) == {"services"} else "only services are looked at"


def problem_of_package(text: str, _: Path) -> str | None:
    said = yaml.safe_load(text)
    source = ROOT / "startos" / "startos"
    texts = {path.stem: path.read_text() for path in source.glob("**/*.ts")}
    manifest = (source / "manifest" / "index.ts").read_text()
    services = json.loads((source / "definition.json").read_text())
    kinds = {
        "package_id": re.findall(r"\bid: '([\w-]+)'", manifest)[0],
        "images": re.findall(r"^    (\w+): \{\n      source", manifest, re.MULTILINE),
        "architectures": re.findall(r"arch: \['(\w+)', '(\w+)'\]", manifest)[0],
        "oneshots": re.findall(r"addOneshot\('([\w-]+)'", texts["main"]),
        "daemons": re.findall(r"addDaemon\('([\w-]+)'", texts["main"]),
        "volumes": re.search(r"volumes: \[([^\]]+)\]", manifest)[1].replace("'", "").split(", "),  # type: ignore[index]
        "actions": [
            re.findall(r"sdk\.Action\.with\w+\(\s*'([\w-]+)'", texts[name])[0]
            for name in re.findall(r"addAction\((\w+)\)", (source / "actions/index.ts").read_text())
        ],
    }
    wrong = [kind for kind, value in kinds.items() if list(said[kind]) != list(value)]
    assert set(services) <= set(kinds["daemons"])
    return f"other {', '.join(wrong)} than the package" if wrong else None


def problem_of_unit(text: str, _: Path) -> str | None:
    unit = configparser.ConfigParser(interpolation=None)
    unit.optionxform = str  # type: ignore[method-assign, assignment]
    unit.read_string(text)
    for name in unit.sections():
        if unknown := set(unit[name]) - _UNIT.get(name, set()):
            return f"[{name}] has {unknown}"
    program, *words = unit["Service"]["ExecStart"].split()
    if Path(program).name != "sparkctl":
        return f"it starts {program}"
    found = sparkctl.get_command(click.Context(sparkctl), words[0])
    if found is None:
        return f"there is no sparkctl {words[0]}"
    found.make_context(words[0], words[1:])
    return None


def problem_of_events(text: str, _: Path) -> str | None:
    for event in text.strip().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in event.splitlines())
        if set(fields) - {"id", "event", "data"}:
            return f"no field of an event is in {event!r}"
        json.loads(fields["data"])
    return None


READERS: dict[tuple[str, str], Callable[[str, Path], str | None]] = {
    ("yaml", "services"): problem_of_services,
    ("yaml", "compose"): problem_of_compose,
    ("yaml", "package"): problem_of_package,
    ("ini", "unit"): problem_of_unit,
    ("text", "events"): problem_of_events,
}
BY_THEMSELVES = {("text", "nats")}
"""Read by a server, in a test of their own."""


def problem_of(one: Example, folder: Path) -> str | None:
    """Say what keeps a block from being believed."""
    if one.reason is not None or (one.language == "text" and not one.words):
        return None
    kind = (one.language, one.words[0] if one.words else "")
    if kind in BY_THEMSELVES:
        return None
    if kind not in READERS:
        return f"nobody reads {' '.join(kind).strip()}"
    try:
        return READERS[kind](one.text, folder)
    except (ValueError, KeyError, TypeError, yaml.YAMLError, configparser.Error) as error:
        return f"{type(error).__name__}: {error}"
    except click.ClickException as error:
        return error.format_message()


def test_every_block_of_configuration_is_read(tmp_path: Path) -> None:
    told = [f"{one.place}: {told}" for one in blocks() if (told := problem_of(one, tmp_path))]
    assert told == []
    read = {(one.language, *one.words) for one in blocks()} - {("text",)}
    assert read == {*READERS, *BY_THEMSELVES}


@pytest.mark.connected
async def test_nats_takes_what_is_shown_of_its_configuration(tmp_path: Path) -> None:
    shown = [one for one in blocks() if one.words == ("nats",)]
    assert shown
    for one in shown:
        (tmp_path / "nats.conf").write_text(one.text)
        checked = subprocess.run(
            [await find_binary(NATS), "-t", "-c", tmp_path / "nats.conf"],
            capture_output=True,
            text=True,
        )
        assert checked.returncode == 0, f"{one.place}: {checked.stderr}"


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("yaml services", "comfyui: {kind: htpp, host: spark2, port: 8188}"),
        ("yaml services", "comfyui: [1"),
        ("yaml compose", "services: {natz: {ports: ['4222:4222']}}"),
        ("yaml compose", "services: {nats: {portz: ['4222:4222']}}"),
        ("ini unit", "[Service]\nExecStart=/x/sparkctl upp\n"),
        ("ini unit", "[Service]\nExecStart=/x/sparkctl up --no-such\n"),
        ("ini unit", "[Service]\nExecStop=/bin/true\nExecStart=/x/sparkctl up\n"),
        ("text events", "event: done\ndata: {"),
        ("yaml", "a: 1"),
        ("toml", "a = 1"),
    ],
)
def test_a_block_that_is_wrong_is_seen(kind: str, text: str, tmp_path: Path) -> None:
    language, *words = kind.split()
    assert problem_of(Example("docs/x.md", 1, language, tuple(words), text, None), tmp_path)
