"""Writes docs/FAILURES.md, a heading for every failure class, from the code that knows them.

Usage: failures_doc.py [--check]. A failure class is a ``Cause`` of a job: its code, its sentence,
what to press. They are read out of the sources, so that none can be forgotten.
"""

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from spark_common.errors import SparkError

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "FAILURES.md"
MAKERS: dict[str, tuple[int, ...]] = {"Cause": (), "sign": (0, 2, 3), "plain": (0, 1, 2)}
"""Who makes a cause, and where code, sentence and action stand when they are not named."""
AREAS = {
    "spark_swapper": "Swaps and what the swapper does on a Spark",
    "spark_health": "Services beside the model",
    "spark_common": "Every job",
}
HEAD = """# Failures

What each failure class means, as it is shown, and what to press.
Written from the code by `python scripts/failures_doc.py`, compared by a test.
`...` stands for what is filled in.
Findings about a Spark are in the [runbook](RUNBOOK.md).
"""


@dataclass(frozen=True)
class Failure:
    """One way in which a failure class is told."""

    code: str
    sentence: str
    action: str


def text_of(node: ast.expr | None, names: dict[str, str]) -> str:
    """Return the words of an expression; what is only known when it happens becomes dots."""
    match node:
        case ast.Constant(value=str(value)):
            return value
        case ast.JoinedStr(values=parts):
            return "".join(text_of(part, names) for part in parts)
        case ast.FormattedValue(value=ast.Name(id=name)) | ast.Name(id=name):
            return names.get(name, "...")
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return text_of(left, names) + text_of(right, names)
        case ast.Call(func=ast.Attribute(attr="format", value=value)):
            return text_of(value, names)
        case _:
            return "..."


def told_in(tree: ast.Module) -> Iterator[Failure]:
    """Yield every cause that a module makes under a code that stands there."""
    names: dict[str, str] = {}
    for statement in tree.body:
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            names[statement.targets[0].id] = text_of(statement.value, names)
    for node in ast.walk(tree):
        found: dict[str, ast.expr | None] = {}
        if isinstance(node, ast.Call):
            maker = ast.unparse(node.func).rpartition(".")[2]
            if maker not in MAKERS:
                continue
            places = MAKERS[maker]
            for word, place in zip(("code", "sentence", "action"), places, strict=False):
                found[word] = node.args[place] if place < len(node.args) else None
            found |= {item.arg: item.value for item in node.keywords if item.arg}
        elif isinstance(node, ast.Tuple) and len(node.elts) == 4 and _is_pattern(node.elts[0]):
            found = dict(zip(("code", "sentence", "action"), node.elts[1:], strict=True))
        code = text_of(found.get("code"), names)
        if code.replace("_", "").isalpha():
            words = (text_of(found.get(word), names) for word in ("sentence", "action"))
            yield Failure(code, *words)


def _is_pattern(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func) == "re.compile"


def failures(package: str) -> dict[str, list[Failure]]:
    """Return what the sources of a package tell, by code, each wording once."""
    found: dict[str, list[Failure]] = {}
    for path in sorted(ROOT.glob(f"*/*/src/{package}/**/*.py")):
        if "testing" in path.parts:
            continue
        for one in told_in(ast.parse(path.read_text(encoding="utf-8"))):
            if one not in found.setdefault(one.code, []):
                found[one.code].append(one)
    return dict(sorted(found.items()))


def written() -> str:
    """Return the page."""
    parts = [HEAD]
    for package, title in AREAS.items():
        parts.append(f"\n## {title}\n")
        for code, ways in failures(package).items():
            parts.append(f"\n### {code}\n\n")
            for way in ways:
                action = "" if way.action == "..." else f" {_shown(way.action)}"
                parts.append(f"- {_shown(way.sentence)}{action}\n")
    parts.append("\n## Requests that are refused\n\n| `code` | what it means |\n| --- | --- |\n")
    parts += [f"| `{one.code}` | {(one.__doc__ or '').splitlines()[0]} |\n" for one in refusals()]
    parts += [f"| `{code}` | {words} |\n" for code, words in sorted(refused_by_services().items())]
    parts.append("\n## Refusals under `/v1`\n\n| `code` | what is said |\n| --- | --- |\n")
    for code, words in sorted(refused_in_v1().items()):
        parts.append(f"| `{code}` | {'; or: '.join(words) or 'the answer says why'} |\n")
    return "".join(parts)


def refused_by_services() -> dict[str, str]:
    """Return the codes that errors of single services have, with the first line about each."""
    found: dict[str, str] = {}
    for path in sorted(ROOT.glob("services/*/src/**/*.py")):
        for kind in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(kind, ast.ClassDef) or not kind.name.endswith("Error"):
                continue
            for line in kind.body:
                match line:
                    case (
                        ast.Assign(targets=[ast.Name(id="code")], value=value)
                        | ast.AnnAssign(target=ast.Name(id="code"), value=ast.expr() as value)
                    ):
                        about = (ast.get_docstring(kind) or "").splitlines()
                        found.setdefault(text_of(value, {}), about[0] if about else "")
    return {code: words for code, words in found.items() if code.strip(".")}


def refused_in_v1() -> dict[str, list[str]]:
    """Return what the gateway's own answers under ``/v1`` say, by code."""
    found: dict[str, list[str]] = {}
    for path in sorted(ROOT.glob("services/gateway/src/**/*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for function in ast.walk(tree):
            if isinstance(function, ast.FunctionDef | ast.Module):
                for code, words in _refused_by(function):
                    said = found.setdefault(code, [])
                    if words not in said and words.strip(". "):
                        said.append(words)
    return found


def _refused_by(function: ast.FunctionDef | ast.Module) -> Iterator[tuple[str, str]]:
    # Names of one function mean nothing in another.
    own = function.body if isinstance(function, ast.Module) else list(ast.walk(function))
    named = {
        node.targets[0].id: text_of(node.value, {})
        for node in own
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    either = {
        node.targets[0].id: [text_of(node.value.body, {}), text_of(node.value.orelse, {})]
        for node in own
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and isinstance(node.value, ast.IfExp)
    }
    for node in ast.walk(function):
        if not isinstance(node, ast.Call):
            continue
        maker = ast.unparse(node.func).rpartition(".")[2]
        if maker == "Rejection":
            words = {item.arg: item.value for item in node.keywords}
            places = [*node.args, words.get("code"), words.get("message")]
        elif maker in {"refuse", "_refuse"}:
            places = list(node.args)
        else:
            continue
        for place in places:
            if isinstance(place, ast.Name) and place.id == "code":
                yield from ((code, "...") for code in either.get(place.id, ()))
        texts = [text_of(place, named) for place in places if place is not None]
        codes = [text for text in texts if re.fullmatch(r"[a-z]+(_[a-z]+)*", text)]
        if codes:
            after = texts[texts.index(codes[0]) + 1 :]
            yield codes[0], _shown(after[0]) if after else "..."


def refusals(above: type[SparkError] = SparkError) -> Iterator[type[SparkError]]:
    """Yield every error that a caller may be told, each after what it is a kind of.

    Those of ``spark_common.errors``: whether others are known depends on what was imported.
    """
    yield above
    for one in above.__subclasses__():
        if one.__module__ == SparkError.__module__:
            yield from refusals(one)


def _shown(words: str) -> str:
    shown = " ".join(words.split())
    for number in ("{0}", "{1}", "{2}", "{label}"):
        shown = shown.replace(number, "...")
    return shown.replace("<", "&lt;").replace("*", "\\*").replace("....", "...")


def main(arguments: list[str]) -> int:
    """Write or check; return the exit code."""
    if "--check" in arguments:
        current = PAGE.exists() and PAGE.read_text(encoding="utf-8") == written()
        if not current:
            sys.stderr.write(f"{PAGE}: run `make schemas`\n")
        return int(not current)
    PAGE.write_text(written(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
