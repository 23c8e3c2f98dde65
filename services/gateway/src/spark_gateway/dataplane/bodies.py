"""Request bodies: where they end and what they contain, whatever way they are framed."""

from spark_gateway.dataplane.framing import ChunkScanner


class RequestBody:
    """Follows one body through any segmentation, without keeping it."""

    __slots__ = ("_left", "_scanner", "complete", "size")

    def __init__(self, length: int | None, *, chunked: bool = False) -> None:
        self.size = 0
        """Content bytes so far."""
        self._left = length or 0
        self._scanner = ChunkScanner(keep_payload=True) if chunked else None
        self.complete = not chunked and not length

    def take(self, data: bytes) -> tuple[int, bytes]:
        """Read on; return how many bytes of ``data`` are this body's, and their content.

        Raises FramingError.
        """
        scanner = self._scanner
        if scanner is None:
            end = min(self._left, len(data))
            self._left -= end
            self.complete = self._left == 0
            content = data if end == len(data) else data[:end]
        else:
            end = scanner.feed(data)
            if end < 0:
                end = len(data)
            else:
                self.complete = True
            payload = scanner.payload or []
            content = b"".join(payload)
            payload.clear()
        self.size += len(content)
        return end, content
