"""What is done on the Spark: the modes of one script, each a command of its own."""

from collections.abc import Callable
from importlib import resources

from spark_common.errors import RemoteCommandError, UnavailableError
from spark_common.remote import RemoteCommand, RemoteResult, RemoteShell
from spark_common.remote.detached import DetachedSteps, StepLook
from spark_health.overlay.record import OverlayRecord
from spark_health.overlay.sight import Sight, read_sight
from spark_health.overlay.source import FILES, Shipped
from spark_health.overlay.target import Target

APP = "/opt/parakeet/app"
"""Where the image has its application."""
_SCRIPT = (resources.files(__package__) / "overlay.sh").read_text()
_SECONDS = 180.0
_LOOK_SECONDS = 60.0
_ENDED = "docker logs --tail 40 \"$1\" 2>&1 | grep -E 'Error|Traceback|^ +File ' | tail -n 12"
"""Lines of a fault only: the image's own server writes what people say into its log."""


Login = Callable[[str, str, str | None], str]
"""Name of the Spark, its address, the user: the name of that login in a shell."""


def own_login(host: str, _: str, __: str | None) -> str:
    """Return the login of the Spark's own user."""
    return host


class SpeechSpark:
    """Runs the script; every method raises what the shell raises."""

    def __init__(self, shell: RemoteShell, login: Login = own_login) -> None:
        """``login``: the name in ``shell`` of a user's login on a Spark."""
        self._shell = shell
        self._login = login
        self._steps = DetachedSteps(shell)

    async def look(self, target: Target) -> Sight:
        """Look at the container, which is on a Spark. Raises RemoteCommandError."""
        if target.host is None:
            raise RemoteCommandError(f"{target.address} is none of the Sparks")
        login = self._login(target.host.name, target.address, target.user)
        return await self._look(login, target.host.label, target.container)

    async def look_again(self, record: OverlayRecord) -> Sight:
        """Look at the container of a job. Raises RemoteCommandError."""
        return await self._look(self._of(record), record.label, record.container)

    async def _look(self, login: str, label: str, container: str) -> Sight:
        command = _command("look", container, "-")
        result = await self._shell.run(login, command, timeout_seconds=_LOOK_SECONDS)
        return read_sight(result, label)

    async def stage(self, record: OverlayRecord, shipped: Shipped) -> RemoteResult:
        """Take our files to the Spark."""
        return await self._run(record, "stage", *_words(record), stdin=shipped.archive())

    async def run(self, record: OverlayRecord, mode: str) -> RemoteResult:
        """Carry out a mode that may be repeated."""
        words = _words(record) if mode in ("keep", "put") else ()
        return await self._run(record, mode, *words)

    async def restart(self, record: OverlayRecord, step: str) -> StepLook:
        """Start a restart unless this job did already, and look at it."""
        seen = await self._steps.poll(self._of(record), record.id, step)
        if seen.state != "none":
            return seen
        command = _command("restart", record.container, record.id)
        await self._steps.start(self._of(record), record.id, step, command)
        return await self._steps.poll(self._of(record), record.id, step)

    async def restarted(self, record: OverlayRecord, step: str) -> bool:
        """Whether this job ordered that restart already."""
        return (
            await self._steps.poll(self._of(record), record.id, step, log_limit=0)
        ).state != "none"

    async def last_words(self, record: OverlayRecord) -> list[str]:
        """Return what a container that ends at once wrote about its fault."""
        command = RemoteCommand(argv=("sh", "-c", _ENDED, "ended", record.container))
        result = await self._shell.run(self._of(record), command, timeout_seconds=_LOOK_SECONDS)
        return result.stdout.splitlines()

    def _of(self, record: OverlayRecord) -> str:
        return self._login(record.host, record.address, record.user)

    async def _run(
        self, record: OverlayRecord, mode: str, *words: str, stdin: bytes | None = None
    ) -> RemoteResult:
        command = _command(mode, record.container, record.id, *words, stdin=stdin)
        result = await self._shell.run(self._of(record), command, timeout_seconds=_SECONDS)
        if result.exit_code is None:
            raise UnavailableError(f"the connection to {record.label} was lost")
        return result


def _words(record: OverlayRecord) -> tuple[str, ...]:
    return tuple(record.hashes[name] for name in FILES)


def _command(
    mode: str, container: str, job: str, *words: str, stdin: bytes | None = None
) -> RemoteCommand:
    argv = ("sh", "-c", _SCRIPT, mode, container, APP, job, *words)
    return RemoteCommand(argv=argv, stdin=stdin)
