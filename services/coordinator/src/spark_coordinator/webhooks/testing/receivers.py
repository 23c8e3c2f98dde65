"""The other side without a network: names that resolve as told, receivers that answer as told."""

import asyncio
import ipaddress
import json
from collections import defaultdict
from collections.abc import Callable, Sequence

from spark_common.forbidden_address import IpAddress
from spark_coordinator.webhooks.ports import Answer, Parcel, SendError
from spark_coordinator.webhooks.targets import Target

GOOD = Answer(ok=True, status=204)
BAD = Answer(ok=False, status=500, problem="the receiver answered 500")
GONE = Answer(ok=False, status=410, problem="the receiver answered 410", gone=True)


class Names:
    """A resolver that knows what it is told."""

    def __init__(self) -> None:
        self.known: dict[str, list[str]] = {}

    async def resolve(self, owner: str, host: str) -> Sequence[IpAddress]:
        """Return what is known of a name; an address is itself."""
        try:
            return [ipaddress.ip_address(host)]
        except ValueError:
            pass
        if host not in self.known:
            raise SendError("the name of its host does not resolve")
        return [ipaddress.ip_address(one) for one in self.known[host]]


class Receivers:
    """Answers 204 unless told otherwise, and remembers what came."""

    def __init__(self) -> None:
        self.answers: dict[str, Callable[[Parcel], Answer]] = {}
        self.hanging: set[str] = set()
        self.tried: dict[str, list[Parcel]] = defaultdict(list)
        self.got: dict[str, list[Parcel]] = defaultdict(list)
        """Everything that was taken, by target."""

    async def send(self, target: Target, parcel: Parcel) -> Answer:
        """Answer as the target was told to."""
        self.tried[target.id].append(parcel)
        if target.id in self.hanging:
            await asyncio.Event().wait()
        decide = self.answers.get(target.id)
        answer = GOOD if decide is None else decide(parcel)
        if answer.ok:
            self.got[target.id].append(parcel)
        return answer

    def events(self, target: str) -> list[str]:
        """Return the ids of the events a target took, in order."""
        return [json.loads(parcel.body)["event_id"] for parcel in self.got[target]]
