"""The judge of the chaos tests, one defect at a time: each must be seen, and nothing else."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from chaos_lab.checker import judge
from chaos_lab.evidence import Evidence, Outcome
from chaos_lab.load import Answers, Wish
from chaos_lab.sandbox import BROKEN, Effect

from spark_common.contracts.swaps import Cause, Phase
from spark_common.events import SwapComplete, SwapFailed
from spark_swapper.records.jobs import first_job

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LAUNCH = Effect("launch", "one", "launch", "spark1")
COMPLETE = SwapComplete(
    swap_id="one",
    model="amber",
    served_name="amber-served",
    requested_by="Alice",
    total_seconds=3.0,
    phase_seconds={"launching": 1.0},
    finished_at=NOW,
)
FAILED = SwapFailed(
    swap_id="one",
    model="amber",
    requested_by="Alice",
    outcome="failed",
    cause=Cause(code="stalled", sentence="It stalled.", action="Press again."),
    failed_in=Phase.LOADING,
    total_seconds=3.0,
    finished_at=NOW,
)
JOB = first_job(
    swap_id="one", model="amber", model_name="AMBER", requested_by="Alice", at=NOW
).model_copy(update={"phase": Phase.READY})
GOOD = Evidence(
    wishes=(Wish("one", "amber", "rpc"),),
    answers=Answers(accepted={"one"}),
    commands=("one",),
    told_accepted=frozenset({"one"}),
    told_rejected=frozenset(),
    outcomes=(COMPLETE,),
    effects=(LAUNCH,),
    records={"one": JOB},
    live=(),
    unfinished={"swapper": 0},
)
FAILED_JOB = JOB.model_copy(update={"phase": Phase.FAILED})


def _broken(name: str, **changes: object) -> object:
    return pytest.param(name, lambda: replace(GOOD, **changes), id=f"{name}-{'-'.join(changes)}")


def test_a_good_run_passes() -> None:
    assert str(judge(GOOD)) == "nothing"


NOT_STORED = FAILED.model_copy(
    update={"cause": Cause(code="not_accepted", sentence="It was lost.", action="Ask again.")}
)


CANCELLED = FAILED.model_copy(update={"outcome": "cancelled"})


@pytest.mark.parametrize("refused", [True, False])
def test_one_that_was_cancelled_before_it_was_stored_is_refused_too(refused: bool) -> None:
    evidence = replace(
        GOOD,
        wishes=(Wish("one", "amber", "bare", cancelled=True),),
        answers=Answers(),
        commands=(),
        effects=(),
        told_accepted=frozenset(),
        told_rejected=frozenset({"one"}) if refused else frozenset(),
        outcomes=(CANCELLED,),
    )
    found = [name for name, what in vars(judge(evidence)).items() if what]
    assert found == ([] if refused else ["unanswered", "invented"])


@pytest.mark.parametrize(
    ("refused", "outcome", "found"),
    [
        (frozenset({"one"}), CANCELLED, ["invented"]),
        (frozenset({"one"}), NOT_STORED, []),
        (frozenset(), NOT_STORED, ["unanswered", "invented"]),
        (frozenset({"one"}), FAILED, ["invented"]),
        (frozenset({"one"}), COMPLETE, ["invented"]),
    ],
)
def test_one_that_could_not_be_stored_is_refused_and_told_so_and_nothing_else(
    refused: frozenset[str], outcome: Outcome, found: list[str]
) -> None:
    evidence = replace(
        GOOD,
        answers=Answers(),
        commands=(),
        effects=(),
        told_accepted=frozenset(),
        told_rejected=refused,
        outcomes=(outcome,),
    )
    assert [name for name, what in vars(judge(evidence)).items() if what] == found


@pytest.mark.parametrize(
    ("name", "evidence"),
    [
        _broken("unanswered", answers=Answers(), commands=(), outcomes=(), effects=()),
        _broken("lost", outcomes=()),
        _broken("lost", effects=()),
        _broken("lost", outcomes=(FAILED,), records={"one": FAILED_JOB}),
        _broken("done_twice", effects=(LAUNCH, LAUNCH)),
        _broken("done_twice", effects=(LAUNCH, replace(LAUNCH, host="spark2"))),
        _broken("told_twice", outcomes=(COMPLETE, COMPLETE)),
        _broken("told_twice", commands=("one", "one")),
        _broken("invented", effects=(LAUNCH, replace(LAUNCH, swap_id="two"))),
        _broken("invented", outcomes=(COMPLETE, COMPLETE.model_copy(update={"swap_id": "two"}))),
        _broken("invented", wishes=(Wish("one", BROKEN, "rpc"),)),
        _broken("collided", effects=(LAUNCH, replace(LAUNCH, kind="collision"))),
        _broken("disagreeing", records={}),
        _broken("disagreeing", records={"one": FAILED_JOB}),
        _broken("disagreeing", told_rejected=frozenset({"one"})),
        _broken("left_over", live=("one",)),
        _broken("left_over", unfinished={"swapper": 1}),
    ],
)
def test_a_defect_is_seen_and_called_by_its_name(
    name: str, evidence: Callable[[], Evidence]
) -> None:
    verdict = judge(evidence())
    assert [one for one, found in vars(verdict).items() if found] == [name]


def test_a_model_that_served_already_needs_no_launch() -> None:
    served = COMPLETE.model_copy(update={"phase_seconds": {}, "previous": "amber"})
    assert str(judge(replace(GOOD, outcomes=(served,), effects=()))) == "nothing"
