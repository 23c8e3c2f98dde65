"""Releases against a Gitea that stands in: what it is told, what it never is, what comes back."""

import hashlib
import json
import os
import re
import subprocess
import threading
import tomllib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
SCRIPTS = ROOT / "scripts"
TOKEN = "a-token-nobody-may-read"
VERSION = (ROOT / "VERSION").read_text().strip()
TAG = f"v{VERSION}_0"


class Gitea(ThreadingHTTPServer):
    """Keeps releases as a Gitea does; drafts are seen by those who may write."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.releases: list[dict[str, Any]] = []
        self.files: dict[str, bytes] = {}
        self.calls: list[str] = []
        self.refuse_uploads_of = ""
        self.assets_of = ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: Gitea

    def log_message(self, *_: Any) -> None: ...

    def _send(self, code: int, body: object = None) -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(code)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path, _, query = self.path.partition("?")
        self.server.calls.append(f"{self.command} {path}")
        if self.headers.get("Authorization") != f"token {TOKEN}":
            return self._send(401)
        rest = path.removeprefix("/api/v1/repos/alice/spark-control/releases")
        match (self.command, rest.strip("/").split("/")):
            case "GET", ["latest"]:
                out = [one for one in self.server.releases if not one["draft"]]
                return self._send(200, out[-1]) if out else self._send(404)
            case "GET", [""]:
                return self._send(200, self.server.releases if "page=1" in query else [])
            case "GET", ["files", name]:
                return self._send(200, self.server.files[name])
            case "POST", [""]:
                made = {**json.loads(body), "id": 7, "assets": []}
                self.server.releases.append(made)
                return self._send(201, made)
            case "POST", ["7", "assets"]:
                return self._keep(query.removeprefix("name="), body)
            case "DELETE", ["7", "assets", number]:
                release = self.server.releases[0]
                release["assets"] = [a for a in release["assets"] if str(a["id"]) != number]
                return self._send(204, b"")
            case "PATCH", ["7"]:
                self.server.releases[0] |= json.loads(body)
                return self._send(200, self.server.releases[0])
        return self._send(404)

    def _keep(self, name: str, body: bytes) -> None:
        if name == self.server.refuse_uploads_of:
            return self._send(500)
        mark = str(self.headers["Content-Type"]).partition("boundary=")[2].encode()
        head, _, rest = body.partition(b"\r\n\r\n")
        assert mark in head
        self.server.files[name] = rest[: -len(mark) - 8]
        base = self.server.assets_of or self.server.url
        where = f"{base}/api/v1/repos/alice/spark-control/releases/files/{name}"
        number = len(self.server.calls)
        self.server.releases[0]["assets"].append(
            {"id": number, "name": name, "browser_download_url": where}
        )
        return self._send(201, {})

    do_GET = do_POST = do_PATCH = do_DELETE = _answer  # noqa: N815 the names of http.server


@pytest.fixture
def gitea() -> Iterator[Gitea]:
    with Gitea() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    folder = tmp_path / "packages"
    folder.mkdir()
    for arch in ("x86_64", "aarch64"):
        (folder / f"spark-control_{arch}.s9pk").write_bytes(arch.encode() + bytes(range(256)))
    return folder


def environment(gitea: Gitea, **changes: str) -> dict[str, str]:
    named = {"GITEA_URL": gitea.url, "GITEA_REPO": "alice/spark-control", "GITEA_TOKEN": TOKEN}
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return {**kept, **named, **changes}


def run(*command: str | Path, env: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    done = subprocess.run(command, capture_output=True, text=True, env=env, timeout=120)
    assert TOKEN not in done.stdout + done.stderr
    return done


def publish(gitea: Gitea, packages: Path, **changes: str) -> "subprocess.CompletedProcess[str]":
    """Run what talks to the Gitea, with a section for this version in a changelog of its own."""
    root = packages.parent / "checkout"
    if not root.exists():
        (root / "scripts").mkdir(parents=True)
        (root / "scripts" / "gitea_publish.py").symlink_to(SCRIPTS / "gitea_publish.py")
        (root / "VERSION").write_text(VERSION)
        (root / "CHANGELOG.md").write_text(
            f"## Unreleased\n\nno\n\n## {VERSION}\n\n- New.\n\n## 0\n"
        )
        git = ["git", "-c", "user.name=Alice", "-c", "user.email=a", "-C", str(root)]
        subprocess.run([*git, "init", "-q"], check=True)
        subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "one"], check=True)
    script = root / "scripts" / "gitea_publish.py"
    return run("python3", script, packages, env=environment(gitea, **changes))


def pull(gitea: Gitea, where: Path, arch: str = "x86_64") -> "subprocess.CompletedProcess[str]":
    return run(SCRIPTS / "pull-latest.sh", where, arch, env=environment(gitea))


def with_sums(packages: Path) -> Path:
    lines = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n"
        for path in sorted(packages.glob("*.s9pk"))
    ]
    (packages / "SHA256SUMS").write_text("".join(lines))
    return packages


def test_a_release_is_a_draft_until_all_of_it_is_there(gitea: Gitea, packages: Path) -> None:
    done = publish(gitea, with_sums(packages))
    assert done.returncode == 0, done.stderr
    release = gitea.releases[0]
    assert (release["tag_name"], release["body"], release["draft"]) == (TAG, "- New.", False)
    assert re.fullmatch(r"[0-9a-f]{40}", release["target_commitish"])
    assert gitea.files == {path.name: path.read_bytes() for path in packages.iterdir()}
    assert gitea.calls[-1].startswith("PATCH")


def test_what_broke_off_is_taken_up_and_what_is_out_is_not_changed(
    gitea: Gitea, packages: Path
) -> None:
    with_sums(packages)
    gitea.refuse_uploads_of = "spark-control_x86_64.s9pk"
    failed = publish(gitea, packages)
    assert failed.returncode != 0
    assert "500" in failed.stderr
    assert gitea.releases[0]["draft"] is True
    gitea.refuse_uploads_of = ""
    assert publish(gitea, packages).returncode == 0
    assert sorted(a["name"] for a in gitea.releases[0]["assets"]) == sorted(gitea.files)
    again = publish(gitea, packages)
    assert again.returncode != 0
    assert "is out already" in again.stderr


def test_a_wrong_token_and_a_plain_address_are_refused(gitea: Gitea, packages: Path) -> None:
    wrong = publish(gitea, packages, GITEA_TOKEN="wrong")
    assert "401" in wrong.stderr
    calls = len(gitea.calls)
    plain = publish(gitea, packages, GITEA_URL="http://gitea.example")
    assert "https://" in plain.stderr
    assert "GITEA_TOKEN is not set" in publish(gitea, packages, GITEA_TOKEN="").stderr
    assert len(gitea.calls) == calls


def test_a_dry_run_builds_everything_and_sends_nothing(gitea: Gitea, packages: Path) -> None:
    script = SCRIPTS / "gitea-release.sh"
    done = run(script, "--dry-run", "--artifacts", packages, env=environment(gitea))
    assert done.returncode == 0, done.stderr
    assert TAG in done.stdout
    assert gitea.calls == []
    sums = (packages / "SHA256SUMS").read_text().splitlines()
    assert len(sums) == 3
    for line in sums:
        digest, name = line.split()
        assert hashlib.sha256((packages / name).read_bytes()).hexdigest() == digest
    bom = json.loads((packages / "sbom.cdx.json").read_text())
    assert (bom["bomFormat"], bom["metadata"]["component"]["version"]) == ("CycloneDX", VERSION)
    names = {part["name"] for part in bom["components"]}
    assert {"pydantic", "@start9labs/start-sdk", "nats", "valkey/valkey"} <= names


def test_an_adopter_gets_the_newest_whole_and_once(
    gitea: Gitea, packages: Path, tmp_path: Path
) -> None:
    assert publish(gitea, with_sums(packages)).returncode == 0
    where = tmp_path / "adopted"
    for arch in ("x86_64", "aarch64"):
        name = f"spark-control_{arch}.s9pk"
        assert pull(gitea, where, arch).returncode == 0
        assert (where / name).read_bytes() == (packages / name).read_bytes()
    calls = len(gitea.calls)
    again = pull(gitea, where)
    assert "is the newest" in again.stdout
    assert not [c for c in gitea.calls[calls:] if c.endswith(".s9pk")]
    assert sorted(path.name for path in where.iterdir()) == sorted(
        path.name for path in packages.glob("*.s9pk")
    )


def test_what_is_not_what_the_sums_say_is_thrown_away(
    gitea: Gitea, packages: Path, tmp_path: Path
) -> None:
    assert publish(gitea, with_sums(packages)).returncode == 0
    where = tmp_path / "adopted"
    where.mkdir()
    (where / "spark-control_x86_64.s9pk").write_bytes(b"the one before")
    gitea.files["spark-control_x86_64.s9pk"] += b"more"
    failed = pull(gitea, where)
    assert failed.returncode != 0
    assert "nothing was changed" in failed.stderr
    assert [path.read_bytes() for path in where.iterdir()] == [b"the one before"]


def test_the_token_of_an_adopter_goes_to_no_other_server(
    gitea: Gitea, packages: Path, tmp_path: Path
) -> None:
    gitea.assets_of = "http://127.0.0.2:9"
    assert publish(gitea, with_sums(packages)).returncode == 0
    assert "another server" in pull(gitea, tmp_path / "adopted").stderr


@pytest.mark.parametrize("script", ["gitea-release.sh", "pull-latest.sh"])
def test_no_script_puts_the_token_into_arguments(script: str) -> None:
    for line in (SCRIPTS / script).read_text().splitlines():
        if "GITEA_TOKEN" in line and not line.startswith("#"):
            assert "printf" in line  # which the shell does itself


def test_the_version_is_the_same_everywhere() -> None:
    members = [*ROOT.glob("libs/*/pyproject.toml"), *ROOT.glob("services/*/pyproject.toml")]
    found = {tomllib.loads(path.read_text())["project"]["version"] for path in members}
    assert found == {VERSION}
    current = (ROOT / "startos/startos/versions/current.ts").read_text()
    assert re.findall(r"version: '([0-9.]+):\d+'", current) == [VERSION]


def test_the_licence_of_the_package_is_that_of_the_product() -> None:
    assert (ROOT / "startos/LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()


def test_what_others_made_is_named_with_its_version() -> None:
    notices = (ROOT / "THIRD_PARTY.md").read_text()
    text = (ROOT / "requirements.lock").read_text()
    pinned = re.findall(r"^([A-Za-z0-9_.-]+)(?:\[[^\]]*\])?==([^ ;\\]+)", text, re.MULTILINE)
    assert len(pinned) > 20
    assert [name for name, version in pinned if f"| {name} | {version} |" not in notices] == []
    lock = json.loads((ROOT / "startos/package-lock.json").read_text())["packages"]
    bundled = [
        (path.rpartition("node_modules/")[2], one["version"])
        for path, one in lock.items()
        if path and "version" in one and not one.get("dev")
    ]
    assert [one for one in bundled if f"| {one[0]} | {one[1]} |" not in notices] == []


def test_the_labels_of_the_image_tell_the_commit_and_no_time() -> None:
    dockerfile = (ROOT / "deploy/Dockerfile").read_text()
    for label in ("title", "version", "revision", "licenses"):
        assert f"org.opencontainers.image.{label}=" in dockerfile
    assert "image.created" not in dockerfile
    makefile = (ROOT / "Makefile").read_text()
    assert "--build-arg VERSION=" in makefile
    assert "--build-arg REVISION=" in makefile
