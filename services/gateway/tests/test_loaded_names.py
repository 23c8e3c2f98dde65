"""What the loaded model is called, by the model server, the menu and the swap that just ended."""

from datetime import UTC, datetime

import pytest

from spark_common.contracts.models import Menu, ModelView, RuntimeView
from spark_gateway.loaded_names import LoadedNames
from spark_gateway.served import ServedModel
from spark_gateway.streams.board import BusView, LiveSnapshot
from spark_gateway.streams.entry import OUTCOMES, PROGRESS, Entry, Thread

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def a_menu(*models, runtime) -> Menu:
    return Menu(models=list(models), recipes=[], hosts=[], runtime=runtime, as_of=NOW)


def a_picture(menu) -> LiveSnapshot:
    bus = BusView(connected=True)
    return LiveSnapshot(menu=menu, swaps=None, components=[], bus=bus, version="1")


def a_model(key, *, loaded) -> ModelView:
    return ModelView(
        key=key,
        name=key,
        repo=f"Org/{key}",
        served_name=f"{key}-served",
        state="ready",
        loaded=loaded,
    )


def an_end(stream=OUTCOMES, **content) -> Entry:
    return Entry("swap.complete", Thread("swap", "s"), "o1-1", stream, 1, content, b"")


def complete(model, **facts):
    return an_end(
        swap_id="s",
        model=model,
        served_name=f"{model}-served",
        requested_by="Alice",
        total_seconds=1,
        finished_at=NOW.isoformat(),
        **facts,
    )


@pytest.fixture
def listed():
    return []


@pytest.fixture
def names(listed):
    return LoadedNames(lambda: listed)


def test_nobody_knows_at_first(names):
    assert names() == frozenset()


def test_the_names_the_server_lists_and_where_it_took_the_model_from(names, listed):
    listed += [ServedModel("Qwen", 0, root="Org/Qwen-30B"), ServedModel("alias", 0)]
    assert names() == {"qwen", "org/qwen-30b", "alias"}


def test_the_names_of_the_loaded_card_and_no_other(names):
    runtime = RuntimeView(state="serving", model="a", served_name="A-again")
    cards = a_model("a", loaded=True), a_model("b", loaded=False)
    names.on_picture(a_picture(a_menu(*cards, runtime=runtime)))
    assert names() == {"a", "org/a", "a-served", "a-again"}
    names.on_picture(a_picture(None))
    assert "a" in names()
    names.on_picture(a_picture(a_menu(runtime=RuntimeView(state="idle"))))
    assert names() == frozenset()


def test_a_swap_that_ended_well_is_known_before_anybody_looked(names):
    names.on_entry(complete("b"))
    assert names() == {"b", "b-served"}
    names.on_entry(an_end(PROGRESS, swap_id="s2"))
    names.on_entry(complete("c", dry_run=True))
    assert names() == {"b", "b-served"}
    names.on_entry(an_end(swap_id="s3", outcome="failed"))
    assert names() == frozenset()
