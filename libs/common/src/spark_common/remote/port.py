"""What services need of a Spark's shell."""

from typing import Protocol

from spark_common.remote.command import RemoteCommand, RemoteResult


class RemoteShell(Protocol):
    """Runs commands on named hosts (``spark1``, ``spark2`` ...)."""

    async def run(
        self, host: str, command: RemoteCommand, *, timeout_seconds: float = 30.0
    ) -> RemoteResult:
        """Run to the end and return the result, whatever the exit code.

        Raises HostUnreachableError (refused, timed out, silent, remembered as away),
        HostKeyChangedError, DeadlineExceededError when the command outlives its time.
        """
        ...

    async def home(self, host: str) -> str:
        """Return the remote user's home directory, absolute, resolved once per host."""
        ...
