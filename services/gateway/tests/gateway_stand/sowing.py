"""Markup put where a running product has words from: callers, disks, repositories, logs."""

import json
import os
import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Final

import httpx
from gateway_stand.planting import marked

from spark_common.clock import SystemClock

RECIPE: Final = "microsoft/Phi-4-mini-instruct"
"""Small, whole, and without a recipe: it gets one whose every word is markup."""
_NOBODY: Final = {
    f"GIT_{role}_{what}": word
    for role in ("AUTHOR", "COMMITTER")
    for what, word in (("NAME", "spark"), ("EMAIL", "spark@example.invalid"))
}
_SLOW: Final = "microsoft/phi-4"
"""Half there."""
_HALF: Final = "models--allenai--Olmo-3-7B-Instruct"


class Sower:
    """Each sowing returns the name of what was sown."""

    def __init__(self, http: httpx.Client, sparks: Path) -> None:
        self._http = http
        self._sparks = sparks

    def callers(self) -> set[str]:
        """People and programs: leases, schedules, receivers, keys, requests, maintenance."""
        soon = SystemClock().now() + timedelta(minutes=5)
        self._send("POST", "swap/lock", holder=marked("holder"), reason=marked("reason"))
        self._send("POST", "swap/lock", holder=marked("waiter"), wait=True)
        self._send(
            "POST", "swap/lock/yield", requested_by=marked("asker"), by=soon.isoformat(),
            note=marked("note"),
        )  # fmt: skip
        self._send(
            "POST", "schedule", id="sown", name=marked("schedule"), owner=marked("owner"),
            kind="outside", cron="0 3 * * *",
        )  # fmt: skip
        self._send("PUT", "webhooks/sown", name=marked("receiver"), url="http://127.0.0.1:9/")
        self._send("POST", "keys", name=marked("key"), requested_by=marked("maker"))
        self._send(
            "POST", "maintenance", target="spark2", minutes=1, reason=marked("maintenance"),
            requested_by="Bob",
        )  # fmt: skip
        self._send(
            "POST", "health-event", service="kokoro", ok=False, source=marked("source"),
            error=marked("error"),
        )  # fmt: skip
        headers = {"user-agent": marked("client"), "x-openwebui-user-id": marked("user")}
        asked = {"model": marked("model"), "messages": []}
        self._http.post("/v1/chat/completions", json=asked, headers=headers)
        return {
            "holder", "reason", "waiter", "asker", "note", "schedule", "owner", "receiver", "key",
            "maker", "maintenance", "source", "error", "model", "user", "client",
        }  # fmt: skip

    def disks(self) -> set[str]:
        """What lies on the Sparks: a recipe of the launcher, the list of a half download."""
        home = self._sparks / "spark1" / "home"
        recipes = home / "spark-vllm-docker" / "recipes"
        words = {
            "recipe_version": "1", "name": marked("title"), "description": marked("description"),
            "model": "acme/sown", "container": "vllm-node", "command": "vllm serve acme/sown",
        }  # fmt: skip
        (recipes / "sown.yaml").write_text(json.dumps(words))
        [index] = (home / ".cache/huggingface/hub" / _HALF).rglob("model.safetensors.index.json")
        index.unlink()  # a link into the cache
        shard = marked("shard").replace("</script>", "<script>")  # a name of a file
        index.write_text(json.dumps({"weight_map": {"a": shard}}))
        self._http.get("/api/recipes/templates?refresh=true").raise_for_status()
        self._http.get("/api/models?refresh=true").raise_for_status()
        return {"title", "description"}

    def upstream(self) -> set[str]:
        """What the update of the cluster's software would bring."""
        place = self._sparks / "upstream" / "spark-vllm-docker.git"

        def git(*words: str) -> str:
            run = subprocess.run(
                ["git", *words], cwd=place, env={**os.environ, **_NOBODY},
                capture_output=True, text=True, check=True, timeout=60,
            )  # fmt: skip
            return run.stdout.strip()

        made = git("commit-tree", "main^{tree}", "-p", "main", "-m", marked("commit"))
        git("update-ref", "refs/heads/main", made)
        self._http.get("/api/updates?refresh=true").raise_for_status()
        return {"commit"}

    def collections(self, port: int) -> set[str]:
        """What is not Qdrant, at a port of the machine where it should be."""
        self._send("POST", "settings", values={"QDRANT_PORT": port})
        return {"collection", "fault"}

    def download(self, until: Callable[[str, Callable[[], Path | None]], Path]) -> set[str]:
        """What the programs of a download write on the Spark, once ``until`` sees that they do."""
        body = {"repo": _SLOW, "hosts": ["spark2"], "requested_by": "Bob"}
        job = self._send("POST", "downloads", **body).json()["id"]
        jobs = self._sparks / "spark2" / "home" / ".spark-control" / "jobs" / job
        log = until("the log of a download", lambda: next(jobs.glob("fetch-*.log"), None))
        with log.open("a") as written:
            written.write(f"{marked('fetched')}\n")
        return {"fetched"}

    def recipe(self) -> set[str]:
        """A recipe whose arguments vLLM repeats in its log."""
        config = json.dumps({"note": marked("line")})
        self._send(
            "POST", "models", repo=RECIPE, key="sown", name=marked("recipe"),
            args=[f"--override-generation-config={config}"],
        )  # fmt: skip
        return {"recipe"}

    def _send(self, method: str, path: str, **body: object) -> httpx.Response:
        return self._http.request(method, f"/api/{path}", json=body).raise_for_status()
