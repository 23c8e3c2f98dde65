"""Finds out what the launcher on each Spark can do: one round trip, and little of it when known."""

from collections.abc import Sequence
from contextlib import suppress
from importlib import resources

from spark_common.clock import Clock
from spark_common.errors import SparkError
from spark_common.remote.command import RemoteCommand
from spark_common.remote.port import RemoteShell
from spark_swapper.launching.launcher import LauncherFeatures

_AGAIN_SECONDS = 300.0
_SCRIPT = (resources.files(__package__) / "launcher.sh").read_text()


class LauncherProbe:
    """Remembers per host what was found, for as long as commit and script stay the same."""

    def __init__(self, shell: RemoteShell, directory: str) -> None:
        self._shell = shell
        self._directory = directory
        self._known: dict[str, LauncherFeatures] = {}

    def known(self, host: str) -> LauncherFeatures:
        """Return what was found last, without asking; a current launcher before the first look."""
        return self._known.get(host, LauncherFeatures())

    async def features(self, host: str) -> LauncherFeatures:
        """Return what the launcher on a host can do.

        Without a readable script it is taken for a current one: the launch itself says what is
        wrong. Raises HostUnreachableError, HostKeyChangedError, DeadlineExceededError.
        """
        known = self._known.get(host)
        words = (self._directory, known.stamp if known else "")
        command = RemoteCommand(argv=("sh", "-c", _SCRIPT, "launcher", *words))
        result = await self._shell.run(host, command, timeout_seconds=20.0)
        found = parse_features(result.stdout) if result.ok else None
        if found is None:
            return known or LauncherFeatures()
        self._known[host] = found
        return found

    async def keep_known(self, hosts: Sequence[str], clock: Clock) -> None:
        """Look again and again, for ever; a host that does not answer stays as it was."""
        while True:
            for host in hosts:
                with suppress(SparkError):
                    await self.features(host)
            await clock.sleep(_AGAIN_SECONDS)


def parse_features(text: str) -> LauncherFeatures | None:
    """Read what launcher.sh printed; None when there was nothing new to tell."""
    values: dict[str, str] = {}
    features: set[str] = set()
    for line in text.splitlines():
        key, _, value = line.partition(" ")
        if key == "has":
            features.add(value)
        else:
            values[key] = value
    if "stamp" not in values or "same" in values:
        return None
    committed = values.get("committed", "")
    return LauncherFeatures(
        stamp=values["stamp"],
        committed="" if committed == "-" else committed,
        ray="noray" not in features,
        daemon_exec="daemon_exec" in features,
        quotes="quotes" in features,
        solo="solo" in features,
        volume="volume" in features,
        env="env" in features,
        mods="mods" in features,
        node=values.get("node", ""),
    )
