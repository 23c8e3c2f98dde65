"""The key pair with which spark-control logs in to the Sparks."""

from pathlib import Path

import asyncssh

from spark_common.whole_file import OURS_ALONE, write_whole


def ensure_key(directory: Path) -> tuple[Path, Path]:
    """Return private and public key files, made on the first call; the private one is 0600.

    A private key that is there stays, whatever became of the public one: the Sparks know it.
    """
    private, public = directory / "id_ed25519", directory / "id_ed25519.pub"
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not private.exists():
        made = asyncssh.generate_private_key("ssh-ed25519", comment="spark-control")
        public.unlink(missing_ok=True)
        write_whole(private, made.export_private_key(), OURS_ALONE)
    if not public.exists():
        key = asyncssh.read_private_key(private)
        write_whole(public, key.export_public_key(), 0o644)
    return private, public
