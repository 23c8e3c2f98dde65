"""What the Spark, the speech server, the swapper and the lease say, and what is made of it."""

import httpx
import pytest
from pydantic import SecretStr

from spark_common.bus.port import Serving
from spark_common.contracts.speech_models import SpeechHealth
from spark_common.contracts.swaps import LIST_SWAPS, Swaps, SwapView
from spark_common.errors import (
    LeaseHeldError,
    RemoteCommandError,
    SwapInProgressError,
    UnavailableError,
)
from spark_common.leasing import Gate
from spark_common.plain_http import plain_client
from spark_common.remote import RemoteResult
from spark_common.settings import HostSettings, HostsSettings
from spark_common.settings.support import ParakeetSettings
from spark_common.testing import MemoryBus
from spark_health.deep.scene import BusScene
from spark_health.overlay.server import Said, ask, read_answer
from spark_health.overlay.sight import Sight, read_sight
from spark_health.overlay.source import FILES, NoSourceError, Shipped, read_shipped
from spark_health.overlay.spark import SpeechSpark
from spark_health.overlay.target import target_of
from spark_health.overlay.view import models_view, why_no_undo
from spark_health.remedies.gate import SwapsAndLease
from spark_health.remedies.holding import InTheWayError
from spark_health.remedies.testing.fakes import FakeLeases

A, B = "a" * 64, "b" * 64
LOOK = f"""container running 2 sha256:img martinb78/parakeet
file main.py {A}
file diarizer.py missing
kept 1764230400 sha256:img
keeps main.py {B}
"""


def seen(text: str, code: int | None = 0) -> Sight:
    return read_sight(RemoteResult(code, text, ""), "Spark 1")


class TestSight:
    def test_a_whole_look(self):
        sight = seen(LOOK)
        assert (sight.status, sight.restart_count) == ("running", 2)
        assert sight.hashes == {"main.py": A, "diarizer.py": None}
        assert sight.kept.hashes == {"main.py": B}
        assert not sight.as_kept
        assert why_no_undo(sight) is None

    @pytest.mark.parametrize(
        ("text", "hashes"),
        [
            ("container running 0 i i\nfile main.py unknown\nfile other.py " + A, {}),
            ("container running 0 i i\nfile main.py zz\nfile diarizer.py\nmotd!\n", {}),
            ("welcome\ncontainer exited x i i\nfile main.py " + A, {"main.py": A}),
        ],
    )
    def test_junk_between_the_lines_is_nothing(self, text, hashes):
        assert seen(text).hashes == hashes

    def test_no_container_is_no_fault(self):
        assert seen("container none\n").status is None

    @pytest.mark.parametrize("text", ["", "container", "container running\n", "\0\xff"])
    def test_a_look_that_is_cut_off_is_refused(self, text):
        with pytest.raises(RemoteCommandError):
            seen(text)

    def test_a_docker_that_does_not_answer_and_a_connection_that_is_lost(self):
        with pytest.raises(RemoteCommandError, match="Cannot connect to the Docker daemon"):
            seen("Cannot connect to the Docker daemon", 72)
        with pytest.raises(UnavailableError):
            seen("", None)

    @pytest.mark.parametrize(
        ("text", "why"),
        [
            ("container running 0 sha256:img i\n", "replaced nothing yet"),
            (LOOK.replace("1764230400 sha256:img", "1764230400 sha256:old"), "another image"),
            (LOOK.replace(f"main.py {A}", f"main.py {B}"), "already has"),
            (LOOK.replace("1764230400", "junk"), "replaced nothing yet"),
        ],
    )
    def test_why_there_is_nothing_to_undo(self, text, why):
        assert why in why_no_undo(seen(text))


class TestServer:
    @pytest.mark.parametrize(
        ("status", "body", "state"),
        [
            (200, '{"status": "ready"}', "ready"),
            (200, '{"status": "ok"}', "ready"),
            (200, '{"status": "loading"}', "loading"),
            (503, '{"status": "loading"}', "loading"),
            (503, "busy", "loading"),
            (503, '{"status": "failed", "problem": "CUDA error"}', "failed"),
            (200, "<html>", "failed"),
            (200, "[]", "failed"),
            (404, '{"detail": "Not Found"}', "failed"),
            (200, '{"status": {"a": 1}}', "failed"),
        ],
    )
    def test_every_answer_has_a_meaning(self, status, body, state):
        said = read_answer(httpx.Response(status, content=body))
        assert said.health.state == state
        assert (said.health.problem is not None) is (state == "failed")

    def test_what_is_told_of_files_and_models_is_read_and_junk_is_not(self):
        body = {
            "status": "ready",
            "model": ["m"],
            "overlay": {"main.py": A, "diarizer.py": 7, "x": "y"},
            "diarizer": {"status": "failed", "problem": "no model"},
        }
        said = read_answer(httpx.Response(200, json=body))
        assert said.running == {"main.py": A}
        assert (said.health.diarizer, said.health.diarizer_problem) == ("failed", "no model")
        assert said.health.model is None
        body = {"status": "ready", "overlay": [], "diarizer": 1}
        strange = read_answer(httpx.Response(200, json=body))
        assert (strange.running, strange.health.diarizer) == ({}, None)

    async def test_nothing_there_is_away_and_an_open_port_that_is_silent_is_busy(self):
        def silent(request):
            raise httpx.ReadTimeout("", request=request)

        async with httpx.AsyncClient(transport=httpx.MockTransport(silent)) as http:
            assert (await ask(http, "http://there")).health.state == "busy"
        async with plain_client() as http:
            assert (await ask(http, "http://127.0.0.1:9")).health.state == "away"
            assert (await ask(http, "http://[nonsense")).health.state == "away"


HOSTS = HostsSettings(
    hosts=(
        HostSettings(name="spark1", label="Spark 1", address="127.0.0.11", user="alice"),
        HostSettings(name="spark2", label="Spark 2", address="::1", user="alice"),
    )
)


@pytest.mark.parametrize(
    ("given", "host", "url"),
    [
        (None, "spark1", "http://127.0.0.11:8000"),
        ("::1", "spark2", "http://[::1]:8000"),
        ("127.0.0.99", None, "http://127.0.0.99:8000"),
    ],
)
def test_where_it_is(given, host, url):
    target = target_of(ParakeetSettings(parakeet_host=given), HOSTS)
    assert (target.host.name if target.host else None, target.url) == (host, url)


def test_files_that_are_not_here_say_where_they_should_be(tmp_path):
    with pytest.raises(NoSourceError, match="CLUSTER_DIR"):
        read_shipped(tmp_path)
    assert set(read_shipped(None).hashes) == set(FILES)


@pytest.mark.parametrize(
    ("files", "running", "state", "restart_needed"),
    [
        ("file main.py {0}\nfile diarizer.py {1}\n", "both", "in_sync", False),
        ("file main.py {0}\nfile diarizer.py {1}\n", "none", "in_sync", True),
        ("file main.py {1}\nfile diarizer.py {1}\n", "both", "drift", False),
        ("file main.py {1}\nfile diarizer.py missing\n", "none", "missing", False),
        ("file main.py {0}\nfile diarizer.py unknown\n", "none", "unknown", False),
    ],
)
def test_the_worst_file_is_the_state_of_both(files, running, state, restart_needed):
    shipped = Shipped({name: name.encode() for name in FILES})
    hashes = shipped.hashes
    sight = seen("container running 0 i i\n" + files.format(*(hashes[name] for name in FILES)))
    said = Said(SpeechHealth(state="ready"), hashes if running == "both" else {})
    view = models_view(target_of(ParakeetSettings(), HOSTS), shipped, sight, said, [], None)
    assert (view.state, view.restart_needed) == (state, restart_needed)


class FakeLease:
    """Answers as the gate of the lease does."""

    def __init__(self, gate: Gate) -> None:
        self.gate = gate
        self.tokens: list[str | None] = []

    async def for_caller(self, token):
        self.tokens.append(token)
        return self.gate

    async def for_epoch(self, epoch):
        return self.gate


class TestObstacles:
    FREE = Gate(admitted=True, epoch=4)
    HELD = Gate(admitted=False, epoch=4, holder="Bob", state="held")
    OURS = Gate(admitted=True, epoch=4, holder="Alice", state="held")

    async def of(self, gate: Gate, swaps: Swaps | None) -> SwapsAndLease:
        bus = MemoryBus("health")

        async def listed(_):
            return swaps

        if swaps is not None:
            await bus.serve("swapper", "1.0.0", "swaps of tests", [Serving(LIST_SWAPS, listed)])
        self.leases = FakeLeases()
        return SwapsAndLease(BusScene(bus, ("spark1", "spark2")), FakeLease(gate), self.leases)

    def swap(self, phase: str = "loading", hosts: tuple[str, ...] = ()) -> SwapView:
        return SwapView(
            id="one", model="a", model_name="A", requested_by="Bob", phase=phase,
            hosts=list(hosts), created_at="2026-11-27T12:00:00Z",
        )  # fmt: skip

    async def test_nothing_is_in_the_way(self):
        obstacles = await self.of(self.FREE, Swaps())
        assert await obstacles.admit("spark1", SecretStr("token")) == 4
        assert obstacles.lease.tokens == ["token"]
        assert await obstacles.now("spark1", 4) is None
        async with obstacles.held("spark1", 4, "order", "reapply"):
            assert self.leases.held_now == "order"
        assert self.leases.log == ["reapply"]

    @pytest.mark.parametrize(
        ("swap", "where", "blocked"),
        [
            # Past its last look at the lease, where it says it is.
            (("loading", ("spark1",)), "current", {"spark1"}),
            (("stopping", ("spark1", "spark2")), "current", {"spark1", "spark2"}),
            # It does not say where: everywhere.
            (("loading", ()), "current", {"spark1", "spark2"}),
            # Our lease would make it fail, wherever it loads.
            (("draining", ("spark1",)), "current", {"spark1", "spark2"}),
            (("queued", ()), "queue", {"spark1", "spark2"}),
        ],
    )
    async def test_a_swap_is_in_the_way_on_its_own_spark(self, swap, where, blocked):
        view = self.swap(*swap)
        swaps = Swaps(current=view) if where == "current" else Swaps(queue=[view])
        obstacles = await self.of(self.FREE, swaps)
        for host in ("spark1", "spark2"):
            if host not in blocked:
                assert await obstacles.admit(host, None) == 4
                assert await obstacles.now(host, 4) is None
                continue
            with pytest.raises(SwapInProgressError, match="a swap to A"):
                await obstacles.admit(host, None)
            assert "a swap to A" in await obstacles.now(host, 4)
            with pytest.raises(InTheWayError, match="a swap to A"):
                async with obstacles.held(host, 4, "order", "reapply"):
                    pass
            assert self.leases.held_now is None

    async def test_the_lease_of_somebody_else_is(self):
        obstacles = await self.of(self.HELD, Swaps())
        with pytest.raises(LeaseHeldError, match="Bob"):
            await obstacles.admit("spark1", None)
        assert "Bob" in await obstacles.now("spark1", 4)
        with pytest.raises(InTheWayError, match="Bob"):
            async with obstacles.held("spark1", 4, "order", "reapply"):
                pass

    async def test_under_the_lease_of_whoever_asked_none_is_taken(self):
        obstacles = await self.of(self.OURS, Swaps())
        async with obstacles.held("spark1", 4, "order", "reapply"):
            assert self.leases.log == []

    async def test_a_swapper_that_does_not_answer_is(self):
        obstacles = await self.of(self.FREE, None)
        with pytest.raises(UnavailableError):
            await obstacles.admit("spark1", None)
        said = await obstacles.now("spark1", 4)
        assert said.startswith("it cannot be seen what else is going on")
        with pytest.raises(InTheWayError):
            async with obstacles.held("spark1", 4, "order", "reapply"):
                pass


async def test_it_is_the_docker_of_the_user_that_the_settings_name():
    class Heard:
        def __init__(self):
            self.logins = []

        async def run(self, host, command, *, timeout_seconds=30.0):
            self.logins.append(host)
            return RemoteResult(0, "", "")

    shell = Heard()
    spark = SpeechSpark(shell, lambda host, address, user: f"{user or host}@{address}")
    named = ParakeetSettings(parakeet_user="speech")
    for settings in (named, ParakeetSettings()):
        target = target_of(settings, HOSTS)
        with pytest.raises(RemoteCommandError):
            await spark.look(target)
    address = HOSTS.hosts[0].address
    assert shell.logins == [f"speech@{address}", f"spark1@{address}"]
