"""What launch-cluster.sh says when it cannot start anything. Its exit code says nothing."""

from spark_common.contracts.swaps import Cause
from spark_swapper.loads.failure_signs import AGAIN, sign

_UPDATE = "Update the cluster software, then press 'Switch to this' again."
_CONNECT = "Set up the connection between the Sparks, then press 'Switch to this' again."

_SIGNS = (
    sign(
        "name_taken",
        r"Conflict\. The container name \"/?([^\"]+)\" is already in use",
        "A container named {0} is still there.",
        "Wait a minute, then press 'Switch to this' again; if it stays, remove the container.",
    ),
    sign(
        "already_running",
        r"Cluster containers are already running\. Skipping launch",
        "The old container was still running, so nothing new was started.",
        AGAIN,
    ),
    sign(
        "images_differ",
        r"Docker image mismatch on worker node|image '([^']+)' is not in sync",
        "The Sparks have different versions of the runtime's image.",
        "Update the cluster software, which copies one image to every Spark.",
    ),
    sign(
        "image_missing",
        r"Unable to find image '([^']+)' locally|No such image: (\S+)|pull access denied"
        r"|Could not inspect image '([^']+)'",
        "The image of the recipe is not on the Spark.",
        "Build or copy it with build-and-copy.sh on the Spark, then press 'Switch to this' again.",
    ),
    sign(
        "docker_not_allowed",
        r"permission denied while trying to connect to the Docker daemon",
        "The SSH user may not use Docker on the Spark.",
        "Add that user to the group docker and log in again, then press 'Switch to this' again.",
    ),
    sign(
        "docker_away",
        r"Cannot connect to the Docker daemon",
        "Docker does not run on the Spark.",
        "Restart the Spark, then press 'Switch to this' again.",
    ),
    sign(
        "disk_full",
        r"no space left on device",
        "The disk of the Spark is full.",
        "Delete a model you no longer need, then press 'Switch to this' again.",
    ),
    sign(
        "sparks_not_connected",
        r"Passwordless SSH to (\S+) failed",
        "The first Spark cannot log in to the second one over SSH.",
        _CONNECT,
    ),
    sign(
        "sparks_not_connected",
        r"ibdev2netdev not found|Unexpected number of active CX7 interfaces"
        r"|Local IP \(([^)]*)\) is not in the list of nodes|Nodes argument \(-n\) is mandatory",
        "The launcher does not know how the Sparks are connected.",
        _CONNECT,
    ),
    sign(
        "too_few_sparks",
        r"Command requires (\d+) nodes .*only (\d+) node\(s\) are configured",
        "The model needs {0} Sparks, and the launcher knows only {1}.",
        _CONNECT,
    ),
    sign(
        "launcher_settings",
        r"Invalid \.env file syntax",
        "The launcher's .env file on the Spark is not valid.",
        "Correct the .env file in its folder on the Spark, then press 'Switch to this' again.",
    ),
    sign(
        "launcher_too_old",
        r"Unknown argument or action: (\S+)|--solo: (?:command )?not found",
        "The launcher on the Spark is too old for this recipe.",
        _UPDATE,
    ),
    sign(
        "mod_failed",
        r"Error: (?:Patch script failed|Mod path '[^']*' does not exist|Failed to copy mod)",
        "A patch that the recipe needs could not be applied.",
        _UPDATE,
    ),
)


def launcher_cause(output: str) -> Cause | None:
    """Return why the launcher started nothing, from what it wrote; None when it does not say."""
    for line in output.splitlines():
        for known in _SIGNS:
            match = known.pattern.search(line)
            if match is not None:
                return known.cause(match, line.strip()[:4000])
    return None
