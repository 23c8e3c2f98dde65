"""What the checkout of spark-vllm-docker on a Spark can do, and a launch in its words. Pure."""

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from spark_swapper import causes
from spark_swapper.causes import SwapFault
from spark_swapper.launching.candidate import Candidate
from spark_swapper.launching.nodes import nodes_of

EXTRA_ARGS = "VLLM_SPARK_EXTRA_DOCKER_ARGS"
"""Environment of the launcher that it appends to ``docker run`` without any quoting."""
_PLAIN = re.compile(r"[A-Za-z0-9._/:=@,+-]+\Z")
"""What survives being split at blanks on the head and read by a shell on the worker."""


@dataclass(frozen=True)
class LauncherFeatures:
    """What ``launch-cluster.sh`` of one host understands; the defaults are September 2026."""

    stamp: str = ""
    """Commit and time of the script; another one means: look again."""
    committed: str = ""
    """Date of the commit, as git says it; empty when the folder is no checkout."""
    ray: bool = False
    """Whether several nodes work together through Ray unless told otherwise."""
    daemon_exec: bool = True
    """Whether ``-d`` lets exec return while vLLM goes on."""
    quotes: bool = True
    """Whether the arguments of exec arrive as they were given."""
    solo: bool = True
    volume: bool = True
    env: bool = True
    mods: bool = True
    node: str = ""
    """The host's own address in the launcher's eyes, for ``-n`` where ``--solo`` is missing."""


@dataclass(frozen=True)
class LaunchOrder:
    """What is really run in the checkout."""

    argv: tuple[str, ...]
    env: Mapping[str, str]
    foreground: bool = False
    """Whether the launcher lives as long as the model and takes it down when it ends."""


def adapt(candidate: Candidate, features: LauncherFeatures) -> LaunchOrder:
    """Say the launch of a candidate in the words that this checkout knows.

    Raises SwapFault for what it cannot do and for values it would tear apart.
    """
    options, command = _parts(candidate)
    given = candidate.env.get(EXTRA_ARGS, "").split(" ")
    extra = [_plain(candidate, word) for word in given if word]
    told: list[str] = []
    for name, value in _pairs(options):
        match name:
            case "-d":
                continue
            case "--solo" if not features.solo:
                # Without it, a list of one node is what keeps the second Spark out.
                told += ["-n", features.node] if features.node else []
            case "-e" if not features.env:
                extra += ["-e", _plain(candidate, value)]
            case "-e" | "-v":
                told += [name, _plain(candidate, value)]
            case "--apply-mod" if not features.mods:
                raise SwapFault(causes.launcher_too_old(candidate.name, "patches of the image"))
            case _:
                told += [name, value] if value else [name]
    for volume in candidate.volumes:
        target = told if features.volume else extra
        target += ["-v", _plain(candidate, volume)]
    if features.daemon_exec:
        told.append("-d")
    if features.ray and nodes_of(candidate.vllm_argv) > 1:
        command = (*command, "--distributed-executor-backend", "ray")
    if not features.quotes:
        command = tuple(shlex.quote(word) for word in command)
    env = dict(candidate.env)
    if extra:
        env[EXTRA_ARGS] = " ".join(extra)
    argv = (candidate.launch_argv[0], *told, "exec", *command)
    return LaunchOrder(argv, env, foreground=not features.daemon_exec)


def line_of(order: LaunchOrder) -> str:
    """Return an order as one line that can be pasted into a shell, environment first."""
    env = [f"{name}={shlex.quote(value)}" for name, value in order.env.items()]
    return " ".join([*env, shlex.join(order.argv)])


def _parts(candidate: Candidate) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Split a launch into the launcher's options and the command it executes."""
    command = ("vllm", "serve", *candidate.vllm_argv)
    argv = candidate.launch_argv
    if argv[-len(command) - 1 :] != ("exec", *command):
        raise ValueError("a launch ends with exec vllm serve and its arguments")
    return argv[1 : -len(command) - 1], command


def _pairs(options: Sequence[str]) -> list[tuple[str, str]]:
    """Group the launcher's options with their values."""
    found: list[tuple[str, str]] = []
    at = 0
    while at < len(options):
        if options[at] in ("-d", "--solo"):
            found.append((options[at], ""))
            at += 1
        else:
            found.append((options[at], options[at + 1]))
            at += 2
    return found


def _plain(candidate: Candidate, value: str) -> str:
    if not _PLAIN.match(value):
        raise SwapFault(causes.not_plain(candidate.name, value))
    return value
