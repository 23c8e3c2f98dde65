"""Runs inside the runtime's image as ``python3 - ARGUMENTS``: parse them like ``vllm serve``.

The real command line is run with only its last step, the start of the server, replaced, so it
holds for whatever flags this vLLM has. Exit code 0: accepted. 2: refused by the parser. 3:
refused by a later check; the marked line on standard output says why. Anything else: no answer.
With SPARKCTL_DEEP=1 in its environment it also reads the model's configuration, as the engine
would, and still starts none.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
from typing import Any, NoReturn

MARKER = "SPARKCTL_PREFLIGHT "
DEEP = os.environ.get("SPARKCTL_DEEP") == "1"
GIVE_UP_SECONDS = 105 if DEEP else 55
"""Whoever asked stops waiting after five more; nothing of this must stay in the container."""


def tell(answer: dict[str, Any]) -> NoReturn:
    """Write the marked line and end."""
    sys.stdout.write("\n" + MARKER + json.dumps(answer) + "\n")
    sys.stdout.flush()
    sys.exit(0 if answer["ok"] else 3)


def refuse(error: str) -> NoReturn:
    """End with the reason for which ``vllm serve`` would end."""
    tell({"ok": False, "error": error})


def accept(args: Any) -> NoReturn:
    """Stand in for the start of the server: check what it checks first, then end."""
    try:
        server = importlib.import_module("vllm.entrypoints.openai.api_server")
        check = server.validate_api_server_args
    except (ImportError, AttributeError):
        # Some versions do these checks elsewhere; what the parser said is still worth having.
        check = None
    try:
        if check is not None:
            check(args)
    except KeyError as unknown_parser:
        refuse(str(unknown_parser.args[0]))
    if DEEP:
        configure(args)
    tell({"ok": True, "deep": DEEP})


def configure(args: Any) -> None:
    """Make the engine's configuration from the arguments and the model's files.

    Only what the configuration itself refuses is a no: files that are not there, a GPU that is
    not seen, or a version that does this elsewhere say nothing about the arguments.
    """
    try:
        engine = importlib.import_module("vllm.engine.arg_utils").AsyncEngineArgs
    except (ImportError, AttributeError):
        return
    try:
        engine.from_cli_args(args).create_engine_config()
    except OSError:
        raise
    except (ValueError, NotImplementedError) as wrong:
        if "Invalid repository ID" in str(wrong):
            raise
        refuse(" ".join(str(wrong).split())[:1000])


def main() -> None:
    """Parse the arguments of this program."""
    signal.alarm(GIVE_UP_SECONDS)
    serve = importlib.import_module("vllm.entrypoints.cli.serve")
    cli = importlib.import_module("vllm.entrypoints.cli.main")
    serve.ServeSubcommand.cmd = staticmethod(accept)
    sys.argv = ["vllm", "serve", *sys.argv[1:]]
    try:
        cli.main()
    except TypeError as wrong:
        # Raised after parsing, for flags that need each other; anything else is no verdict.
        if "requires --" not in str(wrong):
            raise
        refuse(str(wrong).removeprefix("Error: "))


if __name__ == "__main__":
    main()
