"""One run of a fake program, as the simulator sees it."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass
class Call:
    """Arguments, environment and the three streams of a fake program."""

    program: str
    argv: tuple[str, ...]
    """Without the program's name."""
    cwd: str
    env: Mapping[str, str]
    pid: int
    _writer: asyncio.StreamWriter
    _stdin: asyncio.Queue[bytes] = field(default_factory=asyncio.Queue)
    _asked: bool = False
    replaced: bool = False
    """Whether the caller became another program."""

    @classmethod
    def parse(cls, body: bytes, writer: asyncio.StreamWriter) -> "Call":
        """Read the first frame of a caller."""
        program, cwd, pid, count, *rest = body.decode("utf-8", "surrogateescape").split("\0")
        argv = tuple(rest[: int(count)])
        env = dict(item.split("=", 1) for item in rest[int(count) :] if "=" in item)
        return cls(program, argv, cwd, env, int(pid), writer)

    def feed(self, piece: bytes) -> None:
        """Take a piece of standard input; an empty one is its end."""
        self._stdin.put_nowait(piece)

    async def read(self) -> bytes:
        """Return the next piece of standard input, empty at its end."""
        if not self._asked:
            self._asked = True
            await self._frame(b"I", b"")
        return await self._stdin.get()

    async def read_all(self) -> bytes:
        """Return all of standard input."""
        pieces: list[bytes] = []
        while piece := await self.read():
            pieces.append(piece)
        return b"".join(pieces)

    async def out(self, text: str | bytes) -> None:
        """Write to standard output."""
        await self._frame(b"o", text if isinstance(text, bytes) else text.encode())

    async def err(self, text: str | bytes) -> None:
        """Write to standard error."""
        await self._frame(b"e", text if isinstance(text, bytes) else text.encode())

    async def exit(self, code: int) -> None:
        """End the caller."""
        if not self.replaced:
            await self._frame(b"x", str(code).encode())

    async def become(
        self, argv: Sequence[str], env: Mapping[str, str], cwd: str | None = None
    ) -> None:
        """Have the caller replaced by a real program, with its own stdin, stdout and stderr."""
        self.replaced = True
        fields = [cwd or self.cwd, str(len(argv)), *argv]
        fields.extend(f"{name}={value}" for name, value in env.items())
        await self._frame(b"E", "\0".join(fields).encode("utf-8", "surrogateescape"))

    async def _frame(self, kind: bytes, body: bytes) -> None:
        self._writer.write(kind + len(body).to_bytes(4, "big") + body)
        await self._writer.drain()
