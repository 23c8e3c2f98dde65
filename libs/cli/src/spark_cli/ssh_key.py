"""The key pair with which spark-control logs in to the Sparks."""

from pathlib import Path

import asyncssh


def ensure_key(directory: Path) -> tuple[Path, Path]:
    """Return private and public key files, made on the first call; the private one is 0600."""
    private, public = directory / "id_ed25519", directory / "id_ed25519.pub"
    if not private.exists() or not public.exists():
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        key = asyncssh.generate_private_key("ssh-ed25519", comment="spark-control")
        private.touch(mode=0o600)
        private.chmod(0o600)
        key.write_private_key(private)
        key.write_public_key(public)
    return private, public
