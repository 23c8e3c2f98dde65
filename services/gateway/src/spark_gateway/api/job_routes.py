"""The routes of one job that is no swap: look at it, stop it, read its log, follow it."""

from dataclasses import dataclass
from typing import Annotated, Generic, TypeVar

from fastapi import APIRouter, Path, Request, Response

from spark_common.contracts.jobs import CancelJob, GetJob, JobId, JobLog, JobView
from spark_common.contracts.rpc import Rpc
from spark_gateway.api.asking import PartsOf, WhoAsked, ask, change
from spark_gateway.api.errors_doc import READ, REMOVE, problems
from spark_gateway.api.following import FOLLOWED, LastEventId, follow
from spark_gateway.streams.entry import Thread

_LOG_SECONDS = 15.0
"""The log is on the Spark where the job's programs run."""

IdInPath = Annotated[JobId, Path(description="Id of the job.")]
JobViewT = TypeVar("JobViewT", bound=JobView)


@dataclass(frozen=True)
class JobVerbs(Generic[JobViewT]):
    """The questions about one job of a kind."""

    kind: str
    """Its word in events and in the names of the routes: ``download``."""
    get: Rpc[GetJob, JobViewT]
    cancel: Rpc[CancelJob, JobViewT]
    cancelled: str
    """What a cancellation leaves behind, in one sentence."""
    log: Rpc[GetJob, JobLog]


def add_job_routes(router: APIRouter, path: str, verbs: JobVerbs[JobViewT]) -> None:
    """Give a router the four routes of one job of a kind, the job itself at ``path``."""
    kind = verbs.kind

    async def get(request: Request, id: IdInPath) -> JobView:
        return await ask(request, verbs.get, GetJob(id=id))

    async def cancel(request: Request, id: IdInPath, requested_by: WhoAsked = "someone") -> JobView:
        return await change(request, verbs.cancel, CancelJob(id=id, requested_by=requested_by))

    async def read_log(request: Request, id: IdInPath) -> JobLog:
        return await ask(request, verbs.log, GetJob(id=id), _LOG_SECONDS)

    async def stream(
        request: Request, parts: PartsOf, id: IdInPath, last_event_id: LastEventId = None
    ) -> Response:
        async def is_over() -> bool:
            return (await ask(request, verbs.get, GetJob(id=id))).over

        return await follow(parts, parts.jobs, Thread(kind, id), is_over, last_event_id)

    router.add_api_route(
        path,
        get,
        name=f"get_{kind}",
        description=f"One {kind}.",
        response_model=verbs.get.reply,
        responses=problems(404, *READ),
    )
    router.add_api_route(
        path,
        cancel,
        methods=["DELETE"],
        name=f"cancel_{kind}",
        description=f"Ask to stop the {kind}. {verbs.cancelled}",
        status_code=202,
        response_model=verbs.cancel.reply,
        responses=problems(404, *REMOVE),
    )
    router.add_api_route(
        f"{path}/log",
        read_log,
        name=f"read_{kind}_log",
        description=f"The end of what the programs of the {kind} wrote on the Sparks.",
        responses=problems(404, *READ),
    )
    router.add_api_route(
        f"{path}/stream",
        stream,
        name=f"stream_{kind}",
        description=(
            f"The events of the {kind} from its beginning, or from `Last-Event-ID` on, to its "
            f"outcome.\n\nEvents: `{kind}.progress`, then one of `{kind}.complete` and "
            f"`{kind}.failed`, then the end. `reset` says that the id was of another stream and "
            "that everything follows again."
        ),
        response_class=Response,
        responses=FOLLOWED,
    )
