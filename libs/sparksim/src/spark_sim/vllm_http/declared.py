"""The types that vLLM declares for the fields of a body, checked by pydantic as it does itself."""

from collections.abc import Iterator, Mapping

from pydantic import JsonValue, TypeAdapter, ValidationError

Finding = tuple[str, str, str, object, str]
"""Type, place, text, input, context."""

_NUMBER = TypeAdapter[object](float)
_WHOLE = TypeAdapter[object](int)
_FLAG = TypeAdapter[object](bool)
_TEXT = TypeAdapter[object](str)
_OBJECT = TypeAdapter[object](dict[str, JsonValue])
_OBJECTS = TypeAdapter[object](list[dict[str, JsonValue]])
_TEXTS = TypeAdapter[object](str | list[str])
_PROMPT = TypeAdapter[object](str | list[str] | list[int] | list[list[int]])

DECLARED: Mapping[str, TypeAdapter[object]] = {
    "model": _TEXT,
    "messages": _OBJECTS,
    "tools": _OBJECTS,
    "temperature": _NUMBER,
    "top_p": _NUMBER,
    "presence_penalty": _NUMBER,
    "frequency_penalty": _NUMBER,
    "repetition_penalty": _NUMBER,
    "max_tokens": _WHOLE,
    "max_completion_tokens": _WHOLE,
    "max_output_tokens": _WHOLE,
    "n": _WHOLE,
    "seed": _WHOLE,
    "top_k": _WHOLE,
    "min_tokens": _WHOLE,
    "stream": _FLAG,
    "ignore_eos": _FLAG,
    "include_stop_str_in_output": _FLAG,
    "stop": _TEXTS,
    "stop_sequences": TypeAdapter[object](list[str]),
    "stream_options": _OBJECT,
    "chat_template_kwargs": _OBJECT,
    "thinking": _OBJECT,
    "prompt": _PROMPT,
    "tokens": TypeAdapter[object](list[int]),
}


def misfits(name: str, declared: TypeAdapter[object], value: object) -> Iterator[Finding]:
    """Yield what pydantic finds wrong with a field, in its own words."""
    try:
        declared.validate_python(value)
    except ValidationError as error:
        for row in error.errors(include_url=False):
            # The members of a union are no places of the body; keys and positions are.
            inside = [str(part) for part in row["loc"] if isinstance(part, int)]
            yield row["type"], ".".join(["body", name, *inside]), row["msg"], row["input"], ""
