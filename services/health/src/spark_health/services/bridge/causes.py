"""Why an update of the bridge ended badly: what happened, what runs now, what to press."""

from collections.abc import Mapping, Sequence
from typing import Final

from spark_common.contracts.swaps import Cause
from spark_health.services.bridge.record import BridgeRecord

_EVIDENCE_LINES = 12
_MARK: Final = "spark-control: "
_AGAIN: Final = "Press 'Update' again."
_STAYS: Final = "What ran before still runs."

_ENDINGS: Final[Mapping[int, tuple[str, str, str]]] = {
    71: (
        "no_checkout",
        "There is no git checkout in {directory} on {label}.",
        "Set MATRIX_BRIDGE_DIR to the folder it is in.",
    ),
    72: (
        "changed_files",
        f"Files in {{directory}} on {{label}} were changed by hand. {_STAYS}",
        f"Commit or undo them there (git status). {_AGAIN}",
    ),
    73: (
        "unreachable",
        f"The repository of the bridge could not be reached from {{label}}. {_STAYS}",
        f"Look whether git fetch works there. {_AGAIN}",
    ),
    74: (
        "diverged",
        f"{{directory}} on {{label}} has commits of its own, or follows no branch. {_STAYS}",
        "Bring it onto its upstream there by hand.",
    ),
    75: (
        "no_way_to_start",
        "{directory} on {label} has neither an update.sh nor a compose file.",
        "Add one of them to the repository of the bridge.",
    ),
    76: (
        "build_failed",
        f"The new version could not be built on {{label}}. {_STAYS}",
        f"Read the log of the update. {_AGAIN}",
    ),
    77: (
        "not_started",
        "The new version was built and could not be started on {label}.",
        f"Read the log of the update. {_AGAIN}",
    ),
    78: (
        "does_not_stay",
        "The new version was started on {label} and does not stay up.",
        "Read its log. To go back: git reset --hard {before} in {directory}, then start it.",
    ),
    124: (
        "deadline",
        "The update took longer than 25 minutes on {label} and was ended.",
        f"Read the log of the update. {_AGAIN}",
    ),
}


def of_ending(record: BridgeRecord, code: int | None, lines: Sequence[str]) -> Cause:
    """Return the cause for an exit code."""
    code = 124 if code == 137 else code
    known = _ENDINGS.get(code) if code is not None else None
    if known is None:
        return plain("failed", f"The update on {record.label} failed (exit code {code}).", lines)
    word, sentence, action = known
    facts = {
        "label": record.label,
        "directory": record.directory,
        "before": (record.before or "HEAD@{1}")[:12],
    }
    return Cause(
        code=word,
        sentence=sentence.format(**facts),
        action=action.format(**facts),
        evidence=_evidence(lines),
    )


def plain(code: str, sentence: str, lines: Sequence[str] = ()) -> Cause:
    """Return a cause that has no exit code."""
    return Cause(code=code, sentence=sentence, action=_AGAIN, evidence=_evidence(lines))


def _evidence(lines: Sequence[str]) -> list[str]:
    return [line for line in lines if not line.startswith(_MARK)][-_EVIDENCE_LINES:]
