"""Removes an installed NIM: its container, its volume by choice, its place in the list."""

from spark_common.contracts.nim import NimRemoved, NimService
from spark_common.errors import ConflictError, RemoteCommandError, UnavailableError
from spark_common.remote import RemoteCommand, RemoteShell
from spark_health.nim.work import REMOVE

_SECONDS = 60.0


async def remove(shell: RemoteShell, service: NimService, label: str, volume: bool) -> NimRemoved:
    """Remove it from its Spark; repeated it finds nothing and is content.

    Raises ConflictError for a container or volume that is somebody else's or in use,
    UnavailableError while the Spark or its docker is away.
    """
    words = (service.container, service.volume if volume else "")
    command = RemoteCommand(argv=("sh", "-c", REMOVE, "remove", *words))
    result = await shell.run(service.host, command, timeout_seconds=_SECONDS)
    said = (result.stdout or result.stderr).strip().splitlines()
    last = said[-1][:300] if said else "it said nothing"
    match result.exit_code:
        case 0:
            pass
        case 83:
            raise ConflictError(
                f"the container {service.container} on {label} is something else by now, and was "
                "left alone; remove it there by hand",
                container=service.container,
            )
        case 90:
            raise ConflictError(
                f"the container is gone, but its volume {service.volume} is in use on {label}: "
                f"{last}",
                volume=service.volume,
            )
        case None | 91:
            raise UnavailableError(f"docker on {label} did not answer: {last}; try again soon")
        case code:
            raise RemoteCommandError(f"removing it on {label} failed (exit code {code}): {last}")
    kept = "with what it had downloaded" if volume else f"; its volume {service.volume} is kept"
    message = f"{service.label} was removed from {label} {kept}.".replace(" ;", ";")
    return NimRemoved(
        name=service.name,
        host=service.host,
        volume=service.volume,
        volume_removed=volume,
        message=message,
    )
