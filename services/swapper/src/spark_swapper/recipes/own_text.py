"""Changes one entry in the text of the owner's file and leaves all the rest as it is. Pure.

A person writes into that file too. So an entry is exchanged line by line: comments, order, blank
lines and entries that are wrong stay as they were written. Only a file whose shape does not
allow that (flow style, anchors) is written anew.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from spark_swapper.recipes.document import read_document

HEADER = """\
# Your own recipes, and changes to bundled ones. spark-control writes this file and reads it
# again when you change it by hand; an upgrade never touches it.
#
# An entry with a bundled key replaces only the fields it has; a new key is an entry of its own.
# Fields are those of the bundled recipes: repo or local_path, name, mode, image, mods, env, args,
# extra_args (single flags that replace those of args), capabilities, served_name ...
#
# Saving changes only the lines of one entry. Should a comment get lost by that, the file as it
# was before is kept beside it as models.override.yaml.bak (.bak2, .bak3 ...).
"""
FIELD_ORDER = (
    *("name", "repo", "local_path", "mode", "tensor_parallel", "pipeline_parallel"),
    *("data_parallel", "served_name", "image", "mods", "env", "args", "extra_args"),
    *("capabilities", "context_length", "size_bytes"),
)
_COMMENT = re.compile(r"(?:^|\s)#")
_LAID_OUT = frozenset(map(chr, range(32, 127))) | {"\n"}
_COMMENT_LINE = re.compile(r"\s*#")


@dataclass(frozen=True)
class Edited:
    """The new text, and whether something a person wrote beside the entries is not in it."""

    text: str
    lost: bool = False


def with_entry(text: str, key: str, fields: Mapping[str, Any] | None) -> Edited:
    """Return the text with this entry added or exchanged; None removes it.

    ``text`` must be readable (``Document.unreadable`` is None).
    """
    document = read_document(text, "")
    before = dict(document.entries)
    wanted: dict[str, object] = {k: v for k, v in before.items() if k != key}
    if fields is not None:
        wanted = {**before, key: dict(fields)}
    edited = _by_lines(text, key, fields)
    if edited is not None:
        after = read_document(edited.text, "")
        if after.unreadable is None and dict(after.entries) == wanted:
            return edited
    # What stands twice is a problem of the document: its first half would be gone.
    lost = bool(document.problems) or _has_comment(_without_header(text)) or _has_more(text)
    return Edited(_anew(wanted), lost)


def entry_text(key: str, fields: Mapping[str, Any], indent: int = 2) -> list[str]:
    """Return an entry as lines, its fields in the usual order."""
    names = sorted(fields, key=lambda name: _place(str(name)))
    ordered = {key: {name: _plain(fields[name]) for name in names}}
    dumped = yaml.dump(
        ordered, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=96, indent=2
    )
    return [" " * indent + line if line else line for line in dumped.splitlines()]


class _Dumper(yaml.SafeDumper):
    """Indents lists below their key, and never writes ``&id001`` for an equal value."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: object) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.Node:
    """Write what YAML takes for a line break in double quotes, where it is escaped."""
    style = None if value.isprintable() or set(value) <= _LAID_OUT else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)


def _place(name: str) -> tuple[int, str]:
    known = FIELD_ORDER.index(name) if name in FIELD_ORDER else len(FIELD_ORDER)
    return known, name


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value


def _anew(entries: Mapping[str, object]) -> str:
    lines = [HEADER, "models:" if entries else "models: {}"]
    for key, fields in entries.items():
        if isinstance(fields, Mapping):
            lines += entry_text(key, fields)
        else:
            dumped = yaml.dump({key: fields}, Dumper=_Dumper, allow_unicode=True, width=96)
            lines += ["  " + line for line in dumped.splitlines()]
    return "\n".join(lines) + "\n"


def _by_lines(text: str, key: str, fields: Mapping[str, Any] | None) -> Edited | None:
    """Exchange the lines of one entry; None where the shape of the file does not allow it."""
    if not text.strip():
        return None
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError):
        return None
    models = _models(root)
    if models is None or models.flow_style or not models.value:
        return None
    lines = text.splitlines()
    starts = [name.start_mark.line for name, _ in models.value]
    names = [str(name.value) for name, _ in models.value]
    indent = models.value[0][0].start_mark.column
    ends = [*starts[1:], _last_line(models, lines)]
    bounds = [(start, _trimmed(lines, start, end)) for start, end in zip(starts, ends, strict=True)]
    new = [] if fields is None else entry_text(key, fields, indent)
    if key not in names:
        at = bounds[-1][1]
        return Edited("\n".join([*lines[:at], *new, *lines[at:]]) + "\n")
    if fields is None and len(names) == 1:
        return None
    start, end = bounds[len(names) - 1 - names[::-1].index(key)]
    block = lines[start:end]
    kept = [" " * indent + line.strip() for line in block if _COMMENT_LINE.match(line)]
    lost = _has_comment([line for line in block if not _COMMENT_LINE.match(line)])
    return Edited("\n".join([*lines[:start], *kept, *new, *lines[end:]]) + "\n", lost)


def _models(root: yaml.Node | None) -> yaml.MappingNode | None:
    if not isinstance(root, yaml.MappingNode):
        return None
    for name, value in root.value:
        if name.value == "models" and isinstance(value, yaml.MappingNode):
            return value
    return None


def _last_line(models: yaml.MappingNode, lines: Sequence[str]) -> int:
    end: int = models.end_mark.line
    return len(lines) if end >= len(lines) - 1 and models.end_mark.column else end


def _trimmed(lines: Sequence[str], start: int, end: int) -> int:
    """Return the end of an entry without the blank and comment lines before the next one."""
    end = min(end, len(lines))
    while end > start + 1 and (not lines[end - 1].strip() or _COMMENT_LINE.match(lines[end - 1])):
        end -= 1
    return end


def _has_comment(lines: str | Sequence[str]) -> bool:
    rows = lines.splitlines() if isinstance(lines, str) else lines
    return any(_COMMENT.search(row) for row in rows)


def _has_more(text: str) -> bool:
    root = yaml.safe_load(text)
    return isinstance(root, dict) and len(root) > 1


def _without_header(text: str) -> str:
    return text.replace(HEADER.rstrip("\n"), "", 1)
