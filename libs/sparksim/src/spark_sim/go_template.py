"""The part of Go's templates that people give to ``docker -f``."""

import json
import re
from collections.abc import Sequence

_ACTION = re.compile(r"\{\{-?\s*(.*?)\s*-?\}\}", re.DOTALL)
_WORD = re.compile(r'"(?:[^"\\]|\\.)*"|\S+')


class TemplateError(Exception):
    """A template that docker would refuse, in docker's words."""


def render(template: str, value: object) -> str:
    """Fill a template. Raises TemplateError."""
    tokens: list[tuple[str, str]] = []
    at = 0
    for match in _ACTION.finditer(template):
        tokens.append(("text", template[at : match.start()]))
        tokens.append(("action", match[1]))
        at = match.end()
    tokens.append(("text", template[at:]))
    text, rest = _block(tokens, value, value, live=True)
    if rest:
        raise TemplateError("template parsing error: unexpected {{end}}")
    return text


def _block(
    tokens: Sequence[tuple[str, str]], dot: object, root: object, *, live: bool
) -> tuple[str, Sequence[tuple[str, str]]]:
    """Render up to the matching else or end, which stays the first of the rest."""
    out: list[str] = []
    while tokens:
        (kind, body), rest = tokens[0], tokens[1:]
        if kind == "text":
            out.append(body if live else "")
            tokens = rest
            continue
        word, _, argument = body.partition(" ")
        if word in {"end", "else"}:
            return "".join(out), tokens
        if word == "if":
            text, tokens = _if(argument, rest, dot, root, live)
        elif word == "range":
            text, tokens = _range(argument, rest, dot, root, live)
        else:
            text, tokens = (_show(_evaluate(body, dot, root)) if live else ""), rest
        out.append(text)
    return "".join(out), tokens


def _if(
    condition: str, tokens: Sequence[tuple[str, str]], dot: object, root: object, live: bool
) -> tuple[str, Sequence[tuple[str, str]]]:
    holds = live and bool(_evaluate(condition, dot, root))
    text, tokens = _block(tokens, dot, root, live=holds)
    if tokens and tokens[0][1] == "else":
        other, tokens = _block(tokens[1:], dot, root, live=live and not holds)
        text += other
    return text, _after_end(tokens)


def _range(
    expression: str, tokens: Sequence[tuple[str, str]], dot: object, root: object, live: bool
) -> tuple[str, Sequence[tuple[str, str]]]:
    expression = expression.rpartition(":=")[2].strip()
    found = _evaluate(expression, dot, root) if live else None
    items = list(found.values()) if isinstance(found, dict) else list(found or [])  # type: ignore[call-overload]
    text = ""
    _, rest = _block(tokens, dot, root, live=False)
    for item in items:
        piece, rest = _block(tokens, item, root, live=True)
        text += piece
    return text, _after_end(rest)


def _after_end(tokens: Sequence[tuple[str, str]]) -> Sequence[tuple[str, str]]:
    if not tokens or tokens[0][1] != "end":
        raise TemplateError("template parsing error: unexpected EOF")
    return tokens[1:]


def _evaluate(expression: str, dot: object, root: object) -> object:
    result: object = None
    for stage, part in enumerate(expression.split("|")):
        words = _WORD.findall(part)
        if stage:
            result = _call(words[0], [*(_value(w, dot, root) for w in words[1:]), result])
        elif len(words) == 1:
            result = _value(words[0], dot, root)
        else:
            result = _call(words[0], [_value(w, dot, root) for w in words[1:]])
    return result


def _call(name: str, arguments: list[object]) -> object:
    match name:
        case "json":
            return json.dumps(arguments[0], separators=(",", ":"))
        case "println":
            return " ".join(_show(item) for item in arguments) + "\n"
        case "index":
            found, key = arguments[0], arguments[1]
            return found.get(key) if isinstance(found, dict) else found[int(str(key))]  # type: ignore[index]
        case "eq":
            return arguments[0] in arguments[1:]
        case "ne":
            return arguments[0] != arguments[1]
        case "not":
            return not arguments[0]
        case "len":
            return len(arguments[0])  # type: ignore[arg-type]
        case "join":
            return str(arguments[1]).join(_show(item) for item in arguments[0])  # type: ignore[attr-defined]
        case _:
            raise TemplateError(
                f'template parsing error: template: :1: function "{name}" not defined'
            )


def _value(word: str, dot: object, root: object) -> object:
    if word.startswith('"'):
        return json.loads(word)
    if word.lstrip("-").isdigit():
        return int(word)
    if word.startswith("$"):
        dot, word = root, word[1:] or "."
    if not word.startswith("."):
        raise TemplateError(f'template parsing error: template: :1: function "{word}" not defined')
    for name in filter(None, word.split(".")):
        if not isinstance(dot, dict):
            return None
        if name not in dot:
            raise TemplateError(
                f'template parsing error: template: :1:2: executing "" at <{word}>: '
                f'map has no entry for key "{name}"'
            )
        dot = dot[name]
    return dot


def _show(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "<nil>"
    if isinstance(value, dict):
        return "map[" + " ".join(f"{key}:{_show(item)}" for key, item in value.items()) + "]"
    if isinstance(value, list):
        return "[" + " ".join(_show(item) for item in value) + "]"
    return str(value)
