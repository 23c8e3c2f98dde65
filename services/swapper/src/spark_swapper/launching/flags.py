"""vLLM's command-line flags as data: one spelling each, never one twice. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

_FLAG = re.compile(r"(--?[A-Za-z][A-Za-z0-9_.-]*)(?:=(.*))?\Z", re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_LEVEL = re.compile(r"-O([0-9])\Z")
_HUMAN = re.compile(r"(\d{1,15})(?:\.(\d{1,15}))?([kKmMgGtT])?\Z", re.ASCII)

MAX_ELEMENT = 16_384
"""Characters; a JSON flag is long, but not longer."""

ALIASES = {
    "tp": "tensor-parallel-size",
    "pp": "pipeline-parallel-size",
    "dp": "data-parallel-size",
    "ep": "enable-expert-parallel",
    "dcp": "decode-context-parallel-size",
    "n": "nnodes",
    "r": "node-rank",
    "q": "quantization",
    "sc": "speculative-config",
    "cc": "compilation-config",
    "asc": "api-server-count",
    "ab": "attention-backend",
    "pcp": "prefill-context-parallel-size",
    "hl": "headless",
    "O": "optimization-level",
}
"""Short forms of ``vllm serve`` and what they stand for."""

_OLD_TASKS = frozenset({"embed", "embedding", "score", "classify", "reward"})
"""What older images called ``--runner pooling``."""


@dataclass(frozen=True)
class Flag:
    """One flag with its values."""

    key: str
    """Its identity: the long name without dashes, underscores and ``no-`` normalised away."""
    spelled: str
    """As it is written on the command line."""
    values: tuple[str, ...] = ()


def check_element(text: str) -> str:
    """Return the text if it can be one element of an argument list; raises ValueError.

    Control characters are refused: the launcher re-quotes its command with ``printf %q`` and
    sends it through a second shell, and no flag of vLLM needs them.
    """
    if _CONTROL.search(text):
        raise ValueError("contains a control character or line break")
    if len(text) > MAX_ELEMENT:
        raise ValueError(f"is longer than {MAX_ELEMENT} characters")
    try:
        text.encode()
    except UnicodeEncodeError as wrong:
        raise ValueError("contains a character that is not valid text") from wrong
    return text


def human_number(text: str) -> int | None:
    """Read a whole number as vLLM does: ``8192``, ``8k`` (8000), ``8K`` (8192), ``1.5k`` (1500).

    None for everything else; a fraction needs a decimal suffix.
    """
    match = _HUMAN.match(text.strip())
    if match is None:
        return None
    whole, fraction, unit = match.groups()
    if unit is None:
        return None if fraction else int(whole)
    power = "kmgt".index(unit.lower()) + 1
    if unit.isupper():
        return None if fraction else int(whole) * int(1024**power)
    return int(float(f"{whole}.{fraction or 0}") * 1000**power)


def merge_flags(args: Sequence[str]) -> tuple[Flag, ...]:
    """Group a list of arguments into flags; of the same flag the later one wins.

    ``--flag value``, ``--flag=value``, ``--flag_name``, short forms and ``--no-flag`` are the
    same flag. A flag keeps the place where it first stood. Raises ValueError for a value that
    belongs to no flag.
    """
    merged: dict[str, Flag] = {}
    for flag in grouped(args):
        merged[flag.key] = flag
    return tuple(merged.values())


def words(flags: Sequence[Flag]) -> tuple[str, ...]:
    """Return flags as arguments; ``=`` only where a value would be mistaken for a flag."""
    found: list[str] = []
    for flag in flags:
        if flag.values and flag.values[0].startswith("-"):
            found += [f"{flag.spelled}={flag.values[0]}", *flag.values[1:]]
        else:
            found += [flag.spelled, *flag.values]
    return tuple(found)


def compact(flags: Sequence[Flag]) -> tuple[str, ...]:
    """Return flags as a person writes them, ``--flag=value``; ``merge_flags`` reads them back."""
    found: list[str] = []
    for flag in flags:
        if len(flag.values) == 1 or (flag.values and flag.values[0].startswith("-")):
            found += [f"{flag.spelled}={flag.values[0]}", *flag.values[1:]]
        else:
            found += [flag.spelled, *flag.values]
    return tuple(found)


def grouped(args: Sequence[str]) -> list[Flag]:
    """Group a list of arguments into flags, repeated ones too; raises as ``merge_flags``."""
    found: list[Flag] = []
    for argument in args:
        check_element(argument)
        if level := _LEVEL.match(argument):
            found.append(Flag("optimization-level", "-O", (level[1],)))
        elif match := _FLAG.match(argument):
            values = () if match[2] is None else (match[2],)
            found.append(Flag(_key(match[1]), match[1], values))
        elif found:
            last = found[-1]
            found[-1] = Flag(last.key, last.spelled, (*last.values, argument))
        else:
            raise ValueError(f"{argument[:80]!r} belongs to no flag")
    return found


def is_pooling(flags: Sequence[Flag]) -> bool:
    """Whether a model with these flags embeds or ranks, and has no chat."""
    return any(
        (flag.key == "runner" and flag.values == ("pooling",))
        or (flag.key == "task" and not _OLD_TASKS.isdisjoint(flag.values))
        for flag in flags
    )


def _key(spelled: str) -> str:
    name = spelled.lstrip("-")
    head, dot, rest = name.partition(".")
    if not spelled.startswith("--"):
        head = ALIASES.get(head, head)
    head = head.replace("_", "-").removeprefix("no-")
    return head + dot + rest
