"""The frames of one explanation."""

from collections.abc import AsyncGenerator, Sequence

import structlog
from pydantic import JsonValue

from spark_common.contracts.updates import PendingCommit
from spark_gateway.explaining.model_chat import BrokenChatError, ModelChat
from spark_gateway.explaining.prompt import answer_tokens, chat_messages
from spark_gateway.explaining.thinking import Said, Thinking
from spark_gateway.served import ServedModel
from spark_gateway.streams.sse import PREAMBLE, event_frame

_LOG = structlog.get_logger()


async def explanation(
    chat: ModelChat, model: ServedModel, commits: Sequence[PendingCommit]
) -> AsyncGenerator[bytes, None]:
    """Yield one empty frame once the model began to answer, then the wire bytes.

    Raises UnavailableError before that first frame; later failures are an ``error`` event. Closing
    the generator cancels the answer.
    """
    messages = chat_messages(commits, model.max_model_len)
    counts = {"reasoning": 0, "text": 0}
    outcome = "cancelled"
    try:
        async with chat.ask(model.id, messages, answer_tokens(model.max_model_len)) as chunks:
            yield b""
            yield PREAMBLE
            thinking, finish = Thinking(), None
            try:
                async for chunk in chunks:
                    finish = chunk.finish or finish
                    for said in thinking.feed(chunk.delta):
                        counts[said.kind] += len(said.text)
                        yield _frame(said)
            except BrokenChatError as broken:
                outcome = "broken"
                yield event_frame("error", {"code": "model_stopped", "message": f"{broken}."})
                return
            for said in thinking.end():
                counts[said.kind] += len(said.text)
                yield _frame(said)
            outcome = "done"
            yield event_frame(
                "done", {"model": model.id, "commits": len(commits), "cut": finish == "length"}
            )
    finally:
        _LOG.info("updates.explained", outcome=outcome, commits=len(commits), characters=counts)


def _frame(said: Said) -> bytes:
    body: dict[str, JsonValue] = {"text": said.text}
    if said.replaces:
        body["replace"] = True
    return event_frame(said.kind, body)
