"""The two files that ship with spark-control."""

import hashlib
import io
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

FILES = ("main.py", "diarizer.py")
_FOLDER = "parakeet-overlay"


class NoSourceError(Exception):
    """The files are not on this machine; the text says where they were looked for."""


@dataclass(frozen=True)
class Shipped:
    """The files as they are to be in the container."""

    content: Mapping[str, bytes]

    @property
    def hashes(self) -> dict[str, str]:
        """SHA-256 of each file, in hexadecimal digits."""
        return {name: hashlib.sha256(self.content[name]).hexdigest() for name in FILES}

    def archive(self) -> bytes:
        """Return them as a tar file without times and owners."""
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive:
            for name in FILES:
                entry = tarfile.TarInfo(name)
                entry.size, entry.mode = len(self.content[name]), 0o644
                archive.addfile(entry, io.BytesIO(self.content[name]))
        return packed.getvalue()


def read_shipped(given: Path | None) -> Shipped:
    """Read the files; ``given`` is the folder ``cluster``. Raises NoSourceError."""
    # In a checkout the folder is beside libs and services.
    place = (given or Path(__file__).parents[5] / "cluster") / _FOLDER
    try:
        return Shipped({name: (place / name).read_bytes() for name in FILES})
    except OSError as error:
        raise NoSourceError(
            f"The files for the speech container are not in {place}; set CLUSTER_DIR to the folder "
            "`cluster` of spark-control."
        ) from error
