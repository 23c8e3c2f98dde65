import asyncio

import pytest

from spark_common.errors import (
    DeadlineExceededError,
    HostKeyChangedError,
    HostUnreachableError,
    SparkError,
)
from spark_common.remote import RemoteResult
from spark_common.testing import FakeClock
from spark_swapper.menu.hosts import Hosts, Spark

SPARKS = (Spark("spark1", "Spark 1"), Spark("spark2", "Spark 2"))


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def hosts(folder_shell, clock) -> Hosts:
    return Hosts(folder_shell, SPARKS, clock)


def test_before_the_first_look_nothing_is_known(hosts) -> None:
    assert [sight.view().state for sight in hosts.sights] == ["unknown", "unknown"]
    assert hosts.age_seconds() is None
    assert hosts.as_of is None


async def test_one_round_trip_per_host_says_everything(hosts, hubs, folder_shell, clock) -> None:
    hubs["spark2"].add("org/name")
    await hosts.look()
    assert folder_shell.commands == 2
    first, second = (sight.view() for sight in hosts.sights)
    assert (first.state, second.state) == ("online", "online")
    assert first.seen_at == clock.now() == hosts.as_of
    assert first.disk_total_bytes
    assert first.memory_total_bytes
    assert [copy.repo for copy in hosts.sights[1].look.copies] == ["org/name"]


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (HostUnreachableError("there is no route to Spark 1"), "There is no route to Spark 1."),
        (DeadlineExceededError("no answer in 20 s"), "probably out of memory"),
        (HostKeyChangedError("spark1 shows another host key"), "Spark1 shows another host key."),
    ],
)
async def test_a_dead_host_keeps_what_it_had_and_says_why(
    hosts, hubs, folder_shell, clock, error: SparkError, words: str
) -> None:
    hubs["spark1"].add("org/name")
    await hosts.look()
    seen_at = clock.now()
    await clock.advance(30)
    folder_shell.trouble["spark1"] = error
    await hosts.look()
    sight = hosts.sights[0]
    assert sight.view().state == "unreachable"
    assert words in (sight.view().detail or "")
    assert sight.view().seen_at == seen_at
    assert not sight.fresh
    assert [copy.repo for copy in sight.look.copies] == ["org/name"]
    assert hosts.sights[1].view().state == "online"


async def test_a_lost_connection_is_an_unreachable_host(hosts, folder_shell) -> None:
    async def lost(host, command, *, timeout_seconds=30.0):
        return RemoteResult(None, "", "connection lost")

    folder_shell.run = lost
    await hosts.look()
    view = hosts.sights[0].view()
    assert view.state == "unreachable"
    assert view.detail == "The connection to Spark 1 was lost while it was looked at."


async def test_a_reason_that_asks_ends_as_a_question(hosts, folder_shell) -> None:
    folder_shell.trouble["spark1"] = HostUnreachableError("no answer: is it switched on?")
    await hosts.look()
    assert hosts.sights[0].view().detail == "No answer: is it switched on?"


async def test_a_host_that_comes_back_is_as_new(hosts, hubs, folder_shell) -> None:
    folder_shell.trouble["spark1"] = HostUnreachableError("no route to host")
    await hosts.look()
    del folder_shell.trouble["spark1"]
    hubs["spark1"].add("org/name")
    await hosts.look()
    view = hosts.sights[0].view()
    assert (view.state, view.detail) == ("online", None)


async def test_a_host_that_answers_nonsense_is_online_and_says_so(hosts, hubs) -> None:
    programs = hubs["spark1"].home / "bin"
    programs.mkdir()
    (programs / "python3").write_text("#!/bin/sh\necho 'no module named json' >&2\nexit 1\n")
    (programs / "python3").chmod(0o755)
    await hosts.look()
    view = hosts.sights[0].view()
    assert view.state == "online"
    assert "no module named json" in (view.detail or "")


async def test_an_unreadable_cache_is_said(hosts, hubs, folder_shell) -> None:
    programs = hubs["spark1"].home / "bin"
    programs.mkdir()
    answer = '{"hostname":"s","hub":"/h","copies":[],"problem":"/h: Permission denied"}'
    (programs / "python3").write_text(f"#!/bin/sh\ncat >/dev/null\necho '{answer}'\n")
    (programs / "python3").chmod(0o755)
    await hosts.look()
    assert hosts.sights[0].view().detail == (
        "The model folder on Spark 1 cannot be read: /h: Permission denied."
    )


async def test_hosts_are_asked_at_the_same_time(hosts, folder_shell) -> None:
    """A Spark that hangs must not keep the other from being seen."""
    both = asyncio.Barrier(2)
    run = folder_shell.run

    async def meet(host, command, *, timeout_seconds=30.0):
        await both.wait()
        return await run(host, command, timeout_seconds=timeout_seconds)

    folder_shell.run = meet
    await hosts.look()
    assert all(sight.fresh for sight in hosts.sights)


async def test_who_asks_during_a_look_shares_the_next_one(hosts, folder_shell, clock) -> None:
    release = asyncio.Event()
    run = folder_shell.run

    async def slow(host, command, *, timeout_seconds=30.0):
        await release.wait()
        return await run(host, command, timeout_seconds=timeout_seconds)

    folder_shell.run = slow
    first = asyncio.create_task(hosts.look())
    await clock.advance(1)
    later = [asyncio.create_task(hosts.look()) for _ in range(5)]
    await clock.advance(1)
    release.set()
    await asyncio.gather(first, *later)
    assert folder_shell.commands == 4
