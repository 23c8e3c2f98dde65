"""What vLLM in a container asks of the simulator outside."""

import json
import os
import socket
import sys
from collections.abc import Sequence
from typing import Any


def rules(arguments: Sequence[str], purpose: str) -> dict[str, Any]:
    """Ask how long start-up takes and which options this build does not know."""
    answer = _ask("vllm-rules", [purpose, *arguments])
    found: dict[str, Any] = json.loads(answer or b'{"seconds": 0, "unknown": [], "image": ""}')
    return found


def tell(kind: str, **details: object) -> None:
    """Have an effect written into the journal."""
    _ask("vllm-tell", [kind, json.dumps(details)])


def run_server(options: dict[str, Any], given: dict[str, Any], arguments: Sequence[str]) -> int:
    """Be the server process for as long as it runs; what it logs appears on standard output."""
    import spark_sim_client  # type: ignore[import-not-found]

    sys.argv = ["vllm", json.dumps({"options": options, "given": given}), *arguments]
    code: int = spark_sim_client.main(os.environ["SPARK_SIM_SOCKET"], "vllm-serve")
    return code


def _ask(program: str, arguments: Sequence[str]) -> bytes:
    line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    line.connect(os.environ["SPARK_SIM_SOCKET"])
    environment = [f"{name}={value}" for name, value in os.environ.items()]
    fields = [program, "/", str(os.getpid()), str(len(arguments)), *arguments, *environment]
    body = "\0".join(fields).encode("utf-8", "surrogateescape")
    line.sendall(b"h" + len(body).to_bytes(4, "big") + body)
    out = b""
    stream = line.makefile("rb")
    while kind := stream.read(1):
        piece = stream.read(int.from_bytes(stream.read(4), "big"))
        if kind == b"o":
            out += piece
        if kind == b"x":
            break
    line.close()
    return out
