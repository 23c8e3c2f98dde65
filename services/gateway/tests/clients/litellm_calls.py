"""What an application asks through ``litellm``; runs in its environment and prints what came.

Usage: litellm_calls.py URL MODEL EMBEDDER
"""

import asyncio
import json
import sys

import litellm

litellm.telemetry = False
ASK = [{"role": "user", "content": "What is a control plane?"}]


async def streamed(**more: object) -> str:
    answer = await litellm.acompletion(messages=ASK, stream=True, **more)
    return "".join([chunk.choices[0].delta.content or "" async for chunk in answer])


def refused(model: str, **more: object) -> dict[str, object]:
    try:
        litellm.completion(model=model, messages=ASK, num_retries=0, max_retries=0, **more)
    except Exception as error:
        return {"class": type(error).__name__, "status": getattr(error, "status_code", None)}
    return {}


def main(url: str, model: str, embedder: str) -> None:
    there = {"api_base": f"{url}/v1", "api_key": "none"}
    whole = litellm.completion(model=f"openai/{model}", messages=ASK, **there)
    anthropic = litellm.completion(
        model=f"anthropic/{model}", messages=ASK, api_base=url, api_key="none", max_tokens=200
    )
    vectors = litellm.embedding(
        model=f"openai/{embedder}", input=["Paris", "Cats purr."], encoding_format="float", **there
    )
    ranked = litellm.rerank(
        model="hosted_vllm/BAAI/bge-reranker-v2-m3",
        query="Which is the capital of France?",
        documents=["Cats purr.", "Paris is the capital of France."],
        api_base=url,
        api_key="none",
    )
    found = {
        "whole": whole.choices[0].message.content,
        "tokens": whole.usage.completion_tokens,
        "streamed": asyncio.run(streamed(model=f"openai/{model}", **there)),
        "vllm": asyncio.run(streamed(model=f"hosted_vllm/{model}", **there)),
        "anthropic": anthropic.choices[0].message.content,
        "vectors": [len(row["embedding"]) for row in vectors.data],
        "ranked": [row["index"] for row in ranked.results],
        "unknown": refused("openai/org/nothing", **there),
        "not_loaded": refused("openai/gpt-oss-120b", **there),
    }
    sys.stdout.write(json.dumps(found) + "\n")


main(*sys.argv[1:])
