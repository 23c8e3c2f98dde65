"""Whatever stands in a configuration: an answer, and arguments that the launch accepts."""

import json
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from spark_swapper.launching.flags import merge_flags
from spark_swapper.launching.launch import LaunchSettings, plan_launch
from spark_swapper.suggest.facts import ClusterFacts, HostFacts, ModelFiles
from spark_swapper.suggest.infer import infer, recipe_of

SHAPES = [
    json.loads(path.read_text())
    for path in sorted((Path(__file__).parent / "data" / "configs").glob("*.json"))
]


def keys_of(node) -> set[str]:
    if isinstance(node, dict):
        return set(node) | {key for value in node.values() for key in keys_of(value)}
    return set()


KEYS = sorted({key for shape in SHAPES for key in keys_of(shape)})
TYPES = sorted({shape["model_type"] for shape in SHAPES})
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from([*TYPES, "yarn", "linear", "modelopt", "NVFP4", "M*M*", "full_attention"])
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=8), inner, max_size=8)
    ),
    max_leaves=12,
)
OBJECTS = st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=8), VALUES, max_size=12)
NAMES = st.sampled_from(
    ["o/Qwen3.6-35B", "o/GLM-5.3-Flash", "o/Nemotron-3-Super", "o/Qwen3-Reranker-4B", "o/x"]
)
MEMORIES = st.none() | st.integers(1, 2**42)


@st.composite
def disturbed(draw):
    """A real shape with some of its values replaced by anything."""
    shape = dict(draw(st.sampled_from(SHAPES)))
    for key in draw(st.lists(st.sampled_from(sorted(shape)), max_size=3, unique=True)):
        shape[key] = draw(VALUES)
    return {**shape, **draw(st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=3))}


@settings(max_examples=200, deadline=None)
@given(
    config=OBJECTS | disturbed(),
    tokenizer=st.none() | OBJECTS,
    hf_quant=st.none() | OBJECTS,
    sentence_bert=st.none() | OBJECTS,
    pooling=st.booleans(),
    formats=st.frozensets(st.sampled_from(["safetensors", "bin", "gguf", "mistral"])),
    template=st.sampled_from(["tools", "plain", "none"]),
    weights=st.integers(0, 10**13),
    memories=st.lists(MEMORIES, min_size=1, max_size=4),
    repo=NAMES,
)
def test_any_object_yields_arguments_the_launch_accepts(
    config, tokenizer, hf_quant, sentence_bert, pooling, formats, template, weights, memories, repo
):
    files = ModelFiles(
        repo=repo,
        config=config,
        tokenizer=tokenizer,
        hf_quant=hf_quant,
        sentence_bert=sentence_bert,
        sentence_transformers=pooling,
        chat_template=template,
        formats=formats,
        weight_bytes=weights,
    )
    cluster = ClusterFacts(
        tuple(
            HostFacts(f"spark{n}", f"Spark {n}", memory, n == 1)
            for n, memory in enumerate(memories, 1)
        )
    )
    suggestion = infer(files, cluster, key="it", read_from="spark1", launch=LaunchSettings())
    given_flags = [one.value for one in suggestion.args]
    assert len(merge_flags(given_flags)) == len(given_flags)
    launch = plan_launch(recipe_of(suggestion), repo, LaunchSettings())
    assert suggestion.preview == list(launch.launch_argv)
    assert not ("gemma4" in str(config.get("model_type")) and "fastsafetensors" in str(given_flags))
    assert ("custom_code" in [one.value for one in suggestion.traits]) == (
        "--trust-remote-code" in given_flags
    )
    assert suggestion.model_validate_json(suggestion.model_dump_json()) == suggestion
