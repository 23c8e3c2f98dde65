"""Writes the tables and examples in docs/EVENTS.md from the types and the golden files."""

import re
import sys
from pathlib import Path

from spark_common import schemas
from spark_common.bus.patterns import matches
from spark_common.bus.permissions import PERMISSIONS
from spark_common.events import COMMANDS, EVENTS, Message

ROOT = Path(__file__).parents[1]
DOCUMENT = ROOT / "docs" / "EVENTS.md"
GOLDEN = ROOT / "tests" / "contract" / "golden"
DAY_SECONDS = 24 * 3600
AUTOMATION = PERMISSIONS["automation"]


def written(text: str) -> str:
    """Return the document with both parts as they are now."""
    for name, part in (("subjects", subjects()), ("examples", examples())):
        begin, end = f"<!-- {name}: written by `make schemas` -->", f"<!-- /{name} -->"
        pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
        if not pattern.search(text):
            raise SystemExit(f"{DOCUMENT} has no place for {name}")
        made = f"{begin}\n{part}\n{end}"
        text = pattern.sub(lambda _, made=made: made, text)
    return text


def subjects() -> str:
    """Return the table of what an automation may say and hear."""
    rows = ["| subject | you | kept | what it says |", "|---|---|---|---|"]
    for channel in schemas.CHANNELS:
        subject = channel.address.replace("{id}", "x")
        says = any(matches(pattern, subject) for pattern in AUTOMATION.publish)
        hears = any(matches(pattern, subject) for pattern in AUTOMATION.subscribe)
        if says or hears:
            shown = channel.address.replace("{id}", "<id>")
            link = f"[{channel.message.type}](events/{schemas.file_name(channel.message)})"
            about = f"{link}: {summary(channel.message)}"
            rows.append(
                f"| `{shown}` | {'publish' if says else 'hear'} | {kept(channel)} | {about} |"
            )
    return "\n".join(rows)


def kept(channel: schemas.Channel) -> str:
    """Return for how long, and under which subject, it can be read again."""
    spec, stored = channel.stream, channel.address
    if spec is None:
        stored = f"{channel.address}.<id>"
        spec = schemas.stream_of(f"{channel.address}.x")
    if spec is None:
        return "no"
    days = spec.max_age_seconds / DAY_SECONDS
    also = f" as `{stored}`" if stored != channel.address else ""
    return f"{days:g} day{'' if days == 1 else 's'}{also}"


def examples() -> str:
    """Return every type with its golden files."""
    return "\n\n".join(example(message) for message in (*EVENTS, *COMMANDS) if is_public(message))


def is_public(message: type[Message]) -> bool:
    """Say whether automations meet this type."""
    addresses = [each.address for each in schemas.CHANNELS if each.message is message]
    patterns = (*AUTOMATION.publish, *AUTOMATION.subscribe)
    return any(
        matches(pattern, address.replace("{id}", "x"))
        for address in addresses
        for pattern in patterns
    )


def example(message: type[Message]) -> str:
    """Return one type: what it means, its schema, and messages as they were sent."""
    stem = schemas.file_name(message).removesuffix(".json")
    files = [*GOLDEN.glob(f"{stem}.json"), *sorted(GOLDEN.glob(f"{stem}.*.json"))]
    blocks = [f"```json\n{path.read_text(encoding='utf-8').rstrip()}\n```" for path in files]
    head = f"#### {message.type}\n\n{summary(message)} ([schema](events/{stem}.json))"
    return "\n\n".join([head, *blocks])


def summary(message: type[Message]) -> str:
    """Return the first line of what the code says about a type."""
    return (message.__doc__ or "").strip().splitlines()[0]


if __name__ == "__main__":
    now = DOCUMENT.read_text(encoding="utf-8")
    if "--check" in sys.argv:
        sys.exit(0 if written(now) == now else f"{DOCUMENT} is not current: run make schemas")
    DOCUMENT.write_text(written(now), encoding="utf-8")
