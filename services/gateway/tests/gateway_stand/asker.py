"""Requests that the test chooses for and lets wait itself, without a connection."""

import asyncio
import json
from dataclasses import dataclass, field

from gateway_stand.holding import CHAT, Cluster

from spark_gateway.dataplane.free import ANYBODY
from spark_gateway.dataplane.heads import RequestHead
from spark_gateway.dataplane.ports import Absence, Choice, Refusal


@dataclass
class Somebody:
    """Whoever asks, by a name."""

    label: str
    weight: int = 1
    concurrency: int = 0
    by_key: bool = False
    picky: bool = False

    @property
    def share(self):
        return self.label


@dataclass
class Asker:
    """A request that names a model, and what became of it."""

    cluster: Cluster
    model: str
    path: bytes = CHAT
    method: bytes = b"POST"
    fields: list = field(default_factory=list)
    answer: Refusal | Choice | None = None
    stay: object = None
    since: float | None = None
    label: str = ""
    answers: int = 0

    def __post_init__(self):
        if self.since is None:
            self.since = self.cluster.clock.monotonic()
        self.choose()

    def choose(self, refusal=None):
        """Be chosen for, as a visit is."""
        head = RequestHead(self.method, self.path, self.path, self.fields, length=9)
        outcome = refusal or self.cluster.chooser.choose(head, self.model)
        if isinstance(outcome, Absence):
            holding = self.cluster.holding
            identity = Somebody(self.label) if self.label else ANYBODY
            outcome = holding.wait(outcome, head, identity, 9, self.since, self.choose)
        if isinstance(outcome, Refusal | Choice):
            self.answer = outcome
            self.answers += 1
        else:
            self.stay = outcome

    @property
    def code(self):
        return None if self.answer is None else json.loads(self.answer.body)["error"]["code"]

    @property
    def message(self):
        return json.loads(self.answer.body)["error"]["message"]

    def retries(self):
        return dict(self.answer.headers).get(b"x-should-retry")


async def quiet():
    """Let everything happen that waits for nobody."""
    for _ in range(10):
        await asyncio.sleep(0)


def asked(cluster):
    """Return the models that the swapper was asked for."""
    return [request.model for request in cluster.bus.asked]
