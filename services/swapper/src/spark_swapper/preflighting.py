"""Looks before anything is touched: a swap that cannot work leaves the old model serving."""

import asyncio

from spark_common.errors import HostKeyChangedError, UnavailableError
from spark_swapper import causes
from spark_swapper.candidate import Candidate
from spark_swapper.causes import SwapFault
from spark_swapper.ports import Preflight
from spark_swapper.runtime import HostCheck, Runtime, Served


class Preflighting:
    """Hosts, image and arguments of a candidate; what can only be doubted does not refuse."""

    def __init__(self, runtime: Runtime, preflight: Preflight) -> None:
        self._runtime = runtime
        self._preflight = preflight

    async def check(self, candidate: Candidate) -> list[str]:
        """Return the doubts as sentences; raises SwapFault for what is certain to fail."""
        checks = await asyncio.gather(
            *(self._check_host(candidate, host) for host in candidate.hosts)
        )
        for check in checks:
            if check.problem is not None:
                raise SwapFault(causes.host_not_fit(check.problem))
        if len({check.image_id for check in checks if check.image_id}) > 1:
            versions = [_version(self._runtime.label(check.host), check) for check in checks]
            raise SwapFault(causes.images_differ(candidate.image, versions))
        doubts = [check.doubt for check in checks if check.doubt]
        result = await self._preflight(candidate)
        if result.verdict == "bad":
            raise SwapFault(causes.bad_arguments(candidate.name, result.message, result.evidence))
        if result.verdict == "unknown":
            doubts.append(f"The launch arguments could not be checked: {result.message}")
        return doubts

    async def serving_now(self) -> Served | None:
        """Return the model that answers on any host; None when none does."""
        answers = await asyncio.gather(
            *(self._runtime.served(host) for host in self._runtime.hosts)
        )
        return next((served for served in answers if served is not None), None)

    async def _check_host(self, candidate: Candidate, host: str) -> HostCheck:
        try:
            return await self._runtime.check(candidate, host)
        except HostKeyChangedError as changed:
            raise SwapFault(causes.refused(changed)) from changed
        except UnavailableError as away:
            raise SwapFault(causes.refused(away)) from away


def _version(label: str, check: HostCheck) -> str:
    """Return which image a host has: the beginning of its id, and when it was built."""
    short = (check.image_id or "unknown").removeprefix("sha256:")[:12]
    built = f" of {check.image_created[:10]}" if check.image_created else ""
    return f"{label} has {short}{built}"
