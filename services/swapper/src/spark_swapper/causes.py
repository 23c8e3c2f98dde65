"""Why a swap ended badly, in the owner's words: what happened and what to press."""

from collections.abc import Sequence

from spark_common.contracts.plans import Quarantine
from spark_common.contracts.swaps import Cause
from spark_common.errors import HostKeyChangedError, HostUnreachableError, SparkError

PRESS_ANOTHER = "Press 'Switch to this' on any card."
_TRY_AGAIN = "Press 'Switch to this' again; if it happens twice, restart that Spark."
_EVIDENCE_LINES = 12
LOW_MEMORY_ABORTED = "low_memory_aborted"
NOT_ACCEPTED = "not_accepted"


class SwapFault(Exception):  # noqa: N818 - it is the cluster's fault, not an error of the code
    """The swap cannot go on; ``cause`` says why."""

    def __init__(self, cause: Cause) -> None:
        super().__init__(cause.sentence)
        self.cause = cause


class CancelRequested(Exception):  # noqa: N818 - a wish, not an error
    """Somebody wants the swap to stop; ``by`` is their label."""

    def __init__(self, by: str) -> None:
        super().__init__(by)
        self.by = by


def cancelled(by: str) -> Cause:
    """Somebody stopped the swap."""
    return Cause(code="cancelled", sentence=f"Cancelled by {by}.", action=PRESS_ANOTHER)


def bad_arguments(name: str, message: str, evidence: Sequence[str]) -> Cause:
    """VLLM's own parser refuses the launch arguments."""
    return Cause(
        code="bad_arguments",
        sentence=f"{name} was not started: {message}",
        action="Correct the recipe of this model, then press 'Switch to this' again.",
        evidence=_lines(evidence),
    )


def host_not_fit(problem: str) -> Cause:
    """A host cannot carry the launch."""
    return Cause(
        code="host_not_fit",
        sentence=problem,
        action="Put that right on the Spark, then press 'Switch to this' again.",
    )


def images_differ(image: str, versions: Sequence[str]) -> Cause:
    """The nodes of a cluster launch have different images under one name; one phrase per node."""
    return Cause(
        code="images_differ",
        sentence=f"The Sparks have different versions of the image {image!r}: "
        f"{'; '.join(versions)}.",
        action="Update the cluster software, which copies one image to every Spark.",
    )


def not_enough_memory(sentence: str, label: str) -> Cause:
    """A Spark has too little memory for the model, known before it was launched."""
    return Cause(
        code="not_enough_memory",
        sentence=sentence,
        action=f"Stop what else uses memory on {label}, or lower the memory share in the recipe of "
        "this model, then press 'Switch to this' again.",
    )


def loaded_already(name: str) -> Cause:
    """Nothing would be done."""
    return Cause(
        code="already_loaded",
        sentence=f"{name} is serving already.",
        action="Press 'Switch to this' on another card.",
    )


def swap_runs(swap_id: str) -> Cause:
    """Another swap is not over."""
    return Cause(
        code="swap_in_progress",
        sentence="Another swap is not over yet.",
        action="Wait for it, cancel it, or ask to be queued.",
        evidence=[f"swap {swap_id}"],
    )


def low_memory_aborted(name: str, label: str, left: str, floor: str) -> Cause:
    """The watchdog ended a load before the host froze."""
    return Cause(
        code=LOW_MEMORY_ABORTED,
        sentence=f"{name} was stopped while loading, because {label} had only {left} of memory "
        f"left and freezes when there is none (the limit is {floor}).",
        action=f"Stop what else uses memory on {label}, or lower the memory share in the recipe of "
        "this model, then press 'Switch to this' again.",
    )


def host_went_down(name: str, label: str, what: str) -> Cause:
    """A load took its host down."""
    return Cause(
        code="host_went_down",
        sentence=f"{label} {what} while {name} was loading. {name} is in quarantine now: it is "
        "not loaded again until you say so.",
        action=f"If {label} does not come back, hold its power button. Lower the memory share in "
        "the recipe of this model, then press 'Clear quarantine' on its card.",
    )


def quarantined(name: str, quarantine: Quarantine) -> Cause:
    """The model took a Spark down before."""
    return Cause(
        code="quarantined",
        sentence=f"{name} is in quarantine: {quarantine.reason}",
        action="Look at that Spark and at the memory share in the recipe, then press 'Clear "
        "quarantine' on the card of this model.",
    )


def lease_held(holder: str) -> Cause:
    """Somebody reserved the cluster between admission and start."""
    return Cause(
        code="lease_held",
        sentence=f"{holder!r} reserved the cluster before this swap could start.",
        action="Wait for the reservation to end or release it, then ask again.",
    )


def being_updated() -> Cause:
    """An update of the cluster software began before the swap touched anything."""
    return Cause(
        code="being_updated",
        sentence="The cluster software is being updated; the model that was loaded still serves.",
        action="Wait for the update to end, then press 'Switch to this' again.",
    )


def epoch_passed(said: str) -> Cause:
    """The Spark already follows a newer lease."""
    return Cause(
        code="stale_epoch",
        sentence="The reservation this swap ran under has ended and a newer one is in force.",
        action="Nothing was touched under it any more; ask again when the cluster is free.",
        evidence=[said],
    )


def refused(error: SparkError) -> Cause:
    """Something with a name went wrong: its own sentence is the best one."""
    if isinstance(error, HostKeyChangedError):
        action = "Make sure it is the same Spark, then remove its line from the known-hosts file."
    elif isinstance(error, HostUnreachableError):
        action = "Check that the Spark is on and in the network, then press 'Switch to this' again."
    else:
        action = "Press 'Switch to this' again when that is put right."
    return Cause(code=error.code, sentence=_sentence(error.message), action=action)


def still_answering(answers: int, seconds: float) -> Cause:
    """The time of the drain is over and answers are still being written."""
    what = "1 answer was" if answers == 1 else f"{answers} answers were"
    return Cause(
        code="still_answering",
        sentence=f"{what} still being written after {seconds:g} s; nothing was touched.",
        action="Press 'Switch to this' again when they are done, or choose 'Cut off answers that "
        "are not finished' there (force).",
    )


def not_stopped(label: str, seconds: float, why: str) -> Cause:
    """The old container did not go away."""
    return Cause(
        code="not_stopped",
        sentence=f"The old model on {label} was not gone after {seconds:.0f} s: {why}.",
        action=f"Restart Docker on {label} (or the Spark), then press 'Switch to this' again.",
    )


def launch_failed(name: str, label: str, output: str) -> Cause:
    """The launch script ended and no container runs."""
    return Cause(
        code="launch_failed",
        sentence=f"{name} could not be started on {label}: no container came up.",
        action="Read the lines below; usually the image or the launcher needs an update.",
        evidence=_lines(output.splitlines()),
    )


def runtime_died(name: str, label: str, last_lines: Sequence[str]) -> Cause:
    """The process of vLLM ended while loading, and its log does not say why."""
    return Cause(
        code="runtime_died",
        sentence=f"{name} stopped by itself on {label} while it was loading.",
        action="Often memory: choose a smaller model or a lower memory share in its recipe.",
        evidence=_lines(last_lines),
    )


def displaced(name: str, served_name: str) -> Cause:
    """Somebody started another model while this one was to load."""
    return Cause(
        code="displaced",
        sentence=f"{served_name} answers where {name} was to load: somebody started it meanwhile.",
        action="If that model is not wanted, press 'Switch to this' again.",
    )


def occupied(name: str, label: str) -> Cause:
    """A container stands where the new one was to be started."""
    return Cause(
        code="occupied",
        sentence=f"{name} was not started: {label} has a container again that nobody here started.",
        action="If what runs there is not wanted, press 'Switch to this' again.",
    )


def launcher_too_old(name: str, what: str) -> Cause:
    """The checkout on the Spark lacks something that the recipe needs."""
    return Cause(
        code="launcher_too_old",
        sentence=f"{name} needs {what}, and the launcher on the Spark is too old for that.",
        action="Update the cluster software, then press 'Switch to this' again.",
    )


def not_plain(name: str, value: str) -> Cause:
    """A volume or variable that the launcher would tear apart or have a shell read."""
    return Cause(
        code="bad_arguments",
        sentence=f"{name} was not started: the launcher cannot carry {value[:200]!r}; only "
        "letters, digits and . _ / : = @ , + - are safe there.",
        action="Correct the recipe of this model (no blanks in folder names), then press "
        "'Switch to this' again.",
    )


def leftover(name: str, label: str) -> Cause:
    """An empty container stands where the new one was to be started."""
    return Cause(
        code="name_taken",
        sentence=f"{name} was not started: an empty container is still there on {label}.",
        action="Press 'Switch to this' again.",
    )


def ranks_hang(name: str, busy: str, idle: str, seconds: float, last_lines: Sequence[str]) -> Cause:
    """One rank spins in NCCL for another one that does nothing."""
    return Cause(
        code="sparks_hang",
        sentence=f"{name} hangs between the Sparks: {busy} waits with a busy GPU while {idle} "
        f"does nothing, for {seconds:.0f} s.",
        action="Check the cable between the Sparks, then press 'Switch to this' again; if it "
        "happens twice, restart both Sparks or update the cluster software.",
        evidence=_lines(last_lines),
    )


def stalled(name: str, seconds: float, last_lines: Sequence[str]) -> Cause:
    """Nothing was logged and nothing read for too long."""
    return Cause(
        code="stalled",
        sentence=f"{name} said nothing and read nothing for {seconds:.0f} s while loading and was "
        "given up.",
        action=_TRY_AGAIN,
        evidence=_lines(last_lines),
    )


def loader_hangs(name: str, seconds: float, last_lines: Sequence[str]) -> Cause:
    """The loader that reads past the page cache stopped before the first file."""
    return Cause(
        code="loader_hangs",
        sentence=f"{name} read nothing for {seconds:.0f} s: its loader fastsafetensors hangs, as "
        "it does with models that fill most of the memory.",
        action="Take --load-format=fastsafetensors out of the model's recipe, then press "
        "'Switch to this' again.",
        evidence=_lines(last_lines),
    )


def load_deadline(name: str, seconds: float, last_lines: Sequence[str]) -> Cause:
    """The load took too long."""
    return Cause(
        code="load_deadline",
        sentence=f"{name} was not ready after {seconds:.0f} s and was given up.",
        action="If this model is known to be slow, raise LOAD_DEADLINE_SECONDS; else try again.",
        evidence=_lines(last_lines),
    )


def ssh_timeout(label: str, seconds: float, step: str) -> Cause:
    """A Spark did not answer over SSH until the deadline."""
    return Cause(
        code="ssh_timeout",
        sentence=f"{label} did not answer over SSH for {seconds:.0f} s while {step}.",
        action=f"Check that {label} is on and in the network, then press 'Switch to this' again.",
    )


def no_answer(name: str, problem: str) -> Cause:
    """The runtime is up but gives no token."""
    return Cause(
        code="no_first_token",
        sentence=f"{name} loaded but did not answer a first question.",
        action=_TRY_AGAIN,
        evidence=_lines([problem]),
    )


def poison(attempts: int) -> Cause:
    """The swap broke its worker again and again."""
    return Cause(
        code="poison",
        sentence=f"The swapper ended {attempts} times in the middle of this swap; it is not "
        "tried again.",
        action="Look at the swapper's log, then press 'Switch to this' again.",
    )


def interrupted() -> Cause:
    """A failure whose reason was lost with the records."""
    return Cause(
        code="interrupted",
        sentence="The swap failed and was being undone when the swapper and its records were lost.",
        action=PRESS_ANOTHER,
    )


def not_accepted() -> Cause:
    """The record was written but the command never reached its stream."""
    return Cause(
        code=NOT_ACCEPTED,
        sentence="The request could not be stored and was not accepted; nothing was touched.",
        action="Press 'Switch to this' again.",
    )


def rollback_failed(first: Cause, second: Cause, previous: str) -> Cause:
    """The swap failed, and so did the way back."""
    return Cause(
        code=first.code,
        sentence=f"{first.sentence} Putting {previous} back failed too: {second.sentence}",
        action=second.action,
        evidence=_lines([*first.evidence, *second.evidence]),
    )


def _lines(lines: Sequence[str]) -> list[str]:
    kept = [line[:4000] for line in lines if line.strip()]
    return kept[-_EVIDENCE_LINES:]


def _sentence(message: str) -> str:
    text = message.strip() or "something went wrong"
    end = "" if text.endswith((".", "!", "?")) else "."
    return f"{text[0].upper()}{text[1:]}{end}"
