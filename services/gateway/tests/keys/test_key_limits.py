"""What a key may: so much a minute, these models; and how a key is shown."""

import json
from datetime import timedelta

import pytest
from gateway_stand.office import Office
from hypothesis import given
from hypothesis import strategies as st

from spark_common.key_text import fresh_key
from spark_gateway.keys.bucket import Bucket
from spark_gateway.keys.refusals import valid
from spark_gateway.keys.shown import in_query, key_in, without_keys

KEY = "sk-spark-NotASecret00000000000000000000002fGEh2"
"""Always the same, since names of tests show it."""
OTHER = fresh_key()


@given(
    st.integers(1, 1000),
    st.lists(st.tuples(st.floats(0, 30), st.integers(0, 20)), max_size=60),
)
def test_nobody_gets_more_than_a_minute_and_what_came_back_since(per_minute, steps):
    bucket, now, taken = Bucket(per_minute, 0.0), 0.0, 0
    for pause, wishes in steps:
        now += pause
        for _ in range(wishes):
            if bucket.wait(now):
                break
            bucket.take(1.0, now)
            taken += 1
    assert taken <= per_minute + now * per_minute / 60.0 + 1e-6
    assert bucket.wait(now + bucket.wait(now) + 1e-6) == 0.0


def test_an_overdrawn_bucket_is_waited_for_and_no_limit_is_none():
    bucket = Bucket(60, 0.0)
    bucket.take(119.0, 0.0)
    assert bucket.wait(0.0) == pytest.approx(60.0)
    assert bucket.wait(60.0) == 0.0
    free = Bucket(0, 0.0)
    free.take(1e9, 0.0)
    assert free.wait(0.0) == 0.0


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        ([(b"Authorization", b"Bearer " + KEY.encode())], KEY),
        ([(b"authorization", b"bearer   " + KEY.encode() + b" ")], KEY),
        ([(b"X-Api-Key", KEY.encode())], KEY),
        ([(b"API-KEY", KEY.encode())], KEY),
        ([(b"authorization", b"Bearer sk-none"), (b"x-api-key", KEY.encode())], KEY),
        ([(b"x-api-key", b"none"), (b"authorization", b"Bearer " + KEY.encode())], KEY),
        ([(b"authorization", b"Bearer sk-none")], "sk-none"),
        ([(b"authorization", b"Basic " + KEY.encode())], None),
        ([(b"authorization", b"Bearer ")], None),
        ([(b"x-api-key", b"")], None),
        ([(b"cookie", KEY.encode())], None),
        ([], None),
    ],
)
def test_a_key_is_shown_in_three_fields_and_ours_counts_before_any_other(fields, shown):
    assert key_in(fields) == shown


def test_no_upstream_sees_a_key_of_ours_and_every_other_field_goes_on():
    fields = [
        (b"authorization", b"Bearer " + KEY.encode()), (b"x-api-key", KEY.encode()),
        (b"accept", b"*/*"), (b"api-key", b"sk-of-somebody-else"),
    ]  # fmt: skip
    assert without_keys(fields) == fields[2:]


@pytest.mark.parametrize(
    ("target", "found"),
    [
        (b"/v1/models?api_key=" + KEY.encode(), True),
        (b"/v1/models?a=b&key=sk%2dspark%2D" + KEY[9:].encode(), True),
        (b"/v1/models?a=%", False),
        (b"/v1/models?a=sk-other", False),
        (b"/v1/models", False),
    ],
)
def test_a_key_in_an_address_is_seen(target, found):
    assert in_query(target) is found


@pytest.mark.parametrize(
    ("models", "path", "named", "allowed"),
    [
        ([], b"/v1/chat/completions", "anything", True),
        (["org/Model"], b"/v1/chat/completions", "ORG/model", True),
        (["org/Model"], b"/v1/chat/completions", "org/other", False),
        (["org/model"], b"/v1/chat/completions", "auto", True),
        (["org/model"], b"/v1/chat/completions", None, True),
        (["org/other"], b"/v1/chat/completions", "auto", False),
        (["org/other"], b"/v1/chat/completions", None, False),
        (["alias"], b"/v1/chat/completions", "org/model", True),
        (["org/model"], b"/v1/chat/completions", "alias", True),
        (["org/model"], b"/v1/audio/speech", None, False),
        (["kokoro"], b"/v1/audio/speech", "kokoro", True),
        (["org/model"], b"/score", None, False),
        (["org/model"], b"/v1/score", "auto", False),
        (["org/model"], b"/scrub", None, True),
        (["auto"], b"/v1/chat/completions", "auto", True),
        (["auto"], b"/v1/chat/completions", None, True),
        (["Auto"], b"/v1/chat/completions", "alias", True),
        (["auto"], b"/v1/chat/completions", "org/other", False),
    ],
)
def test_a_list_of_models_counts_by_every_name_of_the_loaded_one(
    office, models, path, named, allowed
):
    office.loaded = frozenset({"org/model", "alias"})
    holder = office.book.find(office.issue("k", "infer", models=models))
    refusal = holder.refuses(path, named)
    assert (refusal is None) is allowed
    assert holder.picky is bool(models)
    if refusal is not None:
        assert (refusal.status, json.loads(refusal.body)["error"]["code"]) == (
            403, "model_not_allowed",
        )  # fmt: skip


@given(
    st.fixed_dictionaries(
        {
            "enabled": st.booleans(),
            "expires_at": st.sampled_from((None, -1, 1)),
            "requests_per_minute": st.sampled_from((0, 1)),
            "tokens_per_minute": st.sampled_from((0, 1)),
            "scopes": st.sampled_from(([], ["infer"], ["admin"], ["infer", "admin"])),
        }
    ),
    st.sampled_from(("issued", "changed", "revoked")),
)
def test_who_is_let_in_at_a_look_is_one_who_would_be_for_ever(given_key, how):
    office = Office()
    end = given_key["expires_at"]
    given_key["expires_at"] = None if end is None else office.clock.now() + timedelta(hours=end)
    first = {**given_key, "scopes": ["infer"]} if how == "changed" else given_key
    holder = office.book.find(office.issue("k", *first.pop("scopes"), **first))
    if how == "changed":
        office.change("k", **given_key)
    elif how == "revoked":
        office.revoke("k")
    valid_now = valid(holder, "infer") is holder and holder.key.expires_at is None
    limited = holder.key.requests_per_minute or holder.key.tokens_per_minute
    assert holder.unconditional is (valid_now and not limited)
    if holder.unconditional:
        holder.spent(1 << 40)
        assert all(holder.ask(b"/v1/messages") is None for _ in range(3))


async def test_too_many_requests_or_tokens_are_told_when_to_come_back(office):
    holder = office.book.find(
        office.issue("k", "infer", requests_per_minute=2, tokens_per_minute=600)
    )
    assert [holder.ask(b"/v1/messages"), holder.ask(b"/v1/messages")] == [None, None]
    refusal = holder.ask(b"/v1/messages")
    assert refusal.status == 429
    assert json.loads(refusal.body)["error"]["type"] == "rate_limit_error"
    fields = dict(refusal.headers)
    assert (fields[b"retry-after"], fields[b"x-should-retry"]) == (b"30", b"true")
    await office.clock.advance(60)
    holder.spent(1200)
    tokens = holder.ask(b"/v1/chat/completions")
    assert b"600 tokens a minute" in tokens.body
    assert dict(tokens.headers)[b"x-ratelimit-limit-tokens"] == b"600"
    await office.clock.advance(61)
    assert holder.ask(b"/v1/chat/completions") is None
