"""The table of settings: each setting declared once, checked by the very rule of the service."""

from typing import Annotated, Literal, Self

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue, model_validator

from spark_common.owner import SECTIONS, TABLE, Field, Section, Table
from spark_common.settings import Env, Settings, load

ARCHITECTURE = {
    *("VLLM_PORT", "VLLM_CONTAINER", "DISABLED_SERVICES", "OPEN_WEBUI_URL", "NGC_API_KEY"),
    *("WEBHOOK_URL", "WEBHOOK_SECRET", "MATRIX_BRIDGE_HOST", "MATRIX_BRIDGE_USER"),
    *(
        f"{service}_{what}"
        for service in ("PARAKEET", "KOKORO", "MAGPIE", "EMBED", "QDRANT")
        for what in ("HOST", "USER", "PORT", "CONTAINER")
    ),
}


def field(name: str) -> Field:
    found = TABLE.get(name)
    assert found is not None
    return found


def test_every_optional_setting_of_the_architecture_is_there() -> None:
    assert {one.name for one in TABLE.fields} >= ARCHITECTURE


def test_table_and_groups_are_one() -> None:
    declared = [
        (section.title, name)
        for section in SECTIONS
        for name in section.group.model_fields
        if name != "warnings"
    ]
    assert [(one.group, one.attribute) for one in TABLE.fields] == declared
    assert len({one.name for one in TABLE.fields}) == len(TABLE.fields)


def test_every_field_says_what_it_is_and_nothing_needs_a_value() -> None:
    for one in TABLE.fields:
        assert one.label, one.name
        assert one.help.endswith("."), one.name
        assert one.name == one.name.upper()
    for section in SECTIONS:
        assert load(section.group, {}).warnings == ()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("VLLM_PORT", value) for value in (0, 65536, "soon", "8888;reboot", 1.5, True, [1], {})),
        *(("DRAIN_SECONDS", value) for value in (-1, 0, "inf", "nan", 1e9)),
        *(("VLLM_CONTAINER", value) for value in ("a b", "-x", "$(id)", "a" * 129)),
        *(("VLLM_DIR", value) for value in ("~/x", "../x", "$HOME", "a/../b", "\0")),
        *(("VLLM_IMAGE", value) for value in ("--privileged", "a b")),
        *(("PARAKEET_HOST", value) for value in ("alice@host", "-oProxyCommand=x", "host:22")),
        *(("PARAKEET_USER", value) for value in ("-l root", "$(id)")),
        *(("OPEN_WEBUI_URL", value) for value in ("javascript:alert(1)", "ftp://x", "http://")),
        ("OPEN_WEBUI_URL", "https://alice:hunter2@chat.example"),
        ("DISABLED_SERVICES", ["a b"]),
        ("DISABLED_SERVICES", [1]),
        ("DROP_CACHES", "maybe"),
        ("HF_TOKEN", "two\nlines"),
        ("HF_TOKEN", "x" * 4001),
    ],
)
def test_what_the_service_would_refuse_is_refused_with_the_rule(
    name: str, value: JsonValue
) -> None:
    with pytest.raises(ValueError, match=r".") as refusal:
        field(name).text_of(value)
    for secret in ("hunter2", "two\nlines"):
        assert secret not in str(refusal.value)


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("VLLM_PORT", "x", "must be a whole number"),
        ("VLLM_PORT", 0, "must be at least 1"),
        ("VLLM_PORT", 70000, "must be at most 65535"),
        ("DRAIN_SECONDS", "soon", "must be a number"),
        ("DRAIN_SECONDS", 0, "must be more than 0"),
        ("DRAIN_SECONDS", "inf", "must be a number with an end"),
        ("DROP_CACHES", "maybe", "must be true or false"),
        ("HOME_MODEL", "x" * 201, "must have at most 200 characters"),
    ],
)
def test_the_rule_is_told_in_plain_words(name: str, value: JsonValue, rule: str) -> None:
    with pytest.raises(ValueError, match=f"^{rule}$"):
        field(name).text_of(value)


@pytest.mark.parametrize("blank", [None, "", "  "])
def test_a_blank_is_no_value(blank: str | None) -> None:
    assert field("VLLM_PORT").text_of(blank) is None


@pytest.mark.parametrize(
    ("name", "value", "text", "shown"),
    [
        ("VLLM_PORT", 8890, "8890", 8890),
        ("VLLM_PORT", " 8890 ", "8890", 8890),
        ("DRAIN_SECONDS", 2.5, "2.5", 2.5),
        ("DROP_CACHES", True, "true", True),
        ("DROP_CACHES", "on", "on", True),
        ("DISABLED_SERVICES", ["magpie", "qdrant"], "magpie,qdrant", ["magpie", "qdrant"]),
        ("DISABLED_SERVICES", "magpie qdrant", "magpie qdrant", ["magpie", "qdrant"]),
        ("DISABLED_SERVICES", [], ",", []),
        ("OPEN_WEBUI_URL", "https://chat.example/", "https://chat.example/", None),
        ("VLLM_CONTAINER", "vllm_two", "vllm_two", None),
        ("PARAKEET_HOST", "127.0.0.13", "127.0.0.13", None),
        ("HF_TOKEN", "hf_x", "hf_x", None),
    ],
)
def test_a_good_value_is_written_as_in_the_environment(
    name: str, value: JsonValue, text: str, shown: JsonValue
) -> None:
    assert field(name).text_of(value) == text
    assert field(name).shown(text) == (text if shown is None else shown)


def test_the_kinds_follow_from_the_types() -> None:
    class Group(Settings):
        how: Literal["quick", "thorough"] = "quick"
        """How."""
        grant_window_seconds: Annotated[float, Env("WINDOW_SECONDS")] = 60.0
        """How long."""

    how, window = Table([Section("Group", Group)]).fields
    assert (how.kind, how.choices, how.default) == ("choice", ("quick", "thorough"), "quick")
    assert (window.name, window.label, window.unit) == ("WINDOW_SECONDS", "Grant window", "s")


def test_a_name_that_is_declared_twice_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="twice"):
        Table([*SECTIONS, SECTIONS[0]])


def test_values_that_do_not_fit_together_are_told() -> None:
    class Pair(Settings):
        low: int = 1
        """Less."""
        high: int = 2
        """More."""

        @model_validator(mode="after")
        def _in_order(self) -> Self:
            if self.low > self.high:
                raise ValueError("LOW must not be above HIGH")
            return self

    table = Table([Section("Pair", Pair)])
    assert table.disagreements({"LOW": "5"}) == ["Pair: LOW must not be above HIGH"]
    assert table.disagreements({"LOW": "5", "HIGH": "6"}) == []


def test_a_misspelt_name_is_recognised() -> None:
    assert TABLE.near("VLLM_PROT") == "VLLM_PORT"
    assert TABLE.near("NOTHING_LIKE_IT_AT_ALL") is None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(name=st.sampled_from([one.name for one in TABLE.fields]), value=json_values)
def test_whatever_comes_is_either_refused_or_readable_by_the_service(
    name: str, value: JsonValue
) -> None:
    one = field(name)
    try:
        text = one.text_of(value)
    except ValueError:
        return
    if text is None:
        return
    [section] = [s for s in SECTIONS if one.attribute in s.group.model_fields]
    assert load(section.group, {name: text}).warnings == ()
    assert "\n" not in text
