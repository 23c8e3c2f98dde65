"""One Spark's software as last seen, and what it means in plain words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from spark_swapper.updates.reply import CheckoutFound, Found

_FILES_NAMED = 5
_UNSEEN = {
    "missing": "{label} has no folder {directory}.",
    "no_git": "{label} has no git, so its software can neither be compared nor updated.",
    "no_repository": "{directory} on {label} is not a git checkout, so it cannot be updated. "
    "Clone spark-vllm-docker there again.",
    "unsafe": "Git on {label} refuses {directory}, because it belongs to another user. On that "
    "Spark run: git config --global --add safe.directory {directory}",
    "broken": "Git on {label} cannot read {directory}: {said}",
    "empty": "{directory} on {label} has no commit yet.",
}


@dataclass(frozen=True)
class Sight:
    """What one Spark said last; ``fresh`` says whether that was to the latest question."""

    host: str
    label: str
    directory: str
    found: Found | None = None
    fresh: bool = False
    away: str | None = None
    """Why it could not be asked, in one sentence."""
    seen_at: datetime | None = None
    fetched_at: datetime | None = None
    """When its remote last answered; a failed fetch makes git forget that, but not us."""

    @property
    def checkout(self) -> CheckoutFound | None:
        """The checkout, if there is one to speak of."""
        return self.found.checkout if self.found is not None else None

    @property
    def has_checkout(self) -> bool:
        """Whether there is anything in the folder; a second Spark need not have it."""
        return self.found is not None and self.found.unseen != "missing"

    def problem(self) -> str | None:
        """Say why the checkout could not be looked at, or not be compared with its origin."""
        if self.away is not None:
            return self.away
        if self.found is None:
            return None
        if self.found.unseen is not None:
            said = last_line(self.found.said) or "it gives no reason."
            words = {"label": self.label, "directory": self.directory, "said": said}
            return _UNSEEN[self.found.unseen].format_map(words)
        checkout = self.found.checkout
        if checkout is not None and checkout.fetched is False:
            return f"{self.label} could not ask for news: {fetch_problem(checkout.fetch_said)}"
        return None

    def refusals(self) -> list[str]:
        """Say why this checkout cannot be moved forward, one sentence each; empty when it can."""
        if self.away is not None:
            return [self.away]
        if self.found is None:
            return [f"{self.label} was not looked at yet."]
        if self.found.unseen is not None:
            return [self.problem() or ""]
        checkout = self.found.checkout
        if checkout is None:
            return [f"{self.label} said nothing about its software."]
        return [*self._local_changes(checkout), *self._place(checkout)]

    def _local_changes(self, checkout: CheckoutFound) -> list[str]:
        if not checkout.dirty:
            return []
        more = len(checkout.dirty) - _FILES_NAMED + checkout.dirty_more
        names = named(checkout.dirty[:_FILES_NAMED]) + (f" and {more} more" if more > 0 else "")
        return [
            f"{self.label} has local changes in {self.directory}: {names}. "
            "An update would lose them. Undo, commit or move them away there first."
        ]

    def _place(self, checkout: CheckoutFound) -> list[str]:
        where = f"{self.directory} on {self.label}"
        if checkout.branch is None:
            return [f"{where} is not on a branch. Run there: git checkout main"]
        if checkout.upstream is None or checkout.ahead is None or checkout.behind is None:
            return [f"The branch {checkout.branch} of {where} does not follow a remote branch."]
        if checkout.ahead and checkout.behind:
            return [
                f"{where} and its origin went different ways: {commits(checkout.ahead)} of its "
                f"own, {commits(checkout.behind)} missing. Put that right there by hand."
            ]
        if checkout.ahead:
            return [f"{where} has {commits(checkout.ahead)} that its origin does not have."]
        return []


def fetch_problem(said: str) -> str:
    """Say in plain words why a fetch failed."""
    folded = said.casefold()
    if "could not resolve host" in folded or "failed to connect" in folded:
        return "the site of the software cannot be reached. Check the internet connection."
    if "no end within" in folded or "timed out" in folded:
        return "the site of the software did not answer in time."
    if "terminal prompts disabled" in folded or "authentication failed" in folded:
        return "the site of the software asks for a password; the repository is not public."
    if "unable to access" in folded or "could not read from remote" in folded:
        return "the site of the software cannot be reached."
    return f"git said: {last_line(said)}" if said.strip() else "git gave no reason."


def last_line(text: str) -> str:
    """Return the last line that says something, shortened."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:200] if lines else ""


def named(names: Sequence[str]) -> str:
    """Join names for a sentence, without control characters."""
    return ", ".join("".join(c if c.isprintable() else "?" for c in name)[:120] for name in names)


def commits(number: int) -> str:
    """Return ``1 commit`` or ``3 commits``."""
    return "1 commit" if number == 1 else f"{number} commits"
