"""Which models clients are told of, and what each name means."""

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from spark_common.contracts.models import Menu, ModelCopy, ModelView, RuntimeView
from spark_gateway.catalogue import Catalogue
from spark_gateway.dataplane.watch import Served
from spark_gateway.served import ServedModel
from spark_gateway.streams.board import BusView, LiveSnapshot

NOW = datetime(2026, 1, 1, tzinfo=UTC)
QWEN = ServedModel("Org/Qwen-8B", created=7, max_model_len=4096, root="Org/Qwen-8B")
LORA = ServedModel("lora", created=7, root="Org/Qwen-8B")
EMBED = (ServedModel("bge-m3", created=3), ServedModel("bge-reranker-v2-m3", created=3))

SERVED = Served("serving", (QWEN, LORA))
BESIDE = Served("serving", EMBED)


def view(key, *, loaded=False, state="ready", **more):
    facts = {"repo": f"Org/{key}", "served_name": f"{key}-served", **more}
    return ModelView(key=key, name=key, state=state, loaded=loaded, **facts)


@dataclass
class World:
    loaded: Served = SERVED
    beside: Served = BESIDE
    aliases: tuple[str, ...] = ("gpt-4o=auto", "fast=Org/Qwen-8B", "dead=nothing")
    lists_menu: bool = True
    hidden: tuple[str, ...] = ()
    coming: str | None = None

    def catalogue(self, *views, runtime=None) -> Catalogue:
        made = Catalogue(
            lambda: self.loaded,
            lambda: self.beside,
            lambda: self.aliases,
            lambda: self.lists_menu,
            lambda: self.hidden,
            made_at=1_700_000_000,
            coming=lambda: self.coming,
        )
        if views:
            state = runtime or RuntimeView(state="serving")
            menu = Menu(models=list(views), recipes=[], hosts=[], runtime=state, as_of=NOW)
            bus = BusView(connected=True)
            made.on_picture(
                LiveSnapshot(menu=menu, swaps=None, components=[], bus=bus, version="1")
            )
        return made


@pytest.fixture
def world() -> World:
    return World()


LOADED = view(
    "qwen", loaded=True, repo="Org/Qwen-8B", served_name="Org/Qwen-8B", capabilities=["chat"]
)
OTHER = view("gemma", capabilities=["chat", "vision"], context_length=8192)


def test_all_kinds_are_listed_the_loaded_ones_first(world):
    listed = world.catalogue(OTHER, LOADED).listed()
    assert [(each.id, each.kind, each.state) for each in listed] == [
        ("Org/Qwen-8B", "chat", "loaded"),
        ("lora", "chat", "loaded"),
        ("gemma-served", "chat", "unloaded"),
        ("bge-m3", "embedding", "loaded"),
        ("bge-reranker-v2-m3", "rerank", "loaded"),
        ("parakeet", "transcription", "loaded"),
        ("kokoro", "speech", "loaded"),
    ]
    first = listed[0]
    assert first.capabilities == ("chat",)
    assert set(first.names) == {"lora", "qwen", "gpt-4o", "fast"}
    assert listed[2].max_model_len == 8192


@pytest.mark.parametrize("state", ["incomplete", "missing", "downloading", "needs_setup"])
def test_what_could_not_be_loaded_is_not_listed(world, state):
    listed = world.catalogue(view("x", state=state)).listed()
    assert all(each.id != "x-served" for each in listed)


def test_the_owner_may_hide_the_menu_and_services(world):
    world.lists_menu, world.hidden = False, ("kokoro",)
    listed = [each.id for each in world.catalogue(OTHER, LOADED).listed()]
    assert listed == ["Org/Qwen-8B", "lora", "bge-m3", "bge-reranker-v2-m3", "parakeet"]


@pytest.mark.parametrize(
    ("name", "means"),
    [
        ("Org/Qwen-8B", "Org/Qwen-8B"),
        ("lora", "lora"),
        ("qwen", "Org/Qwen-8B"),
        ("auto", "Org/Qwen-8B"),
        ("gpt-4o", "Org/Qwen-8B"),
        ("fast", "Org/Qwen-8B"),
        ("gemma", "gemma-served"),
        ("Org/gemma", "gemma-served"),
        ("bge-m3", "bge-m3"),
        ("whisper-1", "parakeet"),
        ("tts-1-hd", "kokoro"),
        ("org/qwen-8b", None),
        ("Qwen-8B", None),
        ("dead", None),
        ("", None),
    ],
)
def test_what_a_name_means(world, name, means):
    found = world.catalogue(OTHER, LOADED).find(name)
    assert (found.id if found is not None else None) == means


def test_a_menu_older_than_the_server_gives_it_no_names(world):
    world.loaded = Served("serving", (ServedModel("new", created=1, root="Org/New"),))
    catalogue = world.catalogue(LOADED)
    assert catalogue.find("qwen") is None
    assert catalogue.find("auto").id == "new"


def test_what_a_silent_server_served_last_stays_and_is_marked(world):
    catalogue = world.catalogue(LOADED)
    world.loaded = Served("unreachable", (QWEN,), stale=True)
    world.beside = Served("unreachable", EMBED, stale=True)
    listed = {each.id: each for each in catalogue.listed()}
    assert listed["Org/Qwen-8B"].stale
    assert listed["Org/Qwen-8B"].state == "unreachable"
    assert listed["bge-m3"].stale
    assert not catalogue.knows_all("llm")
    assert not catalogue.knows_all("embed")


def copies(*stale):
    return [
        ModelCopy(host=f"spark{number}", size_bytes=1, state="ready", stale=each)
        for number, each in enumerate(stale, 1)
    ]


@pytest.mark.parametrize(
    ("places", "stale"),
    [((), False), ((False,), False), ((True, False), False), ((True,), True), ((True, True), True)],
)
def test_a_model_whose_sparks_are_unplugged_is_the_last_known(world, places, stale):
    world.loaded = Served("unreachable", (QWEN,), stale=True)
    found = world.catalogue(view("gemma", copies=copies(*places))).find("gemma")
    assert (found.state, found.stale) == ("unloaded", stale)


def test_a_menu_that_nobody_tells_any_more_is_the_last_known(world):
    catalogue = world.catalogue(OTHER)
    assert not catalogue.find("gemma").stale
    bus = BusView(connected=False)
    catalogue.on_picture(LiveSnapshot(menu=None, swaps=None, components=[], bus=bus, version="1"))
    assert catalogue.find("gemma").stale
    assert not catalogue.find("Org/Qwen-8B").stale


@pytest.mark.parametrize(
    ("served", "state", "auto"),
    [("unreachable", "unreachable", "Org/Qwen-8B"), ("unknown", "unreachable", "Org/Qwen-8B"),
     ("idle", "unloaded", None)],
)  # fmt: skip
def test_a_gateway_that_never_heard_the_server_lists_what_the_menu_says(world, served, state, auto):
    world.loaded = Served(served)
    catalogue = world.catalogue(LOADED, OTHER)
    assert catalogue.find("qwen").state == state
    assert catalogue.find("qwen").stale is (state == "unreachable")
    found = catalogue.find("auto")
    assert (found.id if found is not None else None) == auto


def test_auto_is_nothing_while_nothing_is_loaded(world):
    world.loaded = Served("idle")
    assert world.catalogue(OTHER).find("auto") is None


def test_a_model_that_is_being_loaded_says_so(world):
    world.loaded = Served("idle")
    runtime = RuntimeView(state="starting", model="gemma")
    assert world.catalogue(OTHER, runtime=runtime).find("gemma").state == "loading"


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("org/qwen-8b", "Org/Qwen-8B"),
        ("qwen-8b", "Org/Qwen-8B"),
        ("gema", "gemma"),
        ("bge-m4", "bge-m3"),
    ],
)
def test_names_that_were_perhaps_meant(world, name, near):
    assert near in world.catalogue(OTHER, LOADED).near(name)


def test_a_name_like_no_other_has_no_near_ones(world):
    assert world.catalogue(LOADED).near("zzzzzzzzzzzz") == ()
    assert world.catalogue(LOADED).near("x" * 5000) == ()


ALL = frozenset(("/v1/embeddings", "/v1/rerank", "/rerank", "/v1/models"))


def beside(name, kind=None):
    return ServedModel(name, created=3, kind=kind)


@pytest.mark.parametrize(
    ("model", "paths", "kind", "apis"),
    [
        (beside("cross-encoder/ms-marco", kind="rerank"), ALL, "rerank", ("rerank",)),
        (beside("cross-encoder/ms-marco", kind="rerank"), None, "rerank", ()),
        (beside("my-reranker", kind="embedding"), ALL, "embedding", ("embeddings",)),
        (beside("cross-encoder/ms-marco"), ALL - {"/v1/embeddings"}, "rerank", ("rerank",)),
        (beside("bge-reranker"), ALL, "rerank", ("rerank",)),
        (beside("bge-reranker"), frozenset(("/v1/embeddings",)), "embedding", ("embeddings",)),
        (beside("bge-m3"), ALL, "embedding", ("embeddings",)),
        (beside("bge-reranker"), None, "rerank", ()),
    ],
)
def test_what_a_model_beside_is_for_is_what_its_server_says(world, model, paths, kind, apis):
    world.beside = Served("serving", (model,), paths=paths)
    found = world.catalogue().find(model.id)
    assert (found.kind, found.native_apis) == (kind, apis)


def test_the_apis_of_the_loaded_model_are_those_of_its_server(world):
    paths = frozenset(("/v1/chat/completions", "/v1/messages", "/tokenize"))
    world.loaded = Served("serving", (QWEN,), paths=paths)
    listed = {each.id: each for each in world.catalogue(OTHER, LOADED).listed()}
    assert listed["Org/Qwen-8B"].native_apis == ("chat_completions", "messages")
    assert listed["gemma-served"].native_apis == ()


@pytest.mark.parametrize(
    ("capabilities", "kind"),
    [
        ([], "chat"),
        (["vision"], "chat"),
        (["chat", "embeddings"], "chat"),
        (["embeddings"], "embedding"),
        (["rerank"], "rerank"),
        (["embeddings", "rerank"], "rerank"),
    ],
)
@pytest.mark.parametrize("loaded", [True, False])
def test_a_model_of_the_menu_is_for_what_its_recipe_says(world, loaded, capabilities, kind):
    facts = {"repo": "Org/Qwen-8B", "served_name": "Org/Qwen-8B"} if loaded else {}
    shown = view("x", loaded=loaded, capabilities=capabilities, **facts)
    name = "Org/Qwen-8B" if loaded else "x-served"
    assert world.catalogue(shown).find(name).kind == kind


def test_a_model_that_runs_beside_is_not_one_to_be_loaded_though_the_menu_has_it(world):
    catalogue = world.catalogue(view("bge", served_name="bge-m3"))
    found = catalogue.find("bge-m3")
    assert (found.place, found.state) == ("embed", "loaded")
    assert [each.id for each in catalogue.listed()].count("bge-m3") == 1


def test_the_menus_names_mean_what_serves_the_same_weights_beside(world):
    world.beside = Served("serving", (ServedModel("Org/bge", 3), ServedModel("Org/other", 3)))
    menu = view("bge", served_name="short"), view("apart")
    catalogue = world.catalogue(*menu)
    for name in ("short", "bge", "Org/bge"):
        assert (catalogue.find(name).id, catalogue.find(name).place) == ("Org/bge", "embed"), name
    assert catalogue.find("apart").place == "llm"
    listed = {each.id: each for each in catalogue.listed()}
    assert "short" not in listed
    assert {"short", "bge"} <= set(listed["Org/bge"].names)
    world.beside = Served("idle")
    assert catalogue.find("short").state == "unloaded"
    assert "short" in {each.id for each in catalogue.listed()}


def test_weights_that_the_model_server_has_loaded_stay_there(world):
    world.beside = Served("serving", (ServedModel("Org/base", 3),))
    world.loaded = Served("serving", (ServedModel("short", 3, root="Org/base"),))
    own = view("base", loaded=True, served_name="short", repo="Org/base")
    assert world.catalogue(own).find("short").place == "llm"


def test_the_model_that_a_swap_brings_is_loading_until_it_is_over(world):
    catalogue = world.catalogue(view("old"), view("new"))
    for coming, states in (("new", ["unloaded", "loading"]), (None, ["unloaded"] * 2)):
        world.coming = coming
        assert [catalogue.find(name).state for name in ("old", "new")] == states


def test_the_first_of_a_kind_runs_beside_where_one_does(world):
    own = view("q", loaded=True, repo="Org/Qwen-8B", capabilities=["embeddings"])
    catalogue = world.catalogue(own)
    assert catalogue.first("embedding").id == "bge-m3"
    world.beside = Served("idle")
    assert catalogue.first("embedding").id == "Org/Qwen-8B"
