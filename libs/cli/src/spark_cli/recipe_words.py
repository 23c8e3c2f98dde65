"""How recipes, previews and their memory are printed."""

import shlex
from typing import Any

from spark_cli.words import table


def render_detail(detail: dict[str, Any]) -> str:
    """Return a recipe: its fields, knobs, further flags and preview."""
    form = detail["form"]
    rows = [
        ("recipe", f"{form['key']} ({detail['source']})"),
        ("name", form["name"]),
        ("of", form.get("repo") or form.get("local_path") or "-"),
        ("mode", _mode(form)),
        ("served as", form.get("served_name") or form["key"]),
        ("image", form.get("image") or "the cluster's own"),
    ]
    rows += [("mod", mod) for mod in form.get("mods", [])]
    rows += [("env", f"{name}={value}") for name, value in form.get("env", {}).items()]
    rows += [("argument", argument) for argument in form.get("args", [])]
    rows += [("your flag", flag) for flag in detail.get("flags", [])]
    bundled = detail.get("bundled_knobs") or {}
    for knob, value in detail["knobs"].items():
        was = bundled.get(knob)
        note = "" if detail["source"] == "own" or was == value else f"  (bundled: {_shown(was)})"
        rows.append((f"knob {knob.replace('_', '-')}", _shown(value) + note))
    return table(rows) + "\n" + render_preview(detail["preview"])


def render_preview(preview: dict[str, Any]) -> str:
    """Return what would be run, what it takes, and what speaks against it."""
    lines = []
    if preview.get("launch_argv"):
        lines += ["runs:", f"  {preview.get('launch_cmd') or shlex.join(preview['launch_argv'])}"]
    memory = preview.get("memory") or {}
    lines += [f"memory: {sentence}" for sentence in memory.get("sentences", [])]
    lines += [f"careful: {warning}" for warning in memory.get("warnings", [])]
    for problem in preview.get("problems", []):
        lines.append(f"{problem['severity']}: {problem['field']}: {problem['message']}")
    return "\n".join(lines)


def refused(preview: dict[str, Any]) -> bool:
    """Return whether something speaks against saving."""
    return any(problem["severity"] == "error" for problem in preview.get("problems", []))


def _mode(form: dict[str, Any]) -> str:
    if form["mode"] == "solo":
        return "solo"
    parts = {"tensor": "tensor_parallel", "pipeline": "pipeline_parallel", "data": "data_parallel"}
    counts = [f"{name} {form[key]}" for name, key in parts.items() if form.get(key, 1) > 1]
    return f"cluster ({', '.join(counts)})"


def _shown(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "on" if value else "off"
    return str(value)
