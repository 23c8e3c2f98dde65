"""What is inferred from the configurations that models really have."""

import json
from pathlib import Path

import pytest
import yaml

from spark_sim.vllm_cli.flags import REASONING_PARSERS, TOOL_PARSERS
from spark_swapper.launching.flags import merge_flags
from spark_swapper.launching.launch import LaunchSettings
from spark_swapper.recipes import load_recipes
from spark_swapper.suggest.facts import ClusterFacts, HostFacts, ModelFiles
from spark_swapper.suggest.families import FAMILIES
from spark_swapper.suggest.infer import infer, recipe_of

CONFIGS = Path(__file__).parent / "data" / "configs"
MEMORY = 125_442_868 * 1024
SAFETENSORS = frozenset({"safetensors"})


def two_sparks(*holding: str, memory: int | None = MEMORY) -> ClusterFacts:
    return ClusterFacts(
        tuple(
            HostFacts(name, label, memory, name in (holding or ("spark1", "spark2")))
            for name, label in (("spark1", "Spark 1"), ("spark2", "Spark 2"))
        )
    )


def config_of(shape: str) -> dict:
    return json.loads((CONFIGS / f"{shape}.json").read_text())


def suggest(shape, repo, gigabytes=20.0, cluster=None, **files):
    known = {"chat_template": "tools", "formats": SAFETENSORS, **files}
    model = ModelFiles(
        repo=repo, config=config_of(shape), weight_bytes=int(gigabytes * 1e9), **known
    )
    cluster = cluster or two_sparks()
    return infer(model, cluster, key="it", read_from="spark1", launch=LaunchSettings())


CASES = yaml.safe_load((CONFIGS.parent / "suggestions.yaml").read_text())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["repo"].partition("/")[2])
def test_a_configuration_becomes_its_recipe(case):
    files = dict(case.get("files", {}))
    files["formats"] = frozenset(files.get("formats", SAFETENSORS))
    suggestion = suggest(case["shape"], case["repo"], case["gigabytes"], **files)
    tool, reasoning = case["parsers"]
    assert suggestion.mode.value == ("solo" if case["nodes"] == 1 else "cluster")
    assert suggestion.tensor_parallel.value == case["nodes"]
    assert suggestion.context_length.value == case["context"]
    assert suggestion.quantization.value == case["quantization"]
    assert (suggestion.tool_parser.value, suggestion.reasoning_parser.value) == (tool, reasoning)
    assert [trait.value for trait in suggestion.traits] == case["traits"]
    assert suggestion.image.value == case.get("image")
    expected = {*case["args"], f"--max-model-len={case['context']}"}
    if tool:
        expected |= {f"--tool-call-parser={tool}", "--enable-auto-tool-choice"}
    if reasoning:
        expected.add(f"--reasoning-parser={reasoning}")
    args = [argument.value for argument in suggestion.args]
    assert sorted(args) == sorted(expected)
    assert len(merge_flags(args)) == len(args), "a flag twice"
    assert recipe_of(suggestion).repo == case["repo"]
    assert suggestion.preview[0] == "./launch-cluster.sh"


def test_every_shape_is_in_the_table():
    assert {case["shape"] for case in CASES} == {path.stem for path in CONFIGS.glob("*.json")}
    assert len({case["shape"] for case in CASES}) >= 25


def test_every_parser_of_the_table_exists():
    assert {family.tool for family in FAMILIES} - {None} <= set(TOOL_PARSERS)
    assert {family.reasoning for family in FAMILIES} - {None} <= set(REASONING_PARSERS)


def test_what_is_inferred_names_the_parsers_of_the_bundled_recipe():
    book, compared = load_recipes(), 0
    for case in CASES:
        recipe = book.for_repo(case["repo"])
        if recipe is None:
            continue
        values = {flag.key: flag.values for flag in merge_flags(recipe.args)}
        bundled = [values.get(f"{name}-parser", (None,))[0] for name in ("tool-call", "reasoning")]
        assert case["parsers"] == bundled, case["repo"]
        compared += 1
    assert compared >= 8


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.label)
def test_no_family_names_a_flag_twice_or_loads_gemma_fast(family):
    for extra in (None, *family.extras.values()):
        flags = [*family.flags, *(extra.flags if extra else ())]
        assert len(merge_flags(flags)) == len(flags)
        if "gemma4" in family.types:
            assert "--load-format=fastsafetensors" not in flags


def by_flag(suggestion):
    return {one.value.partition("=")[0]: one for one in suggestion.args}


def test_every_value_says_where_it_comes_from_and_how_sure():
    suggestion = suggest("nemotron3-nano-nvfp4", "nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-NVFP4", 19)
    flags = by_flag(suggestion)
    context = flags["--max-model-len"]
    assert (context.source, context.certainty) == ("config.json: max_position_embeddings", "read")
    trust = flags["--trust-remote-code"]
    assert (trust.source, trust.certainty) == ("config.json: auto_map", "derived")
    assert flags["--max-num-batched-tokens"].source == "config.json: hybrid_override_pattern"
    assert flags["--tool-call-parser"].certainty == "derived"
    assert suggestion.quantization.source == "config.json: quantization_config.quant_algo"
    nested = suggest("qwen3-vl-moe-fp8", "Qwen/Qwen3-VL-30B-A3B-Instruct-FP8")
    assert nested.context_length.source == "config.json: text_config.max_position_embeddings"
    thinker = suggest("qwen3-omni", "Qwen/Qwen3-Omni-30B-A3B").context_length
    assert thinker.source == "config.json: thinker_config.text_config.max_position_embeddings"


def test_a_relative_of_a_family_is_only_a_guess():
    suggestion = suggest("qwen3-moe-bf16", "somebody/Qwen3-30B-Tuned")
    assert suggestion.tool_parser.certainty == "guessed"
    assert suggestion.capabilities.certainty == "guessed"
    unknown = suggest("unknown-family", "somebody/Something-New")
    assert unknown.tool_parser.certainty == "guessed"
    assert any("family is not known" in warning for warning in unknown.warnings)


def test_a_tokenizer_may_cap_the_context():
    capped = suggest("qwen2.5-yarn", "Qwen/Qwen2.5-7B", tokenizer={"model_max_length": 8192})
    assert capped.context_length.value == 8192
    assert capped.context_length.source == "tokenizer_config.json: model_max_length"
    for sentinel in (10**30, 1e30, None, "8192"):
        free = suggest("qwen2.5-yarn", "Qwen/Qwen2.5-7B", tokenizer={"model_max_length": sentinel})
        assert free.context_length.value == 131072


def test_code_that_only_the_tokenizer_brings_is_trusted_by_name():
    suggestion = suggest(
        "qwen3-awq", "Qwen/Qwen3-32B-AWQ", tokenizer={"auto_map": {"AutoTokenizer": ["a.B", None]}}
    )
    assert by_flag(suggestion)["--trust-remote-code"].source == "tokenizer_config.json: auto_map"


def test_a_template_without_tools_takes_no_tool_parser():
    suggestion = suggest("qwen3-awq", "Qwen/Qwen3-32B-AWQ", chat_template="plain")
    assert suggestion.tool_parser.value is None
    assert "tools" not in suggestion.capabilities.value
    assert "--enable-auto-tool-choice" not in by_flag(suggestion)


def test_the_border_between_one_spark_and_two_lies_near_95_gigabytes():
    below = suggest("qwen3-awq", "Qwen/Qwen3", 93)
    above = suggest("qwen3-awq", "Qwen/Qwen3", 97)
    assert (below.mode.value, above.mode.value) == ("solo", "cluster")
    assert "--gpu-memory-utilization=0.85" in [one.value for one in below.args]


def test_a_cluster_model_on_one_spark_names_the_other():
    suggestion = suggest("minimax-m2-awq", "x/MiniMax-M2", 121, two_sparks("spark1"))
    assert suggestion.hosts == ["spark1"]
    assert "It needs its files on 2 Sparks; Spark 2 lacks them." in suggestion.warnings


def test_what_does_not_fit_anywhere_says_so():
    suggestion = suggest("deepseek-v3", "deepseek-ai/DeepSeek-V3", 689)
    assert suggestion.mode.value == "cluster"
    assert suggestion.warnings[0].startswith("It does not fit: 642 GiB of weights on 2 x 120 GiB")
    alone = ClusterFacts((HostFacts("spark1", "Spark 1", MEMORY, True),))
    assert suggest("llama3-70b-bf16", "m/Llama-3", 141, alone).mode.value == "solo"


def test_heads_that_cannot_be_divided_stay_on_one_spark():
    config = {**config_of("qwen3-awq"), "num_attention_heads": 25}
    model = ModelFiles("x/Odd", config, formats=SAFETENSORS, weight_bytes=110 * 10**9)
    odd = infer(model, two_sparks(), key="it", read_from="spark1", launch=LaunchSettings())
    assert odd.mode.value == "solo"
    assert "cannot be divided" in (odd.tensor_parallel.note or "")
    assert any("does not fit" in warning for warning in odd.warnings)


def test_without_memory_the_mode_is_a_guess():
    suggestion = suggest("qwen3-awq", "Qwen/Qwen3", 19, two_sparks(memory=None))
    assert (suggestion.mode.value, suggestion.mode.certainty) == ("solo", "guessed")


def test_a_long_context_is_cut_to_what_fits():
    suggestion = suggest("llama4-scout-nvfp4", "nvidia/Llama-4-Scout-17B-16E-NVFP4", 61)
    context = suggestion.context_length
    assert (context.certainty, context.source) == ("derived", "memory")
    assert "the files allow 10485760" in (context.note or "")


def test_no_configuration_is_a_warning_and_still_an_answer():
    model = ModelFiles("somebody/Bare", None, formats=frozenset({"gguf"}), weight_bytes=5 * 10**9)
    bare = infer(model, two_sparks(), key="bare", read_from="spark1", launch=LaunchSettings())
    assert bare.preview
    assert bare.context_length.value is None
    assert any("no config.json" in warning for warning in bare.warnings)
    assert any("GGUF" in warning for warning in bare.warnings)


def test_a_name_no_recipe_can_have_is_said():
    model = ModelFiles("gpt2", config_of("gpt2-base"), weight_bytes=10**9)
    nameless = infer(model, two_sparks(), key="gpt2", read_from="spark1", launch=LaunchSettings())
    assert nameless.preview == []
    assert "'gpt2'" in nameless.warnings[-1]
