"""The loaded model explains pending updates, with the words as the gateway really sends them."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from spark_common.contracts.jobs import JobState
from spark_common.contracts.updates import PendingCommit
from spark_gateway.explaining.explanation import explanation
from spark_gateway.explaining.model_chat import Chunk
from spark_gateway.served import ServedModel

pytestmark = pytest.mark.browser

WAITING = "3 updates of the model launcher"


def said(model: Any) -> Any:
    return model.model_dump(mode="json")


@pytest.fixture
def page(stage: Any, control: Any, visit: Any) -> Page:
    """The dashboard with three pending updates; a refusal is expected in its console."""
    stage.snapshot = control.snapshot(updates=control.updates())
    opened = visit()
    opened.expected = ("status of 503",)
    expect(opened.page.get_by_role("region", name=WAITING)).to_be_visible()
    found: Page = opened.page
    return found


class SaidChat:
    """A model server that says what it is given."""

    def __init__(self, *deltas: dict[str, str]) -> None:
        self.deltas = deltas

    @asynccontextmanager
    async def ask(
        self, model: str, messages: Sequence[Mapping[str, str]], max_tokens: int
    ) -> AsyncIterator[AsyncIterator[Chunk]]:
        yield self._chunks()

    async def _chunks(self) -> AsyncIterator[Chunk]:
        for delta in self.deltas:
            yield Chunk(delta)


def explained(*deltas: dict[str, str]) -> str:
    """Return what the gateway sends when the model streams these deltas."""

    async def frames() -> bytes:
        model = ServedModel(id="qwen", created=1, max_model_len=32_768)
        commit = PendingCommit(sha="ab" * 20, subject="load safetensors in parallel")
        return b"".join([each async for each in explanation(SaidChat(*deltas), model, [commit])])

    # Playwright's own loop runs in this thread.
    with ThreadPoolExecutor(1) as aside:
        return aside.submit(asyncio.run, frames()).result().decode()


@pytest.mark.parametrize(
    "deltas",
    [
        [{"reasoning": "Let me "}, {"reasoning": "read."}],
        [{"reasoning_content": "Let me read."}],
        [{"content": "<think>Let me read.</think>\n\n"}],
        [{"content": "Let me read.\n"}, {"content": "</think>\n\n"}],
    ],
    ids=["reasoning", "reasoning_content", "tags", "one tag"],
)
def test_the_loaded_model_explains_the_updates(
    deltas: list[dict[str, str]], page: Page, stage: Any
) -> None:
    wire = explained(*deltas, {"content": "Big models load "}, {"content": "faster."})
    stage.replies["POST", "/api/explain-updates"] = (200, wire)
    banner = page.get_by_role("region", name=WAITING)
    banner.get_by_role("button", name="Explain").click()
    words = banner.get_by_role("group", name="Explanation")
    expect(words).to_have_text("Big models load faster.")
    expect(banner).to_contain_text("Written by Qwen3.6 35B A3B, on your Spark")
    expect(banner.get_by_text("Let me read.")).to_be_hidden()
    banner.get_by_text("How it came to that").click()
    expect(banner.get_by_text("Let me read.")).to_be_visible()


def test_an_explanation_that_does_not_come_or_does_not_end_says_so(
    page: Page, stage: Any, control: Any
) -> None:
    stage.replies["POST", "/api/explain-updates"] = (
        503, {"detail": "the model is busy; try again.", "code": "service_unavailable"}
    )  # fmt: skip
    banner = page.get_by_role("region", name=WAITING)
    banner.get_by_role("button", name="Explain").click()
    words = banner.get_by_role("group", name="Explanation")
    expect(words).to_have_text("The model is busy; try again.")
    expect(banner).not_to_contain_text("Written by")
    half = explained({"content": "Big models"}).partition("event: done")[0]
    stage.replies["POST", "/api/explain-updates"] = (200, half)
    banner.get_by_role("button", name="Explain").click()
    expect(words).to_have_text("Big models\n\nThe connection was lost in the middle.")
    over = control.update_job(state=JobState.COMPLETE, finished_at=control.scenes.now, n=9)
    stage.tell("updates", said(control.updates(over, can_revert=True, checkouts=[])))
    expect(page.get_by_role("region", name="The model launcher was updated")).to_be_visible()
    expect(page.get_by_text("Big models")).to_be_hidden()
