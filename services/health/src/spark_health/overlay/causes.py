"""Why a job on the speech container ended badly, in the owner's words."""

from collections.abc import Sequence

from spark_common.contracts.swaps import Cause
from spark_common.remote import RemoteResult
from spark_health.overlay.record import OverlayRecord

AGAIN = "Press it again."
_EVIDENCE_LINES = 12


def plain(code: str, sentence: str, action: str = AGAIN, lines: Sequence[str] = ()) -> Cause:
    """Return a cause that needs no reading of what programs wrote."""
    evidence = list(lines[-_EVIDENCE_LINES:])
    return Cause(code=code, sentence=sentence, action=action, evidence=evidence)


def of_ending(record: OverlayRecord, code: int | None, text: str) -> Cause:
    """Return why the script ended with this code."""
    where, lines = f"{record.container} on {record.label}", text.strip().splitlines()
    if code == 71:
        return plain(
            "no_container",
            f"There is no container {record.container} on {record.label} any more.",
            "Start it there, then press it again.",
            lines,
        )
    if code == 73:
        return plain(
            "other_image",
            f"{where} has no folder /opt/parakeet/app: it is another image.",
            "Nothing of ours fits into it. Look at docs/SPEECH-OVERLAY.md for the image it is for.",
            lines,
        )
    if code == 74:
        return plain(
            "syntax",
            f"The Python of {where} cannot read our files: {lines[-1] if lines else 'no reason'}.",
            "Use the files of a newer spark-control.",
            lines,
        )
    if code == 75:
        return plain("damaged", f"What arrived in {where} is not what was sent.", AGAIN, lines)
    if code == 76:
        return plain("nothing_kept", f"Nothing is kept on {record.label} any more.", AGAIN, lines)
    if code == 77 or "no space left" in text.lower():
        return plain(
            "disk_full",
            f"Nothing can be written on {record.label}: {lines[-1] if lines else 'no reason'}.",
            f"Make room on the disk of {record.label}, then press it again.",
            lines,
        )
    last = lines[-1] if lines else f"exit code {code}"
    return plain("docker", f"docker on {record.label} did not do it: {last}", AGAIN, lines)


def of_result(record: OverlayRecord, result: RemoteResult) -> Cause | None:
    """Return why a step went wrong, or nothing."""
    if result.ok:
        return None
    return of_ending(record, result.exit_code, f"{result.stdout}\n{result.stderr}")


def cancelled(by: str) -> Cause:
    """Return what a cancellation is told as."""
    return plain("cancelled", f"Cancelled by {by}.")
