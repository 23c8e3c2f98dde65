"""The small scripts of an update on a Spark: keep an image, bring it back, let it go."""

from collections.abc import Callable, Sequence
from importlib import resources

from spark_common.errors import HostUnreachableError, SparkError
from spark_common.remote import RemoteCommand, RemoteResult, RemoteShell
from spark_swapper.updates.record import Place
from spark_swapper.updates.sight import last_line

_SECONDS = 60.0
_PACKAGE = resources.files(__package__)
_KEEP = (_PACKAGE / "keep.sh").read_text()
_RESTORE = (_PACKAGE / "restore.sh").read_text()
_UPDATE = (_PACKAGE / "update.sh").read_text()


def update_command(
    directory: str, builds: Sequence[tuple[str, str]], *, copy: bool
) -> RemoteCommand:
    """Return the step that moves a checkout forward and gets images: (tag, flag) each."""
    words = [word for build in builds for word in build]
    argv = ("sh", "-c", _UPDATE, "update", directory, "1" if copy else "0", *words)
    return RemoteCommand(argv=argv)


class Effects:
    """Runs what is quick and may be repeated; every method raises what the shell raises."""

    def __init__(self, shell: RemoteShell, directory: Callable[[], str]) -> None:
        self._shell = shell
        self._directory = directory

    async def keep(self, place: Place) -> str | None:
        """Keep the images of a Spark under their other names; None, or why not."""
        if not place.images:
            return None
        return _problem(place.host, await self._run(place, _KEEP, "keep"))

    async def restore(self, place: Place) -> str | None:
        """Bring images and checkout of a Spark back; None, or why not."""
        where = (self._directory(), place.commit or "-")
        return _problem(place.host, await self._run(place, _RESTORE, "restore", *where))

    async def let_go(self, host: str, tags: Sequence[str]) -> str | None:
        """Drop names of images; None, or why not."""
        if not tags:
            return None
        command = RemoteCommand(argv=("docker", "rmi", *tags))
        try:
            return _problem(host, await self._shell.run(host, command, timeout_seconds=_SECONDS))
        except SparkError as error:
            return error.message

    async def _run(self, place: Place, script: str, name: str, *words: str) -> RemoteResult:
        images = [word for image in place.images for word in image]
        command = RemoteCommand(argv=("sh", "-c", script, name, *words, *images))
        return await self._shell.run(place.host, command, timeout_seconds=_SECONDS)


def _problem(host: str, result: RemoteResult) -> str | None:
    if result.exit_code is None:
        raise HostUnreachableError("the connection was lost in the middle", host=host)
    if result.ok:
        return None
    said = last_line(result.stderr) or last_line(result.stdout)
    return said or f"it ended with exit code {result.exit_code}"
