"""``/api/settings`` and ``/api/state``: what is passed on, what is refused, and no secret back."""

from datetime import UTC, datetime

import pytest

from spark_common.bus import Serving
from spark_common.contracts.owner_settings import (
    CHANGE_SETTINGS,
    EXPORT_STATE,
    GET_SETTINGS,
    IMPORT_STATE,
    Imported,
    SettingsView,
    SettingView,
    StateDocument,
)
from spark_common.errors import ConflictError, InvalidRequestError
from spark_common.testing import MemoryBus

VIEW = SettingsView(
    version=3,
    settings=[
        SettingView(
            name="VLLM_PORT",
            label="Port of vLLM",
            help="Where vLLM listens.",
            group="vLLM",
            kind="integer",
            default=8888,
            value=8890,
            source="owner",
        )
    ],
    warnings=["DRAIN_SECONDS is blank; the default is used"],
)


class Coordinator:
    """Keeps what it was asked, and answers what it is told to."""

    def __init__(self):
        self.asked = []
        self.broken = None

    async def serve(self, broker):
        verbs = (
            Serving(GET_SETTINGS, self.view),
            Serving(CHANGE_SETTINGS, self.view),
            Serving(EXPORT_STATE, self.export),
            Serving(IMPORT_STATE, self.take_in),
        )
        await MemoryBus("coordinator", broker).serve("coordinator", "1.0.0", "settings", verbs)

    def _note(self, request):
        self.asked.append(request)
        if self.broken is not None:
            raise self.broken

    async def view(self, request):
        self._note(request)
        return VIEW

    async def export(self, request):
        self._note(request)
        return StateDocument(exported_at=datetime(2026, 11, 27, tzinfo=UTC))

    async def take_in(self, request):
        self._note(request)
        return Imported(settings=2)


@pytest.fixture
async def coordinator(bench):
    coordinator = Coordinator()
    await coordinator.serve(bench.broker)
    return coordinator


async def test_all_settings_come_as_the_coordinator_shows_them(bench, coordinator):
    answer = await bench.http.get("/api/settings")
    assert answer.status_code == 200
    assert SettingsView.model_validate(answer.json()) == VIEW


async def test_a_change_is_passed_on_with_its_version(bench, coordinator):
    body = {
        "version": 3,
        "values": {"VLLM_PORT": 8890, "DRAIN_SECONDS": None},
        "secrets": {"HF_TOKEN": "hush", "NGC_API_KEY": None},
        "requested_by": "Alice",
    }
    answer = await bench.http.post("/api/settings", json=body)
    assert answer.status_code == 200
    assert "hush" not in answer.text
    [request] = coordinator.asked
    assert (request.version, request.requested_by) == (3, "Alice")
    assert request.values == {"VLLM_PORT": 8890, "DRAIN_SECONDS": None}
    assert request.secrets["HF_TOKEN"].get_secret_value() == "hush"
    assert request.secrets["NGC_API_KEY"] is None


async def test_the_flat_form_of_the_earlier_system_is_understood(bench, coordinator):
    body = {"VLLM_PORT": "8890", "KOKORO_PORT": None, "HF_TOKEN": "hush", "NGC_API_KEY": ""}
    answer = await bench.http.post("/api/settings?requested_by=Bob", json=body)
    assert answer.status_code == 200
    [request] = coordinator.asked
    assert request.values == {"VLLM_PORT": "8890", "KOKORO_PORT": None}
    assert {n: s and s.get_secret_value() for n, s in request.secrets.items()} == {
        "HF_TOKEN": "hush",
        "NGC_API_KEY": None,
    }
    assert request.requested_by == "Bob"


@pytest.mark.parametrize(
    ("value", "secret"), [(4711, "4711"), (True, ""), (0.5, ""), (["hush"], ""), ({}, "")]
)
async def test_only_text_and_whole_numbers_are_secrets_in_the_flat_form(
    bench, coordinator, value, secret
):
    await bench.http.post("/api/settings", json={"HF_TOKEN": value})
    [request] = coordinator.asked
    assert request.secrets["HF_TOKEN"].get_secret_value() == secret
    assert request.values == {}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ([], 422),
        ("x", 422),
        ({"vllm_port": 1}, 422),
        ({"values": {"vllm_port": 1}}, 422),
        ({"values": {"VLLM_PORT": 1}, "VLLM_PORT": 2}, 422),
        ({"values": [], "secrets": {"HF_TOKEN": "hush"}}, 422),
        ({"secrets": {"HF_TOKEN": ["hush"]}}, 422),
        ({"version": -1}, 422),
        ({"version": "hush"}, 422),
    ],
)
async def test_a_body_that_is_none_is_refused_without_repeating_it(
    bench, coordinator, body, status
):
    answer = await bench.http.post("/api/settings", json=body)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert "hush" not in answer.text
    assert coordinator.asked == []


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (InvalidRequestError("VLLM_PORT: must be a port", problems=[]), 422),
        (ConflictError("the settings were changed meanwhile", version=4), 409),
    ],
)
async def test_a_refusal_keeps_its_code_and_details(bench, coordinator, error, status):
    coordinator.broken = error
    answer = await bench.http.post("/api/settings", json={"VLLM_PORT": 0})
    assert answer.status_code == status
    assert (answer.json()["code"], answer.json()["details"]) == (error.code, dict(error.details))


async def test_nobody_answers_is_503(bench):
    assert (await bench.http.get("/api/settings")).status_code == 503


async def test_another_origin_may_change_nothing(bench, coordinator):
    for path in ("/api/settings", "/api/state/export", "/api/state/import"):
        answer = await bench.http.post(path, json={}, headers={"origin": "http://evil.example"})
        assert answer.status_code == 403
    assert coordinator.asked == []


@pytest.mark.parametrize("body", [None, {}, {"passphrase": "correct horse"}])
async def test_the_state_comes_as_a_file(bench, coordinator, body):
    answer = await bench.http.post("/api/state/export", json=body)
    assert answer.status_code == 200
    assert answer.headers["content-disposition"].endswith('"spark-control-2026-11-27.json"')
    assert answer.json()["product"] == "spark-control"
    assert "correct horse" not in answer.text
    told = coordinator.asked[0].passphrase
    assert (told and told.get_secret_value()) == (body or {}).get("passphrase")


@pytest.mark.parametrize("text", [r'{"\ud800": 1}', r'{"product": "\udc00"}'])
async def test_a_document_with_half_a_letter_is_refused(bench, coordinator, text):
    answer = await bench.http.post(
        "/api/state/import",
        content=f'{{"document": {text}}}',
        headers={"content-type": "application/json"},
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert coordinator.asked == []


async def test_a_document_is_taken_in_up_to_a_mebibyte(bench, coordinator):
    body = {"document": {"product": "spark-control", "overrides": "x" * 900_000}}
    answer = await bench.http.post("/api/state/import", json=body)
    assert (answer.status_code, answer.json()["settings"]) == (200, 2)
    body["document"]["overrides"] = "x" * 1_100_000
    assert (await bench.http.post("/api/state/import", json=body)).status_code == 413
