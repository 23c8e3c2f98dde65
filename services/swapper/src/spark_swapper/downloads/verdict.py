"""What lies of a repository on a Spark, as the scan of its disk says. Pure."""

from dataclasses import dataclass

from spark_swapper.scan.reply import DiskCopy, Look

_NO_WEIGHTS = "(no weight file)"


@dataclass(frozen=True)
class Verdict:
    """What lies on one Spark after a download."""

    whole: bool
    size_bytes: int
    missing: tuple[str, ...] = ()
    weights: bool = True
    """False for a repository that holds none: nothing that vLLM could load, but whole."""


def copy_in(look: Look, repo: str) -> DiskCopy | None:
    """Return the copy of a repository, however it was spelt."""
    folded = repo.casefold()
    return next((copy for copy in look.copies if copy.repo.casefold() == folded), None)


def verdict(copy: DiskCopy | None) -> Verdict:
    """Judge a copy after its download."""
    if copy is None:
        return Verdict(False, 0, ("(nothing is there)",))
    # A partial file that was left behind just now makes the scan say "downloading".
    lacks = tuple(name for name in copy.missing if name != _NO_WEIGHTS)
    whole = not lacks and copy.size_bytes > 0 and copy.state != "no_snapshot"
    return Verdict(whole, copy.size_bytes, lacks, weights=_NO_WEIGHTS not in copy.missing)
