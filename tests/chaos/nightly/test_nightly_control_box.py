"""Swaps while the power of the control box fails; and plain settings, which must be seen to lose.

``BOX_SWAPS`` is how many swaps, ``BOX_CUTS`` how many power cuts.
"""

import asyncio
import os
import random
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio
from chaos_lab.checker import gave_up, judge
from chaos_lab.control_box import CarelessRedis, ControlBox, careless_nats
from chaos_lab.evidence import Evidence, collect
from chaos_lab.faults import Killer, draw
from chaos_lab.load import Clients, draw_wishes
from chaos_lab.loop_disk import LoopDisk, why_not
from chaos_lab.rerun import settled

from spark_common.embedded.child import ServerStartError
from spark_common.testing.noting import note

pytestmark = [pytest.mark.chaos, pytest.mark.connected]
SWAPS = int(os.environ.get("BOX_SWAPS", "1000"))
CUTS = int(os.environ.get("BOX_CUTS", "12"))


@pytest_asyncio.fixture
async def disk(tmp_path: Path) -> AsyncIterator[LoopDisk]:
    reason = why_not(tmp_path)
    if reason is not None:
        pytest.skip(reason)
    made = LoopDisk(tmp_path / "disk", megabytes=256)
    made.mount()
    yield made
    made.umount()


async def _attacked(box: ControlBox, seed: int, swaps: int, cuts: int) -> tuple[Killer, Evidence]:
    rng = random.Random(seed)
    wishes = draw_wishes(rng, swaps, plain=swaps < 100)
    kinds = {"cut power": cuts, "kill swapper": cuts}
    faults = draw(rng, kinds, launches=round(swaps * 0.6))
    async with box.running() as plant:
        clients = Clients(plant, wishes, plant.sandbox.swaps)
        killer = Killer(plant, faults)
        asking = asyncio.create_task(clients.run())
        await killer.run(asking.done)
        await asking
        await settled(plant)
        return killer, await collect(plant, wishes, clients.answers)


@pytest.mark.timeout(300 + 2 * SWAPS)
async def test_every_accepted_swap_is_carried_out_once_though_the_power_fails(
    tmp_path: Path,
    disk: LoopDisk,
    seed: int,
    say: Callable[[str], None],
    request: pytest.FixtureRequest,
) -> None:
    killer, found = await _attacked(ControlBox(tmp_path, disk), seed, SWAPS, CUTS)
    note(
        request.node,
        killer.counts,
        seed=seed,
        wishes=SWAPS,
        accepted=len(found.commands),
        outcomes=len(found.outcomes),
        effects=len(found.effects),
        gave_up=len(gave_up(found)),
        wrong=str(judge(found)),
    )
    say(f"CHAOS_SEED={seed}: {dict(killer.counts)}, {judge(found)}")
    assert str(judge(found)) == "nothing"
    assert killer.counts["cut power"] >= CUTS * 0.8


@pytest.mark.timeout(600)
async def test_servers_that_sync_when_they_like_are_seen_to_lose(
    tmp_path: Path,
    disk: LoopDisk,
    seed: int,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    async def no_problem(_: str) -> None:
        """Say nothing, where the product refuses to work with such a server."""

    monkeypatch.setattr("spark_common.embedded.nats_server.render", careless_nats)
    monkeypatch.setattr("spark_common.embedded.nats_server.server_problem", no_problem)
    box, seen = ControlBox(tmp_path, disk, CarelessRedis), {}
    try:
        _, found = await _attacked(box, seed, 60, 6)
    except* ServerStartError as gone:
        # The worst of it: a stream that cannot be read any more.
        seen = {"server does not start again": str(gone.exceptions[0])[:120]}
    else:
        verdict = judge(found)
        seen = {name: len(what) for name, what in vars(verdict).items() if what}
    note(request.node, {}, seed=seed, swaps=60, seen=seen)
    assert seen
