"""The recipe routes: what goes over the bus, and how answers and refusals come back."""

import json

import pytest

from spark_common.bus import Serving
from spark_common.contracts.recipes import (
    GET_RECIPE,
    IMPORT_TEMPLATE,
    LIST_FLAGS,
    LIST_TEMPLATES,
    PREVIEW_RECIPE,
    REMOVE_RECIPE,
    SAVE_RECIPE,
    SET_KNOBS,
    FieldProblem,
    FlagHelp,
    Flags,
    Knobs,
    Preview,
    RecipeDetail,
    RecipeForm,
    Templates,
)
from spark_common.errors import (
    ConflictError,
    InvalidRequestError,
    RemoteCommandError,
    SparkError,
    UnknownModelError,
)

FORM = {"name": "Mine", "repo": "alice/mine"}


class RecipeDesk:
    """Answers the recipe verbs, and remembers what was asked."""

    def __init__(self) -> None:
        self.asked: list[object] = []
        self.broken: SparkError | None = None

    def verbs(self) -> list[Serving]:
        detail, templates = self._answer(a_detail()), self._answer(Templates(host="spark1"))
        flags = Flags(flags=[FlagHelp(flag="--seed", kind="integer")], vllm_version="0.33")
        preview = Preview(problems=[FieldProblem(field="--x", message="is unknown")])
        return [
            *(Serving(verb, detail) for verb in (GET_RECIPE, SAVE_RECIPE, REMOVE_RECIPE)),
            *(Serving(verb, detail) for verb in (SET_KNOBS, IMPORT_TEMPLATE)),
            Serving(PREVIEW_RECIPE, self._answer(preview)),
            Serving(LIST_TEMPLATES, templates),
            Serving(LIST_FLAGS, self._answer(flags)),
        ]

    def _answer(self, reply):
        async def answer(request):
            self.asked.append(request)
            if self.broken is not None:
                raise self.broken
            return reply

        return answer


def a_detail() -> RecipeDetail:
    form = RecipeForm(key="mine", name="Mine", repo="alice/mine")
    return RecipeDetail(form=form, source="own", knobs=Knobs(), preview=Preview())


@pytest.fixture
async def desk(bench) -> RecipeDesk:
    found = RecipeDesk()
    await bench.swapper.bus.serve("swapper", "1.0.0", "recipes of tests", found.verbs())
    return found


async def test_a_recipe_is_saved_with_everything_it_has(bench, desk) -> None:
    body = {**FORM, "args": ["--seed=1"], "env": {"A": "1"}, "replace": True, "requested_by": "Bob"}
    answer = await bench.http.post("/api/models", json=body)
    assert answer.status_code == 201
    assert answer.headers["location"] == "/api/models/mine/recipe"
    assert answer.json()["form"]["key"] == "mine"
    (asked,) = desk.asked
    assert (asked.replace, asked.requested_by) == (True, "Bob")
    assert asked.recipe == RecipeForm(**FORM, args=["--seed=1"], env={"A": "1"})


async def test_keys_with_dots_and_dashes_reach_the_swapper(bench, desk) -> None:
    for key in ("qwen3.6-35b-a3b", "alice--mine", "a_b"):
        assert (await bench.http.get(f"/api/models/{key}/recipe")).status_code == 200
        removed = await bench.http.delete(f"/api/models/{key}?requested_by=Bob")
        assert removed.status_code == 200
        assert [request.model for request in desk.asked[-2:]] == [key, key]
        assert desk.asked[-1].requested_by == "Bob"


async def test_knobs_and_flags_are_passed_whole(bench, desk) -> None:
    body = {"knobs": {"max_model_len": 4096, "fast_load": False}, "flags": ["--seed=1"]}
    answer = await bench.http.put("/api/models/mine/knobs", json=body)
    assert answer.status_code == 200
    (asked,) = desk.asked
    assert asked.model == "mine"
    assert asked.knobs == Knobs(max_model_len=4096, fast_load=False)
    assert (asked.flags, asked.reset) == (["--seed=1"], False)


async def test_a_preview_with_problems_is_an_answer_and_not_an_error(bench, desk) -> None:
    answer = await bench.http.post("/api/recipes/preview", json={"recipe": FORM})
    assert answer.status_code == 200
    assert answer.json()["problems"][0]["severity"] == "error"
    by_key = {"model": "mine", "knobs": {"fp8_kv_cache": True}, "flags": ["--seed=1"]}
    assert (await bench.http.post("/api/recipes/preview", json=by_key)).status_code == 200
    assert desk.asked[-1].model == "mine"


async def test_templates_and_flags_are_listed_and_imported(bench, desk) -> None:
    assert (await bench.http.get("/api/recipes/templates?refresh=true")).json()["host"] == "spark1"
    assert desk.asked[-1].refresh is True
    answer = await bench.http.post("/api/recipes/templates/import", json={"name": "qwen"})
    assert (answer.status_code, answer.headers["location"]) == (201, "/api/models/mine/recipe")
    assert (await bench.http.get("/api/recipes/flags")).json()["flags"][0]["flag"] == "--seed"


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (InvalidRequestError("repo: wrong", problems=[{"field": "repo"}]), 422),
        (ConflictError("there already"), 409),
        (UnknownModelError("no such", near=["mine"]), 404),
    ],
)
async def test_refusals_keep_their_code_and_details(bench, desk, error, status) -> None:
    desk.broken = error
    for answer in (
        await bench.http.post("/api/models", json=FORM),
        await bench.http.put("/api/models/mine/knobs", json={}),
        await bench.http.delete("/api/models/mine"),
        await bench.http.post("/api/recipes/templates/import", json={"name": "qwen"}),
    ):
        assert answer.status_code == status
        problem = answer.json()
        assert (problem["code"], problem["detail"]) == (error.code, error.message)
        assert problem["details"] == dict(error.details)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/api/models", {}),
        ("POST", "/api/models", {**FORM, "typo": 1}),
        ("POST", "/api/models", {**FORM, "args": "--seed=1"}),
        ("POST", "/api/models", {**FORM, "tensor_parallel": 0}),
        ("POST", "/api/models", [FORM]),
        ("PUT", "/api/models/mine/knobs", {"knobs": {"max_model_len": 0}}),
        ("PUT", "/api/models/mine/knobs", {"knobs": {"gpu_memory_utilization": 1.5}}),
        ("PUT", "/api/models/mine/knobs", {"knobs": {"gpu_memory_utilization": 0}}),
        ("PUT", "/api/models/mine/knobs", {"flags": ["--a"] * 2000}),
        ("PUT", "/api/models/mine/knobs", {"max_model_len": 1}),
        ("POST", "/api/recipes/preview", {"model": ""}),
        ("POST", "/api/recipes/templates/import", {"name": "../evil"}),
        ("POST", "/api/recipes/templates/import", {"name": "a\n"}),
    ],
)
async def test_a_wrong_body_is_422_and_reaches_nobody(bench, desk, method, path, body) -> None:
    answer = await bench.http.request(method, path, json=body)
    assert answer.status_code == 422
    assert answer.json()["details"]["fields"]
    assert desk.asked == []


async def test_another_site_changes_no_recipe(bench, desk) -> None:
    headers = {"origin": "http://evil.example", "content-type": "application/json"}
    for method, path in (
        ("POST", "/api/models"),
        ("DELETE", "/api/models/mine"),
        ("PUT", "/api/models/mine/knobs"),
        ("POST", "/api/recipes/templates/import"),
    ):
        answer = await bench.http.request(method, path, content=json.dumps(FORM), headers=headers)
        assert answer.status_code == 403
    assert desk.asked == []


async def test_a_spark_that_cannot_list_its_templates_is_502(bench, desk) -> None:
    desk.broken = RemoteCommandError("the recipes on Spark 1 could not be read: no such file")
    answer = await bench.http.get("/api/recipes/templates")
    assert answer.status_code == 502
    assert answer.json()["code"] == "remote_command_failed"
    paths = (await bench.http.get("/openapi.json")).json()["paths"]
    assert "502" in paths["/api/recipes/templates"]["get"]["responses"]


async def test_without_a_swapper_it_is_503(bench) -> None:
    assert (await bench.http.get("/api/recipes/flags")).status_code == 503
    assert (await bench.http.post("/api/models", json=FORM)).status_code == 503
