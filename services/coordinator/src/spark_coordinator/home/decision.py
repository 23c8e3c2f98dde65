"""Whether the home model is asked for now. Pure: from what is seen to what is to be done."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeAlias

from spark_common.contracts.home import HOME_REQUESTER, HomeView
from spark_common.contracts.models import Menu, ModelView
from spark_common.contracts.swaps import Phase, Swaps, SwapView
from spark_coordinator.home.settings import HomeSettings
from spark_coordinator.sight import Sight

UNLEARNED_LOAD_SECONDS: Final = 600.0
"""How long a swap is taken to last before the first one was measured."""
_FIRST_WAIT_SECONDS: Final = 600.0
_LONGEST_WAIT_SECONDS: Final = 6 * 3600.0


@dataclass(frozen=True)
class Refusal:
    """The swapper said no, so often in a row, about this very model."""

    model: str
    count: int
    at: datetime
    sentence: str


@dataclass(frozen=True)
class Scene:
    """What is known at one moment. None is what nobody can tell."""

    now: datetime
    sight: Sight
    menu: Menu | None = None
    quiet_seconds: float = 0.0
    """Nobody held, waited, swapped or asked for so long, seen without a gap."""
    lease_ended_at: datetime | None = None
    """When the latest lease was over and drained."""
    due_seconds: float | None = None
    """Until a schedule wants the cluster next."""
    refusal: Refusal | None = None


@dataclass(frozen=True)
class Ask:
    """Ask for this model under this id, which is the same on every coordinator."""

    key: str
    swap_id: str


Decision: TypeAlias = HomeView | Ask
"""A view says why nothing is asked for."""


def decide(settings: HomeSettings, scene: Scene) -> Decision:
    """Return the request to make, or why there is none."""
    wanted = settings.home_model
    if not wanted:
        return HomeView(state="off", sentence="No home model is set.")
    if scene.menu is None or scene.sight.lease is None or scene.sight.swaps is None:
        return _waiting(wanted, "Not everybody answers, so nobody knows whether it may come back.")
    model = _find(scene.menu, wanted)
    if model is None:
        return _blocked(wanted, f"{wanted} is not on the menu; name a model that is.")
    trouble = _trouble(model)
    if trouble is not None:
        return _blocked(wanted, trouble)
    if model.loaded:
        return HomeView(model=wanted, state="loaded", sentence=f"{model.name} is loaded.")
    return (
        _in_use(wanted, scene.sight)
        or _not_its_turn(settings, scene, scene.sight.swaps)
        or _not_idle(settings, scene)
        or _backing_off(settings, scene, scene.sight.swaps)
        or _due(wanted, model, scene)
        or Ask(model.key, _id(model.key, scene.sight))
    )


def wait_seconds(count: int) -> float:
    """Return how long to wait after so many refusals or failures in a row."""
    return min(_LONGEST_WAIT_SECONDS, _FIRST_WAIT_SECONDS * 2.0 ** min(count - 1, 16))


def _find(menu: Menu, wanted: str) -> ModelView | None:
    """As the swapper reads it: key, then repository, then served name."""
    for name in ("key", "repo", "served_name"):
        for model in menu.models:
            if getattr(model, name) == wanted:
                return model
    return None


def _trouble(model: ModelView) -> str | None:
    if model.quarantine is not None:
        return (
            f"{model.name} is in quarantine: a load of it took a Spark down. "
            "Clear it on its card before it can come back."
        )
    if model.state != "ready":
        what = model.state.replace("_", " ")
        return f"{model.name} cannot be loaded ({what}); see its card for what is missing."
    return None


def _in_use(wanted: str, sight: Sight) -> HomeView | None:
    lease, swaps = sight.lease, sight.swaps
    if lease is not None and lease.state != "free":
        return _waiting(wanted, f"{lease.holder or 'Somebody'} has the cluster.")
    if lease is not None and lease.queue:
        return _waiting(wanted, f"{lease.queue[0].holder} waits for the cluster.")
    if swaps is not None and (swaps.current is not None or swaps.queue):
        return _waiting(wanted, "A swap is under way or waits.")
    return None


def _not_its_turn(settings: HomeSettings, scene: Scene, swaps: Swaps) -> HomeView | None:
    """By default it comes back after a lease, and only when nobody decided otherwise since."""
    wanted, ended = settings.home_model, scene.lease_ended_at
    if settings.home_always:
        return None
    if ended is None:
        return _waiting(wanted, "It comes back after a lease has ended.")
    for swap in _over(swaps):
        if swap.created_at <= ended:
            continue
        cancelled = swap.phase is Phase.CANCELLED
        if swap.requested_by != HOME_REQUESTER or cancelled:
            did = "cancelled its return" if cancelled else f"chose {swap.model_name}"
            sentence = f"Somebody {did} since the last lease; that holds until the next one ends."
            return HomeView(model=wanted, state="respected", sentence=sentence)
    return None


def _not_idle(settings: HomeSettings, scene: Scene) -> HomeView | None:
    wanted = settings.home_model
    runtime = scene.menu.runtime.state if scene.menu is not None else "unknown"
    if runtime not in {"idle", "serving", "degraded"}:
        return _waiting(wanted, f"The model server is {runtime}; it may be busy.")
    left = settings.home_idle_minutes * 60 - scene.quiet_seconds
    if left > 0:
        minutes = max(1, round(left / 60))
        return _waiting(wanted, f"It comes back after {minutes} more idle minutes.")
    return None


def _backing_off(settings: HomeSettings, scene: Scene, swaps: Swaps) -> HomeView | None:
    """After every no and every failure in a row twice as long."""
    tries: list[tuple[datetime, float, str]] = []
    failed = _failed_in_a_row(swaps)
    if failed and failed[0].finished_at is not None:
        cause = failed[0].cause.sentence if failed[0].cause is not None else "It did not load."
        tries.append((failed[0].finished_at, wait_seconds(len(failed)), cause))
    no = scene.refusal
    if no is not None and no.model == settings.home_model:
        tries.append((no.at, wait_seconds(no.count), no.sentence))
    for at, wait, sentence in tries:
        # A moment that lies ahead comes from a clock that was set back: it binds nobody.
        if timedelta(0) <= scene.now - at < timedelta(seconds=wait):
            return HomeView(
                model=settings.home_model,
                state="backing_off",
                sentence=sentence,
                next_try_at=at + timedelta(seconds=wait),
            )
    return None


def _due(wanted: str, model: ModelView, scene: Scene) -> HomeView | None:
    load = model.load_seconds or UNLEARNED_LOAD_SECONDS
    if scene.due_seconds is not None and scene.due_seconds < load:
        return _waiting(wanted, "A schedule wants the cluster before it would be loaded.")
    return None


def _failed_in_a_row(swaps: Swaps) -> list[SwapView]:
    found = []
    for swap in _over(swaps):
        if swap.requested_by != HOME_REQUESTER or swap.phase is Phase.READY:
            break
        found.append(swap)
    return found


def _over(swaps: Swaps) -> list[SwapView]:
    """Return swaps that ended, the newest first."""
    over = [swap for swap in swaps.recent if swap.finished_at is not None and not swap.dry_run]
    return sorted(over, key=lambda swap: swap.created_at, reverse=True)


def _id(key: str, sight: Sight) -> str:
    """From what went before, so that two coordinators ask for one swap and a retry for another."""
    over = _over(sight.swaps) if sight.swaps is not None else []
    epoch = sight.lease.epoch if sight.lease is not None else 0
    basis = f"{key}|{epoch}|{over[0].id if over else ''}"
    return f"home-{hashlib.sha256(basis.encode()).hexdigest()[:24]}"


def _blocked(wanted: str, sentence: str) -> HomeView:
    return HomeView(model=wanted, state="blocked", sentence=sentence)


def _waiting(wanted: str, sentence: str) -> HomeView:
    return HomeView(model=wanted, state="waiting", sentence=sentence)
