"""What people put on the list is asked only at addresses that were checked, once each."""

import asyncio
import ipaddress
import socket

import httpx
import pytest

from spark_common.plain_http import plain_client
from spark_health.services.box_watch import BoxSight
from spark_health.services.clients import Clients, checked_client
from spark_health.services.service import Service
from spark_health.services.verdict import of_port
from spark_health.watching.first.checked_http import CheckedTransport, SystemResolver
from spark_health.watching.first.http_look import look

METADATA = ".".join(map(str, (169, 254, 169, 254)))
LINK_LOCAL = ".".join(map(str, (169, 254, 1, 1)))
ALIBABA = ".".join(map(str, (100, 100, 100, 200)))
SERVICE = Service("new", "New", "http", "custom", address="new.example", port=8188)


class Names:
    """A resolver that answers with the next of what it was told, as a rebinding one does."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked = []

    async def resolve(self, host):
        self.asked.append(host)
        found = self.answers.pop(0)
        if isinstance(found, Exception):
            raise found
        return [ipaddress.ip_address(one) for one in found]


class Wire:
    """Every request that would have gone out."""

    def __init__(self, away=()):
        self.away, self.seen = away, []

    def client(self, names):
        return httpx.AsyncClient(transport=CheckedTransport(httpx.MockTransport(self.take), names))

    def take(self, request):
        self.seen.append(request)
        if request.url.host in self.away:
            raise httpx.ConnectError("connection refused")
        return httpx.Response(200)


@pytest.mark.parametrize(
    "addresses",
    [
        [METADATA],
        [LINK_LOCAL],
        [ALIBABA],
        ["168.63.129.16"],
        ["fd00:ec2::254"],
        ["fe80::1"],
        [f"::ffff:{METADATA}"],
        ["64:ff9b::a9fe:a9fe"],
        ["0.0.0.0"],
        ["224.0.0.1"],
        # One of them is enough: which of them is connected to would be a matter of luck.
        ["192.0.2.7", METADATA],
    ],
)
async def test_a_name_that_leads_where_nothing_is_sent_is_not_connected_to(addresses):
    wire = Wire()
    async with wire.client(Names(addresses)) as client:
        seen = await look(client, "http://new.example:8188/health")
    assert (seen.outcome, wire.seen) == ("forbidden", [])
    state, reason = of_port(SERVICE, seen, BoxSight(), fresh=False)
    assert state == "down"
    assert reason.startswith("New is not asked: its address is ")


async def test_an_address_that_was_written_down_is_checked_as_well():
    wire = Wire()
    async with wire.client(Names()) as client:
        for host in (METADATA, "[fe80::1]"):
            assert (await look(client, f"http://{host}:80/")).outcome == "forbidden"
        assert (await look(client, "http://127.0.0.1:80/")).ok
    assert [request.url.host for request in wire.seen] == ["127.0.0.1"]


async def test_what_was_checked_is_what_is_connected_to_however_the_name_changes():
    wire, names = Wire(), Names(["192.0.2.7"], [METADATA], ["192.0.2.8"])
    async with wire.client(names) as client:
        found = [(await look(client, "http://new.example:8188/h")).outcome for _ in range(3)]
    assert found == ["answered", "forbidden", "answered"]
    assert [str(request.url) for request in wire.seen] == [
        "http://192.0.2.7:8188/h",
        "http://192.0.2.8:8188/h",
    ]
    assert {request.headers["host"] for request in wire.seen} == {"new.example:8188"}
    assert names.asked == ["new.example"] * 3


async def test_every_address_is_tried_and_has_its_part_of_the_time():
    wire = Wire(away={"192.0.2.7", "2001:db8::1"})
    async with wire.client(Names(["2001:db8::1", "192.0.2.7", "192.0.2.8"])) as client:
        assert (await look(client, "http://new.example:8188/")).ok
    assert [request.url.host for request in wire.seen] == ["2001:db8::1", "192.0.2.7", "192.0.2.8"]
    assert {request.extensions["timeout"]["connect"] for request in wire.seen} == {1.0}


@pytest.mark.parametrize("failure", [OSError("no such name"), UnicodeError("no name"), []])
async def test_a_name_without_an_address_cannot_be_reached(failure):
    wire = Wire()
    async with wire.client(Names(failure)) as client:
        assert (await look(client, "http://new.example:8188/")).outcome == "unreachable"
    assert wire.seen == []


async def test_only_services_of_the_list_are_asked_like_this_over_a_real_connection():
    heads = []

    async def answer(reader, writer):
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, plain_client() as known, checked_client(Names(["127.0.0.1"])) as listed:
        clients = Clients(known, listed)
        assert clients.of(Service("qdrant", "Qdrant", "vectors", "built_in")) is known
        assert (await look(clients.of(SERVICE), f"http://new.example:{port}/health")).ok
    assert f"host: new.example:{port}".encode() in heads[0].lower()


async def test_one_lookup_of_a_name_is_under_way_at_a_time():
    resolver = SystemResolver()
    asked = [resolver.resolve("localhost") for _ in range(20)]
    found = await asyncio.gather(*asked)
    assert {address.is_loopback for each in found for address in each} == {True}
    assert found[0] is found[19]
    with pytest.raises(socket.gaierror):
        await resolver.resolve("no-such-name.invalid")
