"""The key pair with which spark-control logs in to the Sparks."""

import os
from pathlib import Path

import asyncssh


def ensure_key(directory: Path) -> tuple[Path, Path]:
    """Return private and public key files, made on the first call; the private one is 0600.

    A private key that is there stays, whatever became of the public one: the Sparks know it.
    """
    private, public = directory / "id_ed25519", directory / "id_ed25519.pub"
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not private.exists():
        made = asyncssh.generate_private_key("ssh-ed25519", comment="spark-control")
        public.unlink(missing_ok=True)
        _write(private, made.export_private_key(), 0o600)
    if not public.exists():
        key = asyncssh.read_private_key(private)
        _write(public, key.export_public_key(), 0o644)
    return private, public


def _write(path: Path, text: bytes, mode: int) -> None:
    draft = path.with_name(f"{path.name}.draft")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
