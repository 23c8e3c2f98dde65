"""What the packages are made of, as a CycloneDX document; the same locks give the same bytes."""

import json
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
_PINNED = re.compile(r"^([A-Za-z0-9_.-]+)(?:\[[^\]]*\])?==([^ ;\\]+)")


def python_parts() -> list[dict[str, object]]:
    """Return every library of the image."""
    text = (ROOT / "requirements.lock").read_text("utf-8").replace("\\\n", " ")
    parts = []
    for line in text.splitlines():
        if (found := _PINNED.match(line)) is not None:
            name, version = found[1].lower(), found[2]
            parts.append(_part("pypi", name, version))
    return parts


def node_parts() -> list[dict[str, object]]:
    """Return every library of the StartOS package; what only builds it is marked."""
    lock = json.loads((ROOT / "startos" / "package-lock.json").read_text("utf-8"))
    parts = {}
    for path, entry in lock["packages"].items():
        if path and "version" in entry:
            name = path.rpartition("node_modules/")[2]
            part = _part("npm", name.replace("@", "%40"), entry["version"], name)
            part["scope"] = "excluded" if entry.get("dev") else "required"
            kept = parts.setdefault(str(part["purl"]), part)
            if part["scope"] == "required":
                kept["scope"] = "required"
    return list(parts.values())


def image_parts() -> list[dict[str, object]]:
    """Return the images that are packed as they come, and the base of ours."""
    manifest = (ROOT / "startos" / "startos" / "manifest" / "index.ts").read_text("utf-8")
    dockerfile = (ROOT / "deploy" / "Dockerfile").read_text("utf-8")
    names = re.findall(r"dockerTag: '([^']+)'", manifest)
    names += re.findall(r"^ARG BASE_IMAGE=(\S+)", dockerfile, re.MULTILINE)
    return [
        {"type": "container", "name": name, "version": tag}
        for name, _, tag in (image.rpartition(":") for image in names)
    ]


def document() -> dict[str, object]:
    """Return the whole document; it holds no time and no serial number."""
    version = (ROOT / "VERSION").read_text("utf-8").strip()
    parts = [*python_parts(), *node_parts(), *image_parts()]
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {
            "component": {"type": "application", "name": "spark-control", "version": version}
        },
        "components": sorted(parts, key=lambda part: (str(part.get("purl", "~")), part["name"])),
    }


def _part(kind: str, path: str, version: str, name: str | None = None) -> dict[str, object]:
    purl = f"pkg:{kind}/{path}@{version}"
    return {"type": "library", "name": name or path, "version": version, "purl": purl}


if __name__ == "__main__":
    print(json.dumps(document(), indent=1))
