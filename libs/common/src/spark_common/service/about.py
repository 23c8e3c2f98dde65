"""The verb every service has on the bus."""

from collections.abc import Callable, Sequence
from importlib.metadata import version

from spark_common.bus.port import Serving
from spark_common.clock import Clock
from spark_common.contracts.about import About, GetAbout, about_rpc
from spark_common.service.checks import ReadyCheck, unready_reasons


def service_version(name: str) -> str:
    """Return the installed version of a service's distribution."""
    return version(f"spark-{name}")


def answer_about(
    name: str,
    checks: Sequence[ReadyCheck],
    clock: Clock,
    warnings: Callable[[], Sequence[str]] = tuple,
) -> Serving:
    """Return the verb ``rpc.<name>.about.get``; readiness is asked anew for every question.

    ``warnings`` tells which settings fell back.
    """
    started_at = clock.now()

    async def handle(_request: GetAbout) -> About:
        reasons = await unready_reasons(checks)
        return About(
            name=name,
            version=service_version(name),
            started_at=started_at,
            ready=not reasons,
            reasons=reasons,
            warnings=list(warnings()),
        )

    return Serving(about_rpc(name), handle)
