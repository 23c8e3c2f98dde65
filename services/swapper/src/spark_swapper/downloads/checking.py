"""What a download would do, found out before anything is fetched."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from spark_common.contracts.downloads import DownloadPlace
from spark_common.contracts.swaps import Cause
from spark_common.errors import SparkError
from spark_swapper.downloads import words
from spark_swapper.downloads.hub_words import cause_of, read_dry_run
from spark_swapper.downloads.sparks import DownloadSparks, Facts
from spark_swapper.hosts import Hosts
from spark_swapper.scan.reply import DiskCopy, Look

RESERVE_BYTES = 10_000_000_000
"""What has to stay free on a Spark's disk: docker, logs and the system need it."""
_NO_WEIGHTS = "(no weight file)"


@dataclass(frozen=True)
class Checked:
    """What was found. ``cause`` is why it cannot be done; None when it can."""

    places: tuple[DownloadPlace, ...]
    source: str | None = None
    must_fetch: bool = True
    repo_bytes: int | None = None
    size_source: str = "unknown"
    missing_bytes: int | None = None
    """Of what has to be fetched from the hub."""
    facts: Mapping[str, Facts] | None = None
    cause: Cause | None = None


@dataclass(frozen=True)
class Verdict:
    """What lies on one Spark after a download."""

    whole: bool
    size_bytes: int
    missing: tuple[str, ...] = ()
    weights: bool = True
    """False for a repository that holds none: nothing that vLLM could load, but whole."""


class Checking:
    """Looks at the Sparks and asks the hub."""

    def __init__(
        self,
        sparks: DownloadSparks,
        hosts: Hosts,
        expected_bytes: Callable[[str], int | None],
    ) -> None:
        """``expected_bytes`` tells what the recipe of a repository expects, if it says so."""
        self._sparks = sparks
        self._hosts = hosts
        self._expected_bytes = expected_bytes

    async def verdicts(self, repo: str) -> Mapping[str, Verdict]:
        """Look at the disks after a download; hosts that did not answer are left out."""
        await self._hosts.look()
        return {
            sight.spark.name: _verdict(_copy_in(sight.look, repo))
            for sight in self._hosts.sights
            if sight.look is not None and sight.fresh
        }

    async def check(self, repo: str, hosts: Sequence[str]) -> Checked:
        """Find out what there is and what is to be done. Touches nothing; never raises."""
        _, *answers = await asyncio.gather(
            self._hosts.look(), *(self._facts(host, repo) for host in self._sparks.names)
        )
        facts = {
            host: answer
            for host, answer in zip(self._sparks.names, answers, strict=True)
            if isinstance(answer, Facts)
        }
        away = {
            host: answer
            for host, answer in zip(self._sparks.names, answers, strict=True)
            if isinstance(answer, str)
        }
        states = self._states(repo)
        places = tuple(self._place(host, facts, away, states) for host in hosts)
        whole = [host for host in self._sparks.names if states.get(host) == "ready"]
        whole = [host for host in whole if host in facts]
        if whole:
            size = facts[whole[0]].measure.whole_bytes
            checked = Checked(places, whole[0], False, size, "disk", 0, facts)
            return self._with_space(checked, hosts)
        up = [host for host in hosts if host in facts]
        if not up:
            return Checked(places, cause=_nobody(list(away.values())))
        return self._with_space(await self._ask(repo, up[0], places, facts), hosts)

    async def _facts(self, host: str, repo: str) -> Facts | str:
        try:
            return await self._sparks.facts(host, repo)
        except SparkError as error:
            return error.message

    async def _ask(
        self,
        repo: str,
        source: str,
        places: tuple[DownloadPlace, ...],
        facts: Mapping[str, Facts],
    ) -> Checked:
        label = self._sparks.label(source)
        try:
            said = await self._sparks.ask_hub(source, repo)
        except SparkError as error:
            return Checked(places, source, facts=facts, cause=_nobody([error.message]))
        text = said.stdout + said.stderr
        if not said.ok:
            cause = cause_of(text, repo, label, said.exit_code)
            return Checked(places, source, facts=facts, cause=cause)
        missing = read_dry_run(text)
        if missing is not None:
            size = facts[source].measure.whole_bytes + missing.size_bytes
            return Checked(places, source, True, size, "hub", missing.size_bytes, facts)
        expected = self._expected_bytes(repo)
        if expected is not None:
            left = max(0, expected - facts[source].measure.whole_bytes)
            return Checked(places, source, True, expected, "recipe", left, facts)
        return Checked(places, source, True, facts=facts)

    def _with_space(self, checked: Checked, hosts: Sequence[str]) -> Checked:
        """Add what will be free on each Spark, and the reason when that is too little."""
        places, cause = [], checked.cause
        for place in checked.places:
            facts = (checked.facts or {}).get(place.host)
            if facts is None or place.state == "ready":
                places.append(place)
                continue
            free = facts.measure.free_bytes
            missing = None
            if checked.repo_bytes is not None:
                missing = max(0, checked.repo_bytes - facts.measure.whole_bytes)
            after = free - missing if free is not None and missing is not None else None
            left = after if after is not None else free
            problem = None
            if left is not None and left < RESERVE_BYTES:
                problem = _no_room(place.label, missing, free or 0)
                cause = cause or _space_cause(problem)
            places.append(
                place.model_copy(
                    update={
                        "total_bytes": checked.repo_bytes,
                        "free_after_bytes": after,
                        "problem": place.problem or problem,
                    }
                )
            )
        return Checked(
            tuple(places),
            checked.source,
            checked.must_fetch,
            checked.repo_bytes,
            checked.size_source,
            checked.missing_bytes,
            checked.facts,
            cause,
        )

    def _place(
        self,
        host: str,
        facts: Mapping[str, Facts],
        away: Mapping[str, str],
        states: Mapping[str, str],
    ) -> DownloadPlace:
        label = self._sparks.label(host)
        found = facts.get(host)
        if found is None:
            why = away.get(host, f"{label} does not answer")
            return DownloadPlace(host=host, label=label, state="unknown", problem=why)
        measure = found.measure
        state = "partial" if measure.bytes else "absent"
        ready = states.get(host) == "ready"
        return DownloadPlace.model_validate(
            {
                "host": host,
                "label": label,
                "state": "ready" if ready else state,
                "done_bytes": measure.whole_bytes if ready else measure.bytes,
                "total_bytes": measure.whole_bytes if ready else None,
                "free_bytes": measure.free_bytes,
                "free_after_bytes": measure.free_bytes if ready else None,
            }
        )

    def _states(self, repo: str) -> dict[str, str]:
        """Return the state of the copy on every host that answered the last look."""
        states: dict[str, str] = {}
        for sight in self._hosts.sights:
            copy = _copy_in(sight.look, repo) if sight.look is not None and sight.fresh else None
            if copy is not None:
                states[sight.spark.name] = copy.state
        return states


def _copy_in(look: Look, repo: str) -> DiskCopy | None:
    folded = repo.casefold()
    return next((copy for copy in look.copies if copy.repo.casefold() == folded), None)


def _verdict(copy: DiskCopy | None) -> Verdict:
    if copy is None:
        return Verdict(False, 0, ("(nothing is there)",))
    # A partial file that was left behind just now makes the scan say "downloading".
    lacks = tuple(name for name in copy.missing if name != _NO_WEIGHTS)
    whole = not lacks and copy.size_bytes > 0 and copy.state != "no_snapshot"
    return Verdict(whole, copy.size_bytes, lacks, weights=_NO_WEIGHTS not in copy.missing)


def _nobody(reasons: Sequence[str]) -> Cause:
    return Cause(
        code="host_unreachable",
        sentence="No Spark that shall have it answers.",
        action="Look at the Sparks, then press Download again.",
        evidence=list(reasons)[:4],
    )


def _no_room(label: str, missing: int | None, free: int) -> str:
    needed = f"{words.size(missing)} are needed and " if missing is not None else ""
    return (
        f"{label} has not enough room: {needed}{words.size(free)} are free, of which "
        f"{words.size(RESERVE_BYTES)} stay reserved."
    )


def _space_cause(problem: str) -> Cause:
    action = "Delete a model that is not needed, then press Download again."
    return Cause(code="no_space", sentence=problem, action=action)
