"""The body of every fake program: hand the call to the simulator, relay what it answers.

Written for start-up time: run with ``python -I -S`` and with the bare C modules, because
``socket`` and ``signal`` cost as much as the interpreter itself. So does an orderly end.
"""

import os
import sys
from _signal import SIG_DFL, SIGINT, SIGPIPE, signal  # type: ignore[import-not-found]
from _socket import AF_UNIX, SOCK_STREAM, socket
from select import select


def run(socket_path: str, program: str) -> None:
    """Run one call and end with its exit code, at once."""
    os._exit(main(socket_path, program))


def main(socket_path: str, program: str) -> int:
    """Run one call and return its exit code."""
    signal(SIGINT, SIG_DFL)
    signal(SIGPIPE, SIG_DFL)
    line = socket(AF_UNIX, SOCK_STREAM)
    try:
        line.connect(socket_path)
    except OSError:
        _write(2, f"{program}: the simulator is gone\n".encode())
        return 127
    environment = [b"%s=%s" % item for item in os.environb.items()]
    arguments = [os.fsencode(argument) for argument in sys.argv[1:]]
    numbers = f"{os.getpid()}\0{len(arguments)}"
    fields = [program.encode(), os.fsencode(_cwd()), numbers.encode(), *arguments, *environment]
    _send(line, b"h", b"\0".join(fields))
    return _relay(line)


def _cwd() -> str:
    try:
        return os.getcwd()  # noqa: PTH109 - pathlib costs ten milliseconds of start-up
    except OSError:
        return "/"


def _relay(line: socket) -> int:
    watched: list[int] = [line.fileno()]
    while True:
        ready, _, _ = select(watched, [], [])
        if 0 in ready:
            piece = os.read(0, 65536)
            _send(line, b"i", piece)
            if not piece:
                watched.remove(0)
        if line.fileno() not in ready:
            continue
        kind = _exactly(line, 1)
        if not kind:
            return 255
        body = _exactly(line, int.from_bytes(_exactly(line, 4), "big"))
        if kind == b"o":
            _write(1, body)
        elif kind == b"e":
            _write(2, body)
        elif kind == b"I":
            watched.append(0)
        elif kind == b"E":
            _become(line, body)
        elif kind == b"x":
            return int(body)


def _become(line: socket, body: bytes) -> None:
    cwd, count, *rest = body.split(b"\0")
    arguments, environment = rest[: int(count)], rest[int(count) :]
    line.close()
    os.chdir(cwd)
    os.execve(  # noqa: S606 - becoming the program is the point
        arguments[0], arguments, dict(item.split(b"=", 1) for item in environment)
    )


def _send(line: socket, kind: bytes, body: bytes) -> None:
    line.sendall(kind + len(body).to_bytes(4, "big") + body)


def _exactly(line: socket, count: int) -> bytes:
    pieces = b""
    while len(pieces) < count:
        piece = line.recv(count - len(pieces))
        if not piece:
            return b""
        pieces += piece
    return pieces


def _write(descriptor: int, body: bytes) -> None:
    while body:
        body = body[os.write(descriptor, body) :]
