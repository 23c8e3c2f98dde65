import pytest
from hypothesis import given
from hypothesis import strategies as st

from spark_swapper.launching.flags import check_element, merge_flags, words


def test_the_later_of_two_wins_and_keeps_the_first_place() -> None:
    merged = merge_flags(["--max-model-len", "4096", "--trust-remote-code", "--max-model-len=8192"])
    assert words(merged) == ("--max-model-len", "8192", "--trust-remote-code")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("--max-model-len=1", "--max_model_len=2"),
        ("--tensor-parallel-size=1", "-tp=2"),
        ("-q=awq", "--quantization=fp8"),
        ("--enable-prefix-caching", "--no-enable-prefix-caching"),
        ("--no-enable-prefix-caching", "--enable_prefix_caching"),
        ("-O2", "-O3"),
        ('--speculative-config={"a":1}', "-sc={}"),
        ("-cc.mode=none", "--compilation-config.mode=none"),
    ],
)
def test_spellings_of_one_flag_are_one_flag(first: str, second: str) -> None:
    assert words(merge_flags([first, second])) == words(merge_flags([second]))


def test_flags_of_one_family_stay_apart() -> None:
    args = ["--hf-overrides.a=1", "--hf-overrides.b=2", "--max-num-seqs=8", "--max-model-len=9"]
    assert len(merge_flags(args)) == 4


def test_a_flag_keeps_all_of_its_values() -> None:
    merged = merge_flags(["--lora-modules", "a=x", "b=y", "--port", "1"])
    assert merged[0].values == ("a=x", "b=y")


def test_a_value_that_looks_like_a_flag_stays_a_value() -> None:
    assert words(merge_flags(["--seed=-1"])) == ("--seed=-1",)


def test_a_negative_number_is_a_value() -> None:
    assert words(merge_flags(["--seed", "-1"])) == ("--seed=-1",)


def test_a_value_without_a_flag_is_refused() -> None:
    with pytest.raises(ValueError, match="belongs to no flag"):
        merge_flags(["org/model", "--port", "1"])


@pytest.mark.parametrize(
    "text", ["a\nb", "a\0b", "a\rb", "\x1b[0m", "a\x7f", "\ud800", "x" * 20_000]
)
def test_what_no_argument_list_can_carry_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        check_element(text)


_NAMES = st.sampled_from(["--max-model-len", "--seed", "-tp", "--enable_x", "--no-enable-x", "-O3"])
_VALUES = st.text(st.characters(blacklist_categories=("Cs", "Cc")), min_size=1, max_size=20).filter(
    lambda text: not text.startswith("-")
)


@given(st.lists(st.tuples(_NAMES, st.lists(_VALUES, max_size=3))))
def test_no_flag_ever_comes_twice(given_flags: list[tuple[str, list[str]]]) -> None:
    args = [element for name, values in given_flags for element in (name, *values)]
    merged = merge_flags(args)
    assert len({flag.key for flag in merged}) == len(merged)
    assert merge_flags(words(merged)) == merged
