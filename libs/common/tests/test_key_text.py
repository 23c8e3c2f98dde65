"""The text of an API key: recognised, and a mistake in it found without asking anybody."""

import pytest
import structlog

from spark_common.key_text import PREFIX, digest_of, fresh_key, is_key
from spark_common.testing.logs import logged


def test_no_two_are_alike_and_all_are_recognised():
    made = {fresh_key() for _ in range(200)}
    assert len(made) == 200
    assert all(is_key(key) and key.startswith(PREFIX) for key in made)
    assert len({digest_of(key) for key in made}) == 200


def test_every_single_mistake_is_found():
    key = fresh_key()
    for place in range(len(key)):
        other = "b" if key[place] == "a" else "a"
        assert not is_key(key[:place] + other + key[place + 1 :])
    for wrong in (key[:-1], key + "a", key + "\n", key.upper(), "", "sk-other", "sk-spark-é" * 9):
        assert not is_key(wrong)


@pytest.mark.parametrize("around", ["{}", "GET /v1/models?x={}&y=1", "says '{}'"])
def test_a_log_never_shows_one(around):
    key = fresh_key()
    with logged("test") as out:
        structlog.get_logger().warning("seen", what=around.format(key))
    assert key not in out.getvalue()
    assert "***" in out.getvalue()
