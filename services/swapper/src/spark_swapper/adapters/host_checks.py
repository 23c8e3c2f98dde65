"""What can be known about a launch on a host before anything is touched."""

import posixpath

from spark_common.errors import DeadlineExceededError, UnavailableError
from spark_common.remote.command import RemoteCommand
from spark_common.remote.port import RemoteShell
from spark_swapper.candidate import Candidate
from spark_swapper.runtime import HostCheck

_FREE_KIB = 2 * 1024 * 1024
"""A launch writes compile caches and logs; below two GiB it fails half way."""

_LOOK = """
[ -x "$1/launch-cluster.sh" ] && echo "script yes" || echo "script no"
echo "free $(df -Pk "$HOME" | tail -n 1 | tr -s ' ' | cut -d ' ' -f 4)"
if said=$(timeout 8 docker image inspect --format '{{.Id}} {{.Created}}' "$2" 2>&1); then
  echo "image $said"
else
  case $said in
    *[Nn]"o such "*) echo "noimage" ;;
    *) echo "docker $(printf '%s' "$said" | tr '\\n' ' ' | cut -c 1-200)" ;;
  esac
fi
"""


async def check_host(
    shell: RemoteShell, host: str, label: str, candidate: Candidate, directory: str
) -> HostCheck:
    """Look for the launch script, the image, docker and some disk on one host.

    A host that does not answer is a problem: a launch there cannot work either.
    """
    path = posixpath.join(await _home(shell, host), directory)
    command = RemoteCommand(argv=("sh", "-c", _LOOK, "look", path, candidate.image))
    try:
        result = await shell.run(host, command, timeout_seconds=20.0)
    except DeadlineExceededError:
        return HostCheck(host, doubt=f"{label} is slow; its disk and image were not checked.")
    said = dict(line.partition(" ")[::2] for line in result.stdout.splitlines())
    if not result.ok or "script" not in said:
        return HostCheck(host, doubt=f"{label} could not be checked.")
    return judge(host, label, candidate, directory, said)


def judge(
    host: str, label: str, candidate: Candidate, directory: str, said: dict[str, str]
) -> HostCheck:
    """Turn what the host said into what it means."""
    if said["script"] == "no" and host == candidate.head:
        return HostCheck(
            host, problem=f"{label} has no launch-cluster.sh in {directory}, or may not run it."
        )
    if "noimage" in said:
        return HostCheck(host, problem=f"{label} does not have the image {candidate.image!r}.")
    free = said.get("free", "")
    if free.isdigit() and int(free) < _FREE_KIB:
        return HostCheck(
            host, problem=f"{label} has only {int(free) / 1024 / 1024:.1f} GB of disk left."
        )
    if "docker" in said:
        return HostCheck(host, doubt=f"Docker on {label} does not answer: {said['docker']}")
    image, _, created = said.get("image", "").partition(" ")
    return HostCheck(host, image_id=image or None, image_created=created or None)


async def _home(shell: RemoteShell, host: str) -> str:
    try:
        return await shell.home(host)
    except DeadlineExceededError as slow:
        raise UnavailableError(slow.message, host=host) from slow
