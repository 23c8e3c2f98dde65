"""The judge: compares what was accepted with what was done, told and recorded."""

from collections import Counter
from dataclasses import dataclass, field, fields

from chaos_lab.evidence import Evidence, Outcome
from chaos_lab.load import Wish

from spark_common.contracts.swaps import Phase
from spark_common.events import SwapComplete, SwapFailed

GAVE_UP = frozenset({"poison", "not_accepted"})
"""Causes by which a healthy swap may honestly end: interrupted too often, or never stored."""


@dataclass
class Verdict:
    """What is wrong, each an id with the facts; all empty is a pass."""

    unanswered: list[str] = field(default_factory=list)
    """Asked, and neither accepted nor refused."""
    lost: list[str] = field(default_factory=list)
    """Accepted, but without an outcome or without the launch it should have had."""
    done_twice: list[str] = field(default_factory=list)
    told_twice: list[str] = field(default_factory=list)
    invented: list[str] = field(default_factory=list)
    """An effect or an outcome nobody was promised."""
    collided: list[str] = field(default_factory=list)
    """Two swaps acted at the same time."""
    disagreeing: list[str] = field(default_factory=list)
    """Two answers, or a record that says something else than the outcome."""
    left_over: list[str] = field(default_factory=list)
    """Still live, or still to be delivered."""

    def __str__(self) -> str:
        found = {one.name: getattr(self, one.name) for one in fields(self)}
        return "; ".join(f"{name}: {what}" for name, what in found.items() if what) or "nothing"


def judge(evidence: Evidence) -> Verdict:
    """Compare everything with everything."""
    verdict = Verdict()
    answers = evidence.answers
    accepted = answers.accepted | set(evidence.commands)
    refused = evidence.told_rejected | answers.refused.keys()
    outcomes: dict[str, list[Outcome]] = {}
    for outcome in evidence.outcomes:
        outcomes.setdefault(outcome.swap_id, []).append(outcome)

    for wish in evidence.wishes:
        if wish.swap_id in accepted:
            _judge_swap(evidence, wish, outcomes.get(wish.swap_id, []), verdict)
        elif wish.swap_id not in refused:
            verdict.unanswered.append(wish.swap_id)

    verdict.disagreeing += [f"{swap_id} accepted and refused" for swap_id in refused & accepted]
    cancelled = {wish.swap_id for wish in evidence.wishes if wish.cancelled}
    for swap_id in outcomes.keys() - accepted:
        said_no = [_said_no(one, swap_id in cancelled) for one in outcomes[swap_id]]
        if swap_id not in refused or not all(said_no):
            verdict.invented.append(f"outcome of {swap_id}")
    done = {effect.swap_id for effect in evidence.effects}
    verdict.invented += [f"effect of {swap_id}" for swap_id in done - accepted]
    for effect, times in Counter(evidence.effects).items():
        if times > 1:
            verdict.done_twice.append(f"{effect} {times} times")
        if effect.kind == "collision":
            verdict.collided.append(f"{effect}")
    verdict.told_twice += [
        f"command {one}" for one, n in Counter(evidence.commands).items() if n > 1
    ]
    verdict.left_over += [f"live {swap_id}" for swap_id in evidence.live]
    verdict.left_over += [f"{n} at {name}" for name, n in evidence.unfinished.items() if n]
    return verdict


def gave_up(evidence: Evidence) -> list[str]:
    """Return the healthy swaps that ended badly for an honest reason; there should be few."""
    works = {wish.swap_id for wish in evidence.wishes if wish.works and not wish.cancelled}
    return [
        f"{outcome.swap_id}: {outcome.cause.code}"
        for outcome in evidence.outcomes
        if not isinstance(outcome, SwapComplete) and outcome.swap_id in works
    ]


def _said_no(outcome: Outcome, cancelled: bool) -> bool:
    """Whether it says that the swap was over before it was stored: the same no as the refusal."""
    if not isinstance(outcome, SwapFailed):
        return False
    return outcome.cause.code == "not_accepted" or (cancelled and outcome.outcome == "cancelled")


def _judge_swap(evidence: Evidence, wish: Wish, told: list[Outcome], verdict: Verdict) -> None:
    swap_id = wish.swap_id
    launches = [
        effect
        for effect in evidence.effects
        if effect.swap_id == swap_id and effect.kind == "launch" and effect.step == "launch"
    ]
    if len(launches) > 1:
        verdict.done_twice.append(f"{swap_id} launched {len(launches)} times")
    if len(told) != 1:
        (verdict.told_twice if told else verdict.lost).append(f"{swap_id} has {len(told)} outcomes")
        return
    outcome = told[0]
    if isinstance(outcome, SwapComplete):
        served_already = "launching" not in outcome.phase_seconds and outcome.previous == wish.model
        if not launches and not served_already:
            verdict.lost.append(f"{swap_id} is complete but was never launched")
        if not wish.works:
            verdict.invented.append(f"{swap_id} is complete with a model that cannot start")
    elif wish.works and not wish.cancelled and outcome.cause.code not in GAVE_UP:
        verdict.lost.append(f"{swap_id} failed: {outcome.cause.code}")
    elif outcome.cause.code == "not_accepted" and launches:
        verdict.disagreeing.append(f"{swap_id} was launched though not accepted")
    record = evidence.records.get(swap_id)
    ended = Phase.READY if isinstance(outcome, SwapComplete) else Phase(outcome.outcome)
    if record is None or record.phase is not ended:
        state = record.phase.value if record else "not there"
        verdict.disagreeing.append(f"{swap_id}: told {ended.value}, recorded {state}")
