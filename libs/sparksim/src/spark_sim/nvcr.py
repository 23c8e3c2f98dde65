"""NVIDIA's container registry: what it has, and whom it gives it."""

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

HOST = "nvcr.io"
USER = "$oauthtoken"


@dataclass(frozen=True)
class NvcrImage:
    """One repository. Sizes in bytes, as they are downloaded."""

    architectures: tuple[str, ...]
    layers: tuple[int, ...] = (31_000_000, 412_000_000, 2_917_000_000, 1_803_000_000, 88_000_000)
    open_to_all: bool = True
    """Whether any key may have it."""
    user: str = "1000"


IMAGES: Mapping[str, NvcrImage] = {
    "nim/meta/llama-3.1-8b-instruct-dgx-spark": NvcrImage(("arm64",)),
    "nim/meta/llama-3.1-8b-instruct": NvcrImage(("amd64",)),
    "nim/qwen/qwen3-32b-dgx-spark": NvcrImage(("arm64",)),
    "nim/nvidia/parakeet-1-1b-ctc-en-us": NvcrImage(("amd64", "arm64")),
    "nim/nvidia/magpie-tts-multilingual": NvcrImage(("amd64", "arm64")),
    "nim/nvidia/early-access": NvcrImage(("arm64",), open_to_all=False),
}
_TAGS = frozenset({"latest", "1.0.0"})


def split(name: str) -> tuple[str, str] | None:
    """Return repository and tag of an image of this registry; None for any other image."""
    host, _, rest = name.partition("/")
    if host != HOST:
        return None
    repository, _, tag = rest.partition(":")
    return repository, tag or "latest"


def find(name: str) -> NvcrImage | None:
    """Return an image of this registry by its full name."""
    parts = split(name)
    return IMAGES.get(parts[0]) if parts is not None and parts[1] in _TAGS else None


def image_id(name: str) -> str:
    """Return the 64 hex digits of an image."""
    repository, _ = split(name) or (name, "")
    return hashlib.sha256(f"{HOST}/{repository}".encode()).hexdigest()


_BY_ID = {image_id(f"{HOST}/{repository}"): image for repository, image in IMAGES.items()}


def by_id(id: str) -> NvcrImage | None:
    """Return what an image is by its id."""
    return _BY_ID.get(id)


def layers_of(name: str) -> list[tuple[str, int]]:
    """Return (digest, size) of every layer."""
    image = find(name)
    sizes = image.layers if image is not None else ()
    return [
        (hashlib.sha256(f"{image_id(name)} {at}".encode()).hexdigest(), size)
        for at, size in enumerate(sizes)
    ]


def is_key(text: str) -> bool:
    """Whether this has the form of a key: the newer one, or the older of 86 letters and ``==``."""
    older = len(text) == 88 and text.endswith("==") and text[:86].isalnum()
    return (text.startswith("nvapi-") and len(text) > 6) or older


def manifest_of(name: str) -> object:
    """Return what ``docker manifest inspect --verbose`` prints; one object for one platform."""
    image = find(name)
    entries = [
        {
            "Ref": f"{name}@sha256:{image_id(name)}",
            "Descriptor": {
                "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
                "digest": f"sha256:{image_id(name)}",
                "size": 5127,
                "platform": {"architecture": architecture, "os": "linux"},
            },
            "SchemaV2Manifest": {
                "schemaVersion": 2,
                "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
                "config": {"size": 16_402, "digest": f"sha256:{image_id(name)[::-1]}"},
                "layers": [
                    {"size": size, "digest": f"sha256:{digest}"} for digest, size in layers_of(name)
                ],
            },
        }
        for architecture in (image.architectures if image is not None else ())
    ]
    return entries if len(entries) != 1 else entries[0]


def config_path(env: Mapping[str, str]) -> Path:
    """Return docker's own file, in which a login is kept."""
    folder = env.get("DOCKER_CONFIG") or f"{env.get('HOME', '/')}/.docker"
    return Path(folder) / "config.json"


def remember(env: Mapping[str, str], key: str) -> None:
    """Write a login down as docker does: not encrypted."""
    path = config_path(env)
    path.parent.mkdir(parents=True, exist_ok=True)
    auth = base64.b64encode(f"{USER}:{key}".encode()).decode()
    path.write_text(json.dumps({"auths": {HOST: {"auth": auth}}}, indent="\t"))


def remembered(env: Mapping[str, str]) -> str | None:
    """Return the key of the login, None without one."""
    try:
        said = json.loads(config_path(env).read_text())
        auth = base64.b64decode(said["auths"][HOST]["auth"]).decode()
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return auth.partition(":")[2]
