"""The list of models as Anthropic's clients read it: those one can send messages to, in pages."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal

from pydantic import BaseModel

from spark_gateway.catalogue import Known

_LARGEST_PAGE = 1000
_NUMBER = re.compile(r"[0-9]{1,9}")


class ClaudeModel(BaseModel):
    """A model in Anthropic's shape."""

    type: Literal["model"] = "model"
    id: str
    display_name: str
    created_at: datetime
    max_input_tokens: int | None = None


class ClaudeList(BaseModel):
    """A page of models in Anthropic's shape; one without models has no first and no last."""

    data: list[ClaudeModel]
    has_more: bool
    """Whether there are more in the direction that was asked for."""
    first_id: str | None = None
    last_id: str | None = None


def listed_page(
    models: Sequence[Known], after_id: str | None, before_id: str | None, limit: str | None
) -> ClaudeList:
    """Return up to ``limit`` models behind one, or the last ones before one.

    What is no number of models counts as none. A page beside a model that is not there any more
    is empty, so that nobody reads in a circle.
    """
    chats = [model for model in models if model.kind == "chat"]
    names = [model.id for model in chats]
    most = int(limit) if limit and _NUMBER.fullmatch(limit) else _LARGEST_PAGE
    most = min(max(most, 1), _LARGEST_PAGE)
    if after_id is not None:
        rest = chats[names.index(after_id) + 1 :] if after_id in names else []
        page = rest[:most]
    elif before_id is not None:
        rest = chats[: names.index(before_id)] if before_id in names else []
        page = rest[-most:]
    else:
        rest, page = chats, chats[:most]
    return ClaudeList(
        data=[listed_single(model) for model in page],
        has_more=len(rest) > len(page),
        first_id=page[0].id if page else None,
        last_id=page[-1].id if page else None,
    )


def listed_single(model: Known) -> ClaudeModel:
    """Return one model."""
    return ClaudeModel(
        id=model.id,
        display_name=model.id,
        created_at=datetime.fromtimestamp(model.created, UTC),
        max_input_tokens=model.max_model_len,
    )
