"""The numbers beside the knobs, and whether a model fits."""

import json
from pathlib import Path

import pytest

from spark_swapper.editing.memory_help import memory_help
from spark_swapper.guarding.headroom import NodeMemory, room_for
from spark_swapper.menu.hosts import Sight, Spark
from spark_swapper.menu.memory_fit import fit_of
from spark_swapper.recipes import Recipe
from spark_swapper.scan import Look
from spark_swapper.suggest.facts import GIB, ModelFiles

TOTAL = 140_000_000_000
"""Of no real Spark: its shares are of just this."""
GB = 1_000_000_000
CONFIGS = Path(__file__).parents[1] / "data" / "configs"


def sight(number: int, total: int | None = TOTAL) -> Sight:
    look = Look(hostname="h", hub="/hub", copies=(), memory_total_bytes=total)
    return Sight(Spark(f"spark{number}", f"Spark {number}"), True, None, look, fresh=True)


SIGHTS = (sight(1), sight(2, TOTAL - 8 * GB))


def recipe(*args: str, **fields: object) -> Recipe:
    return Recipe.model_validate({"key": "m", "name": "M", "repo": "a/b", "args": args, **fields})


def cluster(*args: str) -> Recipe:
    return recipe(*args, mode="cluster", tensor_parallel=2)


def files(name: str, weights: int = 20 * GB) -> ModelFiles:
    config = json.loads((CONFIGS / f"{name}.json").read_text())
    return ModelFiles("a/b", config=config, weight_bytes=weights)


def test_the_share_is_of_the_smallest_spark_it_runs_on() -> None:
    help_ = memory_help(recipe("--gpu-memory-utilization=0.75"), SIGHTS[:1], SIGHTS, None, None)
    assert (help_.total_bytes, help_.measured, help_.utilization) == (TOTAL, True, 0.75)
    assert (help_.allocated_bytes, help_.left_bytes) == (105 * GB, 35 * GB)
    said = "About 98 GB for the model, about 33 GB for everything else on Spark 1."
    assert help_.sentences == [said]
    both = memory_help(cluster("--gpu-memory-utilization=0.5"), (), SIGHTS, 100 * GB, None)
    assert both.total_bytes == TOTAL - 8 * GB
    assert both.weights_bytes == 50 * GB
    assert "on each Spark" in both.sentences[0]
    assert "Spark 2" in both.sentences[0]


def test_without_a_spark_it_says_what_is_usual_and_that_nobody_measured() -> None:
    help_ = memory_help(recipe(), (), (sight(1, None),), None, None)
    assert not help_.measured
    assert help_.total_bytes == 128_518_373_376
    assert (help_.utilization, help_.cache_tokens, help_.pages) == (0.9, None, None)
    assert "0.9 unless told otherwise" in help_.sentences[1]


@pytest.mark.parametrize("share", ["0", "2", "lots", "nan", "-1"])
def test_a_share_that_cannot_be_is_not_believed(share) -> None:
    flags = (f"--gpu-memory-utilization={share}",)
    assert memory_help(recipe(*flags), (), SIGHTS, None, None).utilization == 0.9


def test_the_cache_is_what_is_left_and_an_fp8_one_holds_twice_as_much() -> None:
    share = "--gpu-memory-utilization=0.5"
    plain = memory_help(recipe(share), (), SIGHTS[:1], 20 * GB, files("qwen3-awq"))
    fp8 = memory_help(
        recipe(share, "--kv-cache-dtype=fp8"), (), SIGHTS[:1], 20 * GB, files("qwen3-awq")
    )
    config = files("qwen3-awq").config
    each = 2 * config["num_hidden_layers"] * config["num_key_value_heads"] * config["head_dim"] * 2
    assert plain.cache_tokens == (70 * GB - 20 * GB - 6 * GIB) // each
    assert abs(fp8.cache_tokens - 2 * plain.cache_tokens) <= 2
    assert plain.pages == config["max_position_embeddings"] // 650


@pytest.mark.parametrize(
    ("args", "weights", "warning"),
    [
        (("--gpu-memory-utilization=0.99",), None, "Spark 1 may freeze"),
        (("--gpu-memory-utilization=0.1",), 20 * GB, "The weights alone need about 25 GB"),
        (
            ("--gpu-memory-utilization=0.2", "--max-model-len=40960"),
            20 * GB,
            "fewer tokens than one conversation of 40,960",
        ),
        (("--max-model-len=900000",), 20 * GB, "was made for 40,960 tokens"),
    ],
)
def test_what_will_not_work_is_said_with_what_to_do(args, weights, warning) -> None:
    help_ = memory_help(recipe(*args), (), SIGHTS[:1], weights, files("qwen3-awq"))
    assert any(warning in one for one in help_.warnings), help_.warnings


def test_numbers_that_are_well_have_no_warning() -> None:
    args = ("--gpu-memory-utilization=0.7", "--max-model-len=32768")
    assert memory_help(recipe(*args), (), SIGHTS, 20 * GB, files("qwen3-awq")).warnings == []


@pytest.mark.parametrize(
    ("built", "weights", "verdict", "needed"),
    [
        (recipe("--gpu-memory-utilization=0.5"), 30 * GB, "good", 70 * GB),
        (recipe("--gpu-memory-utilization=0.5"), 68 * GB, "bad", 68 * GB + 6 * GIB),
        (recipe("--gpu-memory-utilization=0.5"), None, "unknown", 70 * GB),
        (cluster("--gpu-memory-utilization=0.5"), 100 * GB, "good", 66 * GB),
        (cluster("--gpu-memory-utilization=0.5"), 132 * GB, "bad", 66 * GB + 6 * GIB),
        (
            recipe(
                "--gpu-memory-utilization=0.05", "--runner=pooling", capabilities=["embeddings"]
            ),
            GB,
            "good",
            7 * GB,
        ),
        (recipe("--gpu-memory-utilization=0.05", "--task=embed"), GB, "good", 7 * GB),
        (recipe(), 500 * GB, "bad", 500 * GB + 6 * GIB),
    ],
)
def test_a_model_fits_when_its_share_holds_weights_and_overhead(
    built, weights, verdict, needed
) -> None:
    hosts = SIGHTS if built.mode == "cluster" else SIGHTS[:1]
    fit = fit_of(built, hosts, SIGHTS, weights)
    assert (fit.verdict, fit.needed_bytes) == (verdict, needed)
    assert fit.left_bytes == fit.total_bytes - needed
    assert fit_of(built, (), (), weights).verdict in {"unknown"}


@pytest.mark.parametrize("total_kib", [125_442_868, 127_500_000])
def test_a_card_the_knobs_and_a_plan_name_one_number(total_kib) -> None:
    total = total_kib * 1024
    seen, built = (sight(1, total),), recipe("--gpu-memory-utilization=0.7")
    planned = room_for(0.7, NodeMemory(total, total, 0, 0)).needed
    assert fit_of(built, seen, seen, 20 * GB).needed_bytes == planned
    assert memory_help(built, seen, seen, None, None).allocated_bytes == planned
