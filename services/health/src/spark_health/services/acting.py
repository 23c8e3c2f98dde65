"""Starting, stopping and restarting containers: the right one, once, and never beside a swap."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import datetime
from importlib import resources
from typing import Final

import structlog

from spark_common.clock import Clock
from spark_common.contracts.services import ActOnService, ServiceActed
from spark_common.errors import (
    ConflictError,
    DeadlineExceededError,
    InvalidRequestError,
    JobInProgressError,
    OutcomeUnknownError,
    SparkError,
    SwapInProgressError,
)
from spark_common.ids import new_id
from spark_common.logs.redact import mask_secrets
from spark_common.remote import RemoteCommand, RemoteResult, RemoteShell
from spark_health.deep.scene import Scene
from spark_health.remedies.holding import InTheWayError, Leases
from spark_health.services.acts import Act, Acts, Done
from spark_health.services.box_watch import BoxWatch
from spark_health.services.pace import ServicePace
from spark_health.services.service import Service

SCRIPT: Final = (resources.files(__package__) / "act.sh").read_text().encode()
DOCKER_SECONDS: Final = 70
"""docker gives a container ten seconds to end, or what that asked for."""
_SHELL_SECONDS: Final = 100.0
_GIVEN_UP_SECONDS: Final = 600.0
_DID: Final = {"start": "started", "stop": "stopped", "restart": "restarted"}
_STOPPED: Final = ("exited", "created", "dead")
_PASSED: Final = " It was forced, whoever holds the cluster."
_log = structlog.get_logger()
_STATE = b"""\
exec 9>"$HOME/.spark-control/restart-$1.lock" && flock -w 25 9 || exit 75
timeout -k 2 8 docker inspect --type container -f '{{.State.Status}} {{.State.StartedAt}}' -- "$1"
"""


class Acting:
    """Carries out orders; what a killed process left behind is looked at, not done again."""

    def __init__(
        self,
        *,
        acts: Acts,
        shell: RemoteShell,
        boxes: BoxWatch,
        scene: Scene,
        leases: Leases,
        clock: Clock,
        pace: ServicePace,
        looks: Callable[[str], Awaitable[None]],
        job: Callable[[Service], Awaitable[str | None]],
    ) -> None:
        """``looks``: has a service looked at once more. ``job``: says which longer work on the
        container of a service is under way, if any."""
        self._acts = acts
        self._shell = shell
        self._boxes = boxes
        self._scene = scene
        self._leases = leases
        self._clock = clock
        self._pace = pace
        self._looks = looks
        self._job = job

    async def act(self, service: Service, order: ActOnService) -> ServiceActed:
        """Do it and return how the container is then.

        Raises InvalidRequestError for what may not be touched, SwapInProgressError,
        LeaseHeldError for what is on the GPU, UnavailableError where nobody can say who holds
        that, JobInProgressError, ConflictError where there is no such container,
        RemoteCommandError for what docker refused, OutcomeUnknownError when the answer was lost.
        """
        if order.action not in service.actions:
            raise InvalidRequestError(_untouchable(service), name=service.name)
        act = self._begun(service, order)
        known = await self._acts.begin(act)
        if known is not None:
            return known.answer()
        try:
            if (job := await self._job(service)) is not None:
                raise JobInProgressError(job, service=service.name)
            async with self._alone(act, service, order) as beside:
                done = await self._order(act, service)
                done = done.model_copy(update={"message": f"{done.message}{beside}"})
        except SparkError as error:
            # Who was cut off meanwhile leaves it as it is: that is settled by looking.
            unknown = isinstance(error, OutcomeUnknownError)
            with suppress(SparkError):
                await (self._acts.let_go(act) if unknown else self._acts.drop(act))
            raise
        await self._acts.finish(done)
        await self._look_again(service, act)
        return done.answer()

    async def run(self) -> None:
        """Settle what processes left behind that died, for ever."""
        while True:
            try:
                for act in await self._acts.acting():
                    if await self._acts.adopt(act):
                        await self._settle(act)
            except SparkError as error:
                _log.debug("services.not_settled", reason=error.message)
            await self._clock.sleep(self._pace.round_seconds)

    def _begun(self, service: Service, order: ActOnService) -> Act:
        login, container = service.login, service.container
        if login is None or container is None:
            raise InvalidRequestError(_untouchable(service), name=service.name)
        box = self._boxes.sight(login, container).box
        return Act(
            id=order.id or new_id(),
            named=order.id is not None,
            service=service.name,
            action=order.action,
            shell=login.shell,
            spark=login.spark,
            where=login.label,
            container=container,
            run_before=box.started_at if box is not None else None,
            requested_by=order.requested_by,
            reason=mask_secrets(order.reason),
            at=self._clock.now().isoformat(),
        )

    @asynccontextmanager
    async def _alone(self, act: Act, service: Service, order: ActOnService) -> AsyncIterator[str]:
        """Act while no swap runs on that Spark, nor can begin if nobody holds the cluster.

        Yields what is said of a holder who was passed.
        """
        async with AsyncExitStack() as held:
            passed = ""
            if act.spark is not None:
                await self._no_swap(act.spark)
                passed = await self._hold(held, act, service, order)
                await self._no_swap(act.spark)
            yield passed

    async def _hold(
        self, held: AsyncExitStack, act: Act, service: Service, order: ActOnService
    ) -> str:
        reason = f"{act.action} of {act.service}, asked for by {act.requested_by}"
        try:
            if service.on_gpu:
                # What the holder counts on: a model beside theirs, or the memory it takes.
                if not await self._leases.admit(order.lock_token, force=order.force):
                    return _PASSED if order.force else ""
            else:
                await self._leases.free()
            if await self._scene.unsettled() is not None:
                # Its last look at the lease would find ours: it begins elsewhere, beside us.
                return ""
            await held.enter_async_context(self._leases.held(act.id, reason))
        except InTheWayError:
            # Whoever holds the cluster may swap, and this is no swap; what is on the GPU is
            # theirs if they were faster than we.
            if service.on_gpu:
                with suppress(InTheWayError):
                    await self._leases.admit(order.lock_token, force=order.force)
        return ""

    async def _no_swap(self, spark: str) -> None:
        swapping = await self._scene.swapping()
        if spark in swapping:
            raise SwapInProgressError(
                f"{swapping[spark]}; nothing beside it is started or stopped meanwhile. Wait for "
                "its end or cancel it",
                host=spark,
            )

    async def _order(self, act: Act, service: Service) -> Done:
        words = (
            act.action,
            act.container,
            str(DOCKER_SECONDS),
            f"{self._pace.settle_seconds:g}",
            str(self._pace.docker_seconds),
        )
        command = RemoteCommand(("sh", "-s", "--", *words), stdin=SCRIPT)
        try:
            ran = await self._shell.run(act.shell, command, timeout_seconds=_SHELL_SECONDS)
        except DeadlineExceededError as error:
            raise self._unknown(act, service) from error
        return self._read(act, service, ran)

    def _read(self, act: Act, service: Service, ran: RemoteResult) -> Done:
        lines = ran.stderr.strip().splitlines()
        said = mask_secrets(lines[0][:300]) if lines else "it said nothing"
        match ran.exit_code:
            case 0:
                return self._done(act, service, ran.stdout)
            case None | 91:
                raise self._unknown(act, service)
            case 75:
                raise ConflictError(
                    f"another order for {act.container} on {act.where} does not end; try again",
                    service=act.service,
                )
            case 78:
                raise ConflictError(
                    f"there is no container {act.container} on {act.where}; its name is set under "
                    "the gear, or in services.yaml",
                    service=act.service,
                )
            case 90:
                message = f"docker on {act.where} refused: {said}"
            case code:
                message = f"{act.where} could not do it (exit code {code}): {said}"
        return Done(act=act, ok=False, message=message, at=self._now())

    def _done(self, act: Act, service: Service, text: str) -> Done:
        state, code = [*text.split(), "unknown", "-"][:2]
        where = f"{service.label} was {_DID[act.action]} on {act.where}"
        stop = act.action == "stop"
        ok = state == "unknown" or (state in _STOPPED if stop else state == "running")
        if ok:
            message = f"{where}."
        elif stop:
            message = f"{where}, and its container is {state} again: something else starts it"
        else:
            message = f"{where}, and its container is {state} again (exit code {code}); see its log"
        return Done(act=act, ok=ok, state=state, message=message, at=self._now())

    async def _settle(self, act: Act) -> None:
        """Tell what became of an order whose process died: by looking, never by acting."""
        command = RemoteCommand(("sh", "-s", "--", act.container), stdin=_STATE)
        try:
            ran = await self._shell.run(act.shell, command, timeout_seconds=40.0)
            state, _, started = ran.stdout.strip().partition(" ")
        except SparkError:
            state, started = "", ""
        well = False
        if not state:
            begun = datetime.fromisoformat(act.at)
            if (self._clock.now() - begun).total_seconds() < _GIVEN_UP_SECONDS:
                await self._acts.let_go(act)
                return
            state = "unknown"
        elif act.action == "restart":
            well = state == "running" and started != act.run_before
        else:
            well = (state == "running") is (act.action == "start")
        message = (
            f"spark-control was interrupted meanwhile; the container {act.container} on "
            f"{act.where} is {state} now."
        )
        await self._acts.finish(
            Done(act=act, ok=well, state=state, message=message, at=self._now())
        )

    async def _look_again(self, service: Service, act: Act) -> None:
        if service.login is not None:
            self._boxes.begin_anew(service.login, act.container)
            await self._boxes.look_now(service.login)
        await self._looks(service.name)

    def _unknown(self, act: Act, service: Service) -> OutcomeUnknownError:
        return OutcomeUnknownError(
            f"docker on {act.where} did not answer: {service.label} may or may not have been "
            f"{_DID[act.action]}; look at it again in a moment",
            service=act.service,
        )

    def _now(self) -> str:
        return self._clock.now().isoformat()


def _untouchable(service: Service) -> str:
    if service.name == "vllm":
        return "the model is loaded and unloaded by swaps: POST /api/swap"
    if service.kind == "vllm":
        return f"{service.label} is of kind vllm, which is watched and not touched"
    if service.container is None:
        return f"{service.label} has no container on the list; give it one to start and stop it"
    return f"{service.label} is in the container of the model, which only swaps start and stop"
