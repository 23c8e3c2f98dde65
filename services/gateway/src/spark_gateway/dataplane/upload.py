"""A request on its way up: what waits for a connection, and what could be sent once more."""

from typing import Final

from spark_gateway.dataplane.upstream import UpstreamConnection

_REPLAYABLE_BYTES: Final = 65536
_WAITING_BYTES: Final = 65536


class Upload:
    """Sends a head and body pieces over a connection, or keeps them until there is one."""

    __slots__ = ("_chunked", "_connection", "_kept", "_kept_bytes", "complete")

    def __init__(self, head: bytes, *, chunked: bool) -> None:
        self.complete = False
        self._chunked = chunked
        self._connection: UpstreamConnection | None = None
        self._kept: list[bytes] | None = [head]
        self._kept_bytes = 0

    @property
    def congested(self) -> bool:
        """Whether no more of the body should come for now."""
        if self._connection is None:
            return self._kept_bytes > _WAITING_BYTES
        return self._connection.congested

    @property
    def repeatable(self) -> bool:
        """Whether everything sent so far is still here."""
        return self._kept is not None

    def attach(self, connection: UpstreamConnection) -> None:
        """Send what waited. On a connection used before, keep it: it may have died meanwhile."""
        kept = self._kept or []
        self._connection = connection
        if self._kept_bytes <= _WAITING_BYTES:
            # One piece goes out at once; several take a detour through the loop.
            connection.transport.write(kept[0] if len(kept) == 1 else b"".join(kept))
        else:
            # What was kept of a long body is not copied once more.
            connection.transport.writelines(kept)
        if not connection.reused:
            self._kept = None

    def answered(self) -> None:
        """The upstream has begun to answer: nothing is sent once more."""
        self._kept = None

    def detach(self) -> None:
        """The connection is of no use any more."""
        self._connection = None

    def send(self, content: bytes) -> None:
        """Pass on a piece of the body."""
        self._write(b"%x\r\n%b\r\n" % (len(content), content) if self._chunked else content)

    def end(self) -> None:
        """The body is complete."""
        self.complete = True
        if self._chunked:
            self._write(b"0\r\n\r\n")

    def _write(self, piece: bytes) -> None:
        connection = self._connection
        if self._kept is not None:
            self._kept.append(piece)
            self._kept_bytes += len(piece)
            if connection is not None and self._kept_bytes > _REPLAYABLE_BYTES:
                self._kept = None
        if connection is not None:
            connection.transport.write(piece)
