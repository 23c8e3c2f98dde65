"""Whatever is asked in whatever order: Redis does what the model says.

``LEASE_EXAMPLES`` scales how many histories are tried.
"""

import asyncio
import json
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from lease_stand.model import AGEING, ANSWERS, SEEN, SWAPS, WINDOW, LeaseModel
from pydantic import SecretStr

from spark_common.contracts.leases import AcquireLease, GetLease, ReleaseLease, RequestYield
from spark_common.embedded import RedisServer
from spark_common.errors import ConflictError, LeaseHeldError
from spark_common.leasing import LeaseGate, LeaseScripts, keys
from spark_common.redis_access import connect_redis
from spark_common.testing import FakeClock
from spark_common.testing.lease_time import LUA, LeaseTime
from spark_coordinator.leasing.book import LeaseBook
from spark_coordinator.leasing.drain import Remaining
from spark_coordinator.leasing.draining import Draining
from spark_coordinator.leasing.keeper import LeaseKeeper
from spark_coordinator.leasing.leases import Leases
from spark_coordinator.leasing.policy import LeasePolicy
from spark_coordinator.leasing.telling import event_of

pytestmark = pytest.mark.connected
EXAMPLES = int(os.environ.get("LEASE_EXAMPLES", "12"))
POLICY = LeasePolicy(
    lease_drain_seconds=ANSWERS / 1000,
    lease_swap_drain_seconds=SWAPS / 1000,
    lease_take_up_seconds=WINDOW / 1000,
    lease_seen_within_seconds=SEEN / 1000,
    lease_ageing_minutes=AGEING / 60_000,
)


class Server:
    """One Redis for all histories, emptied for each; and the loop that everything runs on."""

    def __init__(self) -> None:
        self.runner = asyncio.Runner()
        self.folder = tempfile.TemporaryDirectory(prefix="lease-model-")
        self.redis = RedisServer(Path(self.folder.name))
        self.run(self.redis.start())
        self.client = connect_redis(self.redis.settings, "model")

    def run(self, asked):
        return self.runner.run(asked)

    def close(self) -> None:
        self.run(self.client.aclose())
        self.run(self.redis.kill())
        self.runner.close()
        self.folder.cleanup()


class LeaseMachine(RuleBasedStateMachine):
    """The product beside the model, asked the same."""

    server: Server

    @initialize()
    def begin(self):
        redis = self.server.client
        self.model, self.tokens, self.working, self.number = LeaseModel(), [None], False, 0
        self.epochs, self.line_told = [0], []
        scripts, clock = LeaseScripts(redis, LUA), FakeClock()
        self.time = LeaseTime(redis)

        async def floor():
            return 0

        async def set_up():
            await redis.delete(*keys.BOOK)
            await self.time.start()

        self.run(set_up())
        book = LeaseBook(redis, lambda: POLICY, clock, floor, scripts)
        draining = Draining(book, self)
        self.leases = Leases(book, Draining(book, Endless()), lambda: POLICY, clock, _nothing)
        self.keeper = LeaseKeeper(book, draining, clock, _nothing)
        self.gate = LeaseGate(redis, scripts)

    def run(self, asked):
        return self.server.run(asked)

    async def remaining(self, epoch):
        return Remaining(swap=self.working, answers=False)

    def token(self, data):
        return data.draw(st.sampled_from([*self.tokens[-6:], None]))

    @rule(
        data=st.data(),
        ttl=st.sampled_from([10, 45, 61, 300]),
        wait=st.booleans(),
        priority=st.sampled_from(["human", "interactive", "batch"]),
        max_wait=st.sampled_from([5, 70, 4000]),
        force=st.sampled_from([False, False, False, True]),
    )
    def acquire(self, data, ttl, wait, priority, max_wait, force):
        given = self.token(data)
        self.number += 1
        said = {"wait": wait, "priority": priority, "force": force}
        holder = f"holder {self.number}"
        asked = AcquireLease(
            holder=holder, ttl_seconds=ttl, max_wait_seconds=max_wait, token=given, **said
        )
        try:
            grant = self.run(self.leases.acquire(asked))
        except LeaseHeldError:
            grant = None
        outcome, good = self.model.acquire(
            given=given,
            fresh=grant.token if grant is not None else None,
            holder=holder,
            ttl=ttl * 1000,
            max_wait=max_wait * 1000,
            **said,
        )
        if grant is None:
            assert outcome == "refused"
            return
        assert grant.state == ("waiting" if outcome == "waiting" else "held")
        assert grant.extended == (outcome == "extended")
        assert grant.token == good
        if good not in self.tokens:
            self.tokens.append(good)
        if grant.state == "held":
            assert (grant.epoch, grant.remaining_seconds) == (self.model.epoch, float(ttl))

    @rule(data=st.data(), force=st.sampled_from([False, False, False, True]))
    def release(self, data, force):
        given = self.token(data)
        try:
            asked = ReleaseLease(token=given, force=force)
            released = self.run(self.leases.release(asked)).released
        except LeaseHeldError:
            released = "refused"
        assert released == self.model.release(given=given, force=force)

    @rule(data=st.data())
    def look(self, data):
        given = self.token(data)
        view = self.run(self.leases.get(GetLease(token=given)))
        self.model.look(given)
        place = self.model.of(given) if given is not None else None
        mine = given is not None and self.model.token == given
        live = mine and self.model.state in ("held", "granted")
        assert view.yours == ("lease" if live else "place" if place is not None else None)

    @rule(by=st.sampled_from(["Bob", "Carol"]))
    def ask_to_yield(self, by):
        try:
            self.run(self.leases.ask_to_yield(RequestYield(requested_by=by)))
            asked = True
        except ConflictError:
            asked = False
        assert asked == self.model.yield_(by)

    @rule(working=st.booleans())
    def work(self, working):
        self.working = working

    @rule(seconds=st.sampled_from([0.001, 1, 5, 17, 31]))
    def time_passes_while_somebody_looks(self, seconds):
        while seconds > 0:
            step = min(seconds, 5)
            self.run(self.time.pass_(step))
            self.model.now += round(step * 1000)
            self.tick()
            seconds -= step

    @rule(seconds=st.sampled_from([4, 30, 200]))
    def time_passes_while_nobody_looks(self, seconds):
        self.run(self.time.pass_(seconds))
        self.model.now += round(seconds * 1000)

    @rule()
    def tick(self):
        self.run(self.keeper.look())
        self.model.tick(working=self.working)

    @precondition(lambda self: hasattr(self, "model"))
    @invariant()
    def the_same_is_seen(self):
        view = self.run(self.leases.get(GetLease()))
        self.model.look()
        model = self.model
        assert (view.state, view.holder, view.epoch) == (model.state, model.holder, model.epoch)
        left = model.left()
        assert view.remaining_seconds == (None if left is None else left / 1000)
        seen = [(one.holder, one.priority, one.eta_seconds) for one in view.queue]
        assert seen == [(name, rank, at / 1000) for name, rank, at in model.latest()]
        assert not (view.queue and view.state == "free")

    @precondition(lambda self: hasattr(self, "model"))
    @invariant()
    def the_same_is_told_and_numbers_only_grow(self):
        async def written():
            rows = await self.server.client.lrange(keys.OUTBOX, 0, -1)
            await self.server.client.delete(keys.OUTBOX)
            return [event_of(json.loads(row)) for row in rows]

        outgoing = self.run(written())
        assert len({one.id for one in outgoing}) == len(outgoing)
        events = [one.message for one in outgoing]
        for event in events:
            text = event.model_dump_json()
            assert not any(token in text for token in self.tokens if token is not None)
        told = [
            (one.type.partition(".")[2], one.epoch, one.holder)
            for one in events
            if one.type != "lock.queue"
        ]
        assert told == self.model.take_events()
        for event in events:
            if event.type == "lock.queue":
                self.line_told = [one.holder for one in event.queue]
            if event.type == "lock.acquired":
                assert event.epoch > self.epochs[-1]
                self.epochs.append(event.epoch)
        assert self.line_told == [spot.holder for spot in self.model.line]

    @precondition(lambda self: hasattr(self, "model"))
    @invariant()
    def the_gate_lets_in_the_holder_and_nobody_else(self):
        state = self.model.as_of_now()
        for token in {None, self.model.token, self.tokens[-1]}:
            gate = self.run(self.gate.for_caller(token))
            mine = state == "held" and token is not None and token == self.model.token
            assert gate.admitted == (state == "free" or mine)
            assert (gate.state, gate.epoch) == (state, self.model.epoch)
        for epoch in (self.model.epoch - 1, self.model.epoch):
            theirs = epoch == self.model.epoch and state != "promised"
            admitted = self.run(self.gate.for_epoch(epoch)).admitted
            assert admitted == (state == "free" or theirs)


class Endless:
    """Somebody always works, so that nothing is freed but by the loop that the model knows."""

    async def remaining(self, epoch):
        return Remaining(swap=True, answers=True)


def _nothing() -> None:
    """Nobody waits for news."""


@pytest.mark.timeout(120 + 2 * EXAMPLES)
def test_the_lease_does_what_the_model_says():
    server = Server()
    LeaseMachine.server = server
    try:
        LeaseMachine.TestCase.settings = settings(
            max_examples=EXAMPLES,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        )
        LeaseMachine.TestCase("runTest").runTest()
    finally:
        server.close()


def test_a_secret_is_no_part_of_what_is_asked():
    assert "s3cret" not in repr(AcquireLease(holder="a", token=SecretStr("s3cret")))
