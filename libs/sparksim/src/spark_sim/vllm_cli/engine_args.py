"""The engine's configuration as far as it follows from arguments and config.json alone."""

import argparse
import json
from typing import Any

from .cli import real_path
from .flags import QUANTIZATIONS, REASONING_PARSERS


class ValidationError(ValueError):
    """What pydantic raises inside vLLM, with its wording."""


class AsyncEngineArgs:
    """Arguments of the engine."""

    def __init__(self, args: argparse.Namespace) -> None:
        self._args = args

    @classmethod
    def from_cli_args(cls, args: argparse.Namespace) -> "AsyncEngineArgs":
        """Take parsed arguments."""
        return cls(args)

    def create_engine_config(self) -> None:
        """Check them against the model's files; starts nothing."""
        args = self._args
        folder = real_path(args.model)
        if folder is None or not (folder / "config.json").exists():
            raise ValidationError(
                _model_error(f"Invalid repository ID or local directory specified: '{args.model}'.")
            )
        config: dict[str, Any] = json.loads((folder / "config.json").read_text())
        text = config.get("text_config") or config
        longest = text.get("max_position_embeddings", 0)
        if args.max_model_len and args.max_model_len > longest:
            raise ValidationError(
                _model_error(
                    f"User-specified max_model_len ({args.max_model_len}) is greater than the "
                    f"derived max_model_len (max_position_embeddings={float(longest)} or "
                    "model_max_length=None in model's config.json). To allow overriding this "
                    "maximum, set the env var VLLM_ALLOW_LONG_MAX_MODEL_LEN=1."
                )
            )
        if args.quantization and args.quantization not in QUANTIZATIONS:
            raise ValidationError(
                _model_error(
                    f"Unknown quantization method: {args.quantization}. "
                    f"Must be one of {QUANTIZATIONS}."
                )
            )
        if args.reasoning_parser and args.reasoning_parser not in REASONING_PARSERS:
            raise KeyError(
                f"Reasoning parser '{args.reasoning_parser}' not found. Available parsers: "
                + ", ".join(REASONING_PARSERS)
            )


def _model_error(text: str) -> str:
    return f"1 validation error for ModelConfig\n  Value error, {text}"
