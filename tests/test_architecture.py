"""The rules of the tree that no linter knows: who may import whom, and what is never committed."""

import ast
import re
import subprocess
import sys
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SERVICES = {
    "gateway": "spark_gateway",
    "swapper": "spark_swapper",
    "health": "spark_health",
    "audio-proxy": "spark_audio_proxy",
    "redaction": "spark_redaction",
    "coordinator": "spark_coordinator",
}
COMMON = ROOT / "libs/common/src/spark_common"
OURS = frozenset({*SERVICES.values(), "spark_common", "spark_sim", "spark_cli"})
MAX_LINES = 500
EXCUSE = "long because:"

PRIVATE_ADDRESS = re.compile(
    r"(?<![\d.])(?:10\.\d{1,3}|192\.168|172\.(?:1[6-9]|2\d|3[01])|169\.254"
    r"|100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7]))\.\d{1,3}\.\d{1,3}(?![\d.])"
)
REGISTRY = re.compile(
    r"(?i)\b(?:pypi\.(?:org|python\.org)|pythonhosted\.org|registry\.npmjs\.org|registry\.yarnpkg"
    r"\.com|static\.crates\.io|proxy\.golang\.org|artifactor[y]|nexus-repositor[y])\b"
    r"|--(?:extra-)?index-url|https?://[^\s\"')]*/simple\b"
)
MAIL = re.compile(r"[\w.+-]+@[\w-]+\.(?:com|net|org|io|dev|de|me)\b")
HOME = re.compile(r"/(?:home|Users)/([A-Za-z][\w.-]*)")
PLACEHOLDER_USERS = frozenset({"alice", "bob", "spark", "user", "you", "app", "nonroot"})
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
MARKUP_SINK = re.compile(r"\b(?:innerHTML|outerHTML|insertAdjacentHTML|document\.write)\b")
JUNK_DRAWERS = frozenset(
    {"utils.py", "util.py", "helpers.py", "helper.py", "manager.py", "base.py"}
)
BANNED_CLASS = re.compile(r"Manager|Helper|\AAbstract|\AI[A-Z][a-z]")
BANNED_FUNCTION = re.compile(r"\A(?:do|process)_")


@cache
def tracked() -> tuple[Path, ...]:
    """Files under version control that are there."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    return tuple(ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file())


@cache
def texts() -> tuple[tuple[str, str], ...]:
    """Path below the root and content of every tracked text file."""
    found = []
    for path in tracked():
        try:
            found.append((str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")))
        except UnicodeDecodeError:
            continue
    return tuple(found)


def places(pattern: re.Pattern[str], *, below: str = "", suffix: str = "") -> list[str]:
    """``path:line: text`` of every match in tracked text files."""
    found = []
    for name, text in texts():
        if not (name.startswith(below) and name.endswith(suffix)):
            continue
        for match in pattern.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            found.append(f"{name}:{line}: {match[0]}")
    return found


def sources(folder: Path) -> list[Path]:
    """Python files of a member's ``src``, never of its tests."""
    found = sorted(folder.rglob("*.py"))
    assert found, f"nothing to look at in {folder}"
    return found


@cache
def imports(path: Path) -> frozenset[str]:
    """Full names of the modules a file imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.add(node.module or "")
    return frozenset(names)


def tops(path: Path) -> set[str]:
    """First parts of the modules a file imports."""
    return {name.partition(".")[0] for name in imports(path)}


_OF_WORKERS = ("work.jobs", "scrub.detector", "scrub.registry", "scrub.recognisers.phone")
"""Of redaction, what its workers alone need: their jobs, and every recogniser."""


class TestImports:
    @pytest.mark.parametrize(("folder", "package"), SERVICES.items())
    def test_a_service_imports_the_common_library_and_itself_only(
        self, folder: str, package: str
    ) -> None:
        for path in sources(ROOT / "services" / folder / "src"):
            assert tops(path) & OURS <= {package, "spark_common"}, path

    def test_the_common_library_knows_no_member_and_no_web_framework_of_one(self) -> None:
        for path in sources(COMMON):
            assert tops(path) & OURS <= {"spark_common"}, path
            assert "fastapi" not in tops(path), path

    def test_the_simulator_knows_no_service(self) -> None:
        for path in sources(ROOT / "libs/sparksim/src"):
            assert tops(path) & OURS <= {"spark_sim", "spark_common"}, path

    def test_the_launcher_starts_services_and_imports_none(self) -> None:
        for path in sources(ROOT / "libs/cli/src"):
            assert not tops(path) & set(SERVICES.values()), path

    @pytest.mark.parametrize(
        ("library", "homes"),
        [
            ("nats", ("bus",)),
            ("nkeys", ("bus",)),
            ("asyncssh", ("remote/ssh", "testing/sshd.py")),
        ],
    )
    def test_a_wire_has_one_home(self, library: str, homes: tuple[str, ...]) -> None:
        users = [
            path
            for folder in (COMMON, ROOT / "services")
            for path in sources(folder)
            if "src" in path.parts and library in tops(path)
        ]
        assert users, f"nobody imports {library} any more"
        allowed = tuple(str(COMMON / home) for home in homes)
        assert [path for path in users if not str(path).startswith(allowed)] == []

    @pytest.mark.parametrize(
        ("read", "kept_out"),
        [
            ("spark_gateway.__main__", {"redis", "asyncssh", "av", "numpy"}),
            ("spark_redaction.work.jobs, spark_redaction.work.beginning", {"pydantic", "asyncio"}),
            ("spark_redaction.__main__", {f"spark_redaction.{name}" for name in _OF_WORKERS}),
        ],
    )
    def test_a_process_reads_no_library_that_it_does_not_use(
        self, read: str, kept_out: set[str]
    ) -> None:
        """Megabytes each, in every process that only has them because of another's import."""
        asked = [sys.executable, "-c", f"import sys, {read}; print(*sys.modules)"]
        told = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.split()
        assert set(told) & kept_out == set()

    def test_product_code_never_imports_the_test_doubles(self) -> None:
        for folder in (COMMON, ROOT / "services"):
            for path in sources(folder):
                if "src" in path.parts and "testing" not in path.parts:
                    doubles = {name for name in imports(path) if "spark_common.testing" in name}
                    assert not doubles, path


class TestTree:
    def test_no_tests_folder_is_a_package(self) -> None:
        """With importlib mode a second ``tests`` package silently hides the first one's tests."""
        assert [path for path in tracked() if path.name == "__init__.py" and in_tests(path)] == []

    def test_test_files_have_unique_names(self) -> None:
        names = Counter(path.name for path in tracked() if path.name.startswith("test_"))
        assert [name for name, count in names.items() if count > 1] == []

    def test_there_are_no_junk_drawers(self) -> None:
        assert [path for path in tracked() if path.name in JUNK_DRAWERS] == []

    def test_a_file_is_short_or_says_why_not(self) -> None:
        long = []
        for name, text in texts():
            lines = text.splitlines()
            if name.endswith((".py", ".js", ".css")) and len(lines) > MAX_LINES:
                excused = any(EXCUSE in line for line in lines[:10])
                long += [] if excused else [f"{name}: {len(lines)}"]
        assert long == []

    def test_names_say_what_a_thing_is(self) -> None:
        bad = []
        for path in tracked():
            if path.suffix != ".py" or "src" not in path.parts:
                continue
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.ClassDef) and BANNED_CLASS.search(node.name):
                    bad.append(f"{path}: {node.name}")
                if isinstance(
                    node, ast.FunctionDef | ast.AsyncFunctionDef
                ) and BANNED_FUNCTION.search(node.name):
                    bad.append(f"{path}: {node.name}")
        assert bad == []

    def test_every_link_to_a_file_leads_to_one(self) -> None:
        broken = []
        for name, text in texts():
            if not name.endswith(".md"):
                continue
            for match in LINK.finditer(FENCE.sub("", text)):
                target = (match[1] or match[2]).partition("#")[0].strip("<>")
                if not target or re.match(r"[a-z]+:", target):
                    continue
                if not ((ROOT / name).parent / target).exists():
                    broken.append(f"{name}: {target}")
        assert broken == []


class TestNeverCommitted:
    def test_no_private_address(self) -> None:
        assert places(PRIVATE_ADDRESS) == []

    def test_no_package_registry(self) -> None:
        assert places(REGISTRY) == []

    def test_no_mail_address(self) -> None:
        assert places(MAIL) == []

    def test_no_home_folder_of_a_person(self) -> None:
        found = places(HOME)
        assert [place for place in found if _owner(place) not in PLACEHOLDER_USERS] == []

    def test_no_markup_is_built_from_text_in_the_dashboard(self) -> None:
        assert places(MARKUP_SINK, below="services/gateway/src/", suffix=".js") == []

    def test_no_private_key(self) -> None:
        assert places(re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")) == []


class TestTheSearchItself:
    @pytest.mark.parametrize("parts", [(10, 0, 0, 1), (192, 168, 1, 7), (172, 20, 0, 3)])
    def test_private_addresses_are_seen(self, parts: tuple[int, ...]) -> None:
        assert PRIVATE_ADDRESS.search(f"host={'.'.join(map(str, parts))}:22")

    @pytest.mark.parametrize("text", ["127.0.0.11", "v1.10.2.3.4", "0.0.0.0", "172.15.0.1"])
    def test_other_numbers_are_let_through(self, text: str) -> None:
        assert PRIVATE_ADDRESS.search(text) is None

    def test_registries_and_people_are_seen(self) -> None:
        assert REGISTRY.search("https://" + "pypi" + ".org/simple")
        assert MAIL.search("write to someone" + "@" + "example.com")
        assert MARKUP_SINK.search("tile." + "inner" + "HTML = text")


class TestLocks:
    LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-litellm.lock")

    @pytest.mark.parametrize("name", LOCKS)
    def test_every_requirement_is_pinned_with_a_hash_and_names_no_address(self, name: str) -> None:
        text = (ROOT / name).read_text(encoding="utf-8")
        assert "://" not in text
        entries = [entry for entry in text.replace("\\\n", " ").splitlines() if entry[:1].isalpha()]
        assert len(entries) > 20
        assert [
            entry for entry in entries if "==" not in entry or "--hash=sha256:" not in entry
        ] == []

    def test_npm_locks_carry_integrity_and_no_address(self) -> None:
        for path in tracked():
            if path.name == "package-lock.json":
                text = path.read_text(encoding="utf-8")
                assert '"resolved": "http' not in text, path
                assert '"integrity": "sha512-' in text, path


def in_tests(path: Path) -> bool:
    """Whether a file lies in a tests folder."""
    return "tests" in path.relative_to(ROOT).parts


def _owner(place: str) -> str:
    found = HOME.search(place)
    assert found is not None
    return found[1].lower()
