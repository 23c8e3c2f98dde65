"""What a download must not run beside: a deletion of its files, an update of the software."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from spark_common.errors import JobInProgressError, ModelInUseError


async def _no_deletion(repo: str) -> bool:
    return False


async def _no_update() -> str | None:
    return None


@dataclass(frozen=True)
class OtherWork:
    """The other work, looked at now; every look raises UnavailableError when nobody can tell.

    A download is recorded first and looks here before its first effect, and so do they the other
    way round: one of the two always sees the other.
    """

    deleting: Callable[[str], Awaitable[bool]] = _no_deletion
    """Says whether a repository is being deleted."""
    updating: Callable[[], Awaitable[str | None]] = _no_update
    """Returns the id of an update of the cluster software, which needs the disks for images."""

    async def refuse(self, repo: str) -> None:
        """Raise ModelInUseError or JobInProgressError when a download must not begin now."""
        if await self.deleting(repo):
            raise ModelInUseError(f"{repo} is being deleted just now; try again in a minute")
        if job_id := await self.updating():
            raise JobInProgressError(
                "the cluster software is being updated; wait for that or cancel it, then download",
                job_id=job_id,
            )

    async def why_not(self, repo: str) -> str | None:
        """Return that reason as a sentence, or None."""
        try:
            await self.refuse(repo)
        except (ModelInUseError, JobInProgressError) as error:
            return f"{error.message[:1].upper()}{error.message[1:]}."
        return None
