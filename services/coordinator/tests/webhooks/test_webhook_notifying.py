"""ntfy, e-mail, Matrix and Gotify over real sockets; what is secret stays out of every log."""

import asyncio
import io
import ipaddress
import json
import logging
import socket

import pytest

from spark_common.logs import configure
from spark_coordinator.webhooks.body import test_body as body_of_test
from spark_coordinator.webhooks.guard import TargetGuard
from spark_coordinator.webhooks.notifying import AppriseSender
from spark_coordinator.webhooks.ports import Parcel
from spark_coordinator.webhooks.resolving import SystemResolver
from spark_coordinator.webhooks.targets import Target
from spark_coordinator.webhooks.testing import NOW
from spark_coordinator.webhooks.testing.http_receiver import HttpReceiver
from spark_coordinator.webhooks.threads import OwnedThreads

pytestmark = pytest.mark.connected
PARCEL = Parcel("dlv_1", body_of_test("e1", NOW))
SECRETS = ("tk_hidden", "gotifyHidden", "matrixHidden", "mailHidden")


@pytest.fixture
def sender():
    threads = OwnedThreads()
    return AppriseSender(SystemResolver(threads), TargetGuard({9999}), threads)


@pytest.fixture
async def receiver():
    async with HttpReceiver(status=200) as made:
        yield made


def target(kind, address):
    return Target(id=kind, name=kind, kind=kind, address=address, created_at=NOW)


def addresses(port):
    return {
        "ntfy": f"ntfy://:tk_hidden@127.0.0.1:{port}/topic",
        "gotify": f"gotify://127.0.0.1:{port}/gotifyHidden",
        "matrix": f"matrix://user:matrixHidden@127.0.0.1:{port}/?mode=matrix",
    }


@pytest.mark.parametrize("kind", ["ntfy", "gotify", "matrix"])
async def test_a_notification_arrives_in_words(sender, receiver, kind):
    answer = await sender.send(target(kind, addresses(receiver.port)[kind]), PARCEL)
    assert (answer.ok, answer.problem) == (True, None)
    (got,) = receiver.taken
    said = json.dumps(json.loads(got.body))
    assert "Test from spark-control" in said
    assert "you pressed the test button" in said


@pytest.mark.parametrize("kind", ["ntfy", "gotify", "matrix"])
@pytest.mark.parametrize("status", [401, 500])
async def test_a_refusal_names_the_status(sender, receiver, kind, status):
    receiver.status = status
    answer = await sender.send(target(kind, addresses(receiver.port)[kind]), PARCEL)
    assert (answer.ok, answer.status) == (False, status)
    assert answer.problem == f"the receiver answered {status}"


@pytest.mark.parametrize("kind", ["ntfy", "gotify", "matrix"])
async def test_a_redirect_is_not_followed(sender, receiver, kind):
    async with HttpReceiver(status=200) as other:
        receiver.status, receiver.more = 302, f"location: {other.url}\r\n".encode()
        answer = await sender.send(target(kind, addresses(receiver.port)[kind]), PARCEL)
        assert not answer.ok
        assert other.connections == 0


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
async def test_a_matrix_server_is_asked_itself_and_not_where_another_one_is(sender, certificate):
    async with HttpReceiver(status=200, tls=certificate) as receiver:
        address = f"matrixs://matrixHidden@127.0.0.1:{receiver.port}/!room:a.lan?verify=no"
        for asked in ("", "&discovery=yes"):
            await sender.send(target("matrix", address + asked), PARCEL)
        paths = [got.path for got in receiver.tried]
    assert paths
    assert [path for path in paths if not path.startswith("/_matrix/")] == []


async def test_nobody_there(sender, receiver):
    await receiver.die()
    answer = await sender.send(target("ntfy", addresses(receiver.port)["ntfy"]), PARCEL)
    assert answer.problem == "ntfy did not take it: it is away, or refuses user or password"


async def test_a_forbidden_host_is_not_asked(sender):
    answer = await sender.send(target("gotify", "gotify://[fe80::1]/x"), PARCEL)
    assert "link-local" in answer.problem
    answer = await sender.send(target("gotify", "gotify://127.0.0.1:9999/x"), PARCEL)
    assert "spark-control itself" in answer.problem


class Rebound:
    """The addresses of a name when we look, and those a moment later, when the library does."""

    def __init__(self, first, then):
        self.first, self.then = first, then

    async def resolve(self, owner, host):
        return [ipaddress.ip_address(self.first)]

    def look_up(self, host, port, *more, **named):
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (self.then, int(port)))]


@pytest.mark.parametrize("kind", ["ntfy", "gotify", "matrix", "email"])
async def test_a_name_that_leads_elsewhere_when_it_is_connected_to_is_refused(kind):
    names = Rebound("127.0.0.1", ".".join(map(str, (169, 254, 169, 254))))
    sender = AppriseSender(names, TargetGuard({9999}), OwnedThreads(), names.look_up)
    address = addresses(8088).get(kind, "mailto://user:mailHidden@127.0.0.1:8088?to=a@b.lan")
    answer = await sender.send(target(kind, address.replace("127.0.0.1", "rebound.lan")), PARCEL)
    assert (answer.ok, "metadata" in answer.problem) == (False, True)


async def test_only_what_a_delivery_looks_up_is_checked(receiver):
    names = Rebound("127.0.0.1", "127.0.0.1")
    sender = AppriseSender(names, TargetGuard({9999}), OwnedThreads(), names.look_up)
    there = addresses(receiver.port)["ntfy"].replace("127.0.0.1", "rebound.lan")
    assert (await sender.send(target("ntfy", there), PARCEL)).ok
    with pytest.raises(socket.gaierror):
        await asyncio.get_running_loop().getaddrinfo("rebound.invalid", 80)
    assert socket.getaddrinfo("127.0.0.1", 9999)


class Mail:
    """A mail server that takes one letter."""

    def __init__(self):
        self.letter = b""

    async def serve(self, reader, writer):
        try:
            await self._talk(reader, writer)
        finally:
            writer.close()

    async def _talk(self, reader, writer):
        writer.write(b"220 mail\r\n")
        while line := await reader.readline():
            word = line.split()[0].upper()
            if word == b"DATA":
                writer.write(b"354 go\r\n")
                self.letter = await reader.readuntil(b"\r\n.\r\n")
                writer.write(b"250 taken\r\n")
            elif word == b"QUIT":
                writer.write(b"221 bye\r\n")
                return
            elif word == b"EHLO":
                writer.write(b"250-mail\r\n250 AUTH PLAIN LOGIN\r\n")
            elif word == b"AUTH":
                writer.write(b"235 welcome\r\n")
            else:
                writer.write(b"250 ok\r\n")


@pytest.fixture
async def mail():
    """A mail server, and the address of somebody there."""
    made = Mail()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    yield made, f"mailto://alice:mailHidden@house.lan:{port}?smtp=127.0.0.1&to=bob@house.lan"
    server.close()


async def test_a_letter_arrives(sender, mail):
    server, address = mail
    answer = await sender.send(target("email", address), PARCEL)
    assert (answer.ok, answer.problem) == (True, None)
    assert b"Subject: Test from spark-control" in server.letter
    assert b"To: bob@house.lan" in server.letter


async def test_a_name_adds_no_line_to_the_head_of_a_letter(sender, mail):
    """Labels of holders are whatever somebody called himself."""
    server, address = mail
    document = {"title": "Alice\r\nBcc: eve@a.lan", "message": "m\r\n.\r\nQUIT"}
    answer = await sender.send(target("email", address), Parcel("dlv_1", json.dumps(document)))
    assert answer.ok
    head = server.letter.partition(b"\r\n\r\n")[0].split(b"\r\n")
    assert [line for line in head if line.startswith(b"Subject:")] == [
        b"Subject: Alice Bcc: eve@a.lan"
    ]
    assert not [line for line in head if line.startswith(b"Bcc")]


async def test_no_address_reaches_a_log_at_any_level(sender, receiver):
    told = io.StringIO()
    configure("coordinator", "debug", told)
    logging.getLogger("urllib3").setLevel(logging.DEBUG)
    try:
        for status in (200, 401, 500):
            receiver.status = status
            for kind, address in addresses(receiver.port).items():
                await sender.send(target(kind, address), PARCEL)
        await receiver.die()
        for kind, address in addresses(receiver.port).items():
            await sender.send(target(kind, address), PARCEL)
        mail = "mailto://alice:mailHidden@house.lan:1?smtp=127.0.0.1&to=bob@house.lan"
        assert not (await sender.send(target("email", mail), PARCEL)).ok
        await sender.send(target("ntfy", "ntfy://[tk_hidden"), PARCEL)
        said = told.getvalue()
        assert [secret for secret in SECRETS if secret in said] == []
        assert "topic" not in said
    finally:
        logging.getLogger().handlers.clear()
