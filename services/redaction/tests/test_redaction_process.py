"""redaction as a process, against real NATS and Redis."""

import asyncio
import contextlib
from collections.abc import Mapping
from pathlib import Path

import httpx
import pytest

from spark_common.bus.nats import NatsBus, connect_bus
from spark_common.clock import SystemClock
from spark_common.contracts.redaction import (
    REHYDRATE_TEXT,
    SCRUB_TEXT,
    RehydrateText,
    ScrubText,
)
from spark_common.contracts.redaction_scopes import (
    FORGET_SCOPE,
    LIST_SCOPES,
    ForgetScope,
    ListScopes,
)
from spark_common.embedded import NatsServer, RedisServer
from spark_common.errors import InvalidRequestError, NotFoundError
from spark_common.tasks import end
from spark_common.testing.process import ServiceProcess
from spark_common.testing.service_exam import ServiceExam, service_environment
from spark_common.testing.wait import until


def map_environment(folder: Path) -> dict[str, str]:
    """A database and a key in a folder."""
    folder.mkdir(exist_ok=True)
    key = folder / "key"
    key.touch(mode=0o600)
    key.write_bytes(bytes(range(32)))
    return {
        "REDACTION_MAP_DB": str(folder / "map.db"),
        "REDACTION_KEY_FILE": str(key),
        "REDACTION_WORKERS": "1",
    }


def left_behind(folder: Path) -> list[str]:
    """Processes that were started with a map in this folder."""
    wanted = f"REDACTION_MAP_DB={folder}".encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if wanted in (process / "environ").read_bytes():
                found.append(process.name)
    return found


class TestRedaction(ServiceExam):
    name = "redaction"
    module = "spark_redaction"

    def more_environment(self, nats_server: NatsServer) -> Mapping[str, str]:
        return map_environment(nats_server.config_file.parent / "map")

    async def test_what_was_answered_survives_a_kill_and_a_wrong_key_opens_nothing(
        self, nats_server: NatsServer, redis_server: RedisServer, tmp_path: Path
    ) -> None:
        environment = {
            **service_environment(self.name, nats_server, redis_server),
            **map_environment(tmp_path),
        }
        text = "write to bob@corp.internal"
        async with ServiceProcess(self.module, environment, tmp_path / "one.log") as service:
            await service.until_ready()
            async with httpx.AsyncClient(base_url=service.url) as http:
                done = (await http.post("/scrub", json={"text": text})).json()
            await service.kill()
        await until(lambda: not left_behind(tmp_path), "its workers went with it")
        question = {"task_id": done["task_id"], "text": done["text"]}
        async with ServiceProcess(self.module, environment, tmp_path / "two.log") as service:
            await service.until_ready()
            async with httpx.AsyncClient(base_url=service.url) as http:
                assert (await http.post("/rehydrate", json=question)).json()["text"] == text
        (tmp_path / "key").write_bytes(bytes(32))
        async with ServiceProcess(self.module, environment, tmp_path / "three.log") as service:
            await service.until_waiting_for("another key")
            async with httpx.AsyncClient(base_url=service.url) as http:
                assert (await http.post("/rehydrate", json=question)).status_code == 503
        logs = b"".join(path.read_bytes() for path in tmp_path.glob("*.log"))
        assert b"bob@corp" not in logs

    async def test_it_answers_on_the_bus_what_it_answers_over_http(
        self, service: ServiceProcess, gateway_bus: NatsBus, nats_server: NatsServer
    ) -> None:
        await service.until_ready()
        automation = await connect_bus(
            nats_server.settings("automation"), "automation", SystemClock()
        )
        heard: dict[str, str] = {}

        async def listen() -> None:
            async for subject, body in automation.listen("redaction.audit.*"):
                heard[subject] = body.decode()

        listening = asyncio.create_task(listen())
        text = "write to bob@corp.internal"
        done = await gateway_bus.call(SCRUB_TEXT, ScrubText(tenant="a", question={"text": text}))
        question = {"task_id": done.answer["task_id"], "text": done.answer["text"]}
        back = await gateway_bus.call(REHYDRATE_TEXT, RehydrateText(tenant="a", question=question))
        assert (done.answer["text"], back.answer["text"]) == ("write to [[EMAIL_1]]", text)
        with pytest.raises(NotFoundError):
            await gateway_bus.call(REHYDRATE_TEXT, RehydrateText(tenant="b", question=question))
        with pytest.raises(InvalidRequestError) as refused:
            await gateway_bus.call(SCRUB_TEXT, ScrubText(question={"text": 5, "SECRETKEY": 1}))
        assert "SECRETKEY" not in str(refused.value.body())
        kept = await gateway_bus.call(LIST_SCOPES, ListScopes(tenant="a"))
        assert [scope.counts for scope in kept.scopes] == [{"EMAIL": 1}]
        which = ForgetScope(tenant="a", session_id=kept.scopes[0].session_id)
        left = await gateway_bus.call(FORGET_SCOPE, which)
        assert which.session_id not in [scope.session_id for scope in left.scopes]
        await until(lambda: "redaction.audit.delete_session" in heard, "it was told")
        assert '"actor":"operator"' in heard["redaction.audit.delete_session"]
        assert not [body for body in heard.values() if "corp" in body or which.session_id in body]
        await end([listening])
        await automation.close()

    async def test_without_a_key_nothing_starts(
        self, nats_server: NatsServer, redis_server: RedisServer, tmp_path: Path
    ) -> None:
        environment = {
            **service_environment(self.name, nats_server, redis_server),
            **map_environment(tmp_path),
            "BIND_PORT": "0",
        }
        (tmp_path / "key").unlink()
        code, said = await ServiceProcess.attempt(self.module, environment)
        assert code == 2, said
        assert "REDACTION_KEY_FILE" in said
        assert not (tmp_path / "map.db").exists()
