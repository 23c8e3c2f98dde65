"""The files of a container, packed for a Spark: the same bytes for the same files."""

import gzip
import hashlib
import io
import tarfile
from dataclasses import dataclass
from pathlib import Path

_WANTED = ("Dockerfile", "held.py", "requirements.lock", "src")


class NoSourceError(Exception):
    """The files are not on this machine; the text says where they were looked for."""


@dataclass(frozen=True)
class Packed:
    """A gzipped archive and the short name of what is in it."""

    content: bytes
    version: str


def find_source(given: Path | None, name: str) -> Path:
    """Return the folder of a container's files. Raises NoSourceError."""
    # In a checkout the folder is beside libs and services.
    places = [given] if given is not None else [Path(__file__).parents[5] / "cluster"]
    for place in places:
        if (place / name / "Dockerfile").is_file():
            return place / name
    raise NoSourceError(
        f"The files of {name} are not in {places[0]}; set CLUSTER_DIR to the folder `cluster` of "
        "spark-control."
    )


def pack(folder: Path) -> Packed:
    """Pack what the build needs, without times, owners and tests."""
    raw = io.BytesIO()
    digest = hashlib.sha256()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for path in sorted(_files(folder)):
            content = path.read_bytes()
            name = path.relative_to(folder).as_posix()
            digest.update(f"{name}\0{len(content)}\0".encode() + content)
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o644
            archive.addfile(entry, io.BytesIO(content))
    return Packed(gzip.compress(raw.getvalue(), mtime=0), digest.hexdigest()[:12])


def _files(folder: Path) -> list[Path]:
    found = []
    for name in _WANTED:
        place = folder / name
        inside = place.rglob("*") if place.is_dir() else [place]
        found += [path for path in inside if path.is_file() and "__pycache__" not in path.parts]
    return found
