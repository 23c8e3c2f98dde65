"""What belongs to the speech service, and what it is told about who asks."""

import pytest

from spark_gateway.dataplane.caller_field import CALLER, LABEL, REDACTED_TENANT, TENANT, told_to
from spark_gateway.dataplane.free import ANYBODY
from spark_gateway.dataplane.heads import is_data_plane, parse_request, upstream_request
from spark_gateway.dataplane.ports import REDACTION, SPEECH, Upstream
from spark_gateway.dataplane.upstreams import place_of


@pytest.mark.parametrize(
    ("path", "passed_on"),
    [
        (b"/v1/audio/transcriptions", True),
        (b"/api/audio/transcribe-with-speakers", True),
        (b"/api/audio/speakers/Alice", True),
        (b"/api/audios", False),
        (b"/api/status", False),
    ],
)
def test_its_paths_are_passed_on_to_it_and_no_others(path: bytes, passed_on: bool) -> None:
    head = parse_request(b"POST %b HTTP/1.1\r\nHost: g\r\n\r\n" % path)
    assert is_data_plane(head) is passed_on
    assert (place_of(path) == "audio") is passed_on


def told(service: str, field: bytes, identity: object, peer: str, more: bytes) -> list[bytes]:
    """What a service reads in a field, of a request with ``more`` lines in its head."""
    upstream = Upstream("127.0.0.1", 1, service)
    head = parse_request(b"POST /x HTTP/1.1\r\nHost: g\r\n%b\r\n" % more)
    lines = told_to(upstream, identity, peer)  # type: ignore[arg-type]
    text = upstream_request(head, upstream, b"r", lines)
    fields = parse_request(text).fields
    return [value for name, value in fields if name.lower() == field]


def test_it_is_told_callers_apart_and_nothing_else_about_them() -> None:
    def caller(peer: str, more: bytes = b"") -> list[bytes]:
        return told(SPEECH, CALLER, ANYBODY, peer, more)

    alice = caller("127.0.0.5")
    assert len(alice) == 1
    assert caller("127.0.0.5", b"X-Spark-Caller: somebody-else\r\n") == alice
    assert caller("127.0.0.6") != alice
    assert b"127" not in alice[0]


class Key:
    """Somebody with a key, as far as it matters here."""

    share = "key:01j"
    label = "Alice's phone"


def test_voices_are_those_of_a_key_and_of_everybody_without_one() -> None:
    def tenant(identity: object, more: bytes = b"") -> list[bytes]:
        return told(SPEECH, TENANT, identity, "127.0.0.5", more)

    assert tenant(ANYBODY) == [b"home"]
    forged = b"X-Spark-Tenant: home\r\n"
    assert tenant(Key(), forged) == tenant(Key()) != [b"home"]


def test_what_redaction_keeps_is_of_a_key_whatever_the_client_says() -> None:
    def tenant(identity: object, more: bytes = b"") -> list[bytes]:
        return told(REDACTION, REDACTED_TENANT, identity, "127.0.0.5", more)

    assert tenant(ANYBODY, b"X-Tenant: crm\r\n") == []
    assert tenant(Key(), b"X-TENANT: crm\r\n") == tenant(Key()) != []
    assert told(REDACTION, LABEL, Key(), "127.0.0.5", b"X-Spark-Label: Bob\r\n") == [
        b"Alice%27s phone"
    ]


def test_a_long_label_is_cut_between_two_letters() -> None:
    key = Key()
    key.label = "ü" * 65
    assert told(REDACTION, LABEL, key, "127.0.0.5", b"") == [b"%C3%BC" * 64]
