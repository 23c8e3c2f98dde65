"""``vllm ...``: dispatch, validation and the hand-over to the server."""

import argparse
import os
import sys
import time
from pathlib import Path
from typing import Any

from . import simulator
from .flags import TOOL_PARSERS
from .parser import add_serve_arguments, main_parser

_NOT_OPTIONS = frozenset({"dispatch_function", "subparser"})


class ServeSubcommand:
    """``vllm serve``. ``cmd`` is what a pre-flight replaces."""

    name = "serve"

    @staticmethod
    def cmd(args: argparse.Namespace) -> None:
        """Run the server until it dies."""
        options = {key: value for key, value in vars(args).items() if key not in _NOT_OPTIONS}
        validate_api_server_args(args)
        parser = add_serve_arguments(main_parser()[1])
        given = {key: value for key, value in options.items() if value != parser.get_default(key)}
        sys.exit(simulator.run_server(options, given, sys.argv[2:]))

    def validate(self, args: argparse.Namespace) -> None:
        """Check what argparse cannot."""
        validate_parsed_serve_args(args)


def main() -> None:
    """Parse, validate and dispatch, in vLLM's order."""
    preflight = ServeSubcommand.cmd is not _OWN_COMMAND
    arguments = sys.argv[1:]
    found = simulator.rules(arguments, "preflight" if preflight else "serve")
    time.sleep(found["seconds"])
    parser, serve = main_parser()
    add_serve_arguments(serve, unknown=found["unknown"], image=found["image"])
    serve.set_defaults(dispatch_function=lambda args: ServeSubcommand.cmd(args))
    args = parser.parse_args()
    if args.subparser is None:
        parser.print_help()
        return
    if args.subparser == "serve":
        if args.model_tag:
            args.model = args.model_tag
        ServeSubcommand().validate(args)
        args.dispatch_function(args)


def validate_parsed_serve_args(args: argparse.Namespace) -> None:
    """Raise TypeError or ValueError for options that contradict each other."""
    template = args.chat_template
    if template and "/" in template and "{" not in template and not Path(template).exists():
        raise ValueError(
            f"The supplied chat template string ({template}) appears path-like, but doesn't "
            f"exist! Tried: {template} and {template} (parameter=chat_template)"
        )
    if args.enable_auto_tool_choice and not args.tool_call_parser:
        raise TypeError("Error: --enable-auto-tool-choice requires --tool-call-parser")


def validate_api_server_args(args: argparse.Namespace) -> None:
    """Raise KeyError for a tool parser that does not exist."""
    if args.enable_auto_tool_choice and args.tool_call_parser not in TOOL_PARSERS:
        raise KeyError(
            f"invalid tool call parser: {args.tool_call_parser} "
            f"(chose from {{ {','.join(TOOL_PARSERS)} }})"
        )


_OWN_COMMAND = ServeSubcommand.cmd


def real_path(model: str) -> Path | None:
    """Return the folder of a model's snapshot in the cache, or None."""
    if Path(model).is_dir():
        return Path(model)
    hub = Path(os.environ.get("HF_HOME", "~/.cache/huggingface")).expanduser() / "hub"
    snapshots = hub / ("models--" + model.replace("/", "--")) / "snapshots"
    found: list[Any] = sorted(snapshots.iterdir()) if snapshots.is_dir() else []
    return found[-1] if found else None
