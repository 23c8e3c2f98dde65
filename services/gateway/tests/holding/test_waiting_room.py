"""Whose room it is: in order, within bounds, and nobody fills it alone."""

from hypothesis import given
from hypothesis import strategies as st

from spark_gateway.holding.room import Held, WaitingRoom


def one(room, share, size=1, since=0.0):
    return Held(room, "m", b"/", "", size, since, 999.0, False, lambda _: None, share)


def filled(*shares):
    room = WaitingRoom()
    for number, share in enumerate(shares):
        room.join(one(room, share, since=float(number)))
    return room


def shares_of(gone):
    return None if gone is None else [(held.share, held.since) for held in gone]


def test_whoever_has_most_makes_room_for_whoever_has_less():
    room = filled("a", "a", "a", "b")
    assert shares_of(room.make_room(one(room, "b"), 4, 100)) == [("a", 2.0)]
    assert shares_of(room.make_room(one(room, "c"), 4, 100)) == [("a", 2.0)]
    assert room.make_room(one(room, "a"), 4, 100) is None
    assert room.make_room(one(room, "a"), 5, 100) == []
    even = filled("a", "a", "b")
    assert even.make_room(one(even, "b"), 3, 100) is None


def test_bytes_count_like_heads():
    room = WaitingRoom()
    for since, size in enumerate((40, 30, 20)):
        room.join(one(room, "a", size, float(since)))
    assert shares_of(room.make_room(one(room, "b", 15), 9, 100)) == [("a", 2.0)]
    assert shares_of(room.make_room(one(room, "b", 35), 9, 100)) == [("a", 2.0), ("a", 1.0)]
    assert room.make_room(one(room, "b", 99), 9, 100) is None
    assert room.make_room(one(room, "a", 15), 9, 100) is None


COMERS = st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 40)), max_size=40)


@given(COMERS, st.integers(1, 8), st.integers(1, 100))
def test_the_bounds_hold_whoever_comes_and_goes(comers, most, most_bytes):
    room, gone_before = WaitingRoom(), []
    for number, (share, size) in enumerate(comers):
        new = one(room, share, size, float(number))
        gone = room.make_room(new, most, most_bytes)
        if gone is not None:
            assert all(held.share != share for held in gone)
            for held in gone:
                held.leave()
                held.leave()
            gone_before += gone
            room.join(new)
        assert len(room) <= most
        assert room.bytes == sum(held.size for held in room) <= most_bytes
        assert not set(gone_before) & set(room)
        assert [held.since for held in room] == sorted(held.since for held in room)
