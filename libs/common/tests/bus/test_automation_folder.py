"""The folder of those who are let in: names, keys, and what the server is told of them."""

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spark_common.bus.automations import AutomationError, AutomationFolder, require_name
from spark_common.bus.identities import Identities
from spark_common.bus.patterns import matches
from spark_common.bus.permissions import automation
from spark_common.bus.server_config import Places, places_of, render


@pytest.fixture
def folder(tmp_path: Path) -> AutomationFolder:
    return AutomationFolder.below(tmp_path)


@pytest.mark.parametrize("name", ["a", "nightly", "n8n-1", "a_b", "0", "x" * 32])
def test_names_that_are_taken(name: str, folder: AutomationFolder) -> None:
    assert folder.add(name).name == name
    assert [each.name for each in folder.all()] == [name]


@pytest.mark.parametrize(
    "name",
    [
        "",
        "A",
        "a.b",
        "a*",
        "a>",
        "a b",
        "-a",
        "a-",
        "_a",
        "../a",
        "a/b",
        "ä",
        "a\n",
        "x" * 33,
        "$a",
    ],
)
def test_names_that_would_be_something_else_in_a_subject_or_a_path(
    name: str, folder: AutomationFolder
) -> None:
    for attempt in (folder.add, folder.find, folder.remove):
        with pytest.raises(AutomationError, match="cannot be the name of an automation"):
            attempt(name)
    assert not folder.directory.exists()


def test_a_seed_is_its_owners_and_never_in_the_configuration(
    tmp_path: Path, folder: AutomationFolder
) -> None:
    made = folder.add("nightly")
    assert stat.S_IMODE(made.seed_file.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.directory.stat().st_mode) == 0o700
    keys = Identities.load_or_create(tmp_path).public_keys
    text = render(keys, store_dir=tmp_path, automations=folder.public_keys())
    assert made.public_key in text
    assert made.seed_file.read_text().strip() not in text
    assert made.seed_file.read_text().strip() not in repr(made)


def test_a_second_one_of_the_same_name_is_refused_and_the_first_stays(
    folder: AutomationFolder,
) -> None:
    made = folder.add("nightly")
    with pytest.raises(AutomationError, match="already"):
        folder.add("nightly")
    assert folder.find("nightly") == made


def test_the_identity_stays_when_its_seed_is_moved_away(folder: AutomationFolder) -> None:
    made = folder.add("nightly")
    made.seed_file.unlink()
    assert folder.public_keys() == {"nightly": made.public_key}
    assert not made.seed_is_here


def test_what_is_removed_is_gone_and_comes_back_as_somebody_else(
    folder: AutomationFolder,
) -> None:
    first = folder.add("nightly")
    folder.remove("nightly")
    assert folder.all() == []
    assert not first.seed_file.exists()
    with pytest.raises(AutomationError, match="no automation"):
        folder.remove("nightly")
    assert folder.add("nightly").public_key != first.public_key


@pytest.mark.parametrize("text", ["", "U" + "A" * 55, "nonsense", "SUABC\nU", "{}"])
def test_a_damaged_key_is_told_and_not_given_to_the_server(
    text: str, folder: AutomationFolder
) -> None:
    folder.add("nightly")
    (folder.directory / "nightly.pub").write_text(text)
    with pytest.raises(AutomationError, match="does not hold a public key"):
        folder.public_keys()


NAMES = st.from_regex(r"[a-z0-9](?:[a-z0-9_-]{0,6}[a-z0-9])?", fullmatch=True)


@given(NAMES, NAMES)
def test_two_automations_have_nothing_of_their_own_in_common(one: str, other: str) -> None:
    """Consumers and inboxes are apart, whatever the names are and however they begin."""
    if require_name(one) == require_name(other):
        return
    mine, theirs = automation(one), f"auto_{other}"
    for subject in (
        f"$JS.API.CONSUMER.CREATE.SC_SWAP_EVT.{theirs}",
        f"$JS.API.CONSUMER.CREATE.SC_SWAP_EVT.{theirs}.swap.failed.*",
        f"$JS.API.CONSUMER.DURABLE.CREATE.SC_SWAP_EVT.{theirs}",
        f"$JS.API.CONSUMER.MSG.NEXT.SC_SWAP_EVT.{theirs}",
        f"$JS.API.CONSUMER.INFO.SC_SWAP_EVT.{theirs}",
        f"$JS.API.CONSUMER.DELETE.SC_SWAP_EVT.{theirs}",
        f"$JS.ACK.SC_SWAP_EVT.{theirs}.1.1.1.1.1",
    ):
        assert not any(matches(pattern, subject) for pattern in mine.publish)
    assert not any(matches(pattern, f"_INBOX_{theirs}.x") for pattern in mine.subscribe)


class TestPlaces:
    def test_they_are_read_back_from_what_was_rendered(self, tmp_path: Path) -> None:
        keys = Identities.load_or_create(tmp_path).public_keys
        store = tmp_path / 'a "strange" folder'
        text = render(keys, store_dir=store, listen="0.0.0.0:4222", monitor="127.0.0.1:1")
        assert places_of(text) == Places(store, "0.0.0.0:4222", "127.0.0.1:1")

    @pytest.mark.parametrize("text", ["", "listen: 4222", 'listen: "127.0.0.1:4222"'])
    def test_a_configuration_of_somebody_else_is_refused(self, text: str) -> None:
        with pytest.raises(ValueError, match="as spark-control writes it"):
            places_of(text)
