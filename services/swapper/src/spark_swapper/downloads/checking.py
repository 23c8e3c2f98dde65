"""What a download would do, found out before anything is fetched."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from spark_common.contracts.downloads import DownloadPlace
from spark_common.contracts.swaps import Cause
from spark_common.errors import SparkError
from spark_swapper.downloads.hub_words import cause_of, read_dry_run
from spark_swapper.downloads.sparks import DownloadSparks, Facts
from spark_swapper.downloads.verdict import Verdict, copy_in, verdict
from spark_swapper.menu.hosts import Hosts


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
            sight.spark.name: verdict(copy_in(sight.look, repo))
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
            return Checked(places, whole[0], False, size, "disk", 0, facts)
        up = [host for host in hosts if host in facts]
        if not up:
            return Checked(places, cause=_nobody(list(away.values())))
        return await self._ask(repo, up[0], places, facts)

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
            copy = copy_in(sight.look, repo) if sight.look is not None and sight.fresh else None
            if copy is not None:
                states[sight.spark.name] = copy.state
        return states


def _nobody(reasons: Sequence[str]) -> Cause:
    return Cause(
        code="host_unreachable",
        sentence="No Spark that shall have it answers.",
        action="Look at the Sparks, then press Download again.",
        evidence=list(reasons)[:4],
    )
