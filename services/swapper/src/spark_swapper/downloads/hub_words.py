"""What the hub's download program says: sizes, and why it failed in words for the owner."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from spark_common.contracts.swaps import Cause

_DRY_RUN = re.compile(
    r"\[dry-run\] Will download (\d+) files? \(out of (\d+)\) totalling ([0-9.]+?)([KMGTP]?)\.?\s"
)
_UNITS = {"": 1, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15}
_TOKEN = re.compile(r"hf_[A-Za-z0-9]{6,}")
_CUT = re.compile(rb"[\r\n]")
_BAR = re.compile(r"\d+%\||\bit/s\]|\bB/s\]")
_EVIDENCE_LINES = 5
_LONGEST_LINE = 2000


@dataclass(frozen=True)
class Missing:
    """What a dry run says is still to be fetched."""

    size_bytes: int
    """Rounded by the program to four digits at most."""
    files: int


def read_dry_run(text: str) -> Missing | None:
    """Return what is missing; None when the program said something else."""
    found = _DRY_RUN.search(text + "\n")
    if found is None:
        return None
    try:
        size = float(found[3]) * _UNITS[found[4]]
    except ValueError:
        return None
    return Missing(round(size), int(found[1]))


@dataclass(frozen=True)
class _Sign:
    code: str
    words: re.Pattern[str]
    sentence: Callable[[str, str], str]
    action: Callable[[str, str], str]


def _sign(code: str, words: str, sentence: str, action: str) -> _Sign:
    return _Sign(
        code,
        re.compile(words, re.IGNORECASE),
        lambda repo, label: sentence.format(repo=repo, label=label),
        lambda repo, label: action.format(repo=repo, label=label),
    )


_SIGNS = (
    _sign(
        "no_program",
        r"neither uvx nor hf is installed",
        "{label} has neither uvx nor hf, the programs that download from the hub.",
        "Install uv on {label} (docs.astral.sh/uv), then press Download again.",
    ),
    _sign(
        "wrong_token",
        r"invalid credentials|invalid user token|\b401 unauthorized",
        "The hub does not know the token that {label} sent.",
        "Set HF_TOKEN to a valid token, or log in again with 'hf auth login' on {label}.",
    ),
    _sign(
        "gated_no_access",
        r"not in the authorized list|GatedRepoError: 403|awaiting a review",
        "{repo} is gated, and the account of the token has no access to it.",
        "Open huggingface.co/{repo}, ask for access with that account, then download again.",
    ),
    _sign(
        "gated",
        r"GatedRepoError|cannot access gated repo",
        "{repo} is gated: the hub wants to know who asks.",
        "Accept its terms on huggingface.co/{repo}, set HF_TOKEN or run 'hf auth login' on "
        "{label}, then download again.",
    ),
    _sign(
        "no_such_repository",
        r"RepositoryNotFoundError|repository not found|HFValidationError",
        "There is no repository {repo} on the hub, or it is private.",
        "Check the spelling; for a private repository set HF_TOKEN to a token that may read it.",
    ),
    _sign(
        "disk_full",
        r"no space left on device|not enough free disk space|os error 28|errno 28",
        "The disk of {label} is full.",
        "Delete a model that is not needed, then press Download again: whole files are kept.",
    ),
    _sign(
        "rate_limited",
        r"\b429\b|too many requests|rate limit",
        "The hub asks {label} to slow down.",
        "Try again in some minutes, or set HF_TOKEN: who logs in may fetch more.",
    ),
    _sign(
        "not_writable",
        r"permission denied|PermissionError",
        "{label} may not write into its model folder: some files there belong to root.",
        "Give the folder ~/.cache/huggingface on {label} back to its user, then download again.",
    ),
    _sign(
        "no_network",
        r"name resolution|NameResolutionError|ConnectError|ConnectTimeout|max retries exceeded"
        r"|connection refused|network is unreachable|check your internet connection"
        r"|LocalEntryNotFoundError|ReadTimeout|connection reset|\b50[234]\b",
        "{label} cannot reach the hub.",
        "Check its internet connection, then press Download again: whole files are kept.",
    ),
)
"""The first row that fits is the cause."""


def cause_of(text: str, repo: str, label: str, exit_code: int | None) -> Cause:
    """Return why a fetch failed, from what the program wrote."""
    evidence = [line for line in plain_lines(text.encode()) if not _BAR.search(line)]
    last = evidence[-_EVIDENCE_LINES:]
    for sign in _SIGNS:
        if sign.words.search(text):
            return Cause(
                code=sign.code,
                sentence=sign.sentence(repo, label),
                action=sign.action(repo, label),
                evidence=[line for line in evidence if sign.words.search(line)][:2] or last,
            )
    how = "was ended" if exit_code is None else f"ended with exit code {exit_code}"
    return Cause(
        code="fetch_failed",
        sentence=f"The download program on {label} {how}.",
        action="Look at the log, then press Download again: whole files are kept.",
        evidence=last,
    )


def plain_lines(piece: bytes) -> list[str]:
    """Return the lines of a log without tokens; carriage returns end lines too."""
    lines = (part.decode(errors="replace").strip() for part in _CUT.split(piece))
    return [_TOKEN.sub("hf_***", line[:_LONGEST_LINE]) for line in lines if line]


class LogLines:
    """Cuts a log that comes in pieces into lines, and leaves out the progress bars."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, piece: bytes) -> list[str]:
        """Return the lines that became complete."""
        text = self._rest + piece
        cut = max(text.rfind(b"\n"), text.rfind(b"\r")) + 1
        self._rest = text[cut:][-_LONGEST_LINE:]
        return [line for line in plain_lines(text[:cut]) if not _BAR.search(line)]
