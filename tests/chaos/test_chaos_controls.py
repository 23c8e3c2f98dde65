"""The same checker over workers that are known to be wrong: it has to see what they break."""

import asyncio
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from chaos_lab.checker import Verdict, judge
from chaos_lab.evidence import collect
from chaos_lab.faults import Killer, draw
from chaos_lab.load import Clients, draw_wishes
from chaos_lab.plant import Plant
from chaos_lab.rerun import settled

from spark_common.testing.noting import note

pytestmark = [pytest.mark.chaos, pytest.mark.connected, pytest.mark.timeout(240)]
COMMANDS = 30
KILLS = 8


async def _attacked(
    folder: Path,
    variant: str,
    seed: int,
    say: Callable[[str], None],
    request: pytest.FixtureRequest,
) -> tuple[Verdict, int]:
    rng = random.Random(seed)
    wishes = draw_wishes(rng, COMMANDS, plain=True)
    # A kill right after a launch hits the middle of a swap.
    faults = draw(rng, {"kill swapper": KILLS}, launches=20, most_delay_seconds=0.03)
    async with Plant(folder, variant).running() as plant:
        clients = Clients(plant, wishes, plant.sandbox.swaps, patience_seconds=1.0)
        killer = Killer(plant, faults)
        asking = asyncio.create_task(clients.run())
        await killer.run(asking.done)
        await asking
        await settled(plant)
        verdict = judge(await collect(plant, wishes, clients.answers))
    say(f"CHAOS_SEED={seed} {variant}: {dict(killer.counts)}, the checker sees {verdict}")
    note(
        request.node,
        killer.counts,
        seed=seed,
        swaps=COMMANDS,
        seen_to_lose=len(verdict.lost),
        seen_to_repeat=len(verdict.done_twice),
    )
    return verdict, killer.counts["kill swapper"]


async def test_a_worker_that_confirms_first_is_seen_to_lose(
    tmp_path: Path, seed: int, say: Callable[[str], None], request: pytest.FixtureRequest
) -> None:
    verdict, kills = await _attacked(tmp_path, "ack_first", seed, say, request)
    assert kills
    assert verdict.lost


async def test_a_worker_without_guard_is_seen_to_do_things_twice(
    tmp_path: Path, seed: int, say: Callable[[str], None], request: pytest.FixtureRequest
) -> None:
    verdict, kills = await _attacked(tmp_path, "unguarded", seed, say, request)
    assert kills
    assert verdict.done_twice


async def test_the_same_load_without_faults_and_with_the_real_worker_is_clean(
    tmp_path: Path, seed: int
) -> None:
    wishes = draw_wishes(random.Random(seed), COMMANDS)
    async with Plant(tmp_path).running() as plant:
        clients = Clients(plant, wishes, plant.sandbox.swaps)
        await clients.run()
        await settled(plant)
        evidence = await collect(plant, wishes, clients.answers)
    assert str(judge(evidence)) == "nothing"
