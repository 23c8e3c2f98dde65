"""What docs/events says is what we send, and what was once sent is still understood."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from pydantic import SecretStr, ValidationError

from spark_common import schemas
from spark_common.bus.patterns import matches
from spark_common.bus.streams import STREAMS
from spark_common.envelope import Envelope
from spark_common.events import COMMANDS, EVENTS, Message

DOCS = Path(__file__).parents[2] / "docs" / "events"
GOLDEN = sorted((Path(__file__).parent / "golden").glob("*.json"))
BY_TYPE = {message.type_name(): message for message in schemas.MESSAGES}


def envelope(path: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return read


def parsed(path: Path) -> Message:
    sealed = Envelope.model_validate(envelope(path))
    return BY_TYPE[sealed.type].model_validate(sealed.data)


@pytest.mark.parametrize("name", sorted(schemas.documents()))
def test_the_published_file_is_current(name: str) -> None:
    """Run ``make schemas`` after an additive change; anything else is a new version."""
    published = DOCS / name
    assert published.read_text(encoding="utf-8") == schemas.documents()[name]


def test_nothing_is_published_that_nobody_sends() -> None:
    assert schemas.stale(DOCS) == []


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
class TestGolden:
    def test_every_field_that_was_sent_is_still_read(self, path: Path) -> None:
        message = parsed(path)
        kept = {
            name: value.get_secret_value() if isinstance(value, SecretStr) else value
            for name, value in message.model_dump(exclude_unset=True).items()
        }
        assert json.loads(json.dumps(kept, default=_plain)) == envelope(path)["data"]

    def test_it_satisfies_the_published_schema(self, path: Path) -> None:
        sealed = envelope(path)
        published = json.loads((DOCS / schemas.file_name(BY_TYPE[sealed["type"]])).read_text())
        Draft202012Validator(published).validate(sealed["data"])

    def test_it_satisfies_the_asyncapi_document(self, path: Path) -> None:
        document = json.loads((DOCS / "asyncapi.json").read_text())
        sealed = envelope(path)
        payload = document["components"]["messages"][sealed["type"]]["payload"]
        Draft202012Validator({**payload, "components": document["components"]}).validate(sealed)

    def test_an_event_from_a_newer_writer_is_read_and_such_a_command_refused(
        self, path: Path
    ) -> None:
        sealed = envelope(path)
        newer = {**sealed["data"], "a_field_of_tomorrow": 1}
        message = BY_TYPE[sealed["type"]]
        if message in EVENTS:
            assert message.model_validate(newer) == parsed(path)
        else:
            with pytest.raises(ValidationError, match="a_field_of_tomorrow"):
                message.model_validate(newer)


def test_every_type_has_a_golden_example() -> None:
    assert {envelope(path)["type"] for path in GOLDEN} == set(BY_TYPE)


def test_type_names_are_unique_and_in_the_tense_of_their_kind() -> None:
    assert len(BY_TYPE) == len(COMMANDS) + len(EVENTS)
    assert all(name.startswith("spark.") for name in BY_TYPE)


class TestAsyncapi:
    def test_every_subject_of_every_stream_is_described(self) -> None:
        ours = [
            subject
            for spec in STREAMS
            for subject in spec.subjects
            if not subject.startswith("$JS.")
        ]
        described = [channel.address.replace("{id}", "x") for channel in schemas.CHANNELS]
        for subject in ours:
            assert any(matches(subject, address) for address in described), subject

    def test_every_type_is_said_somewhere(self) -> None:
        assert {channel.message for channel in schemas.CHANNELS} == set(schemas.MESSAGES)

    def test_every_reference_leads_somewhere(self) -> None:
        document = schemas.asyncapi()
        for reference in _references(document):
            place: Any = document
            for part in reference.removeprefix("#/").split("/"):
                place = place[part]


def test_check_names_what_is_missing_changed_and_left_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert schemas.main([str(tmp_path)]) == 0
    assert schemas.main(["--check", str(tmp_path)]) == 0
    (tmp_path / "swap.start.v1.json").unlink()
    (tmp_path / "swap.failed.v1.json").write_text("{}")
    (tmp_path / "swap.paused.v1.json").write_text("{}")
    assert schemas.main(["--check", str(tmp_path)]) == 1
    named = capsys.readouterr().err.splitlines()
    assert [line.split(" ")[0].rsplit("/", 1)[1] for line in named] == [
        "swap.failed.v1.json",
        "swap.paused.v1.json",
        "swap.start.v1.json",
    ]
    assert schemas.main([str(tmp_path)]) == 0
    assert schemas.stale(tmp_path) == []


def _plain(value: Any) -> Any:
    return value.isoformat().replace("+00:00", "Z")


def _references(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
        return own + [found for child in node.values() for found in _references(child)]
    if isinstance(node, list):
        return [found for child in node for found in _references(child)]
    return []
