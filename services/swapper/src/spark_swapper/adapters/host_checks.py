"""What can be known about a launch on a host before anything is touched."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import PurePosixPath

from spark_common.errors import DeadlineExceededError
from spark_common.remote.command import RemoteCommand
from spark_common.remote.figures import memory_bytes, whole
from spark_common.remote.port import RemoteShell
from spark_common.settings import ClusterSettings
from spark_swapper.guarding.headroom import HOST_SIDE, NodeMemory, Tenant
from spark_swapper.launching.candidate import Candidate
from spark_swapper.runtime import Finding, HostCheck

SURVEY = resources.files(__package__).joinpath("survey.sh").read_text()
_FREE_KIB = 2 * 1024 * 1024
"""A launch writes compile caches and logs; below two GiB it fails half way."""
_MASTER_PORT = 29501
"""On which the ranks of a cluster launch find each other, unless the checkout says otherwise."""
_SURVEY_SECONDS = 20.0
_ANY_IPV6 = "0" * 32
_IPV4_AS_IPV6 = "0000000000000000FFFF0000"
"""How an IPv4 address begins in the kernel's list of IPv6 sockets."""


@dataclass(frozen=True)
class Listener:
    """A program that listens on a port of interest."""

    address: str
    """In the kernel's hexadecimal."""
    root: bool
    """Whether it belongs to root, as everything in a container does."""

    @property
    def in_the_way(self) -> bool:
        """Whether vLLM, which listens on every IPv4 address, cannot have the port beside it."""
        ipv4 = len(self.address) == 8 or self.address.startswith(_IPV4_AS_IPV6)
        return ipv4 or self.address == _ANY_IPV6


@dataclass(frozen=True)
class Survey:
    """What one host said, line by line, as far as it said anything."""

    script: bool | None = None
    free_kib: int | None = None
    image_id: str | None = None
    image_created: str | None = None
    no_image: bool = False
    docker: str | None = None
    """Why docker gave no answer."""
    files: str = ""
    """``yes``, ``none``, ``dead`` (links that lead nowhere), ``unread`` or nothing."""
    container: str = "unclear"
    """``running``, ``none`` or ``unclear``."""
    processes: tuple[int, ...] = ()
    """In the runtime's container."""
    runs_vllm: bool = False
    master_port: int = _MASTER_PORT
    ports_listed: bool = False
    """Whether the kernel's list of sockets could be read."""
    on_port: tuple[Listener, ...] = ()
    on_master_port: tuple[Listener, ...] = ()
    total_bytes: int | None = None
    available_bytes: int | None = None
    gpu_answers: bool = False
    apps: tuple[tuple[int, int | None, str], ...] = ()
    """(process id, MiB or None, name) of what is on the GPU."""


async def check_host(
    shell: RemoteShell, host: str, label: str, candidate: Candidate, cluster: ClusterSettings
) -> HostCheck:
    """Look for everything a launch depends on, in one round trip.

    A host that does not answer is a problem: a launch there cannot work either.
    """
    several = len(candidate.hosts) > 1 and host == candidate.head
    words = (cluster.vllm_dir, candidate.image, cluster.vllm_container, str(cluster.vllm_port))
    master = str(_MASTER_PORT if several else 0)
    model = candidate.repo
    if not model.startswith("/"):
        model = "models--" + model.replace("/", "--")
    command = RemoteCommand(argv=("sh", "-c", SURVEY, "survey", *words, master, model))
    try:
        result = await shell.run(host, command, timeout_seconds=_SURVEY_SECONDS)
    except DeadlineExceededError:
        slow = f"{label} is slow; its disk, image, memory and ports were not checked."
        return HostCheck(host, (Finding("hosts", "unknown", slow),))
    survey = read_survey(result.stdout)
    if not result.ok or survey.script is None:
        return HostCheck(host, (Finding("hosts", "unknown", f"{label} could not be checked."),))
    return judge(host, label, candidate, cluster, survey)


def read_survey(text: str) -> Survey:
    """Read what survey.sh printed; what it did not print, or printed oddly, stays unknown."""
    rows = [(key, rest.split()) for key, _, rest in (s.partition(" ") for s in text.splitlines())]
    said = dict(rows)
    available, total = memory_bytes(said.get("memory", []))
    docker = said.get("docker")
    return Survey(
        script={"yes": True, "no": False}.get(_first(said.get("script"))),
        free_kib=whole(_first(said.get("free"))),
        image_id=_first(said.get("image")) or None,
        image_created=next(iter((said.get("image") or [])[1:]), None),
        no_image="noimage" in said,
        docker=" ".join(docker) if docker is not None else None,
        files=_first(said.get("files")),
        container=_first(said.get("container")) or "unclear",
        processes=tuple(
            pid
            for key, words in rows
            if key == "process" and (pid := whole(_first(words))) is not None
        ),
        runs_vllm=any(key == "process" and words[-1:] == ["vllm"] for key, words in rows),
        master_port=whole(_first(said.get("master"))) or _MASTER_PORT,
        ports_listed=said.get("ports") == ["yes"],
        on_port=_listeners(rows, "port"),
        on_master_port=_listeners(rows, "master"),
        total_bytes=total,
        available_bytes=available,
        gpu_answers=said.get("gpu") == ["yes"],
        apps=tuple(
            (pid, whole(words[1].rstrip(",")), " ".join(words[2:]))
            for key, words in rows
            if key == "app" and len(words) >= 3 and (pid := whole(words[0])) is not None
        ),
    )


def judge(
    host: str, label: str, candidate: Candidate, cluster: ClusterSettings, survey: Survey
) -> HostCheck:
    """Turn what the host said into what it means."""
    findings: list[Finding] = []
    if host == candidate.head:
        findings.append(_launcher(label, cluster.vllm_dir, survey))
    findings += [
        _image(label, candidate.image, survey),
        _disk(label, survey),
        _files(label, candidate.name, survey),
    ]
    if host == candidate.head:
        findings.append(_port(label, cluster.vllm_port, survey.on_port, survey))
        if len(candidate.hosts) > 1:
            findings.append(_port(label, survey.master_port, survey.on_master_port, survey))
    return HostCheck(
        host,
        tuple(findings),
        image_id=survey.image_id,
        image_created=survey.image_created,
        memory=memory_of(survey),
    )


def memory_of(survey: Survey) -> NodeMemory | None:
    """Return the memory of a host and what stopping its runtime gives back."""
    if survey.total_bytes is None or survey.available_bytes is None:
        return None
    tenants = tuple(
        Tenant(PurePosixPath(name).name[:60], mib * 1024**2 if mib is not None else None)
        for pid, mib, name in survey.apps
        if pid not in survey.processes
    )
    freed, most = _freed(survey, survey.total_bytes)
    return NodeMemory(survey.total_bytes, survey.available_bytes, freed, most, tenants)


def _freed(survey: Survey, total: int) -> tuple[int | None, int | None]:
    """Return what stopping the runtime gives back at least and at most; None: nobody can tell."""
    if survey.container == "none" or (survey.container == "running" and not survey.runs_vllm):
        return 0, 0
    held = [mib for pid, mib, _ in survey.apps if pid in survey.processes]
    if survey.container != "running" or not survey.gpu_answers or not held:
        return None, None
    told = [mib * 1024**2 for mib in held if mib is not None]
    if len(told) < len(held) or sum(told) > total:
        # A driver that says [N/A], or nonsense.
        return None, None
    return sum(told), sum(told) + HOST_SIDE


def _launcher(label: str, directory: str, survey: Survey) -> Finding:
    if survey.script:
        return Finding("launcher", "good", f"{label} has the launch script.")
    lacking = f"{label} has no launch-cluster.sh in {directory}, or may not run it."
    return Finding("launcher", "bad", lacking)


def _image(label: str, image: str, survey: Survey) -> Finding:
    if survey.docker is not None:
        said = f"Docker on {label} does not answer: {survey.docker}"
        return Finding("image", "unknown", said)
    if survey.no_image:
        return Finding("image", "bad", f"{label} does not have the image {image!r}.")
    if survey.image_id is None:
        said = f"Whether {label} has the image {image!r} could not be read."
        return Finding("image", "unknown", said)
    return Finding("image", "good", f"{label} has the image {image!r}.")


def _disk(label: str, survey: Survey) -> Finding:
    if survey.free_kib is None:
        return Finding("disk", "unknown", f"How much disk {label} has left could not be read.")
    left = f"{survey.free_kib / 1024 / 1024:.1f} GB of disk left."
    if survey.free_kib < _FREE_KIB:
        return Finding("disk", "bad", f"{label} has only {left}")
    return Finding("disk", "good", f"{label} has {left}")


def _files(label: str, name: str, survey: Survey) -> Finding:
    match survey.files:
        case "yes":
            return Finding("files", "good", f"{label} has the files of {name}.")
        case "none":
            return Finding("files", "bad", f"The files of {name} are not on {label} any more.")
        case "dead":
            lost = f"Files of {name} on {label} are links that lead nowhere: download it again."
            return Finding("files", "bad", lost)
        case _:
            return Finding("files", "unknown", f"The files of {name} on {label} cannot be read.")


def _port(label: str, port: int, listeners: Sequence[Listener], survey: Survey) -> Finding:
    """Tell the runtime, whose port becomes free when it stops, from everybody else.

    Who listens is not to be seen without being root; that it is not root is.
    """
    if not survey.ports_listed:
        unread = f"Whether port {port} on {label} is free could not be read."
        return Finding("port", "unknown", unread)
    in_the_way = [one for one in listeners if one.in_the_way]
    if not in_the_way:
        return Finding("port", "good", f"Port {port} on {label} is free.")
    if survey.container == "none" or (survey.container == "running" and not survey.runs_vllm):
        taken = f"Another program listens on port {port} of {label}, which vLLM needs."
        return Finding("port", "bad", taken)
    if survey.container == "running" and all(one.root for one in in_the_way):
        return Finding("port", "good", f"Port {port} on {label} is used by what will be stopped.")
    doubt = f"Another program may be listening on port {port} of {label}, which vLLM needs."
    return Finding("port", "unknown", doubt)


def _listeners(rows: Sequence[tuple[str, list[str]]], which: str) -> tuple[Listener, ...]:
    return tuple(
        Listener(words[1], root=words[2] == "0")
        for key, words in rows
        if key == "listen" and len(words) == 3 and words[0] == which
    )


def _first(words: list[str] | None) -> str:
    return words[0] if words else ""
