"""A visit alone: bodies too long to keep that stand in line, and whose turn comes meanwhile."""

from dataclasses import dataclass, field

import pytest

from spark_gateway.dataplane.free import ANYBODY, UNWATCHED, NobodyWaits
from spark_gateway.dataplane.heads import parse_request
from spark_gateway.dataplane.ports import Choice, Passage, Refusal, Upstream
from spark_gateway.dataplane.refusals import refuse
from spark_gateway.dataplane.visit import StagedVisit, Stages

LLM = Upstream("127.0.0.1", 1)
HEAD = b"POST /v1/chat/completions HTTP/1.1\r\nhost: g\r\ncontent-length: 99\r\n\r\n"
FORBIDDEN = refuse(b"/v1/chat/completions", 403, "model_not_allowed", "not for you")


class Chooser:
    def at_head(self, head):
        return None

    def choose(self, head, model):
        return Choice(LLM)


class OnlyMine:
    """Somebody who may name one model."""

    label, share, weight, concurrency, picky = "", "key:1", 1, 0, True
    by_key = True

    def refuses(self, path, model):
        return None if model == "mine" else FORBIDDEN

    def spent(self, tokens): ...


@dataclass
class Line:
    """A turnstile at which everybody waits until the test says otherwise; its only ticket."""

    open: bool = False
    inside: bool = False
    position: int = 1
    left: int = 0

    def enter(self, identity, upstream, path, again):
        self.again = again
        return self

    def step_in(self, identity, upstream):
        return None

    def leave(self):
        self.left += 1

    def come_in(self):
        self.inside = True
        self.again(None)


@dataclass
class Host:
    caller: object = ANYBODY
    outcomes: list = field(default_factory=list)

    def decided(self, outcome):
        self.outcomes.append(outcome)


class Stand:
    def __init__(self):
        self.line, self.host = Line(), Host()
        stages = Stages(Chooser(), NobodyWaits(), self.line, lambda: 0.0)
        head = parse_request(HEAD)
        self.visit = StagedVisit(stages, head, OnlyMine(), None, UNWATCHED, self.host)
        self.visit.begin()


@pytest.fixture
def stand():
    return Stand()


@pytest.mark.parametrize(("last", "passes"), [(b'"}', True), (b'","model":"other"}', False)])
def test_a_body_that_was_to_be_on_trial_and_is_whole_before_its_turn(stand, last, passes):
    stand.visit.feed(b'{"model":"mine","text":"', last=False)
    stand.visit.full()
    assert stand.host.outcomes == []
    stand.visit.feed(last, last=True)
    stand.line.come_in()
    (outcome,) = stand.host.outcomes
    if passes:
        assert isinstance(outcome, Passage)
        assert not outcome.on_trial
        assert stand.line.left == 0
    else:
        assert outcome is FORBIDDEN
        assert stand.line.left == 1


@pytest.mark.parametrize(("last", "passes"), [(b'"}', True), (b'","model":"other"}', False)])
def test_a_body_on_trial_has_its_verdict_when_it_is_whole(stand, last, passes):
    stand.visit.feed(b'{"model":"mine","text":"', last=False)
    stand.visit.full()
    stand.line.come_in()
    (outcome,) = stand.host.outcomes
    assert isinstance(outcome, Passage)
    assert outcome.on_trial
    stand.visit.feed(last, last=True)
    verdict = stand.visit.verdict()
    assert (verdict is None) is passes
    assert passes or isinstance(verdict, Refusal)
    assert len(stand.host.outcomes) == 1


def test_who_leaves_the_line_is_not_decided_about_any_more(stand):
    stand.visit.feed(b'{"model":"mine","text":"', last=False)
    stand.visit.full()
    stand.visit.left()
    assert stand.line.left == 1
    stand.visit.feed(b'"}', last=True)
    assert stand.host.outcomes == []
