"""Getting in: the key that is told, the command that is pasted, the login that is made anew."""

import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest

from spark_common.contracts.access import AccessTest, GetAccess, TryAccess
from spark_common.errors import (
    DeadlineExceededError,
    HostKeyChangedError,
    HostUnreachableError,
    NotFoundError,
    UnavailableError,
)
from spark_common.remote.command import RemoteResult
from spark_common.remote.port import RemoteShell
from spark_common.remote.ssh.own_key import OwnKey, read_own_key
from spark_common.settings import HostsSettings
from spark_health.hosts.access import AccessVerbs, authorize_command
from spark_health.hosts.testing.fakes import ONE, TWO, QuietShell, Reaching

KEY = OwnKey("ssh-ed25519 AAAAC3Nz spark-control", "SHA256:abc")
ALL = "docker yes\ngpu yes\nlauncher yes\n"
DENIED = HostUnreachableError("Spark 1 does not accept our key: permission denied (publickey).")


class Bench:
    """Verbs over a shell that answers as it is told."""

    def __init__(self, clock, *, accepts: bool = True) -> None:
        self.spark = QuietShell(clock)
        self.closed = 0

        @asynccontextmanager
        async def fresh() -> AsyncIterator[RemoteShell]:
            try:
                yield self.spark
            finally:
                self.closed += 1

        self.fresh = fresh
        cluster = HostsSettings(hosts=(ONE, TWO))
        self.verbs = AccessVerbs(cluster, lambda: KEY, fresh, Reaching(accepts=accepts), clock)

    async def attempt(self, said: str | Exception) -> AccessTest:
        self.spark.says["spark1", "sh"] = said if isinstance(said, Exception) else (
            RemoteResult(0, said, "")
        )  # fmt: skip
        return await self.verbs.attempt(TryAccess(name="spark1"))


def steps(test: AccessTest) -> list[tuple[str, bool]]:
    return [(each.step, each.ok) for each in test.steps]


async def test_all_that_is_needed_is_there(clock) -> None:
    bench = Bench(clock)
    test = await bench.attempt(ALL)
    assert test.ok
    names = ("network", "login", "docker", "gpu", "launcher")
    assert steps(test) == [(name, True) for name in names]
    assert all(each.sentence and not each.action for each in test.steps)
    assert bench.closed == 1
    with pytest.raises(NotFoundError):
        await bench.verbs.attempt(TryAccess(name="spark9"))


@pytest.mark.parametrize(
    ("said", "what", "action"),
    [
        (DENIED, "does not know our key for the user alice", "paste the command"),
        (HostKeyChangedError("another host key"), "another host key", "forget the old key"),
        (DeadlineExceededError("it did not end"), "it did not end", "test again"),
        (HostUnreachableError("no route"), "no route", "test again"),
    ],
)
async def test_what_keeps_us_out_says_what_to_do(clock, said, what, action) -> None:
    bench = Bench(clock)
    test = await bench.attempt(said)
    assert not test.ok
    assert steps(test) == [("network", True), ("login", False)]
    assert what in test.steps[-1].sentence
    assert action in test.steps[-1].action
    assert bench.closed == 1


async def test_nothing_is_tried_where_nothing_listens(clock) -> None:
    bench = Bench(clock, accepts=False)
    test = await bench.attempt(ALL)
    assert (test.ok, steps(test)) == (False, [("network", False)])
    assert "SPARK1_HOST" in test.steps[0].action
    assert bench.spark.asked == []


async def test_what_a_spark_still_lacks_is_told(clock) -> None:
    for said, lacking in (
        ("docker refused\ngpu yes\nlauncher yes\n", {"docker": "usermod -aG docker alice"}),
        ("docker missing\ngpu missing\nlauncher missing\n",
         {"docker": "Install", "gpu": "driver", "launcher": "VLLM_DIR"}),
        ("", {"docker": "Install", "gpu": "driver", "launcher": "VLLM_DIR"}),
        ("garbage\n\xff \ndocker yes\ngpu yes\nlauncher yes", {}),
    ):  # fmt: skip
        test = await Bench(clock).attempt(said)
        assert test.ok
        found = {each.step: each.action for each in test.steps if not each.ok}
        assert found.keys() == lacking.keys()
        assert all(lacking[name] in action for name, action in found.items())


async def test_the_key_is_told_or_why_there_is_none(clock, tmp_path) -> None:
    access = await Bench(clock).verbs.access(GetAccess())
    assert (access.public_key, access.fingerprint) == (KEY.line, KEY.fingerprint)
    assert [host.name for host in access.hosts] == ["spark1", "spark2"]
    missing = AccessVerbs(
        HostsSettings(hosts=(ONE,)), partial(read_own_key, tmp_path / "none"),
        Bench(clock).fresh, Reaching(accepts=True), clock,
    )  # fmt: skip
    told = await missing.access(GetAccess())
    assert (told.public_key, told.command) == (None, None)
    assert "cannot be read" in told.problem


def test_the_public_key_is_that_of_the_private_one(tmp_path: Path) -> None:
    private = tmp_path / "key"
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "a'b $(x)", "-f", private],
        check=True,
        timeout=20,
    )
    key = read_own_key(private)
    assert key.line.split()[:2] == private.with_suffix(".pub").read_text().split()[:2]
    assert key.line.split()[2:] == ["spark-control"]
    shown = subprocess.run(
        ["ssh-keygen", "-lf", private], capture_output=True, text=True, check=True, timeout=20
    )
    assert key.fingerprint in shown.stdout
    private.write_text("no key")
    with pytest.raises(UnavailableError, match="not a private SSH key"):
        read_own_key(private)


def test_the_command_adds_the_key_once(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    keys = home / ".ssh" / "authorized_keys"
    for before in (None, "ssh-rsa AAAA other", "ssh-rsa AAAA other\n"):
        if before is not None:
            keys.write_text(before)
        for _ in range(2):
            subprocess.run(
                ["sh", "-c", authorize_command(KEY)],
                env={"HOME": str(home), "PATH": "/usr/bin:/bin"},
                check=True,
                timeout=20,
            )
        lines = [line for line in keys.read_text().splitlines() if line]
        assert lines == ([before.strip()] if before else []) + [KEY.line]
    assert keys.stat().st_mode & 0o777 == 0o600
