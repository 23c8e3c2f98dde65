"""Ask whether any locked dependency has a known vulnerability; fail when one has.

    audit.py [PROGRAM]      pip-audit of .venv-audit unless another one is named

A database that cannot be reached is said to be so, and is no failure: a build without a network
is to work. A lock none of whose packages the database knows has not been audited either.
"""

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
LOCKS = ("requirements.lock", "requirements-dev.lock")
"""What the product runs on, and what it is built and tested with."""
AWAY = (
    "ConnectionError",
    "ConnectTimeout",
    "ReadTimeout",
    "ProxyError",
    "SSLError",
    "ServiceError",
)
"""How pip-audit's last words name a database that does not answer."""
SECONDS = 300


@dataclass(frozen=True)
class Answer:
    """What is known of one lock. ``asked`` of its packages the database knew."""

    lock: str
    asked: int = 0
    unknown: int = 0
    away: str = ""
    found: tuple[str, ...] = ()

    def sentence(self) -> str:
        """Return one line for a person."""
        if self.found:
            return f"{self.lock}: {len(self.found)} known vulnerabilities"
        if self.away:
            return (
                f"{self.lock}: not audited, the advisory database cannot be reached ({self.away})"
            )
        rest = f", {self.unknown} it does not know" if self.unknown else ""
        return f"{self.lock}: no known vulnerability in {self.asked} packages{rest}"


def ask_pip_audit(program: str, lock: str) -> Answer:
    """Audit a lock of Python; raises SystemExit when pip-audit itself does not work."""
    done = subprocess.run(
        [program, "--requirement", lock, "--no-deps", "--disable-pip", "--format", "json",
         "--progress-spinner", "off"],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=SECONDS,
    )  # fmt: skip
    try:
        packages: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError, TypeError):
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1][:200]
        if any(word in done.stderr for word in AWAY):
            return Answer(lock, away=last)
        raise SystemExit(f"pip-audit does not work: {last}") from None
    known = [one for one in packages if "skip_reason" not in one]
    found = tuple(
        f"{one['name']} {one['version']}: {flaw['id']}, repaired in "
        f"{', '.join(flaw['fix_versions']) or 'no version yet'}"
        for one in known
        for flaw in one["vulns"]
    )
    unknown = len(packages) - len(known)
    away = "it knows none of these packages" if packages and not known else ""
    return Answer(lock, len(known), unknown, away, found)


def ask_npm(program: str) -> Answer:
    """Audit the lock of the StartOS package."""
    lock = "startos/package-lock.json"
    done = subprocess.run(
        [program, "audit", "--package-lock-only", "--json"],
        cwd=ROOT / "startos", capture_output=True, text=True, check=False, timeout=SECONDS,
    )  # fmt: skip
    try:
        told = json.loads(done.stdout)
    except ValueError:
        return Answer(lock, away="npm gave no report")
    if "vulnerabilities" not in told:
        return Answer(lock, away=str(told.get("message", "npm gave no report"))[:200])
    asked = int(told["metadata"]["dependencies"]["total"])
    flaws = told["vulnerabilities"].values()
    return Answer(lock, asked, found=tuple(f"{one['name']}: {one['severity']}" for one in flaws))


def main(program: str) -> int:
    """Audit every lock; return 1 when something is known to be vulnerable."""
    answers = [ask_pip_audit(program, lock) for lock in LOCKS]
    npm = shutil.which("npm")
    if npm is not None:
        answers.append(ask_npm(npm))
    for answer in answers:
        print(answer.sentence())
        for line in answer.found:
            print(f"  {line}")
    return int(any(answer.found for answer in answers))


if __name__ == "__main__":
    sys.exit(main(*(sys.argv[1:] or [str(ROOT / ".venv-audit/bin/pip-audit")])))
