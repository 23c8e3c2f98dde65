"""The turnstile: no place is ever lost or given twice, whatever comes and goes in what order."""

import json
from dataclasses import dataclass

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from spark_gateway.dataplane.free import INSIDE
from spark_gateway.dataplane.ports import Refusal, Upstream
from spark_gateway.queueing.turnstile import Bounds, FairTurnstile

LLM, EMBED = Upstream("127.0.0.1", 1, "llm"), Upstream("127.0.0.1", 2, "embed")
PATH = b"/v1/chat/completions"


@dataclass(frozen=True)
class Caller:
    share: str
    weight: int = 1
    concurrency: int = 0


class Request:
    """One request as a visit would see it through; ``whole``: one that is here as a whole."""

    def __init__(self, hall, caller, upstream, *, hasty=False, whole=False):
        self.caller = caller
        self.upstream = upstream
        self.hasty = hasty
        self.told = []
        self.left = False
        self.hall = hall
        self.entering = True
        stepped = hall.turnstile.step_in(caller, upstream) if whole else None
        assert stepped is None or stepped.inside
        answer = stepped or hall.turnstile.enter(caller, upstream, PATH, self.tell)
        self.entering = False
        self.refusal = answer if isinstance(answer, Refusal) else None
        self.ticket = None if isinstance(answer, Refusal) else answer

    def tell(self, refusal):
        assert not self.entering, "told before it was given a ticket"
        self.told.append(refusal)
        if refusal is None and self.hasty:
            self.leave()

    def leave(self):
        self.left = True
        self.ticket.leave()

    @property
    def inside(self):
        return self.ticket is not None and not self.left and self.ticket.inside

    @property
    def waits(self):
        alive = self.ticket is not None and not self.left and not self.ticket.inside
        return alive and not self.told


class Hall:
    """A turnstile with limits that a test sets, and a time that it lets pass."""

    def __init__(self, llm=2, embed=0, most=8, seconds=30.0):
        self.caps = {"llm": llm, "embed": embed}
        self.bounds = Bounds(most, seconds)
        self.now = 0.0
        self.later = []
        self.turnstile = FairTurnstile(
            lambda name: self.caps[name],
            lambda: self.bounds,
            lambda: self.now,
            capped=lambda: any(self.caps.values()),
            later=lambda seconds, call: self.later.append((self.now + seconds, call)),
        )

    def request(self, share="a", upstream=LLM, **more):
        own = {name: more.pop(name, False) for name in ("hasty", "whole")}
        return Request(self, Caller(share, **more), upstream, **own)

    def pass_time(self, seconds):
        until = self.now + seconds
        while self.later and self.later[0][0] <= until:
            self.now, call = self.later.pop(0)
            call()
        self.now = until


class Turnstiles(RuleBasedStateMachine):
    """Anything that may happen, in any order."""

    def __init__(self):
        super().__init__()
        self.hall = Hall()
        self.requests = []
        self.lowered = False

    @rule(
        share=st.sampled_from("abcd"),
        upstream=st.sampled_from([LLM, EMBED]),
        limited=st.booleans(),
        hasty=st.booleans(),
        whole=st.booleans(),
    )
    def come(self, share, upstream, limited, hasty, whole):
        made = self.hall.request(
            share,
            upstream,
            weight={"a": 1, "b": 2, "c": 1, "d": 5}[share],
            concurrency=1 if limited and share == "d" else 0,
            hasty=hasty,
            whole=whole,
        )
        self.requests.append(made)

    @precondition(lambda self: any(one.inside for one in self.requests))
    @rule(data=st.data())
    def finish(self, data):
        data.draw(st.sampled_from([one for one in self.requests if one.inside])).leave()

    @precondition(lambda self: any(one.waits for one in self.requests))
    @rule(data=st.data())
    def give_up(self, data):
        data.draw(st.sampled_from([one for one in self.requests if one.waits])).leave()

    @rule(seconds=st.sampled_from([0.5, 5.0, 31.0]))
    def wait(self, seconds):
        self.hall.pass_time(seconds)

    @rule(llm=st.integers(0, 3), embed=st.integers(0, 2), most=st.integers(1, 8))
    def set_limits(self, llm, embed, most):
        self.hall.caps = {"llm": llm, "embed": embed}
        self.hall.bounds = Bounds(most, 30.0)
        self.hall.turnstile.look()

    @invariant()
    def counts_are_those_of_who_is_there(self):
        for upstream in (LLM, EMBED):
            mine = [one for one in self.requests if one.upstream is upstream]
            counted = [one for one in mine if one.inside and one.ticket is not INSIDE]
            assert self.hall.turnstile.inside(upstream.name) == len(counted)
            assert self.hall.turnstile.waiting(upstream.name) == sum(one.waits for one in mine)

    @invariant()
    def everybody_is_told_at_most_once(self):
        for one in self.requests:
            assert len(one.told) <= 1

    @invariant()
    def nobody_waits_while_there_is_room(self):
        for one in self.requests:
            cap = self.hall.caps[one.upstream.name]
            if one.waits and (not cap or self.hall.turnstile.inside(one.upstream.name) < cap):
                limit = one.caller.concurrency
                own = [r for r in self.requests if r.caller.share == one.caller.share]
                held = sum(r.inside and r.ticket is not INSIDE for r in own)
                first = next(r for r in own if r.waits and r.upstream is one.upstream)
                assert first.caller.concurrency
                assert held >= first.caller.concurrency or (limit and held >= limit)

    def teardown(self):
        for one in list(self.requests):
            if one.inside or one.waits:
                one.leave()
        self.hall.pass_time(100)
        self.counts_are_those_of_who_is_there()
        assert [name for name, inside, waiting, _ in self.hall.turnstile.counts()
                if inside or waiting] == []  # fmt: skip
        fresh = [self.hall.request(share) for share in "abcd"]
        cap = self.hall.caps["llm"] or 4
        assert sum(one.inside for one in fresh) == min(4, cap)


Turnstiles.TestCase.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)  # fmt: skip
TestTurnstiles = Turnstiles.TestCase


def said(refusal):
    return refusal.status, json.loads(refusal.body)["error"]["code"]


def test_without_a_limit_nobody_is_counted():
    hall = Hall(llm=0)
    assert hall.turnstile.open
    assert hall.request().ticket is INSIDE


def test_as_many_as_fit_are_inside_and_the_next_goes_in_when_one_leaves():
    hall = Hall(llm=2)
    first, second, third, fourth = (hall.request() for _ in range(4))
    assert [one.inside for one in (first, second, third, fourth)] == [True, True, False, False]
    assert [third.ticket.position, fourth.ticket.position] == [1, 2]
    second.leave()
    assert (third.told, third.inside, fourth.ticket.position) == ([None], True, 1)
    second.ticket.leave()
    assert hall.turnstile.inside("llm") == 2


def test_one_who_is_held_up_and_gives_up_holds_up_nobody_behind():
    hall = Hall(llm=2)
    hall.request("d")
    held_up, behind = hall.request("d", concurrency=1), hall.request("d")
    assert (held_up.inside, behind.inside) == (False, False)
    held_up.leave()
    assert behind.inside


def test_one_who_sends_much_does_not_keep_off_one_who_sends_little():
    hall = Hall(llm=1, most=50)
    running = hall.request("hog")
    many = [hall.request("hog") for _ in range(20)]
    few = hall.request("bob")
    running.leave()
    many[0].leave()
    assert few.inside


def test_when_the_line_is_full_the_one_with_most_in_it_makes_room():
    hall = Hall(llm=1, most=3)
    hall.request("hog")
    waiting = [hall.request("hog") for _ in range(3)]
    more = hall.request("hog")
    assert said(more.refusal) == (429, "too_many_requests")
    bob = hall.request("bob")
    assert bob.waits
    assert [said(one) for one in waiting[-1].told] == [(429, "too_many_requests")]
    carol, dave = hall.request("carol"), hall.request("dave")
    assert carol.waits
    assert said(dave.refusal) == (503, "server_busy")
    fields = dict(dave.refusal.headers)
    assert (fields[b"retry-after"], fields[b"x-should-retry"]) == (b"15", b"true")


def test_nobody_waits_for_ever():
    hall = Hall(llm=1, seconds=30.0)
    hall.request()
    late = hall.request("b")
    hall.pass_time(20)
    later = hall.request("c")
    hall.pass_time(11.5)
    assert [said(one) for one in late.told] == [(503, "queue_timeout")]
    assert later.waits
    late.ticket.leave()
    assert hall.turnstile.waiting("llm") == 1


def test_a_key_with_a_limit_waits_for_itself_and_holds_nobody_up():
    hall = Hall(llm=4)
    first = hall.request("k", concurrency=1)
    second = hall.request("k", EMBED, concurrency=1)
    other = hall.request("other")
    assert (first.inside, second.waits, other.inside) == (True, True, True)
    assert not hall.turnstile.open
    first.leave()
    assert second.inside


def test_a_limit_that_is_raised_or_lifted_lets_those_in_who_wait():
    hall = Hall(llm=1)
    hall.request()
    waiting = [hall.request() for _ in range(3)]
    hall.caps["llm"] = 2
    hall.pass_time(1)
    assert [one.inside for one in waiting] == [True, False, False]
    hall.caps["llm"] = 0
    assert not hall.turnstile.open
    hall.pass_time(1)
    assert all(one.inside for one in waiting)
    assert hall.turnstile.open


def test_a_limit_below_what_is_inside_lets_nobody_in_until_enough_have_left():
    hall = Hall(llm=3)
    inside = [hall.request() for _ in range(3)]
    hall.caps["llm"] = 1
    waits = hall.request("b")
    for leaving in inside[:2]:
        leaving.leave()
        hall.pass_time(1)
        assert waits.waits
    inside[2].leave()
    assert (waits.inside, hall.turnstile.inside("llm")) == (True, 1)


def test_a_line_of_which_everybody_leaves_at_once_is_no_stack_of_calls():
    hall = Hall(llm=1, most=5000)
    running = hall.request()
    hasty = [hall.request(str(number % 7), hasty=True) for number in range(3000)]
    running.leave()
    assert all(one.told == [None] for one in hasty)
    assert hall.turnstile.inside("llm") == hall.turnstile.waiting("llm") == 0


def test_a_newcomer_does_not_overtake_who_could_go_in_as_well():
    hall = Hall(llm=1)
    hall.request()
    first = hall.request()
    hall.caps["llm"] = 2
    second = hall.request("b")
    assert (first.inside, second.inside) == (False, False)
    hall.pass_time(1)
    assert (first.inside, second.inside) == (True, False)


def test_who_made_room_and_asks_again_at_once_does_not_make_the_line_longer():
    hall = Hall(llm=1, most=6)
    hall.request("inside")
    again = []

    class Persistent(Request):
        """Asks anew as soon as it is sent away, as a pipelining client does."""

        def tell(self, refusal):
            super().tell(refusal)
            again.append(Request(self.hall, self.caller, self.upstream))

    for _ in range(6):
        Persistent(hall, Caller("greedy"), LLM)
    for number in range(3):
        hall.request(f"guest {number}")
        assert hall.turnstile.waiting("llm") == 6
    assert len(again) == 3
    assert all(request.refusal is not None for request in again)
