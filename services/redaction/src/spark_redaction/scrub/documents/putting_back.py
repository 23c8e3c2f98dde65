"""Rehydrates JSON text in place and parsed documents leaf by leaf."""

import json
from typing import Any

from spark_redaction.scrub.documents.json_source import is_json, leaves
from spark_redaction.scrub.tokens.rehydrate import Rehydrator, Report


def rehydrated_source(source: str, rehydrator: Rehydrator) -> tuple[str, Report]:
    """Rehydrate valid JSON text: values are escaped as they go in, all else stays as it is."""
    report = Report()
    pieces: list[str] = []
    after = 0
    for leaf in leaves(source):
        if leaf.number:
            continue
        edits = rehydrator.edits(leaf.text, report)
        whole = len(edits) == 1 and (edits[0].start, edits[0].end) == (0, len(leaf.text))
        if whole and edits[0].entry.form == "number" and not leaf.key:
            pieces += (source[after : leaf.start - 1], edits[0].entry.surface)
            after = leaf.end + 1
            continue
        nested = not edits or is_json(leaf.text)
        if edits and nested:
            inner, _ = rehydrated_source(leaf.text, rehydrator)
            pieces += (source[after : leaf.start], json.dumps(inner, ensure_ascii=False)[1:-1])
            after = leaf.end
            continue
        for edit in edits:
            pieces += (source[after : leaf.starts[edit.start]], edit.entry.json_source)
            after = leaf.starts[edit.end]
    pieces.append(source[after:])
    return "".join(pieces), report


def rehydrated_text(text: str, rehydrator: Rehydrator, format_: str = "auto") -> tuple[str, Report]:
    """Rehydrate text as JSON when it is, or has to be; ValueError when it has to be and is not."""
    if format_ == "text":
        return rehydrator.text(text)
    if is_json(text):
        return rehydrated_source(text, rehydrator)
    if format_ == "json":
        raise ValueError("not a JSON object or array")
    return rehydrator.text(text)


def rehydrated_tree(value: Any, rehydrator: Rehydrator, report: Report) -> Any:
    """Rehydrate every string and key of a parsed document."""
    if isinstance(value, str):
        return _leaf(value, rehydrator, report)
    if isinstance(value, list):
        return [rehydrated_tree(item, rehydrator, report) for item in value]
    if isinstance(value, dict):
        return {
            str(_leaf(name, rehydrator, report, key=True)): rehydrated_tree(
                member, rehydrator, report
            )
            for name, member in value.items()
        }
    return value


def _leaf(text: str, rehydrator: Rehydrator, report: Report, *, key: bool = False) -> Any:
    if not key:
        edits = rehydrator.edits(text, Report())
        if len(edits) == 1 and (edits[0].start, edits[0].end) == (0, len(text)):
            entry = edits[0].entry
            if entry.form == "number":
                report.restored[entry.token] += 1
                return json.loads(entry.surface)
    restored, more = rehydrated_text(text, rehydrator, "text" if key else "auto")
    report.add(more)
    return restored
