"""One line of a log of vLLM: who wrote it, what it says, whether it can be a failure. Pure."""

import re
from dataclasses import dataclass

MAX_LINE = 4000
"""Characters of a line that are kept; what fits into an event."""
ENGINE, UNNAMED, SERVER = range(3)
"""Who wrote a line: a worker or the engine knows why; the API server only that it failed."""

_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f]")
_NAME = re.compile(r"\(((?:[A-Za-z]+)(?:[_-][\w-]+)?) [^)]*?pid=\d+[^)]*\)")
_FRAME = re.compile(
    r"((?:\([^)]*pid=\d+[^)]*\) ?)*)(\[rank\d+\]: ?)?"
    r"(?:(?:ERROR|CRITICAL) \d\d-\d\d [\d:]+ \[[^\]]+\] ?)?"
)
_HARMLESS = re.compile(
    r"\b(?:DEBUG|INFO|WARNING) \d\d-\d\d \d\d:"
    r"|^(?:DEBUG|INFO|WARNING):"
    r"|^[\d-]+ [\d:,.]+ - (?:DEBUG|INFO|WARNING) - "
    r"|^\[[IW]\d{4} \d\d:"
    r"|^\S+:\d+: \w*Warning: "
)
"""How vLLM, uvicorn, FlashInfer, PyTorch and Python's warnings mark what is no error."""
_PLACE = re.compile(r" {4}|  File \"|  \[Previous line repeated ")
_WORD = re.compile(r"[\w./-]+")
_EXCEPTION = re.compile(
    r"((?:[A-Za-z_]\w*\.)*[A-Z]\w*(?:Error|Exception)(?:\([\w.]+\))?)(?:: (.*))?"
)
_LAST_OF_TRACEBACK = re.compile(r"([A-Za-z_][\w.]*(?:\([\w.]+\))?)(?:: (.*))?")


@dataclass(frozen=True)
class Line:
    """A line taken apart."""

    text: str
    """All of it."""
    process: str
    """Who wrote it, as it says: ``(Worker_TP1 pid=7)``; empty when it does not."""
    writer: int
    said: str
    """What remains without process, level and place in the source; indentation is kept."""

    @property
    def harmless(self) -> bool:
        """Whether it says itself that it is no error, whatever it quotes."""
        return _HARMLESS.search(self.said) is not None

    @property
    def is_place(self) -> bool:
        """Whether it is one of the places of a traceback: a file, or its source code."""
        return _PLACE.match(self.said) is not None

    @property
    def begins_traceback(self) -> bool:
        """Whether the places of an exception follow, then the exception."""
        return self.said.startswith("Traceback (most recent call last)")


def clean(raw: str) -> str:
    """Return a line without colours, control characters and what is too long."""
    return _CONTROL.sub("", raw).rstrip()[:MAX_LINE]


def parsed(text: str) -> Line:
    """Take a clean line apart."""
    frame = _FRAME.match(text)
    processes, rank = (frame[1], frame[2] or "") if frame is not None else ("", "")
    names = _NAME.findall(processes)
    if rank or any(re.match(r"(?:Vllm|Ray)?Worker|EngineCore", name) for name in names):
        writer = ENGINE
    else:
        server = any(name.lower().startswith("apiserver") for name in names)
        writer = SERVER if server else UNNAMED
    said = text[frame.end() :] if frame is not None else text
    return Line(text, (processes or rank).strip(), writer, said)


def without_places(said: str) -> str:
    """Return what is said without paths and names of repositories, which may hold any word."""

    def kept(word: re.Match[str]) -> str:
        is_place = "/" in word[0] and any(letter.isalpha() for letter in word[0])
        return "…" if is_place else word[0]

    return _WORD.sub(kept, said)


def exception_in(line: Line, *, ends_traceback: bool) -> tuple[str, str] | None:
    """Return class and message of the exception a line names, or None.

    ``ends_traceback``: it follows the places of a traceback, so it is one whatever its name.
    """
    match = (_LAST_OF_TRACEBACK if ends_traceback else _EXCEPTION).fullmatch(line.said.strip())
    return None if match is None else (match[1], match[2] or "")
