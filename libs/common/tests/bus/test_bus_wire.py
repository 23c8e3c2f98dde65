"""Bytes on the bus, and the subjects they travel on."""

import importlib
import json
import pkgutil
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import nkeys
import pytest
from pydantic import BaseModel, JsonValue, SecretBytes, SecretStr, StringConstraints, create_model

from spark_common import contracts
from spark_common.bus import wire
from spark_common.bus.identities import Identities
from spark_common.bus.patterns import matches
from spark_common.bus.server_config import render
from spark_common.contracts.requests import AppendRequests
from spark_common.contracts.rpc import Reply, Request
from spark_common.contracts.swaps import RequestSwap
from spark_common.errors import ERRORS, SparkError
from spark_common.events import Event, SwapRequested


@pytest.mark.parametrize(
    ("pattern", "subject", "expected"),
    [
        ("swap.requested", "swap.requested", True),
        ("swap.requested", "swap.requested.a", False),
        ("swap.requested.*", "swap.requested", False),
        ("swap.requested.*", "swap.requested.a", True),
        ("swap.requested.*", "swap.requested.a.b", False),
        ("swap.*.a", "swap.failed.a", True),
        ("swap.*.a", "swap.failed.b", False),
        ("swap.>", "swap", False),
        ("swap.>", "swap.failed.b", True),
        (">", "swap", True),
    ],
)
def test_patterns_match_as_on_the_server(pattern: str, subject: str, expected: bool) -> None:
    assert matches(pattern, subject) is expected


def test_a_request_shows_its_secret_to_the_receiver_only() -> None:
    request = RequestSwap(model="m", lock_token="only-for-the-lease")
    assert RequestSwap.model_validate_json(wire.write(request)) == request
    assert "only-for-the-lease" not in repr(request)


def test_secrets_in_lists_are_shown_too() -> None:
    class Many(Request):
        tokens: list[SecretStr]
        named: dict[str, SecretStr]

    many = Many(tokens=["one-secret"], named={"b": "two-secret"})
    assert Many.model_validate_json(wire.write(many)) == many


def test_letters_take_no_more_room_than_they_have() -> None:
    request = RequestSwap(model="模型 🚀", requested_by="Zürich")
    written = wire.write(request)
    assert "模型 🚀".encode() in written
    assert RequestSwap.model_validate_json(written) == request


def test_what_is_told_or_answered_never_shows_a_secret() -> None:
    class Careless(Reply):
        token: SecretStr

    class Gossip(Event):
        type = "test.gossip"
        token: SecretStr

    assert b"secret-1" not in wire.write(Careless(token="secret-1"))
    at = datetime(2026, 1, 1, tzinfo=UTC)
    sealed = wire.seal(
        Gossip(token="secret-1"), source="s", id="1", at=at, correlation_id=None, causation_id=None
    )
    assert b"secret-1" not in sealed


def test_an_envelope_is_opened_and_anything_else_is_bare() -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    request = SwapRequested(model="m")
    sealed = wire.seal(request, source="cron", id="1", at=at, correlation_id="c", causation_id=None)
    envelope = wire.unseal(sealed)
    assert envelope is not None
    assert (envelope.id, envelope.source, envelope.time) == ("1", "cron", at)
    assert SwapRequested.model_validate(envelope.data) == request
    for bare in (b"", b"not json", b"[]", b'{"model": "m"}', b"\xff\xfe"):
        assert wire.unseal(bare) is None


@pytest.mark.parametrize("code", ERRORS)
def test_every_error_survives_the_journey(code: str) -> None:
    sent = ERRORS[code]("a sentence", host="spark1")
    received = wire.read_error(wire.write_error(sent.body()))
    assert type(received) is ERRORS[code]
    assert received.body() == sent.body()


@pytest.mark.parametrize(
    "garbage", [b"", b"{}", b"[1]", b'{"error": 5}', b'{"error": {"code": 1}}']
)
def test_an_unreadable_error_is_internal(garbage: bytes) -> None:
    assert type(wire.read_error(garbage)) is SparkError


def test_identities_stay_and_their_seeds_are_private(tmp_path) -> None:
    first = Identities.load_or_create(tmp_path / "ids")
    again = Identities.load_or_create(tmp_path / "ids")
    assert first == again
    assert len(set(first.public_keys.values())) == len(first.public_keys)
    for name, public_key in first.public_keys.items():
        path = first.seed_file(name)
        assert path.stat().st_mode & 0o777 == 0o600
        pair = nkeys.from_seed(bytearray(path.read_bytes().strip()))
        assert pair.public_key.decode() == public_key
    with pytest.raises(KeyError):
        first.seed_file("nobody")


def test_a_lost_seed_is_the_only_one_made_anew(tmp_path) -> None:
    first = Identities.load_or_create(tmp_path / "ids")
    first.seed_file("health").unlink()
    again = Identities.load_or_create(tmp_path / "ids")
    changed = {name for name, key in again.public_keys.items() if key != first.public_keys[name]}
    assert changed == {"health"}


def test_the_server_configuration_syncs_and_knows_public_keys_only(tmp_path) -> None:
    identities = Identities.load_or_create(tmp_path / "ids")
    text = render(identities.public_keys, store_dir=tmp_path, listen="0.0.0.0:4222")
    assert "sync_interval: always" in text
    assert 'listen: "0.0.0.0:4222"' in text
    assert 'http: "127.0.0.1:8222"' in text
    for name, public_key in identities.public_keys.items():
        assert text.count(public_key) == 1
        assert identities.seed_file(name).read_text().strip() not in text


class Inner(BaseModel):
    word: SecretStr


@pytest.mark.parametrize(
    ("annotation", "may"),
    [
        (str, False),
        (list[int], False),
        (Annotated[str, StringConstraints(max_length=3)] | None, False),
        (Literal["a", 1], False),
        (dict[str, tuple[int, ...]], False),
        (datetime, False),
        (SecretStr, True),
        (SecretBytes | None, True),
        (dict[str, list[Inner]], True),
        (Any, True),
        (JsonValue, True),
        (object, True),
    ],
)
def test_what_cannot_hold_a_secret_is_not_searched_for_one(annotation, may):
    kind = create_model("Asks", __base__=Request, field=(annotation, ...))
    assert wire.may_hold_secrets(kind) is may


def test_every_question_with_a_secret_is_known_to_have_one():
    for module in pkgutil.iter_modules(contracts.__path__):
        importlib.import_module(f"{contracts.__name__}.{module.name}")
    questions = {
        kind for base in Request.__subclasses__() for kind in (base, *base.__subclasses__())
    }
    secret = {kind for kind in questions if '"writeOnly"' in json.dumps(kind.model_json_schema())}
    assert RequestSwap in secret
    assert [kind for kind in secret if not wire.may_hold_secrets(kind)] == []
    assert not wire.may_hold_secrets(AppendRequests)
