"""Whether a Spark lets us in and runs a command."""

from spark_common.clock import Clock
from spark_common.errors import (
    DeadlineExceededError,
    HostKeyChangedError,
    HostUnreachableError,
    SparkError,
)
from spark_common.remote.command import RemoteCommand
from spark_common.remote.port import RemoteShell
from spark_common.settings import HostSettings
from spark_health.settings import WatchPace
from spark_health.watching.ports import Sighting, Target

_COMMAND = RemoteCommand(("true",))


class HostProbe:
    """One host over SSH."""

    def __init__(
        self, shell: RemoteShell, host: HostSettings, clock: Clock, pace: WatchPace
    ) -> None:
        self.every_seconds = pace.health_look_seconds
        self._patience = pace.health_patience_seconds
        self._shell = shell
        self._host = host
        self._clock = clock
        self.target = Target(host.name, "host", host.label, url=f"ssh://{host.address}")

    async def look(self) -> Sighting:
        """Run nothing, and see whether that works."""
        began = self._clock.monotonic()
        try:
            ran = await self._shell.run(self._host.name, _COMMAND, timeout_seconds=self._patience)
        except HostKeyChangedError as error:
            return self._seen("degraded", error.message)
        except DeadlineExceededError:
            label = self._host.label
            return self._seen(
                "down",
                f"{label} takes SSH connections and does not run a command within "
                f"{self._patience:g} s: it hangs, or is very busy",
            )
        except HostUnreachableError as error:
            if "SSH_KEY_PATH" in error.message:
                return self._seen("unknown", error.message)
            let_in = "permission denied (publickey)" not in error.message
            return self._seen("down" if let_in else "degraded", error.message)
        except SparkError as error:
            return self._seen("unknown", error.message)
        if ran.exit_code is None:
            return self._seen("down", f"{self._host.label} lost the connection during a command")
        milliseconds = round((self._clock.monotonic() - began) * 1000)
        return Sighting("up", "", self._clock.now(), {"ssh_ms": milliseconds})

    def _seen(self, state: str, reason: str) -> Sighting:
        match state:
            case "down":
                return Sighting("down", reason, self._clock.now())
            case "degraded":
                return Sighting("degraded", reason, self._clock.now())
            case _:
                return Sighting("unknown", reason, self._clock.now())
