"""Lets the next holder in as soon as nothing of the last one's time runs any more."""

from spark_coordinator.leasing.answers import Answer
from spark_coordinator.leasing.book import LeaseBook
from spark_coordinator.leasing.drain import Work


class Draining:
    """One look at a lease that is over. Any coordinator may look, any number of times."""

    def __init__(self, book: LeaseBook, work: Work) -> None:
        self._book = book
        self._work = work

    async def look(self, seen: Answer) -> Answer:
        """Free the lease if nothing is left to wait for; return how it stands now.

        A running swap is waited for until Redis ends the drain, answers only as long as the
        policy gives them. Raises UnavailableError.
        """
        epoch = seen.lease.fence
        if seen.state != "draining" or epoch is None:
            return seen
        left = await self._work.remaining(epoch)
        patient = (seen.lease.left_ms or 0) > 0
        if left.swap or (left.answers and patient):
            return seen
        return await self._book.drained(epoch, cut=left.answers)
