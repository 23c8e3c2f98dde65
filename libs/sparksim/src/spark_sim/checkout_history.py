"""The history of the simulated spark-vllm-docker, and what waits upstream to be pulled."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from spark_sim.checkout_file import CheckoutFile

_README = "# spark-vllm-docker\n\nvLLM on one or two DGX Sparks in Docker.\n\n## Changelog\n"
_DOCKERFILE = "FROM nvcr.io/nvidia/cuda:13.1.0-devel-ubuntu24.04\nARG VLLM_REF={}\n"


@dataclass(frozen=True)
class Commit:
    """One commit. Each adds its subject to the changelog in the README."""

    at: str
    """RFC 3339, UTC."""
    subject: str
    body: str = ""
    vllm: str | None = None
    """The version of vLLM that the image has from here on."""
    files: Mapping[str, str] = field(default_factory=dict)


PAST: tuple[Commit, ...] = (
    Commit("2026-01-12T09:20:00Z", "Initial two-node setup with Ray", vllm="0.14.0"),
    Commit("2026-02-26T17:03:00Z", "Allow -d with exec"),
    Commit("2026-03-06T08:44:00Z", "Quote exec arguments with printf %q"),
    Commit("2026-03-17T20:15:00Z", "Remove run-cluster-node.sh"),
    Commit("2026-04-15T11:31:00Z", "Add --solo"),
    Commit("2026-06-09T07:58:00Z", "Raise the default memory share of recipes to 0.8"),
    Commit("2026-06-21T14:12:00Z", "Add --publish for solo mode"),
    Commit("2026-07-01T10:00:00Z", "Start clusters without Ray by default", vllm="0.24.0"),
    Commit("2026-07-02T18:26:00Z", "Pull prebuilt images instead of building them"),
    Commit("2026-07-30T12:47:00Z", "Add -v for volumes on every node"),
    Commit("2026-08-19T06:35:00Z", "Check image consistency before a cluster launch"),
    Commit("2026-09-15T12:00:00Z", "Detach the head in no-Ray mode", vllm="0.30.0"),
)
"""What every checkout starts with, oldest first."""

PENDING: tuple[Commit, ...] = (
    Commit(
        "2026-10-02T08:10:00Z",
        "Bump vLLM to 0.31.1",
        "Faster prefill for hybrid models; fixes a hang when a request is aborted\n"
        "while its images are still being encoded.",
        vllm="0.31.1",
    ),
    Commit(
        "2026-10-21T19:42:00Z",
        "Retry the pull of prebuilt images",
        "A dropped connection no longer means starting over.",
    ),
    Commit(
        "2026-11-09T07:05:00Z",
        "Set NCCL_CUMEM_ENABLE=0 on both nodes",
        "Works around a crash of the second node with 2 x 100 Gbit links.\n\n"
        "Remove once NCCL 2.29 is in the base image.",
        files={"nccl.env": "NCCL_CUMEM_ENABLE=0\n"},
    ),
    Commit("2026-11-20T16:30:00Z", "Bump vLLM to 0.33.0", vllm="0.33.0"),
)
"""What a fetch brings, oldest first."""


def fast_import(files: Sequence[CheckoutFile]) -> bytes:
    """Return the history as input of ``git fast-import``.

    ``refs/sim/base`` is the end of the past, where all files are there, and ``refs/sim/tip`` the
    end of what is pending.
    """
    stream: list[bytes] = []
    readme = _README
    for number, commit in enumerate((*PAST, *PENDING), 1):
        readme += f"- {commit.at[:10]}: {commit.subject}\n"
        changed = [CheckoutFile("README.md", readme)]
        changed += [CheckoutFile(path, text) for path, text in commit.files.items()]
        if commit.vllm is not None:
            changed.append(CheckoutFile("Dockerfile", _DOCKERFILE.format(commit.vllm)))
        if number == len(PAST):
            changed += files
        ref = b"refs/sim/base" if number <= len(PAST) else b"refs/sim/tip"
        stream.append(_commit(ref, number, commit, changed))
    return b"".join(stream)


def _commit(ref: bytes, number: int, commit: Commit, changed: Sequence[CheckoutFile]) -> bytes:
    seconds = int(datetime.fromisoformat(commit.at).timestamp())
    who = f"spark <spark@example.invalid> {seconds} +0000"
    message = commit.subject + (f"\n\n{commit.body}" if commit.body else "") + "\n"
    parts = [
        b"commit " + ref + f"\nmark :{number}\nauthor {who}\ncommitter {who}\n".encode(),
        _data(message),
    ]
    if number > 1:
        parts.append(f"from :{number - 1}\n".encode())
    for file in changed:
        mode = "100755" if file.executable else "100644"
        parts += [f"M {mode} inline {file.path}\n".encode(), _data(file.text)]
    return b"".join(parts) + b"\n"


def _data(text: str) -> bytes:
    raw = text.encode()
    return b"data %d\n%s\n" % (len(raw), raw)
