"""One try over real HTTP: what arrives, what each failure is called, where it never goes."""

import asyncio
import hashlib
import hmac
import ipaddress

import pytest

from spark_common.clock import SystemClock
from spark_common.testing.wait import until
from spark_coordinator.webhooks.guard import TargetGuard
from spark_coordinator.webhooks.ports import Parcel, SendError
from spark_coordinator.webhooks.posting import WebhookSender
from spark_coordinator.webhooks.resolving import SystemResolver
from spark_coordinator.webhooks.signing import signed_headers
from spark_coordinator.webhooks.targets import Target
from spark_coordinator.webhooks.testing import NOW, Names
from spark_coordinator.webhooks.testing.http_receiver import HttpReceiver
from spark_coordinator.webhooks.threads import OwnedThreads

PARCEL = Parcel("dlv_1", '{"type":"swap.complete","message":"ü"}')


def sender(names=None, guard=None, **limits):
    limits = {"connect_seconds": 60.0, "total_seconds": 60.0} | limits
    return WebhookSender(
        names or Names(), guard or TargetGuard({9999}), SystemClock(), "spark-control/1.2.3",
        **limits,
    )  # fmt: skip


def target(url, secret=None):
    return Target(id="bob", name="Bob", url=url, secret=secret, created_at=NOW)


@pytest.fixture
async def receiver():
    async with HttpReceiver() as made:
        yield made


async def test_what_arrives(receiver):
    answer = await sender().send(target(f"{receiver.url}?a=b", "s3"), PARCEL)
    assert (answer.ok, answer.status, answer.problem) == (True, 204, None)
    (got,) = receiver.taken
    assert got.path == "/hook?a=b"
    assert got.body.decode() == PARCEL.body
    signature = hmac.new(b"s3", got.body, hashlib.sha256).hexdigest()
    at = int(got.headers["webhook-timestamp"])
    signed = signed_headers("s3", "dlv_1", at, got.body)
    assert got.headers == signed | {
        "host": f"127.0.0.1:{receiver.port}",
        "user-agent": "spark-control/1.2.3",
        "content-type": "application/json",
        "content-length": str(len(got.body)),
        "x-spark-signature": f"sha256={signature}",
        "accept": "*/*",
        "connection": "close",
    }
    assert abs(at - SystemClock().now().timestamp()) < 5


async def test_the_name_stays_in_host_and_only_its_checked_address_is_asked(receiver):
    names = Names()
    names.known["receiver.example"] = ["127.0.0.1"]
    url = f"http://receiver.example:{receiver.port}/hook"
    assert (await sender(names).send(target(url), PARCEL)).ok
    assert receiver.taken[0].headers["host"] == f"receiver.example:{receiver.port}"


async def test_the_next_address_is_asked_when_one_is_dead(receiver):
    names = Names()
    names.known["two.example"] = ["::1", "127.0.0.1"]
    url = f"http://two.example:{receiver.port}/"
    assert (await sender(names).send(target(url), PARCEL)).ok


async def test_a_name_that_turns_bad_between_tries_is_not_followed(receiver):
    """There is one lookup per try, and its answer is what is connected to."""
    names = Names()
    asked = []

    class Turning:
        async def resolve(self, owner, host):
            asked.append(host)
            address = "127.0.0.1" if len(asked) == 1 else "fe80::1"
            return [ipaddress.ip_address(address)]

    url = f"http://turning.example:{receiver.port}/"
    bound = sender(Turning())
    assert (await bound.send(target(url), PARCEL)).ok
    second = await bound.send(target(url), PARCEL)
    assert "link-local" in second.problem
    assert (len(asked), receiver.connections, names.known) == (2, 1, {})


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
async def test_any_2xx_is_done(receiver, status):
    receiver.status = status
    assert (await sender().send(target(receiver.url), PARCEL)).ok


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_a_failure_and_is_not_followed(receiver, status):
    async with HttpReceiver() as other:
        receiver.status = status
        receiver.more = f"location: {other.url}\r\n".encode()
        answer = await sender().send(target(receiver.url), PARCEL)
        assert not answer.ok
        assert "redirects are not followed" in answer.problem
        assert (receiver.connections, other.connections) == (1, 0)


@pytest.mark.parametrize(
    ("status", "gone"), [(400, False), (403, False), (404, False), (410, True), (503, False)]
)
async def test_other_answers(receiver, status, gone):
    receiver.status = status
    answer = await sender().send(target(receiver.url), PARCEL)
    assert (answer.ok, answer.status, answer.gone) == (False, status, gone)
    assert answer.problem == f"the receiver answered {status}"


async def test_a_receiver_that_hangs(receiver):
    receiver.way = lambda: "hang"
    answer = await sender(total_seconds=0.3).send(target(receiver.url), PARCEL)
    assert answer.problem == "no answer within 0.3 s"


@pytest.mark.parametrize("way", ["cut", "lost_answer"])
async def test_a_connection_that_breaks(receiver, way):
    receiver.way = lambda: way
    answer = await sender().send(target(receiver.url), PARCEL)
    assert answer.problem == "the connection broke before an answer came"


async def test_nobody_listens(receiver):
    await receiver.die()
    answer = await sender().send(target(receiver.url), PARCEL)
    assert answer.problem == "nothing listens there: the connection was refused"


async def test_a_name_that_does_not_resolve():
    answer = await sender().send(target("http://nowhere.example/"), PARCEL)
    assert answer.problem == "the name of its host does not resolve"


async def test_an_answer_without_end_is_success_and_soon_left(receiver):
    receiver.status, receiver.flood = 200, True
    answer = await sender(total_seconds=5).send(target(receiver.url), PARCEL)
    assert answer.ok
    await until(lambda: not receiver._clients, "the connection is closed")


async def test_a_server_that_speaks_no_http():
    async def gibber(reader, writer):
        writer.write(b"SSH-2.0-x\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(gibber, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    answer = await sender().send(target(f"http://127.0.0.1:{port}/"), PARCEL)
    server.close()
    assert answer.problem == "the connection broke before an answer came"


async def test_a_certificate_nobody_vouches_for_is_named(certificate):
    async with HttpReceiver(tls=certificate) as receiver:
        url = receiver.url.replace("http", "https", 1)
        answer = await sender(total_seconds=5).send(target(url), PARCEL)
    assert answer.problem.startswith("its TLS certificate is not trusted")


async def test_http_where_tls_was_promised(receiver):
    url = receiver.url.replace("http", "https", 1)
    answer = await sender(connect_seconds=0.5).send(target(url), PARCEL)
    assert not answer.ok


async def test_the_systems_resolver():
    resolver = SystemResolver(OwnedThreads())
    assert ipaddress.ip_address("127.0.0.1") in await resolver.resolve("bob", "localhost")
    assert await resolver.resolve("bob", "::1") == [ipaddress.ip_address("::1")]
    with pytest.raises(SendError, match="does not resolve"):
        await resolver.resolve("bob", "nowhere.invalid")


async def test_a_call_that_hangs_holds_up_nobody_else():
    import threading

    released = threading.Event()
    threads = OwnedThreads()
    with pytest.raises(SendError, match="no answer within"):
        await threads.run("alice", 0.05, released.wait)
    with pytest.raises(SendError, match="still hangs"):
        await threads.run("alice", 0.05, released.wait)
    assert await threads.run("bob", 5, lambda: "done") == "done"
    second = asyncio.create_task(threads.run("alice", 5, lambda: "second"))
    third = asyncio.create_task(threads.run("alice", 5, lambda: "third"))
    released.set()
    assert await asyncio.gather(second, third) == ["second", "third"]
