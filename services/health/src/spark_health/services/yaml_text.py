"""Changing one entry of a YAML file as a person would: the rest, comments too, stays as it is."""

import re
from collections.abc import Mapping
from typing import Any, Final

import yaml

MOST_BYTES: Final = 256 * 1024
_DEEPEST: Final = 12
"""Entries are three deep; what nests further is read at great cost, or never."""
_LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class UnreadableError(Exception):
    """The file as a whole is no list of entries; the text says why, and where."""


def read(text: str) -> tuple[dict[Any, Any], list[str]]:
    """Return the entries by name, and names that stand there twice. Raises UnreadableError."""
    node = _root(text)
    if node is None:
        return {}, []
    seen: set[str] = set()
    twice = []
    for key, _ in node.value:
        word = str(key.value)
        if word in seen:
            twice.append(word)
        seen.add(word)
    try:
        return dict(yaml.load(text, Loader=_LOADER)), twice  # noqa: S506 - a safe loader
    except (yaml.YAMLError, TypeError, ValueError, OverflowError, RecursionError) as error:
        raise UnreadableError(_why(error)) from error


def with_entry(text: str, name: str, fields: Mapping[str, Any]) -> str:
    """Return the text with this entry at its end, in place of one of that name."""
    rest = without_entry(text, name)
    entry = yaml.safe_dump({name: dict(fields)}, sort_keys=False, allow_unicode=True)
    gap = "" if not rest or rest.endswith("\n") else "\n"
    return _checked(rest + gap + entry, {**read(text)[0], name: dict(fields)})


def without_entry(text: str, name: str) -> str:
    """Return the text without that entry."""
    wanted = {key: value for key, value in read(text)[0].items() if key != name}
    node = _root(text)
    if node is None:
        return text
    if node.flow_style:
        return _checked("", wanted)
    starts = [(key.start_mark.index, str(key.value)) for key, _ in node.value]
    edges = [index for index, _ in starts] + [len(text)]
    cut = text
    for at in range(len(starts) - 1, -1, -1):
        if starts[at][1] == name:
            block = text[edges[at] : edges[at + 1]]
            cut = cut[: edges[at]] + _kept(block) + cut[edges[at + 1] :]
    return _checked(cut, wanted)


def _kept(block: str) -> str:
    """Return the comments and blank lines behind an entry: they belong to the next one."""
    lines = block.splitlines(keepends=True)
    end = len(lines)
    while end > 1 and re.match(r"\s*\Z|#", lines[end - 1]):
        end -= 1
    return "".join(lines[end:])


def _checked(text: str, wanted: Mapping[Any, Any]) -> str:
    """Return the text if it says what is wanted, else the same in plain YAML."""
    try:
        found, twice = read(text)
    except UnreadableError:
        found, twice = {}, ["?"]
    if found == dict(wanted) and not twice:
        return text
    return yaml.safe_dump(dict(wanted), sort_keys=False, allow_unicode=True) if wanted else ""


def _root(text: str) -> yaml.MappingNode | None:
    if len(text.encode()) > MOST_BYTES:
        raise UnreadableError(f"it is larger than {MOST_BYTES // 1024} KiB")
    depth = 0
    for letter in text:
        # Also where they stand in words: nobody opens so many.
        depth += (letter in "[{") - (letter in "]}")
        if depth > _DEEPEST:
            raise UnreadableError("it is nested too deeply")
    try:
        _require_plain(text)
        node = yaml.compose(text, Loader=_LOADER)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise UnreadableError(_why(error)) from error
    if node is None or (isinstance(node, yaml.ScalarNode) and node.value in ("", "null", "~")):
        return None
    if not isinstance(node, yaml.MappingNode):
        raise UnreadableError("it must be names with fields below each")
    return node


def _require_plain(text: str) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        if isinstance(event, yaml.AliasEvent):
            raise UnreadableError(f"it has an alias (*{event.anchor}), which is not read")
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            raise UnreadableError("it is nested too deeply")


def _why(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    where = f"line {mark.line + 1}: " if mark is not None else ""
    return f"{where}{getattr(error, 'problem', None) or type(error).__name__}"
