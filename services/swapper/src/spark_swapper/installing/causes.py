"""Why an installation ended badly, in the owner's words: what happened and what to press."""

import re
from collections.abc import Sequence

from spark_common.contracts.swaps import Cause

_EVIDENCE_LINES = 12
AGAIN = "Press 'Install' again."


def of_ending(label: str, exit_code: int | None, lines: Sequence[str]) -> Cause:
    """Return why the script ended without success."""
    evidence = list(lines[-_EVIDENCE_LINES:])
    text = "\n".join(lines[-60:])
    if exit_code == 83:
        return Cause(
            code="name_taken",
            sentence=f"A container of that name on {label} is something else, and was left alone.",
            action="Give ours another name: EMBED_CONTAINER, or the setting of that name.",
            evidence=evidence,
        )
    if exit_code == 86:
        return Cause(
            code="no_memory",
            sentence=f"There is too little memory on {label} beside the model: {_last(lines)}.",
            action=f"Load a smaller model, or one on the other Spark. {AGAIN}",
            evidence=evidence,
        )
    if exit_code == 85:
        return Cause(
            code="disk_full",
            sentence=f"There is too little room on the disk of {label}: {_last(lines)}.",
            action=f"Delete models or files there, then {AGAIN[0].lower()}{AGAIN[1:]}",
            evidence=evidence,
        )
    if re.search(r"no space left on device", text, re.IGNORECASE):
        return Cause(
            code="disk_full",
            sentence=f"The disk of {label} is full: the image needs about 25 GB.",
            action=f"Delete models or files there, then {AGAIN[0].lower()}{AGAIN[1:]}",
            evidence=evidence,
        )
    if "was replaced" in text:
        return Cause(
            code="torch_replaced",
            sentence="The build would have replaced the PyTorch of the base image, and was ended.",
            action="Use the files of a newer spark-control.",
            evidence=evidence,
        )
    if exit_code == 82:
        return Cause(
            code="not_started",
            sentence=f"The container was built, but docker on {label} did not start it.",
            action=f"Look at the log. {AGAIN}",
            evidence=evidence,
        )
    return Cause(
        code="build_failed",
        sentence=f"Building the container on {label} failed (exit code {exit_code}).",
        action=f"Look at the log, and at the internet connection of {label}. {AGAIN}",
        evidence=evidence,
    )


def _last(lines: Sequence[str]) -> str:
    return lines[-1] if lines else "the script said no more"


def plain(code: str, sentence: str, action: str = AGAIN, lines: Sequence[str] = ()) -> Cause:
    """Return a cause that needs no reading of what programs wrote."""
    evidence = list(lines[-_EVIDENCE_LINES:])
    return Cause(code=code, sentence=sentence, action=action, evidence=evidence)
