"""Gets a NIM and starts it, on the Spark itself: told its order in argv and the key on stdin.

The key goes on to docker over stdin only: it is in no argument, in no environment but that of
the container it is for, and in no file; docker's own note of it lies in memory and is deleted.
Exit codes are read by `causes.py`. Lines that begin with "spark-control: " are for the service.
"""

import json
import re
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, NoReturn

REGISTRY = "nvcr.io"
CACHE = "/opt/nim/.cache"
NOT_PULLED, NOT_STARTED, NAME_TAKEN, OTHER_ARCHITECTURE, NO_ROOM = 81, 82, 83, 84, 85
NO_SUCH_IMAGE, BAD_KEY, PORT_TAKEN, NO_REGISTRY, VOLUME, NO_DOCKER = 86, 87, 88, 89, 90, 91
NOT_ALLOWED, TOO_LITTLE_MEMORY, IN_THE_WAY = 92, 93, 94
GB = 1_000_000_000
LISTEN = "0A"
UNPACKED = 2.5
"""Room an image takes while it is unpacked, in times of what is downloaded."""
ASKS, ASK_SECONDS = 24_000, 0.3
"""How often, and how long between: two hours in all."""

order: dict[str, Any] = {}
key = ""
notes = Path()


def say(text: str) -> None:
    """Print what a program said, without the key whatever it did with it."""
    for line in text.splitlines():
        sys.stdout.write((line.replace(key, "***") if key else line) + "\n")
    sys.stdout.flush()


def mark(*words: object) -> None:
    """Tell the service where this stands."""
    sys.stdout.write(" ".join(["spark-control:", *map(str, words)]) + "\n")
    sys.stdout.flush()


def give_up(code: int, text: str) -> NoReturn:
    """Say why and end."""
    say(text)
    sys.exit(code)


def run(*argv: str, given: str | None = None) -> tuple[int, str]:
    """Run a program to its end; returns its exit code and all it said."""
    ran = subprocess.run(
        argv,
        input=given,
        stdin=None if given is not None else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    return ran.returncode, ran.stdout.strip()


def docker(*argv: str, given: str | None = None) -> tuple[int, str]:
    """Run docker with the login of this installation alone."""
    return run("docker", "--config", str(notes), *argv, given=given)


def has(text: str, *words: str) -> bool:
    """Whether any of these words is in what a program said."""
    return any(word in text.lower() for word in words)


def check_name() -> dict[str, str] | None:
    """Return the labels of our container of that name, None for none; ends when it is not ours."""
    code, said = docker("inspect", "--type", "container", "-f", "{{json .Config.Labels}}",
                        order["name"])  # fmt: skip
    if code:
        if has(said, "no such"):
            return None
        give_up(NO_DOCKER, said)
    try:
        labels = json.loads(said) or {}
    except ValueError:
        labels = {}
    if labels.get("spark-control.nim") != order["name"]:
        give_up(NAME_TAKEN, f"the container {order['name']} is something else")
    return labels


def check_port(labels: dict[str, str] | None) -> None:
    """End when something else listens on the port."""
    if labels is not None and labels.get("spark-control.port") == str(order["port"]):
        return
    _, tables = run("cat", "/proc/net/tcp", "/proc/net/tcp6")
    for row in tables.splitlines():
        cells = row.split()
        if len(cells) > 3 and cells[3] == LISTEN:
            address, _, port = cells[1].rpartition(":")
            if port and int(port, 16) == order["port"] and not loopback_of_ipv6(address):
                give_up(PORT_TAKEN, f"something listens on port {order['port']} already")


def loopback_of_ipv6(address: str) -> bool:
    """Whether this is ::1, beside which every other address is free."""
    return address == "00000000000000000000000001000000"


def log_in() -> None:
    """Log in; ends when the registry does not want the key or cannot be reached."""
    code, said = docker("login", REGISTRY, "--username", "$oauthtoken", "--password-stdin",
                        given=key)  # fmt: skip
    if code == 0:
        return
    if has(said, "cannot connect to the docker daemon", "permission denied while"):
        give_up(NO_DOCKER, said)
    refused = has(said, "unauthorized", "401", "denied", "incorrect", "forbidden", "403")
    give_up(BAD_KEY if refused else NO_REGISTRY, said)


def read_manifest() -> dict[str, int]:
    """Return the size of each layer for arm64 by its short name; ends when there is none."""
    code, said = docker("manifest", "inspect", "--verbose", order["image"])
    if code:
        if has(said, "no such manifest", "manifest unknown", "not found", "name unknown"):
            give_up(NO_SUCH_IMAGE, said)
        if has(said, "unauthorized", "denied", "forbidden", "payment required"):
            give_up(NOT_ALLOWED, said)
        give_up(NO_REGISTRY, said)
    try:
        read = json.loads(said[said.find("[" if said.lstrip().startswith("[") else "{") :])
        found: dict[str, dict[str, int]] = {}
        for one in read if isinstance(read, list) else [read]:
            platform = one["Descriptor"].get("platform") or {}
            body = one.get("SchemaV2Manifest") or one.get("OCIManifest") or {}
            layers = {str(layer["digest"]).partition(":")[2][:12]: int(layer["size"])
                      for layer in body.get("layers") or []}  # fmt: skip
            if platform.get("os", "linux") == "linux":
                found.setdefault(platform.get("architecture") or "unknown", layers)
    except (ValueError, TypeError, KeyError, AttributeError):
        give_up(NO_REGISTRY, "the registry's description of the image cannot be read")
    if "arm64" not in found:
        built = ", ".join(sorted(name for name in found if name != "unknown")) or "nothing known"
        give_up(OTHER_ARCHITECTURE, f"the image is built for {built}")
    return found["arm64"]


def present() -> bool:
    """Whether the image is here already."""
    return docker("image", "inspect", "-f", "{{.Id}}", order["image"])[0] == 0


def check_room(layers: dict[str, int]) -> None:
    """End when the image, unpacked, and what it downloads do not fit."""
    need = 0 if present() else int(sum(layers.values()) * UNPACKED)
    if docker("volume", "inspect", order["volume"])[0]:
        need += order["download_gb"] * GB
    code, place = docker("info", "-f", "{{.DockerRootDir}}")
    place = place if code == 0 and Path(place).is_dir() else str(Path.home())
    _, table = run("df", "-P", "-k", place)
    try:
        free = int(table.splitlines()[-1].split()[3]) * 1024
    except (IndexError, ValueError):
        return
    if free < need:
        give_up(NO_ROOM, f"{need / GB:.0f} GB are needed, {free / GB:.0f} GB are free")


def pull(layers: dict[str, int]) -> str:
    """Pull, telling how many bytes are there; returns the user of the image."""
    total = sum(layers.values())
    done: set[str] = set()
    mark("pulled", 0, total)
    child = subprocess.Popen(
        ("docker", "--config", str(notes), "pull", order["image"]), stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
    )  # fmt: skip
    lines: list[str] = []
    for line in child.stdout or ():
        say(line.rstrip())
        lines = [*lines[-20:], line]
        told = re.match(r"([0-9a-f]{12}): (Download complete|Pull complete|Already exists)", line)
        if told and told[1] in layers and told[1] not in done:
            done.add(told[1])
            mark("pulled", sum(layers[name] for name in done), total)
    if child.wait():
        said = "".join(lines)
        if has(said, "no space left on device"):
            sys.exit(NO_ROOM)
        if has(said, "unauthorized", "denied", "forbidden"):
            sys.exit(NOT_ALLOWED)
        sys.exit(NOT_PULLED)
    code, said = docker("image", "inspect", "-f", "{{.Architecture}} {{.Config.User}}",
                        order["image"])  # fmt: skip
    if code:
        give_up(NOT_PULLED, said)
    built, _, user = said.partition(" ")
    if built not in ("arm64", "aarch64"):
        give_up(OTHER_ARCHITECTURE, f"the image is built for {built}")
    return user


def prepare(user: str) -> None:
    """Make the volume and give it to the user of the container."""
    owner = user if re.fullmatch(r"[0-9]+(:[0-9]+)?", user) else "1000:1000"
    owner = owner if ":" in owner else f"{owner}:{owner}"
    code, said = docker("volume", "create", order["volume"])
    if not code:
        code, said = docker(
            "run", "--rm", "--network", "none", "--user", "0:0", "--entrypoint", "chown",
            "-v", f"{order['volume']}:{CACHE}", order["image"], "-R", owner, CACHE,
        )  # fmt: skip
    if code:
        if has(said, "exec format error"):
            give_up(OTHER_ARCHITECTURE, said)
        give_up(NO_ROOM if has(said, "no space left on device") else VOLUME, said)


def wait_for_turn() -> None:
    """Wait until the service says that nobody else counts on the GPU; ends when it does not."""
    mark("ready")
    rest = threading.Event()
    for _ in range(ASKS):
        if (notes / "go").exists():
            return
        rest.wait(ASK_SECONDS)
    give_up(IN_THE_WAY, "it was not its turn")


def check_memory(labels: dict[str, str] | None) -> None:
    """End when it would not fit beside what is loaded now; an older one of it makes its room."""
    if labels is not None or not order["memory_gb"]:
        return
    _, said = run("cat", "/proc/meminfo")
    found = re.search(r"^MemAvailable:\s+([0-9]{1,18}) kB", said, re.MULTILINE)
    if found is None:
        return
    free = int(found[1]) * 1024
    if free < order["memory_gb"] * GB:
        give_up(
            TOO_LITTLE_MEMORY,
            f"{free / GB:.1f} GB are free, and {order['memory_gb']} GB are to be",
        )


def start(labels: dict[str, str] | None) -> None:
    """Start it, in place of an older one of the same name."""
    if labels is not None:
        docker("rm", "-f", order["name"])
    settings = [word for name, value in order["env"].items() for word in ("-e", name + "=" + value)]
    code, said = docker(
        "run", "-d", "--name", order["name"], "--gpus", "all", f"--shm-size={order['shm_gb']}GB",
        "--restart=unless-stopped", "--env-file", "/dev/stdin", *settings,
        "-v", f"{order['volume']}:{CACHE}",
        "-p", f"{order['port']}:{order['container_port']}",
        "--label", "spark-control.nim=" + order["name"],
        "--label", "spark-control.job=" + order["job"],
        "--label", f"spark-control.port={order['port']}",
        order["image"], given=f"NGC_API_KEY={key}\n",
    )  # fmt: skip
    if not code:
        return
    if not has(said, "is already in use by container"):
        docker("rm", "-f", order["name"])
    if has(said, "port is already allocated", "address already in use"):
        give_up(PORT_TAKEN, said)
    if has(said, "exec format error"):
        give_up(OTHER_ARCHITECTURE, said)
    if has(said, "is already in use by container"):
        give_up(NAME_TAKEN, said)
    give_up(NO_ROOM if has(said, "no space left on device") else NOT_STARTED, said)


def place_of_notes(job: str) -> Path:
    """Return a folder of ours for docker's login: in memory where there is such a place."""
    in_memory = Path("/dev/shm")  # noqa: S108 - nobody else can write into a folder of ours there
    for base in (in_memory, Path.home() / ".spark-control"):
        folder = base / ("spark-control-nim-" + job)
        shutil.rmtree(folder, ignore_errors=True)
        try:
            folder.mkdir(mode=0o700)
        except OSError:
            continue
        return folder
    give_up(NO_ROOM, "there is no room for docker's login")


def leave(number: int, _: object) -> None:
    """End as a signal wants it, and tidy up."""
    sys.exit(128 + number)


def main() -> None:
    """Go all steps."""
    global order, key, notes
    order = json.loads(sys.argv[1])
    key = sys.stdin.readline().strip()
    signal.signal(signal.SIGTERM, leave)
    notes = place_of_notes(order["job"])
    try:
        labels = check_name()
        check_port(labels)
        log_in()
        layers = read_manifest()
        check_room(layers)
        mark("pulling")
        user = pull(layers)
        mark("preparing")
        prepare(user)
        wait_for_turn()
        check_memory(labels)
        mark("starting")
        start(labels)
    finally:
        shutil.rmtree(notes, ignore_errors=True)


if __name__ == "__main__":
    main()
