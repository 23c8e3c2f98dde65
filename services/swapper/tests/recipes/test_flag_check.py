"""Which flags can be saved: known, typed, once, and nobody else's."""

import pytest

from spark_sim.vllm_cli.flags import FLAGS
from spark_swapper.editing.flag_check import Context, check_flags
from spark_swapper.editing.flag_table import flag_table
from spark_swapper.launching.flags import human_number
from spark_swapper.recipes.reserved import REFUSED, refusal

PLAIN = Context()
FORK = Context(own_image=True)


def told(arguments, context=PLAIN):
    return [(one.severity, one.field, one.message) for one in check_flags(arguments, context)]


@pytest.mark.parametrize(
    "argument",
    [
        "--max-num-seqs=8",
        "--max_num_seqs=8",
        "--max-model-len=128k",
        "--max-model-len=2K",
        "--max-model-len=auto",
        "--max-model-len=-1",
        "--max-num-batched-tokens=1.5k",
        "--kv-cache-memory-bytes=6G",
        "--gpu-memory-utilization=.85",
        "--gpu-memory-utilization=1e-1",
        "--enable-prefix-caching",
        "--no-enable-prefix-caching",
        "--no_enable_prefix_caching",
        "-q=fp8",
        "-ep",
        "-O3",
        "--kv-cache-dtype=fp8",
        '--speculative-config={"method":"mtp"}',
        "--hf-overrides.rope_parameters.rope_type=yarn",
        "--attention-backend=FLASHINFER",
        "--tool-call-parser=qwen3_xml",
        "--seed=-1",
    ],
)
def test_what_vllm_takes_is_taken(argument) -> None:
    assert told([argument]) == []


@pytest.mark.parametrize(
    ("argument", "reason"),
    [
        ("--max-num-seqs=eight", "needs a whole number, such as 8192, 8k or 8K"),
        ("--max-num-seqs=1.5", "needs a whole number"),
        ("--max-num-seqs=1.5K", "needs a whole number"),
        ("--max-num-seqs=0", "must be 1 or more"),
        ("--max-num-seqs=٣", "needs a whole number"),
        ("--seed=8k", "needs a whole number"),
        ("--max-num-seqs", "needs a value"),
        ("--max-num-seqs=", "needs a whole number"),
        ("--no-max-num-seqs=1", "cannot be switched off"),
        ("--gpu-memory-utilization=0", "must be more than 0"),
        ("--gpu-memory-utilization=1.01", "must be 1 or less"),
        ("--gpu-memory-utilization=nan", "needs a number"),
        ("--gpu-memory-utilization=80%", "needs a number"),
        ("--enable-prefix-caching=true", "takes no value; write --no-enable-prefix-caching"),
        ("--kv-cache-dtype=fp9", "has a value that vLLM does not take; did you mean fp8?"),
        ("--speculative-config={method:mtp}", "is not valid JSON, from character 2 on"),
        ("--speculative-config=" + "[" * 9000, "is not valid JSON"),
        ("--hf-overrides.rope", "needs one value"),
        ("--chat-template=x.jinja", "no mod of the recipe puts one into the container"),
    ],
)
def test_a_wrong_value_is_refused_with_the_reason(argument, reason) -> None:
    ((severity, field, message),) = told([argument])
    assert severity == "error"
    assert field == "--" + argument.lstrip("-").removeprefix("no-").partition("=")[0]
    assert reason in message


def test_a_flag_nobody_knows_is_refused_with_what_is_spelled_alike() -> None:
    (problem,) = check_flags(["--max-num-seq=8"], PLAIN)
    assert problem.severity == "error"
    assert problem.near[0] == "--max-num-seqs"
    assert "did you mean --max-num-seqs?" in problem.message
    (far,) = check_flags(["--zzz"], PLAIN)
    assert far.near == []
    assert far.message == "is not a flag of vLLM 0.33"


def test_an_image_of_its_own_may_have_flags_of_its_own() -> None:
    for argument in ("--mxfp4-layers=moe", "--moe-backend=own", "--kv-cache-dtype=nvfp4_ds_mla"):
        ((severity, _, message),) = told([argument], FORK)
        assert severity == "warning"
        assert "Test will tell" in message
    assert told(["--max-num-seqs=x"], FORK)[0][0] == "error"


def test_parsers_of_plugins_are_a_warning() -> None:
    ((severity, field, message),) = told(["--tool-call-parser=qwen3_xlm"])
    assert (severity, field) == ("warning", "--tool-call-parser")
    assert "did you mean qwen3_xml?" in message


@pytest.mark.parametrize("key", sorted(REFUSED))
def test_what_others_decide_is_refused_with_the_reason(key) -> None:
    ((severity, field, message),) = told([f"--{key}=hunter2"])
    assert (severity, field, message) == ("error", f"--{key}", REFUSED[key])
    assert "hunter2" not in message
    assert told([f"--{key.replace('-', '_')}=hunter2"], FORK)[0][0] == "error"


@pytest.mark.parametrize("short", ["-tp=2", "-pp=2", "-dp=2", "-n=2", "-r=0", "-hl"])
def test_short_forms_are_no_way_around(short) -> None:
    assert told([short])[0][0] == "error"


def test_the_later_one_wins_and_that_is_said() -> None:
    ((severity, field, message),) = told(["--seed=1", "--max-num-seqs=2", "--seed", "3"])
    assert (severity, field, message) == (
        "warning",
        "--seed",
        "is given 2 times; the last one counts",
    )


@pytest.mark.parametrize(
    "argument", ["value", "", "--", "-", "---x", "--a\nb", "--x=\x00", "\ud800"]
)
def test_what_is_no_flag_is_refused(argument) -> None:
    assert told([argument])[0][0] == "error"


def test_too_many_are_refused() -> None:
    assert told(["--seed=1"] * 1000) == [("error", "flags", "has more than 200 arguments")]


def test_a_flood_of_wrong_flags_is_answered_shortly_and_soon() -> None:
    flood = [f"--{'x' * 60}{number}" for number in range(199)] + ["--" + "y" * 16_000]
    problems = check_flags(flood, PLAIN)
    assert len(problems) == 50
    assert len(check_flags(["--" + "y" * 16_000], PLAIN)[0].field) < 100


def test_no_flag_of_vllm_is_refused_for_how_its_name_begins() -> None:
    assert [name for name in flag_table().specs if refusal(name)] == []
    assert "--tensor-parallel-size" in (refusal("tensor-parallel") or "")


def test_every_flag_of_the_simulated_vllm_is_known_with_the_same_choices() -> None:
    table = flag_table()
    for flag in FLAGS:
        name = flag.names[0].removeprefix("--")
        if name in REFUSED:
            continue
        spec = table.specs[name]
        assert flag.kind is not None or spec.kind == "switch", name
        for short in flag.names[1:]:
            assert table.spec(name)
            assert told([short])[0][1] == f"--{name}" if told([short]) else True
        if flag.choices:
            assert set(flag.choices) == set(spec.choices), name
            assert not spec.open or name == "tokenizer-mode", name


def test_the_table_is_told_for_people() -> None:
    flags = flag_table().view()
    assert len(flags.flags) > 150
    assert all(flag.help.endswith(".") for flag in flags.flags)
    assert flags.vllm_version == "0.33"


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("8192", 8192),
        ("8k", 8000),
        ("8K", 8192),
        ("1.5k", 1500),
        ("2M", 2 * 1024**2),
        *((text, None) for text in ("1.5K", "", "k", "-1", "1e3", "8kk", "٣")),
    ],
)
def test_whole_numbers_are_read_as_vllm_reads_them(text, number) -> None:
    assert human_number(text) == number
