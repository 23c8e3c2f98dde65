"""The images of a simulated host, and the registry from which newer ones come."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from spark_sim.checkout_history import PAST, PENDING, Commit
from spark_sim.containers import image_id

LOCAL_IMAGES = ("vllm-node", "vllm-node-mxfp4", "vllm-node-b12x")
SIZE_BYTES = 18_411_223_344
REGISTRY = ("eugr/spark-vllm", "eugr/spark-vllm-b12x")
"""Images that can be pulled; everything else is refused as docker refuses it."""


@dataclass(frozen=True)
class ImageFacts:
    """What docker knows of an image beside its id."""

    created_at: str
    vllm_version: str


def _newest(commits: tuple[Commit, ...]) -> str:
    return next(commit.vllm for commit in reversed(commits) if commit.vllm is not None)


_USUAL = ImageFacts("2026-10-14T06:11:09.112233445Z", _newest(PAST))
_NEW = ImageFacts("2026-11-20T18:04:52.998877665Z", _newest(PENDING))


def published_id(repository: str) -> str:
    """Return the 64 hex digits of what the registry has under ``latest``."""
    return hashlib.sha256(f"published {repository} {_NEW.vllm_version}".encode()).hexdigest()


_FACTS = {published_id(repository): _NEW for repository in REGISTRY}


def facts_of(image: str) -> ImageFacts:
    """Return what is known of an image by its id."""
    return _FACTS.get(image, _USUAL)


def short(tag: str) -> str:
    """Return a tag as it is kept: ``latest`` goes without saying."""
    return tag.removesuffix(":latest")


def tagged(name: str) -> str:
    """Return a tag as docker says it."""
    return name if ":" in name.rpartition("/")[2] else f"{name}:latest"


class Images:
    """Tags and ids of one host, kept in a file once they differ from how the host began."""

    def __init__(self, path: Path, own: Mapping[str, str]) -> None:
        self._path = path
        self._first = {tag: image_id(tag) for tag in LOCAL_IMAGES} | dict(own)
        self.by_tag: dict[str, str] = dict(self._first)
        if path.exists():
            self.by_tag = json.loads(path.read_text())

    def find(self, name: str) -> str | None:
        """Return the id of a tag, or of the id itself."""
        wanted = name.removeprefix("sha256:")
        by_id = next((one for one in self.by_tag.values() if one == wanted), None)
        return self.by_tag.get(short(name)) or by_id

    def put(self, tag: str, image: str) -> None:
        """Let a tag mean an image."""
        self.by_tag[short(tag)] = image
        self._path.write_text(json.dumps(self.by_tag))

    def drop(self, tag: str) -> None:
        """Forget a tag."""
        self.by_tag.pop(short(tag), None)
        self._path.write_text(json.dumps(self.by_tag))

    def reset(self) -> None:
        """Go back to how the host began."""
        self.by_tag = dict(self._first)
        self._path.unlink(missing_ok=True)
