"""What follows from one try: done, another try at a time, given up, or the target switched off."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from spark_coordinator.webhooks.backoff import Backoff
from spark_coordinator.webhooks.ports import Answer
from spark_coordinator.webhooks.rows import DeliveryState, Owed

GONE = (
    "the receiver answered 410: it wants no deliveries any more; switch the target on again "
    "when that was a mistake"
)


@dataclass(frozen=True)
class Verdict:
    """How the row changes."""

    state: DeliveryState
    tries: int
    error: str = ""
    next_at: datetime | None = None
    disabled_because: str = ""


def judge(owed: Owed, answer: Answer, now: datetime, backoff: Backoff) -> Verdict:
    """Decide after a try that ended ``now``."""
    tries = owed.tries + 1
    if answer.ok:
        return Verdict("delivered", tries)
    problem = answer.problem or "the receiver did not take it"
    if answer.gone:
        # It stays owed: switched on again, the target gets it first.
        return Verdict("pending", tries, problem, now, GONE)
    if now >= owed.give_up_at:
        return Verdict("dead", tries, problem)
    wait = timedelta(seconds=backoff.wait_seconds(tries))
    # The last try is made when the time is over, not up to an hour later.
    return Verdict("pending", tries, problem, min(now + wait, max(owed.give_up_at, now)))
