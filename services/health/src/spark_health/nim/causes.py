"""Why the installation of a NIM ended badly, in the owner's words: what happened, what to press."""

from collections.abc import Mapping, Sequence
from typing import Final

from spark_common.contracts.swaps import Cause
from spark_health.nim.record import NimRecord

_EVIDENCE_LINES = 12
_MARK: Final = "spark-control: "
AGAIN: Final = "Press 'Install' again."
_ROOM: Final = f"Delete models or files there. {AGAIN}"

# Exit code -> code, sentence, action; {image}, {label}, {port}, {name}, {said} are filled in.
_ENDINGS: Final[Mapping[int, tuple[str, str, str]]] = {
    83: (
        "name_taken",
        "A container named {name} on {label} is something else, and was left alone.",
        "Install it under another name.",
    ),
    84: (
        "wrong_architecture",
        "{image} is not built for the arm64 of a Spark: {said}.",
        "Choose an image whose name ends in -dgx-spark, or one that NVIDIA lists for arm64.",
    ),
    85: ("disk_full", "There is too little room on the disk of {label}: {said}.", _ROOM),
    86: (
        "no_such_image",
        "NVIDIA's registry has no image {image}.",
        "Look at its name and tag in NVIDIA's catalogue.",
    ),
    87: (
        "bad_key",
        "NVIDIA's registry did not accept the key.",
        "Make a key for NGC at NVIDIA and install with it, or put it into the settings.",
    ),
    88: (
        "port_taken",
        "Port {port} of {label} is in use by something else.",
        "Install it on another port.",
    ),
    89: (
        "registry_unreachable",
        "{label} could not ask NVIDIA's registry: {said}.",
        f"Look at the internet connection of {{label}}. {AGAIN}",
    ),
    90: (
        "volume",
        "The volume on {label} could not be prepared for the container: {said}.",
        f"Look at the log; another volume may help. {AGAIN}",
    ),
    91: ("no_docker", "Docker on {label} did not answer: {said}.", f"Start docker there. {AGAIN}"),
    92: (
        "not_allowed",
        "NVIDIA does not give {image} to the owner of this key, or there is no such image.",
        "Accept its terms on its page in NVIDIA's catalogue, or use a key that may have it.",
    ),
    93: (
        "too_little_memory",
        "{label} has too little memory for {name}: {said}. It was not started.",
        f"Unload the model, or choose another Spark. What was downloaded is kept. {AGAIN}",
    ),
    94: (
        "in_the_way",
        "It waited two hours to be started on {label}, and might not: {waits_for}.",
        f"What was downloaded is kept. {AGAIN}",
    ),
    82: (
        "not_started",
        "The image is there, but docker on {label} did not start it: {said}.",
        f"Look at the log. {AGAIN}",
    ),
}
_NOT_PULLED: Final = (
    "not_pulled",
    "The image was not downloaded to {label}: {said}.",
    f"What came already is kept. {AGAIN}",
)
_CRASHED: Final = (
    "installer_failed",
    "The installation on {label} ended without a word that explains it (exit code {code}).",
    f"Look at the log. {AGAIN}",
)


def of_ending(record: NimRecord, exit_code: int | None, lines: Sequence[str]) -> Cause:
    """Return why the steps on the Spark ended without success."""
    kept = [line for line in lines if not line.startswith(_MARK)]
    said = kept[-1].strip().rstrip(".")[:300] if kept else "it said no more"
    known = _NOT_PULLED if exit_code == 81 else _CRASHED
    code, sentence, action = _ENDINGS.get(exit_code or 0, known)
    words = {
        "image": record.entry.image,
        "label": record.label,
        "port": record.entry.port,
        "name": record.entry.name,
        "said": said,
        "code": exit_code,
        "waits_for": record.waits_for or "spark-control was away",
    }
    return plain(code, sentence.format(**words), action.format(**words), kept)


def plain(code: str, sentence: str, action: str = AGAIN, lines: Sequence[str] = ()) -> Cause:
    """Return a cause that needs no reading of what programs wrote."""
    evidence = [line[:2000] for line in lines[-_EVIDENCE_LINES:]]
    return Cause(code=code, sentence=sentence, action=action, evidence=evidence)


def of_crashes(record: NimRecord, starts: int, lines: Sequence[str]) -> Cause:
    """Return why a container that was started again and again will not come up."""
    if any("exec format error" in line for line in lines):
        return of_ending(record, 84, ["exec format error"])
    sentence = f"The container ends as soon as it is started; it was {starts} times."
    if any("No space left on device" in line for line in lines):
        return plain("disk_full", f"The disk of {record.label} is full.", _ROOM, lines)
    return plain("ends_at_once", sentence, f"Look at its last lines below. {AGAIN}", lines)
