"""``POST /v1/embeddings`` of a server that was started with ``--runner pooling``."""

import asyncio
import base64
import math
import struct
import zlib

from spark_sim.pace import epoch
from spark_sim.vllm_http.bodies import check_model, check_types, read_body
from spark_sim.vllm_http.choices import new_id
from spark_sim.vllm_http.engine import Engine
from spark_sim.vllm_http.errors import findings
from spark_sim.vllm_http.exchange import Exchange
from spark_sim.vllm_http.tokens import Tokenizer

_DIMENSIONS = 256
_TOKENS_PER_SECOND = 20_000.0


async def embeddings(engine: Engine, exchange: Exchange) -> None:
    """Answer with one vector per input: the same for the same text."""
    body = read_body(await exchange.body(), exchange.headers.get("content-type", ""))
    check_types(body, ("input",))
    name = check_model(body, engine.served)
    engine.check()
    texts = _texts(body["input"])
    tokens = sum(len(Tokenizer.cut(text)) for text in texts)
    engine.metrics.begin(tokens)
    began = epoch()
    engine.running += 1
    try:
        await asyncio.sleep(tokens / _TOKENS_PER_SECOND)
    finally:
        engine.running -= 1
        engine.metrics.end("stop", epoch() - began, tokens, 0)
    rows = [
        {"index": index, "object": "embedding", "embedding": _coded(_vector(text), body)}
        for index, text in enumerate(texts)
    ]
    usage = {"prompt_tokens": tokens, "total_tokens": tokens, "completion_tokens": 0,
             "prompt_tokens_details": None}  # fmt: skip
    await exchange.reply_json(
        {
            "id": new_id("embd-"), "object": "list", "created": int(epoch()), "model": name,
            "data": rows, "usage": usage,
        }
    )  # fmt: skip


def _texts(given: object) -> list[str]:
    """Return the inputs: a text, token numbers, or a list of either. Raises RequestError."""
    if isinstance(given, str):
        return [given]
    if isinstance(given, list) and given:
        if all(isinstance(one, int) for one in given):
            return [repr(given)]
        if all(isinstance(one, str) for one in given):
            return given
        if all(isinstance(one, list) for one in given):
            return [repr(one) for one in given]
    text = "Input should be a valid string"
    raise findings([("string_type", "body.input", text, given, "")])


def _vector(text: str) -> list[float]:
    seeds = (zlib.crc32(f"{text}/{place}".encode()) for place in range(_DIMENSIONS))
    raw = [seed / 2**31 - 1 for seed in seeds]
    length = math.sqrt(sum(value * value for value in raw))
    return [value / length for value in raw]


def _coded(vector: list[float], body: dict[str, object]) -> list[float] | str:
    if body.get("encoding_format") != "base64":
        return vector
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
