"""Looks before anything is touched: a swap that cannot work leaves the old model serving."""

import asyncio
from collections.abc import Sequence

from spark_common.clock import Clock
from spark_common.contracts.plans import NodePlan
from spark_common.errors import (
    HostKeyChangedError,
    HostUnreachableError,
    SparkError,
    UnavailableError,
)
from spark_swapper import causes
from spark_swapper.causes import SwapFault
from spark_swapper.guarding.checks import Check, Findings
from spark_swapper.guarding.headroom import memory_share, room_for, room_sentence
from spark_swapper.guarding.quarantining import Quarantining
from spark_swapper.launching.candidate import Candidate
from spark_swapper.launching.launcher import LauncherFeatures, adapt, line_of
from spark_swapper.ports import Preflight
from spark_swapper.runtime import Finding, HostCheck, Runtime, Served


class Preflighting:
    """Every check of a candidate; what can only be doubted does not refuse.

    The hosts are asked at once, each in one round trip, while vLLM's parser reads the arguments.
    """

    def __init__(
        self, runtime: Runtime, preflight: Preflight, quarantining: Quarantining, clock: Clock
    ) -> None:
        self._runtime = runtime
        self._preflight = preflight
        self._quarantining = quarantining
        self._clock = clock

    async def check(self, candidate: Candidate) -> list[str]:
        """Return the doubts as sentences; raises SwapFault for what is certain to fail."""
        parsing = asyncio.create_task(self._parse(candidate, deep=False))
        try:
            found = await self._survey(candidate)
            if not found.causes:
                found = Findings((*found.checks, await parsing), found.nodes)
        finally:
            parsing.cancel()
            await asyncio.gather(parsing, return_exceptions=True)
        if found.causes:
            raise SwapFault(found.causes[0])
        return found.doubts

    async def look(self, candidate: Candidate, *, deep: bool = False) -> Findings:
        """Return the answers of all checks, however bad. ``deep``: read its configuration too."""
        survey, arguments = await asyncio.gather(
            self._survey(candidate), self._parse(candidate, deep=deep)
        )
        return Findings((*survey.checks, arguments), survey.nodes)

    async def launch_line(self, candidate: Candidate) -> str:
        """Return the line that a swap would run on the head.

        Of a Spark that does not answer, and of a launcher that cannot do it, the line of a
        current launcher.
        """
        try:
            return await self._runtime.launch_line(candidate)
        except (SparkError, SwapFault):
            return line_of(adapt(candidate, LauncherFeatures()))

    async def serving_now(self) -> Served | None:
        """Return the model that answers on any host; None when none does."""
        answers = await asyncio.gather(
            *(self._runtime.served(host) for host in self._runtime.hosts)
        )
        return next((served for served in answers if served is not None), None)

    async def _survey(self, candidate: Candidate) -> Findings:
        """Return everything but what vLLM's parser says."""
        quarantine, checks = await asyncio.gather(
            self._quarantine(candidate),
            asyncio.gather(*(self._check_host(candidate, host) for host in candidate.hosts)),
        )
        found = [quarantine]
        found += [check for host, _ in checks for check in host]
        seen = [check for _, check in checks if check is not None]
        found += self._images(candidate, seen)
        memory, nodes = self._memory(candidate, seen)
        return Findings((*found, *memory), nodes)

    async def _quarantine(self, candidate: Candidate) -> Check:
        try:
            held = await self._quarantining.held(candidate.key)
        except UnavailableError:
            unread = f"Whether {candidate.name} is in quarantine could not be read."
            return Check("quarantine", "unknown", unread)
        if held is None:
            return Check("quarantine", "good", f"{candidate.name} is not in quarantine.")
        cause = causes.quarantined(candidate.name, held)
        return Check("quarantine", "bad", cause.sentence, held.host, cause)

    async def _check_host(
        self, candidate: Candidate, host: str
    ) -> tuple[list[Check], HostCheck | None]:
        began = self._clock.monotonic()
        try:
            seen = await self._runtime.check(candidate, host)
        except (HostKeyChangedError, HostUnreachableError) as error:
            cause = causes.refused(error)
            return [Check("hosts", "bad", cause.sentence, host, cause)], None
        except SparkError as error:
            unclear = f"{self._runtime.label(host)} could not be checked: {error.message}."
            return [Check("hosts", "unknown", unclear, host)], None
        took = round(self._clock.monotonic() - began, 3)
        answers = f"{self._runtime.label(host)} answers."
        reached = [Check("hosts", "good", answers, host, seconds=took)]
        if any(one.name == "hosts" for one in seen.findings):
            reached = []
        return reached + [_of_host(one, host) for one in seen.findings], seen

    def _images(self, candidate: Candidate, seen: Sequence[HostCheck]) -> list[Check]:
        """Compare the images of a launch over several hosts."""
        ids = {check.host: check.image_id for check in seen if check.image_id}
        if len(candidate.hosts) == 1:
            return []
        if len(set(ids.values())) > 1:
            versions = [_version(self._runtime.label(check.host), check) for check in seen]
            cause = causes.images_differ(candidate.image, versions)
            return [Check("image", "bad", cause.sentence, None, cause)]
        if len(ids) < len(candidate.hosts):
            return []
        same = f"All Sparks have the same version of {candidate.image!r}."
        return [Check("image", "good", same)]

    def _memory(
        self, candidate: Candidate, seen: Sequence[HostCheck]
    ) -> tuple[list[Check], tuple[NodePlan, ...]]:
        share, name = memory_share(candidate.vllm_argv), candidate.name
        checks, nodes = [], []
        for check in seen:
            label = self._runtime.label(check.host)
            if check.memory is None:
                unread = f"How much memory {label} has left could not be read."
                checks.append(Check("memory", "unknown", unread, check.host))
                nodes.append(NodePlan(host=check.host, label=label))
                continue
            room = room_for(share, check.memory)
            sentence = room_sentence(name, label, room, check.memory)
            bad = room.verdict == "bad"
            cause = causes.not_enough_memory(sentence, label) if bad else None
            checks.append(Check("memory", room.verdict, sentence, check.host, cause))
            nodes.append(
                NodePlan(
                    host=check.host,
                    label=label,
                    total_bytes=check.memory.total,
                    available_bytes=room.available,
                    freed_bytes=room.freed,
                    needed_bytes=room.needed,
                    headroom_bytes=room.headroom,
                    verdict=room.verdict,
                )
            )
        return checks, tuple(nodes)

    async def _parse(self, candidate: Candidate, *, deep: bool) -> Check:
        began = self._clock.monotonic()
        result = await self._preflight(candidate, deep=deep)
        took = round(self._clock.monotonic() - began, 3)
        if result.verdict == "bad":
            cause = causes.bad_arguments(candidate.name, result.message, result.evidence)
            return Check("arguments", "bad", result.message, None, cause, took)
        sentence = result.message
        if result.verdict == "unknown":
            sentence = f"The launch arguments could not be checked: {result.message}"
        return Check("arguments", result.verdict, sentence, None, None, took)


def _version(label: str, check: HostCheck) -> str:
    """Return which image a host has: the beginning of its id, and when it was built."""
    short = (check.image_id or "unknown").removeprefix("sha256:")[:12]
    built = f" of {check.image_created[:10]}" if check.image_created else ""
    return f"{label} has {short}{built}"


def _of_host(finding: Finding, host: str) -> Check:
    cause = causes.host_not_fit(finding.sentence) if finding.verdict == "bad" else None
    return Check(finding.name, finding.verdict, finding.sentence, host, cause)
