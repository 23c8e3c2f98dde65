"""Secrets leave the house encrypted or not at all."""

import base64
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from spark_common.errors import InvalidRequestError
from spark_coordinator.owner.state.sealing import seal, unseal

WORDS = SecretStr("correct horse")
SECRETS = {"settings": {"HF_TOKEN": "hush-one"}, "webhooks": {"a": "hush-two"}}


@pytest.fixture(scope="module")
def sealed() -> str:
    """Return what was sealed once: that takes a moment on purpose."""
    return seal(SECRETS, WORDS)


def test_what_was_sealed_opens_with_the_same_words_only(sealed):
    assert unseal(sealed, WORDS) == SECRETS
    assert b"hush" not in base64.b64decode(sealed)
    with pytest.raises(InvalidRequestError) as refusal:
        unseal(sealed, SecretStr("correct horsf"))
    assert "correct" not in refusal.value.message


def test_words_are_the_same_from_every_keyboard():
    assert (
        unseal(
            seal(SECRETS, SecretStr("Grüße aus Zürich")),
            SecretStr(unicodedata.normalize("NFD", "Grüße aus Zürich")),
        )
        == SECRETS
    )


def test_two_exports_have_nothing_in_common(sealed):
    assert seal(SECRETS, WORDS)[8:] != sealed[8:]


@pytest.mark.parametrize("words", ["", "short", "seven c"])
def test_a_short_passphrase_is_refused(words):
    with pytest.raises(InvalidRequestError, match="at least 8"):
        seal(SECRETS, SecretStr(words))


@settings(max_examples=15, deadline=None)
@given(place=st.integers(0, 200), bit=st.integers(0, 7), cut=st.booleans())
def test_whatever_is_damaged_is_refused(sealed, place, bit, cut):
    content = bytearray(base64.b64decode(sealed))
    place %= len(content)
    if cut:
        content = content[:place]
    else:
        content[place] ^= 1 << bit
    with pytest.raises(InvalidRequestError):
        unseal(base64.b64encode(bytes(content)).decode(), WORDS)


@pytest.mark.parametrize("text", ["", "!", "AA==", "ÄÖ", "AQ=="])
def test_what_is_no_sealed_text_is_refused(text):
    with pytest.raises(InvalidRequestError):
        unseal(text, WORDS)
