"""Which directories of a Spark may be a local model. Pure."""

import re

_ALLOWED = re.compile(r"/[A-Za-z0-9._/=@+-]*\Z")
_OF_THE_CONTAINER = frozenset(
    {"bin", "boot", "dev", "etc", "lib", "lib64", "proc", "run", "sbin", "sys", "usr"}
)
MAX_LENGTH = 500


def check_local_path(path: str) -> str:
    """Return the path if it can be a local model's directory; raises ValueError with the reason.

    The directory is mounted at the same place into the runtime's container. The launcher
    word-splits that option on the head and lets a shell read it on a worker, and Docker splits
    it at ``:`` and ``,``: so only a small alphabet can pass.
    """
    if not path.startswith("/"):
        raise ValueError("must be absolute: begin with /")
    if len(path) > MAX_LENGTH:
        raise ValueError(f"is longer than {MAX_LENGTH} characters")
    if not _ALLOWED.match(path):
        raise ValueError("may only have letters, digits and . _ / = @ + - (no blanks, : or ,)")
    parts = path.split("/")[1:]
    if parts == [""]:
        raise ValueError("cannot be the whole disk")
    if "" in parts:
        raise ValueError("has a doubled slash or one at its end")
    if "." in parts or ".." in parts:
        raise ValueError("may not have . or .. as a part")
    if parts[0] in _OF_THE_CONTAINER:
        raise ValueError(f"may not lie under /{parts[0]}: the runtime's container has its own")
    return path


def lies_inside(path: str, directory: str) -> bool:
    """Whether an absolute path without ``.`` and ``..`` lies below the directory."""
    parts = path.split("/")
    return path.startswith(directory + "/") and not {"", ".", ".."} & set(parts[1:])


def is_path(name: str) -> bool:
    """Whether a name is meant as a directory and not as a repository."""
    return name.startswith("/")


def identity(target: str) -> str:
    """Return what two names of the same weights share: the hub ignores case, a disk does not."""
    return target if is_path(target) else target.casefold()
