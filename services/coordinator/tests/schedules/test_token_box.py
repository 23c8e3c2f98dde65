"""A token in Redis is of use to coordinators, and to nobody who reads Redis or a copy of it."""

from spark_coordinator.schedules.token_box import TokenBox

TOKEN = "token-of-a-lease"


def test_every_coordinator_with_the_secret_opens_it_and_nobody_else():
    sealed = TokenBox("shared").seal(TOKEN)
    assert TOKEN not in sealed
    assert TokenBox("shared").open(sealed) == TOKEN
    for other in (TokenBox("another"), TokenBox(None)):
        assert other.open(sealed) is None


def test_without_a_secret_only_the_one_that_sealed_it_opens_it():
    box = TokenBox(None)
    sealed = box.seal(TOKEN)
    assert box.open(sealed) == TOKEN
    assert TokenBox(None).open(sealed) is None
    assert TokenBox("").open(sealed) is None


def test_what_is_damaged_is_no_token():
    sealed = TokenBox("shared").seal(TOKEN)
    for damaged in ("", TOKEN, sealed[:-4], "\ud800", sealed[::-1]):
        assert TokenBox("shared").open(damaged) is None
