"""The questions about deleting from disk, and their answers."""

from collections.abc import Sequence

from spark_common.bus.port import Serving
from spark_common.contracts.disk import (
    DELETE_FROM_DISK,
    PLAN_DELETE,
    Deleted,
    DeleteFromDisk,
    DeletePlan,
    PlanDelete,
)
from spark_swapper.disk.deletion import DiskDeletion


class DiskVerbs:
    """Answers what deleting would free, and deletes."""

    def __init__(self, deletion: DiskDeletion) -> None:
        self._deletion = deletion

    def verbs(self) -> Sequence[Serving]:
        """Return every verb with its function."""
        return (
            Serving(PLAN_DELETE, self.plan, limit=4),
            Serving(DELETE_FROM_DISK, self.delete, limit=4),
        )

    async def plan(self, request: PlanDelete) -> DeletePlan:
        """Return the plan of a deletion."""
        return await self._deletion.plan(request.model)

    async def delete(self, request: DeleteFromDisk) -> Deleted:
        """Delete, and return how it ended on each Spark."""
        return await self._deletion.delete(request)
