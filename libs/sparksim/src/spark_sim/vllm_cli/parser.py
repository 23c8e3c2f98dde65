"""vLLM's argument parser: argparse with underscores, shared by launch and pre-flight."""

import argparse
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from .flags import FLAGS, MXFP4_FORK_FLAGS, Flag

SUBCOMMANDS = (
    "chat", "complete", "serve", "launch", "bench", "collect-env", "download-kernels", "preload",
    "run-batch", "snapshot",
)  # fmt: skip
_USAGE = "vllm [-h] [-v]\n            {" + ",".join(SUBCOMMANDS) + "}\n            ..."


class FlexibleArgumentParser(argparse.ArgumentParser):
    """Accepts underscores for dashes in the names of options."""

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """Translate names, then parse."""
        given = list(sys.argv[1:] if args is None else args)
        words = [_dashed(word) for word in given]
        return super().parse_known_args(words, namespace)


def _dashed(word: str) -> str:
    if not word.startswith("--"):
        return word
    name, equals, value = word.partition("=")
    return name.replace("_", "-") + equals + value


def add_serve_arguments(
    parser: argparse.ArgumentParser, *, unknown: Iterable[str] = (), image: str = ""
) -> argparse.ArgumentParser:
    """Add the options of ``vllm serve`` except ``unknown`` ones, which a broken build lacks."""
    parser.add_argument("model_tag", type=str, nargs="?", default=None)
    hidden = set(unknown)
    table = (*FLAGS, *MXFP4_FORK_FLAGS) if image.startswith("vllm-node-mxfp4") else FLAGS
    for flag in table:
        if not hidden.intersection(flag.names):
            _add(parser, flag)
    return parser


def _add(parser: argparse.ArgumentParser, flag: Flag) -> None:
    if flag.store_true:
        parser.add_argument(*flag.names, action="store_true", default=False)
    elif flag.kind is None:
        parser.add_argument(*flag.names, action=argparse.BooleanOptionalAction, default=None)
    elif flag.many:
        parser.add_argument(*flag.names, type=flag.kind, nargs="+", default=flag.default)
    else:
        parser.add_argument(*flag.names, type=flag.kind, choices=flag.choices, default=flag.default)


def make_arg_parser(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """Return the parser with the options of ``vllm serve``, under vLLM's own name for this."""
    return add_serve_arguments(parser)


def main_parser() -> tuple[FlexibleArgumentParser, FlexibleArgumentParser]:
    """Return the parser of ``vllm`` and that of its ``serve``, still without options."""
    parser = FlexibleArgumentParser(prog="vllm", usage=_USAGE, description="vLLM CLI")
    parser.add_argument("-v", "--version", action="version", version="0.33.0")
    commands = parser.add_subparsers(
        required=False, dest="subparser", parser_class=FlexibleArgumentParser
    )
    serve = FlexibleArgumentParser(prog="unused")
    for name in SUBCOMMANDS:
        command = commands.add_parser(name, usage=f"vllm {name} [model_tag] [options]")
        command.prog = f"vllm {name}"
        if name == "serve":
            serve = command
    return parser, serve
