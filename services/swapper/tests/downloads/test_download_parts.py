"""The pure parts of downloads: speed, turns, addresses of the fast link, looks, the token."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as some
from pydantic import SecretStr

from spark_common.contracts.downloads import DownloadPlace
from spark_common.settings import HostSettings
from spark_swapper.downloads import words
from spark_swapper.downloads.record import DownloadJob, folder_of
from spark_swapper.downloads.slots import Slots
from spark_swapper.downloads.sparks import Facts, Measure, read_facts, routes
from spark_swapper.downloads.speed import Speed
from spark_swapper.downloads.telling import moved
from spark_swapper.downloads.token import token_from

NOTHING = Measure("", 0, 0, None)


class TestSpeed:
    def test_it_is_that_of_the_last_seconds(self):
        speed = Speed()
        for second in range(60):
            speed.feed(second, second * 10 if second < 30 else 300 + (second - 30) * 100)
        assert speed.bytes_per_second == 100
        assert speed.eta_seconds(1000) == 10
        assert speed.eta_seconds(None) is None

    def test_it_is_not_told_before_it_can_be(self):
        speed = Speed()
        assert speed.bytes_per_second is None
        speed.feed(0, 5)
        speed.feed(0.5, 50)
        assert speed.bytes_per_second is None
        assert speed.eta_seconds(10) is None

    def test_a_file_that_starts_over_is_no_negative_speed(self):
        speed = Speed()
        for second, done in enumerate((0, 100, 200, 50, 150)):
            speed.feed(second, done)
        assert speed.bytes_per_second == 100

    def test_a_stall_is_measured_from_the_last_byte(self):
        speed = Speed()
        speed.feed(0, 0)
        speed.feed(5, 100)
        speed.feed(70, 100)
        assert speed.still_seconds(70) == 65
        assert speed.bytes_per_second is None

    @given(some.lists(some.tuples(some.floats(0.01, 100), some.integers(0, 10**13)), max_size=50))
    def test_it_is_never_negative(self, fed):
        speed, now = Speed(), 0.0
        for seconds, done in fed:
            now += seconds
            speed.feed(now, done)
            assert speed.bytes_per_second is None or speed.bytes_per_second > 0
            assert speed.still_seconds(now) >= 0


@pytest.mark.parametrize(
    ("places", "target", "here", "expected"),
    [
        ({"spark1": "running"}, "spark1", 600, 40),
        ({"spark1": "running", "spark2": "absent"}, "spark1", 600, None),
        ({"spark1": "running", "spark2": "partial"}, "spark1", 1000, None),
        ({"spark1": "running", "spark2": "ready"}, "spark1", 600, 40),
        ({"spark1": "ready", "spark2": "running"}, "spark2", 600, 40),
        ({"spark1": "ready", "spark2": "running", "spark3": "absent"}, "spark2", 600, 140),
        ({"spark1": "ready", "spark2": "running", "spark3": "partial"}, "spark2", 600, 115),
    ],
)
def test_the_time_left_is_that_of_every_spark_or_unknown(places, target, here, expected):
    done = {"ready": 1000, "partial": 250}
    record = DownloadJob(
        id="one",
        requested_by="Alice",
        exclusive="a/b",
        body_sha256="",
        step="fetching",
        message="",
        created_at=datetime(2026, 11, 27, tzinfo=UTC),
        repo="a/b",
        hosts=tuple(places),
        source="spark1",
        repo_bytes=1000,
        places=tuple(
            DownloadPlace(host=host, label=host, state=state, done_bytes=done.get(state, 0))
            for host, state in places.items()
        ),
    )
    speed = Speed()
    speed.feed(0, here - 100)
    speed.feed(10, here)
    assert moved(record, target, Measure("", here, 0, None), speed)["eta_seconds"] == expected


def test_two_hold_a_turn_and_the_third_waits():
    slots = Slots()
    with slots.held("spark1"):
        assert not slots.full("spark1")
        with slots.held("spark1"):
            assert slots.full("spark1")
            assert not slots.full("spark2")
        assert not slots.full("spark1")


class TestRoutes:
    NAMES = ("spark1", "spark2")
    SECOND = HostSettings(name="spark2", label="Spark 2", address="lan-2", user="alice")
    FIRST = HostSettings(name="spark1", label="Spark 1", address="lan-1", user="alice")

    @pytest.mark.parametrize(
        ("nodes", "copies", "expected"),
        [
            (("cx-1", "cx-2"), ("cx-2",), ("cx-2", "lan-2")),
            (("cx-1", "cx-2"), (), ("cx-2", "lan-2")),
            ((), ("cx-2",), ("cx-2", "lan-2")),
            ((), (), ("lan-2",)),
            (("cx-1", "cx-2", "cx-3"), (), ("lan-2",)),
            ((), ("cx-2", "cx-3"), ("lan-2",)),
            (("lan-1", "lan-2"), ("lan-2",), ("lan-2",)),
        ],
    )
    def test_the_fast_link_comes_first_and_the_known_address_last(self, nodes, copies, expected):
        facts = Facts(NOTHING, frozenset(), nodes, copies)
        assert routes(facts, self.SECOND, self.NAMES, "lan-1") == expected

    def test_copies_go_the_other_way_too(self):
        facts = Facts(NOTHING, frozenset(), ("cx-1", "cx-2"), ("cx-2",))
        assert routes(facts, self.FIRST, self.NAMES, "lan-2") == ("cx-1", "lan-1")


def test_a_look_is_read_and_what_is_missing_stays_unknown():
    text = (
        "hub /h/.cache/huggingface/hub\nwhole 5000056\npartial 12\nfree 99\nhas uvx\nhas rsync\n"
        "name spark-1\nCLUSTER_NODES a,b\nCOPY_HOSTS b,-oProxyCommand=x\n"
    )
    facts = read_facts(text)
    assert facts == Facts(
        Measure("/h/.cache/huggingface/hub", 5000056, 12, 99),
        frozenset({"uvx", "rsync"}),
        ("a", "b"),
        ("b",),
    )
    assert facts.measure.bytes == 5000068
    assert read_facts("") == Facts(NOTHING, frozenset(), (), ())


def test_a_folder_is_named_as_the_hub_does():
    assert folder_of("org/na-me.1") == "models--org--na-me.1"


def test_the_token_comes_from_the_environment_or_a_file_that_may_come_later(tmp_path):
    file = tmp_path / "token"
    assert token_from(lambda: SecretStr(" abc "), file)() == "abc"
    assert token_from(lambda: None, None)() is None
    read = token_from(lambda: None, file)
    assert read() is None
    file.write_text("\nabc\nmore\n")
    assert read() == "abc"
    file.write_bytes(b"\xff\xfe")
    assert read() is None


@pytest.mark.parametrize(
    ("value", "text"),
    [(31_200_000_000, "31.2 GB"), (999_999_999, "1000 MB"), (512_000_000, "512 MB"), (0, "0 MB")],
)
def test_sizes(value, text):
    assert words.size(value) == text


def test_names_in_a_row():
    assert words.both([]) == ""
    assert words.both(["Spark 1"]) == "Spark 1"
    assert words.both(["Spark 1", "Spark 2", "Spark 3"]) == "Spark 1, Spark 2 and Spark 3"
