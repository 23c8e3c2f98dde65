"""Swaps while everything is killed at random: none is lost, none carried out twice.

``CHAOS_SWAPS`` is how many, ``CHAOS_FAULTS`` how many times the usual faults are drawn.
"""

import asyncio
import os
import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from chaos_lab.checker import gave_up, judge
from chaos_lab.evidence import Evidence, collect
from chaos_lab.faults import Killer, draw
from chaos_lab.load import Clients, draw_wishes
from chaos_lab.plant import FENCED, Plant
from chaos_lab.rerun import forget_deliveries, lose_records, settled, swept

from spark_common.testing.noting import note

pytestmark = [pytest.mark.chaos, pytest.mark.connected]
COMMANDS = int(os.environ.get("CHAOS_SWAPS", "200"))
TIMES = int(os.environ.get("CHAOS_FAULTS", "1"))
FAULTS = {
    "kill swapper": 12 * TIMES,
    "freeze swapper": 5 * TIMES,
    "kill nats": 7 * TIMES,
    "kill redis": 7 * TIMES,
    "hang nats": 2 * TIMES,
    "hang redis": 2 * TIMES,
}


def _same_history(before: Evidence, after: Evidence) -> None:
    assert after.effects == before.effects
    assert after.outcomes == before.outcomes
    assert after.commands == before.commands


@pytest.mark.timeout(400 + COMMANDS)
async def test_every_accepted_swap_is_carried_out_once_whatever_is_killed(
    tmp_path: Path, seed: int, say: Callable[[str], None], request: pytest.FixtureRequest
) -> None:
    rng = random.Random(seed)
    wishes = draw_wishes(rng, COMMANDS)
    faults = draw(rng, FAULTS, launches=round(COMMANDS * 0.7))
    say(f"CHAOS_SEED={seed}: {COMMANDS} swaps, {len(faults)} faults drawn")
    began = time.monotonic()
    async with Plant(tmp_path).running() as plant:
        clients = Clients(plant, wishes, plant.sandbox.swaps)
        killer = Killer(plant, faults)
        asking = asyncio.create_task(clients.run())
        killing = asyncio.create_task(killer.run(asking.done))
        await asking
        await killing
        await settled(plant)
        first = await collect(plant, wishes, clients.answers)
        say(
            f"CHAOS_SEED={seed}: {dict(killer.counts)}, idle zombies {killer.outlived}, "
            f"ends of swappers {dict(plant.exits)}, "
            f"{len(clients.answers.accepted)} accepted over rpc, "
            f"{len(clients.answers.published)} published, {clients.answers.repeats} repeats, "
            f"{len(first.commands)} commands, {len(first.outcomes)} outcomes, "
            f"{len(first.effects)} effects, gave up {gave_up(first)}, "
            f"acceptance untold {sorted(set(first.commands) - first.told_accepted)}, "
            f"{time.monotonic() - began:.0f} s"
        )
        note(
            request.node,
            killer.counts,
            seed=seed,
            wishes=COMMANDS,
            accepted=len(first.commands),
            outcomes=len(first.outcomes),
            effects=len(first.effects),
            gave_up=len(gave_up(first)),
            wrong=str(judge(first)),
        )
        assert str(judge(first)) == "nothing"
        assert len(gave_up(first)) <= COMMANDS * 0.02
        assert killer.counts.total() >= len(faults) * 0.8
        assert plant.exits[FENCED] >= 1, "no zombie ever met the guard"

        await forget_deliveries(plant)
        await settled(plant)
        again = await collect(plant, wishes, clients.answers)
        assert str(judge(again)) == "nothing"
        _same_history(first, again)

        await lose_records(plant)
        await forget_deliveries(plant)
        await settled(plant)
        # Requests that came again are in the queue until the sweep finds their outcome.
        await swept(plant)
        bare = await collect(plant, wishes, clients.answers)
        _same_history(first, bare)
        say(f"CHAOS_SEED={seed}: history delivered again, twice; {time.monotonic() - began:.0f} s")
