"""How long a client says that it will wait."""

import pytest

from spark_gateway.holding.prefer import preferred_wait


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (b"wait=10", 10),
        (b"WAIT = 0", 0),
        (b'respond-async, wait="7"; x=y', 7),
        (b"wait=1, wait=2", 1),
        (b"wait=-1", None),
        (b"wait=1.5", None),
        (b"wait", None),
        (b"wait=", None),
        (b"await=3", None),
        (b"wait=99999999999", None),
        (b"", None),
    ],
)
def test_the_field_is_read(value, seconds):
    assert preferred_wait([(b"accept", b"wait=5"), (b"Prefer", value)]) == seconds


def test_several_fields_are_one_list():
    assert preferred_wait([(b"prefer", b"a"), (b"PREFER", b"wait=3")]) == 3
    assert preferred_wait([]) is None
