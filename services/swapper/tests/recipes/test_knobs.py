"""Knobs replace the flag they stand for, and say what is in force."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spark_common.contracts.recipes import Knobs
from spark_swapper.editing.knobs import further_flags, knob_flags, read_knobs
from spark_swapper.launching.flags import compact, merge_flags, words

BASE = (
    "--max-model-len=128k",
    "--gpu-memory-utilization=0.7",
    "--load-format=fastsafetensors",
    "--enable-prefix-caching",
    "--kv-cache-dtype=fp8_e5m2",
    "--seed=1",
)


def changed(base, **knobs) -> tuple[str, ...]:
    return compact(knob_flags(Knobs(**knobs), merge_flags(base)))


def test_what_is_in_force_is_read_from_the_flags() -> None:
    assert read_knobs(merge_flags(BASE)) == Knobs(
        max_model_len=128_000,
        gpu_memory_utilization=0.7,
        fast_load=True,
        prefix_caching=True,
        fp8_kv_cache=True,
    )
    assert read_knobs(()) == Knobs()
    off = ("--no-enable-prefix-caching", "--load-format=auto", "--kv-cache-dtype=auto")
    assert read_knobs(merge_flags(off)) == Knobs(
        fast_load=False, prefix_caching=False, fp8_kv_cache=False
    )
    odd = ("--max-model-len=auto", "--gpu-memory-utilization=lots", "--load-format")
    assert read_knobs(merge_flags(odd)) == Knobs()


@pytest.mark.parametrize(
    ("base", "knobs", "flags"),
    [
        (BASE, {}, ()),
        (BASE, {"max_model_len": 128_000}, ()),
        (BASE, {"max_model_len": 4096}, ("--max-model-len=4096",)),
        (BASE, {"gpu_memory_utilization": 0.85}, ("--gpu-memory-utilization=0.85",)),
        (BASE, {"fast_load": True}, ()),
        (BASE, {"fast_load": False}, ("--load-format=auto",)),
        (BASE, {"prefix_caching": False}, ("--no-enable-prefix-caching",)),
        (BASE, {"fp8_kv_cache": True}, ()),
        (BASE, {"fp8_kv_cache": False}, ("--kv-cache-dtype=auto",)),
        ((), {"fast_load": False, "fp8_kv_cache": False}, ()),
        ((), {"fast_load": True}, ("--load-format=fastsafetensors",)),
        ((), {"prefix_caching": False}, ("--no-enable-prefix-caching",)),
        ((), {"prefix_caching": True}, ("--enable-prefix-caching",)),
        (("--load-format=instanttensor",), {"fast_load": False}, ()),
    ],
)
def test_only_what_differs_is_added(base, knobs, flags) -> None:
    assert changed(base, **knobs) == flags


_KNOBS = st.builds(
    Knobs,
    max_model_len=st.none() | st.integers(1, 16_777_216),
    gpu_memory_utilization=st.none() | st.floats(0.000001, 1),
    fast_load=st.none() | st.booleans(),
    prefix_caching=st.none() | st.booleans(),
    fp8_kv_cache=st.none() | st.booleans(),
)


@settings(deadline=None)
@given(knobs=_KNOBS, base=st.lists(st.sampled_from(BASE), unique=True))
def test_any_knobs_are_in_force_afterwards_and_no_flag_stands_twice(knobs, base) -> None:
    before = merge_flags(base)
    turned = compact(knob_flags(knobs, before))
    after = merge_flags([*base, *turned])
    read = read_knobs(after)
    for name, value in knobs.model_dump(exclude_none=True).items():
        assert (
            bool(getattr(read, name)) == bool(value)
            if value is False
            else (getattr(read, name) == value)
        )
    spelled = [word.partition("=")[0] for word in words(after) if word.startswith("--")]
    assert len({one.removeprefix("--no-").removeprefix("--") for one in spelled}) == len(spelled)
    untouched = [flag for flag in before if flag.key == "seed"]
    assert [flag for flag in after if flag.key == "seed"] == untouched


def test_what_a_knob_can_say_is_no_further_flag() -> None:
    extra = (*BASE, "--no-enable-prefix-caching", "--max-num-seqs=2", "--load-format=instanttensor")
    assert compact(further_flags(extra)) == (
        "--load-format=instanttensor",
        "--kv-cache-dtype=fp8_e5m2",
        "--seed=1",
        "--max-num-seqs=2",
    )
