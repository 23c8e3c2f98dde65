"""Flags that the arguments of a recipe do not decide, and who does. Pure."""

from collections.abc import Mapping, Sequence

from spark_swapper.launching.flags import Flag

LAUNCHERS_OWN = frozenset(
    {
        "distributed-executor-backend",
        "nnodes",
        "node-rank",
        "master-addr",
        "master-port",
        "headless",
    }
)
"""Flags that launch-cluster.sh adds on every node by itself; a second one breaks the start."""

DIVIDED: Mapping[str, str] = {
    "tensor-parallel-size": "tensor_parallel",
    "pipeline-parallel-size": "pipeline_parallel",
    "data-parallel-size": "data_parallel",
}
"""How a model is divided among Sparks: the flag, and the field of the recipe that says it."""

SECRET_FLAGS = frozenset({"api-key", "hf-token", "ssl-keyfile-password"})
"""Flags whose value everybody on the Spark could read in the process list."""

DECIDED = LAUNCHERS_OWN | DIVIDED.keys() | {"port", "host", "served-model-name"}
"""Flags whose value follows from the recipe's fields and the settings."""

REFUSED: Mapping[str, str] = {
    "port": "the port is a setting (VLLM_PORT): leave it out",
    "host": "the runtime listens everywhere by itself: leave it out",
    "served-model-name": "is the field served_name of the recipe",
    **{flag: f"is the field {field} of the recipe" for flag, field in DIVIDED.items()},
    "model": "is decided by repo or local_path",
    "config": "would bring flags that nobody sees here: write them into the list",
    **dict.fromkeys(LAUNCHERS_OWN, "is set by the launcher itself: leave it out"),
    **dict.fromkeys(SECRET_FLAGS, "would be readable by everybody on the Spark: leave it out"),
}
"""Flags that nobody may add to a list, and why."""

_THEIR_OWN = frozenset({"ssl-keyfile"})
"""Flags whose whole name is how one of those begins."""


def refusal(key: str) -> str | None:
    """Return why nobody may add this flag to a list; None when one may.

    vLLM takes how a name begins for the name, as long as no other begins so; with one letter
    others always do.
    """
    if reason := REFUSED.get(key):
        return reason
    whole = next((name for name in REFUSED if name.startswith(key)), None)
    if whole is None or len(key) < 2 or key in _THEIR_OWN:
        return None
    return f"could be taken for --{whole}: write the whole name"


def unheard(flags: Sequence[Flag], served_name: str) -> list[str]:
    """Return what of a recipe's own arguments is not launched, each with the reason.

    ``served_name``: what the recipe serves as. A count of Sparks is not among them: a recipe
    whose arguments contradict its fields is refused.
    """
    found = []
    for flag in flags:
        if flag.key not in DECIDED or flag.key in DIVIDED:
            continue
        if flag.key == "served-model-name" and flag.values == (served_name,):
            continue
        found.append(f"--{flag.key}: {REFUSED[flag.key]}")
    return found
