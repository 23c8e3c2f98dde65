"""What a shell says with its questions."""

import pytest

from spark_cli.asking import address, said_along, who_asks


@pytest.mark.parametrize("error", [KeyError("uid not found: 10001"), OSError("no entry")])
def test_a_user_without_a_name_can_ask(monkeypatch, error) -> None:
    def nameless() -> str:
        raise error

    monkeypatch.setattr("getpass.getuser", nameless)
    assert who_asks() == "somebody (sparkctl)"


@pytest.mark.parametrize(
    ("token", "key", "headers"),
    [
        (None, None, {}),
        ("", "k", {"idempotency-key": "k"}),
        ("secret", None, {"x-swap-lock-token": "secret"}),
        # An empty key is refused by the gateway; left out it would act twice, unsaid.
        (None, "", {"idempotency-key": ""}),
    ],
)
def test_the_lease_and_the_key_are_said_along(monkeypatch, token, key, headers) -> None:
    monkeypatch.delenv("SPARK_LOCK_TOKEN", raising=False)
    if token is not None:
        monkeypatch.setenv("SPARK_LOCK_TOKEN", token)
    assert said_along(key) == headers


def test_each_further_part_of_an_address_is_one_name() -> None:
    assert address("/api/models", "a/b?c d", "disk") == "/api/models/a%2Fb%3Fc%20d/disk"
