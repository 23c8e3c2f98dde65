"""Runs on a Spark as ``python3 - DIRECTORY REFRESH IMAGE...``: its checkout, images and room.

Standard library only, no rights needed. Changes nothing but what a ``git fetch`` changes, and
that only when REFRESH is ``1``. One line of JSON on standard output, so that no text of a commit
can be taken for anything else.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

MOST_COMMITS = 50
MOST_FILES = 50
BODY_BYTES = 4096
FETCH_SECONDS = 60
KEPT = re.compile(r":before-\d{8}T\d{6}Z-(?:[0-9a-f]{40}|unknown)\Z")
FLAG = re.compile(r"--[a-z0-9-]{2,30}")
CREDENTIALS = re.compile(r"://[^/@\s]+@")
STAT = re.compile(r" (\d+) files? changed")
# Nothing that a repository brings along may run because somebody looked at it.
CALM = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.pager=cat",
    "core.quotePath=false",
    "color.ui=false",
    "gc.auto=0",
    "http.lowSpeedLimit=1000",
    "http.lowSpeedTime=30",
    "maintenance.auto=false",
    "log.showSignature=false",
    "submodule.recurse=false",
)


class CannotLookError(Exception):
    """Why the checkout cannot be looked at: a word, and what git said."""


def run(*argv: str, seconds: float = 15) -> tuple[int, bytes, str]:
    """Return exit code, standard output and the last of standard error; never raises."""
    quiet = {
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "false",
        "SSH_ASKPASS": "false",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_SSH_COMMAND": "ssh -o BatchMode=yes -o ConnectTimeout=10",
        "LC_ALL": "C",
    }
    try:
        done = subprocess.run(
            argv, capture_output=True, stdin=subprocess.DEVNULL, timeout=seconds,
            env={**os.environ, **quiet}, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return 124, b"", f"no end within {seconds:.0f} seconds"
    except OSError as error:
        return 127, b"", str(error)
    said = done.stderr.decode("utf-8", "replace")[-2000:].strip()
    return done.returncode, done.stdout, CREDENTIALS.sub("://", said)


class Git:
    """Git in one directory, with nothing of the repository running."""

    def __init__(self, directory: str) -> None:
        self._start = ["git", "-C", directory]
        for setting in CALM:
            self._start += ["-c", setting]

    def __call__(self, *words: str, seconds: float = 15) -> tuple[int, bytes, str]:
        """Run; see ``run``."""
        return run(*self._start, *words, seconds=seconds)

    def line(self, *words: str) -> str | None:
        """Return the one line that git prints, or None when it fails or prints nothing."""
        code, out, _ = self(*words)
        text = out.decode("utf-8", "replace").strip()
        return text if code == 0 and text else None


def checkout(directory: str, refresh: bool) -> dict[str, Any]:
    """Return what is known of the checkout. Raises CannotLookError."""
    if not Path(directory).is_dir():
        raise CannotLookError("missing", "")
    if shutil.which("git") is None:
        raise CannotLookError("no_git", "")
    git = Git(directory)
    code, out, said = git("rev-parse", "--show-toplevel")
    if code:
        signs = {"dubious ownership": "unsafe", "not a git repository": "no_repository"}
        word = next((word for sign, word in signs.items() if sign in said), "broken")
        raise CannotLookError(word, said)
    # git speaks of any repository around the directory, for example one of the whole home.
    if Path(os.fsdecode(out.rstrip(b"\n"))).resolve() != Path(directory).resolve():
        raise CannotLookError("no_repository", "")
    found: dict[str, Any] = {"commit": git.line("rev-parse", "--verify", "-q", "HEAD^{commit}")}
    if found["commit"] is None:
        raise CannotLookError("empty", "")
    found["commit_at"] = git.line("show", "-s", "--format=%ct", "HEAD")
    found["branch"] = git.line("symbolic-ref", "-q", "--short", "HEAD")
    found["fetched_at"] = fetched_at(git, directory)
    changed = edited(git)
    found["dirty"], found["dirty_more"] = first(changed)
    if found["branch"] is None:
        return found
    remote = git.line("config", "--get", f"branch.{found['branch']}.remote")
    if remote and refresh:
        code, _, said = git(
            "fetch", "--quiet", "--no-tags", "--no-recurse-submodules", "--", remote,
            seconds=FETCH_SECONDS,
        )  # fmt: skip
        found["fetched"] = code == 0
        found["fetch_said"] = said
        if code == 0:
            found["fetched_at"] = fetched_at(git, directory)
    found["upstream"] = git.line("rev-parse", "--abbrev-ref", "--symbolic-full-name", "@{upstream}")
    if found["upstream"] is None:
        return found
    counts = (git.line("rev-list", "--left-right", "--count", "HEAD...@{upstream}") or "").split()
    if len(counts) == 2:
        found["ahead"], found["behind"] = int(counts[0]), int(counts[1])
        found["commits"] = pending(git) if found["behind"] else []
        found["dirty"], found["dirty_more"] = first(changed + in_the_way(git, directory))
    return found


def fetched_at(git: Git, directory: str) -> str | None:
    """Return when the remote last answered, in epoch seconds; a failed fetch empties the file."""
    name = git.line("rev-parse", "--git-path", "FETCH_HEAD")
    try:
        found = (Path(directory) / name).stat() if name else None
    except OSError:
        return None
    return str(int(found.st_mtime)) if found is not None and found.st_size else None


def edited(git: Git) -> list[str]:
    """Return the files under version control that were changed here."""
    code, out, said = git(
        "status", "--porcelain", "-z", "--no-renames", "--untracked-files=no",
        "--ignore-submodules=all",
    )  # fmt: skip
    if code:
        raise CannotLookError("broken", said)
    return [entry[3:].decode("utf-8", "replace") for entry in out.split(b"\0") if len(entry) > 3]


def in_the_way(git: Git, directory: str) -> list[str]:
    """Return the files that upstream brings and that somebody put here already.

    Others that git does not know are nobody's trouble: moving forward leaves them alone.
    """
    span = ("HEAD", "@{upstream}", "--")
    code, out, _ = git("diff", "-z", "--name-only", "--no-renames", "--diff-filter=A", *span)
    names = out.split(b"\0")[:-1] if code == 0 else []
    taken = [name for name in names if is_taken(Path(directory), os.fsdecode(name))]
    return [name.decode("utf-8", "replace") for name in taken]


def is_taken(root: Path, name: str) -> bool:
    """Return whether something is where a new file would go, or where one of its folders would."""
    place = root / name
    folders = [root / folder for folder in Path(name).parents]
    return os.path.lexists(place) or any(
        os.path.lexists(folder) and not folder.is_dir() for folder in folders
    )


def first(names: list[str]) -> tuple[list[str], int]:
    """Return the first of them, and how many more there are."""
    return names[:MOST_FILES], max(0, len(names) - MOST_FILES)


def pending(git: Git) -> list[dict[str, Any]]:
    """Return the commits of upstream that are not here, newest first."""
    most = f"--max-count={MOST_COMMITS}"
    span = ("HEAD..@{upstream}", "--")
    # A commit's text cannot contain NUL: nothing in it can look like the end of a field.
    code, out, _ = git(
        "log", "-z", most, "--encoding=UTF-8", "--format=tformat:%H%x00%ct%x00%s%x00%b", *span
    )
    if code:
        return []
    fields = out.split(b"\0")
    commits = [
        {
            "sha": sha.decode("ascii", "replace"),
            "at": at.decode("ascii", "replace"),
            "subject": text(subject, 500),
            "body": text(body, BODY_BYTES),
        }
        for sha, at, subject, body in zip(*(fields[n::4] for n in range(4)))  # noqa: B905 - 3.9
    ]
    code, out, _ = git("log", most, "--format=tformat:%H", "--shortstat", *span)
    files: dict[str, int] = {}
    sha = ""
    for line in out.decode("utf-8", "replace").splitlines() if code == 0 else ():
        if re.fullmatch("[0-9a-f]{40,64}", line):
            sha = line
        elif stat := STAT.match(line):
            files[sha] = int(stat[1])
    for commit in commits:
        commit["files"] = files.get(commit["sha"])
    return commits


def text(raw: bytes, most: int) -> str:
    """Return the beginning of a commit's text."""
    return raw[:most].decode("utf-8", "ignore").strip()


def image(tag: str) -> dict[str, Any]:
    """Return what docker knows of one tag; without an id when it is not there."""
    code, out, said = run("docker", "image", "inspect", tag)
    if code:
        # Of a daemon that does not run docker says "no such file".
        gone = "no such image" in said.lower() or "no such object" in said.lower()
        return {"tag": tag, "problem": None if gone else said or f"docker ended with {code}"}
    try:
        (found,) = json.loads(out)
        labels = (found.get("Config") or {}).get("Labels") or {}
        return {
            "tag": tag,
            "id": found["Id"],
            "created": found.get("Created"),
            "size": found.get("Size"),
            "version": next(
                (str(value) for key, value in sorted(labels.items())
                 if "vllm" in key.lower() and "version" in key.lower()), None
            ),
        }  # fmt: skip
    except (ValueError, TypeError, KeyError):
        return {"tag": tag, "problem": "docker answered something unreadable"}


def kept() -> list[str]:
    """Return the tags under which earlier images were kept."""
    _, out, _ = run("docker", "image", "ls", "--format", "{{.Repository}}:{{.Tag}}")
    names = out.decode("utf-8", "replace").split()
    return sorted(name for name in names if KEPT.search(name))[-40:]


def free_bytes(folder: str) -> int | None:
    """Return the free bytes on the disk of a folder."""
    _, out, _ = run("df", "-P", "-k", folder)
    rows = out.decode("utf-8", "replace").splitlines()
    cells = rows[-1].split() if len(rows) > 1 else []
    return int(cells[3]) * 1024 if len(cells) > 5 and cells[3].isdigit() else None


def programs(directory: str) -> dict[str, Any]:
    """Return what the scripts of the checkout can do."""
    found: dict[str, Any] = {"launcher": "unknown", "builder": False, "pulls": False, "flags": []}
    try:
        launcher = (Path(directory) / "launch-cluster.sh").read_text("utf-8", "replace")
        if 'NO_RAY_MODE="true"' in launcher:
            found["launcher"] = "no_ray"
        elif "ray start" in launcher:
            found["launcher"] = "ray"
    except OSError:
        pass
    builder = Path(directory) / "build-and-copy.sh"
    try:
        script = builder.read_text("utf-8", "replace")
    except OSError:
        return found
    found["builder"] = os.access(builder, os.X_OK)
    found["pulls"] = "docker pull" in script
    found["flags"] = sorted(set(FLAG.findall(script)))[:200]
    return found


def built_version(directory: str) -> str | None:
    """Return the version of vLLM that a build wrote down."""
    try:
        lines = (Path(directory) / "build-metadata.yaml").read_text("utf-8", "replace")
    except OSError:
        return None
    found = re.search(r"""(?m)^\s*vllm_version:\s*["']?([A-Za-z0-9.+_-]{1,60})""", lines)
    return found[1] if found else None


def main(directory: str, refresh: str, *images: str) -> None:
    """Print the answer."""
    root = os.path.expanduser(directory)  # noqa: PTH111 - may be relative to the home
    answer: dict[str, Any] = {"programs": programs(root), "built_version": built_version(root)}
    try:
        answer["checkout"] = checkout(root, refresh == "1")
    except CannotLookError as why:
        answer["unseen"], answer["said"] = why.args
    answer["images"] = [image(tag) for tag in images]
    answer["kept"] = [image(tag) for tag in kept()]
    code, out, _ = run("docker", "info", "--format", "{{.DockerRootDir}}")
    docker = out.decode("utf-8", "replace").strip() if code == 0 else ""
    answer["tmp_free_bytes"] = free_bytes("/tmp")  # noqa: S108 - where the image is saved
    answer["docker_free_bytes"] = free_bytes(docker) if docker.startswith("/") else None
    sys.stdout.write(json.dumps(answer) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
