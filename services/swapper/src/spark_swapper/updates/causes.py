"""Why an update ended badly, in the owner's words: what happened and what to press."""

import re
from collections.abc import Sequence

from spark_common.contracts.swaps import Cause
from spark_swapper.updates.sight import fetch_problem

_EVIDENCE_LINES = 12
AGAIN = "Press 'Update' again."

_SIGNS: tuple[tuple[re.Pattern[str], str, str, str], ...] = (
    (
        re.compile(r"no space left on device|not enough free disk space", re.IGNORECASE),
        "disk_full",
        "The disk of {label} is full: an image needs up to 25 GB, and as much again in /tmp.",
        "Delete models or files there, then press 'Update' again.",
    ),
    (
        re.compile(r"Copy to (\S+) failed|Failed to save image"),
        "copy_failed",
        "The image could not be copied to the other Spark.",
        "Check that the Sparks reach each other, then press 'Update' again.",
    ),
    (
        re.compile(
            r"registry|Client\.Timeout|TLS handshake timeout|pull access denied"
            r"|Failed to pull|toomanyrequests|manifest unknown"
        ),
        "pull_failed",
        "The new image could not be downloaded.",
        "Check the internet connection of {label}, then press 'Update' again.",
    ),
)


def of_ending(label: str, exit_code: int | None, lines: Sequence[str]) -> Cause:
    """Return why the script that updates ended without success."""
    evidence = list(lines[-_EVIDENCE_LINES:])
    text = "\n".join(lines[-60:])
    if exit_code == 81:
        return _not_moved(label, text, evidence)
    if exit_code in (80, 82):
        sentence = f"{label} has no build-and-copy.sh in its checkout any more."
        action = "Clone spark-vllm-docker there again, then press 'Update'."
        return Cause(code="no_builder", sentence=sentence, action=action, evidence=evidence)
    if re.search(r"Copy to \S+ failed", text) and "no space left" in text:
        label = "the other Spark"
    for sign, code, sentence, action in _SIGNS:
        if sign.search(text):
            return Cause(
                code=code,
                sentence=sentence.format(label=label),
                action=action.format(label=label),
                evidence=evidence,
            )
    return Cause(
        code="build_failed",
        sentence=f"Building the image on {label} failed (exit code {exit_code}).",
        action="Look at the log; if the software itself is broken, wait for its next version.",
        evidence=evidence,
    )


def _not_moved(label: str, text: str, evidence: list[str]) -> Cause:
    folded = text.casefold()
    if "not possible to fast-forward" in folded or "diverging branches" in folded:
        sentence = f"The checkout on {label} and its origin went different ways."
        action = "Put that right in the checkout by hand, then press 'Update' again."
        return Cause(code="diverged", sentence=sentence, action=action, evidence=evidence)
    if "would be overwritten" in folded:
        sentence = f"The checkout on {label} has local changes that the update would overwrite."
        action = "Undo, commit or move them away there, then press 'Update' again."
        return Cause(code="local_changes", sentence=sentence, action=action, evidence=evidence)
    if "no space left" in folded:
        return of_ending(label, 83, ["no space left on device", *evidence])
    return no_network(f"{label} could not get the new commits: {fetch_problem(text)}", evidence)


def no_network(sentence: str, evidence: Sequence[str] = ()) -> Cause:
    """The commits cannot be fetched."""
    return Cause(code="no_network", sentence=sentence, action=AGAIN, evidence=list(evidence))


def lost(label: str, lines: Sequence[str]) -> Cause:
    """The script is gone and left no exit code, as after a restart of the Spark."""
    return Cause(
        code="interrupted",
        sentence=f"The update on {label} was cut off, probably by a restart of that Spark.",
        action=AGAIN,
        evidence=list(lines[-_EVIDENCE_LINES:]),
    )


def too_long(label: str, hours: float, lines: Sequence[str]) -> Cause:
    """Nothing takes so long."""
    return Cause(
        code="deadline",
        sentence=f"The update on {label} was not done after {hours:.0f} hours.",
        action=AGAIN,
        evidence=list(lines[-_EVIDENCE_LINES:]),
    )


def refused(sentences: Sequence[str]) -> Cause:
    """What was looked at does not allow it."""
    return Cause(
        code="refused",
        sentence=" ".join(sentences),
        action="Put that right, then press 'Update' again.",
    )


def no_room(label: str, place: str, free_bytes: int) -> Cause:
    """The image would not fit; nothing was begun."""
    return Cause(
        code="disk_full",
        sentence=f"{label} has only {free_bytes / 1e9:.0f} GB free in {place}; an image needs "
        "up to 25 GB.",
        action="Delete models or files there, then press 'Update' again.",
    )


def swap_running(model: str) -> Cause:
    """A swap began in the same moment."""
    return Cause(
        code="swap_running",
        sentence=f"A swap to {model} began in the same moment.",
        action="Wait for it, then try again.",
    )


def download_running() -> Cause:
    """A download began in the same moment."""
    return Cause(
        code="download_running",
        sentence="A download began in the same moment, and both need the disks.",
        action="Wait for it or cancel it, then try again.",
    )


def not_verified(sentences: Sequence[str], lines: Sequence[str]) -> Cause:
    """All programs said yes and still it is not so."""
    return Cause(
        code="not_verified",
        sentence=" ".join(sentences),
        action="Look at the log, then press 'Update' again.",
        evidence=list(lines[-_EVIDENCE_LINES:]),
    )


def cancelled(by: str) -> Cause:
    """Somebody stopped it."""
    return Cause(code="cancelled", sentence=f"Cancelled by {by}.", action=AGAIN)


def not_back(sentences: Sequence[str]) -> Cause:
    """The way back did not lead all the way."""
    return Cause(
        code="not_reverted",
        sentence=" ".join(sentences),
        action="Press 'Go back' again.",
    )
