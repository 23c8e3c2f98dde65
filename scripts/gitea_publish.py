"""Publishes a folder as a release of a Gitea: a draft first, so that nobody sees half of it.

Run again after a failure it takes up its own draft; a release that is out is never changed.
"""

import json
import os
import re
import secrets
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
_SECONDS = 600
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """The token goes to the server that was named, and nowhere else."""

    def redirect_request(self, *_: Any) -> None:
        return None


class Gitea:
    """The few calls of its API that a release takes."""

    def __init__(self, url: str, repo: str, token: str) -> None:
        parts = urllib.parse.urlsplit(url)
        if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
            sys.exit("GITEA_URL must begin with https://: the token would be readable on the way")
        if not re.fullmatch(r"[\w.-]+/[\w.-]+", repo):
            sys.exit("GITEA_REPO must look like owner/name")
        self._base = f"{url.rstrip('/')}/api/v1/repos/{repo}/releases"
        self._token = token
        self._opener = urllib.request.build_opener(_NoRedirect)

    def call(
        self,
        method: str,
        path: str = "",
        body: bytes | None = None,
        kind: str = "application/json",
    ) -> Any:
        request = urllib.request.Request(self._base + path, body, method=method)
        request.add_header("Authorization", f"token {self._token}")
        request.add_header("Accept", "application/json")
        if body is not None:
            request.add_header("Content-Type", kind)
        try:
            with self._opener.open(request, timeout=_SECONDS) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            sys.exit(f"the Gitea answered {error.code} to {method} releases{path}")
        except OSError as error:
            reason = getattr(error, "reason", error)
            sys.exit(f"the Gitea cannot be reached: {reason}")
        return json.loads(text) if text.strip() else None

    def find(self, tag: str) -> dict[str, Any] | None:
        """Return the release of a tag, drafts included."""
        page = 1
        while releases := self.call("GET", f"?limit=50&page={page}"):
            for release in releases:
                if release["tag_name"] == tag:
                    return dict(release)
            page += 1
        return None

    def upload(self, release: int, file: Path) -> None:
        mark = secrets.token_hex(16)
        head = (
            f'--{mark}\r\nContent-Disposition: form-data; name="attachment"; '
            f'filename="{file.name}"\r\nContent-Type: application/octet-stream\r\n\r\n'
        )
        body = head.encode() + file.read_bytes() + f"\r\n--{mark}--\r\n".encode()
        name = urllib.parse.quote(file.name)
        kind = f"multipart/form-data; boundary={mark}"
        self.call("POST", f"/{release}/assets?name={name}", body, kind)


def notes(version: str, *, dry: bool) -> str:
    """Return the section of the changelog for a version."""
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    for title in (version, "Unreleased") if dry else (version,):
        found = re.search(
            rf"^## \[?{re.escape(title)}\]?[^\n]*\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL
        )
        if found and found[1].strip():
            return found[1].strip()
    sys.exit(f"CHANGELOG.md has no section {version}: rename Unreleased")


def publish(gitea: Gitea, tag: str, body: str, files: list[Path]) -> None:
    """Make or take up the draft, fill it, and let it out."""
    wanted = {"tag_name": tag, "name": tag, "body": body, "target_commitish": _commit()}
    release = gitea.find(tag)
    if release is not None and not release["draft"]:
        sys.exit(f"{tag} is out already: raise the version")
    if release is None:
        release = gitea.call("POST", "", json.dumps({**wanted, "draft": True}).encode())
    for asset in release.get("assets") or []:
        gitea.call("DELETE", f"/{release['id']}/assets/{asset['id']}")
    for file in files:
        print(f"sending {file.name}", flush=True)
        gitea.upload(release["id"], file)
    gitea.call("PATCH", f"/{release['id']}", json.dumps({**wanted, "draft": False}).encode())
    print(f"{tag} is out")


def _commit() -> str:
    asked = ["git", "rev-parse", "HEAD"]
    return subprocess.run(
        asked, cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.strip()


def main(arguments: list[str]) -> None:
    dry = arguments[:1] == ["--dry-run"]
    files = sorted(path for path in Path(arguments[-1]).iterdir() if path.is_file())
    version = (ROOT / "VERSION").read_text("utf-8").strip()
    tag = f"v{version}_0"
    body = notes(version, dry=dry)
    if dry:
        print(f"would publish {tag} of {_commit()[:12]}:\n\n{body[:400]}\n")
        for file in files:
            print(f"{file.stat().st_size:>12} {file.name}")
        return
    missing = [n for n in ("GITEA_URL", "GITEA_REPO", "GITEA_TOKEN") if not os.environ.get(n)]
    if missing:
        sys.exit(f"{missing[0]} is not set")
    gitea = Gitea(os.environ["GITEA_URL"], os.environ["GITEA_REPO"], os.environ["GITEA_TOKEN"])
    publish(gitea, tag, body, files)


if __name__ == "__main__":
    main(sys.argv[1:])
