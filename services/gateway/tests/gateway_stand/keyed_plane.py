"""A data plane with keys and caps, as ``app.build`` wires it."""

import json

from gateway_stand.office import Office

from spark_common.settings.policies import QueueSettings
from spark_gateway.dataplane.body_limits import by_route
from spark_gateway.dataplane.desk import FrontDesk
from spark_gateway.keys.cutting import cuts
from spark_gateway.keys.doorkeeper import KeyDoorkeeper
from spark_gateway.queueing.caps import Caps
from spark_gateway.queueing.turnstile import FairTurnstile

CHAT = "/v1/chat/completions"


class KeyedPlane:
    """The plane of a test behind an office that issues keys."""

    def __init__(self, plane) -> None:
        self.plane = plane
        self.office = Office()
        self.queue = QueueSettings()
        caps = Caps(lambda: self.queue)
        book = self.office.book
        self.turnstile = FairTurnstile(
            caps.of,
            caps.bounds,
            self.office.clock.monotonic,
            capped=lambda: caps.any() or book.limits_concurrency,
        )
        self.door = KeyDoorkeeper(lambda: self.office.settings, book, lambda: self.turnstile.open)
        self.choose(plane.chooser)
        plane.body_limit = by_route(lambda: self.queue)
        book.on_closed(cuts(plane.shared))

    def choose(self, chooser):
        plane = self.plane
        plane.desk = FrontDesk(chooser, plane.own, doorkeeper=self.door, turnstile=self.turnstile)

    def request(self, *fields, path=CHAT, body=b'{"model":"org/model"}', method="POST"):
        lines = [f"{method} {path} HTTP/1.1", "host: a", *fields, f"content-length: {len(body)}"]
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + body

    async def ask(self, *fields, **more):
        head, body = await self.plane.ask(self.request(*fields, **more))
        return int(head.split()[1]), head.lower(), json.loads(body) if body else None

    async def keep_answering(self):
        async def script(peer):
            await self.plane.upstream.serve(peer, b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")

        self.plane.upstream.script = script


def bearer(key):
    return f"Authorization: Bearer {key}"
