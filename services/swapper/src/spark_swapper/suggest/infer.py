"""From a model's files and the Sparks to a suggested recipe. Pure, and it never raises."""

from collections.abc import Iterable
from typing import Literal

from pydantic import ValidationError

from spark_common.contracts.models import Certainty, Suggested, Suggestion
from spark_common.errors import InvalidRequestError
from spark_swapper.causes import SwapFault
from spark_swapper.launching.launch import LaunchSettings, plan_launch
from spark_swapper.launching.launcher import LauncherFeatures, adapt
from spark_swapper.menu.memory_fit import USUAL_MEMORY
from spark_swapper.recipes import Recipe
from spark_swapper.recipes.local_path import is_path
from spark_swapper.suggest.cautions import cautions
from spark_swapper.suggest.config import Config
from spark_swapper.suggest.context import read_context
from spark_swapper.suggest.facts import GIB, ClusterFacts, ModelFiles
from spark_swapper.suggest.families import FP8_CACHE, Extra, Family, family_of
from spark_swapper.suggest.memory import (
    LONGEST,
    MemoryPlan,
    cache_cost,
    plan_memory,
    pooling_share,
)
from spark_swapper.suggest.parsers import capabilities, reasoning_parser, tool_parser
from spark_swapper.suggest.quantization import Quantization, read_quantization
from spark_swapper.suggest.serving import Known, suggest_flags
from spark_swapper.suggest.traits import Traits, read_traits


def infer(
    files: ModelFiles,
    cluster: ClusterFacts,
    *,
    key: str,
    read_from: str,
    launch: LaunchSettings,
    features: LauncherFeatures | None = None,
) -> Suggestion:
    """Return a suggestion; what the files do not say is guessed, and says so.

    ``key``: a free key for the recipe. ``read_from``: name of the host that was asked;
    ``features``: what the launcher there can do, a current one unless given.
    """
    config = Config(files.config)
    traits = read_traits(files, config)
    quantization = read_quantization(files, config)
    family = family_of(config.model_types, files.repo)
    extra = _extra(family, quantization, traits)
    longest = read_context(files, config)
    plan = _plan(files, cluster, config, longest, _cache_bytes(family, extra))
    tool = tool_parser(files, family, traits)
    reasoning = reasoning_parser(family, traits)
    context = _context(longest, plan)
    args = suggest_flags(
        Known(
            files=files,
            traits=traits,
            family=family,
            extra=extra,
            memory=plan,
            share=_share(files, plan, traits),
            context=context,
            tool_parser=tool,
            reasoning_parser=reasoning,
        )
    )
    suggestion = Suggestion(
        key=key,
        repo=files.repo,
        name=files.repo.rpartition("/")[2][:80],
        read_from=read_from,
        hosts=[host.name for host in cluster.hosts if host.holds],
        size_bytes=files.weight_bytes,
        architecture=_architecture(config),
        served_name=Suggested(value=key, source="name of the repository", certainty="derived"),
        mode=_mode(files, cluster, plan),
        tensor_parallel=_tensor_parallel(plan),
        image=_image(family, extra),
        context_length=context,
        quantization=quantization.suggested,
        tool_parser=tool,
        reasoning_parser=reasoning,
        capabilities=capabilities(traits, tool, reasoning),
        traits=traits.listed(),
        args=args,
        env=_env(family, extra),
        warnings=cautions(files, cluster, traits, family, plan),
    )
    return _with_preview(suggestion, launch, features or LauncherFeatures())


def recipe_of(suggestion: Suggestion) -> Recipe:
    """Return the recipe as it would be confirmed; raises pydantic's ValidationError."""
    return Recipe.model_validate(
        {
            "key": suggestion.key,
            "local_path" if is_path(suggestion.repo) else "repo": suggestion.repo,
            "name": suggestion.name,
            "mode": suggestion.mode.value,
            "served_name": suggestion.served_name.value,
            "image": suggestion.image.value,
            "tensor_parallel": suggestion.tensor_parallel.value,
            "env": dict(one.value.split("=", 1) for one in suggestion.env),
            "args": [one.value for one in suggestion.args],
            "capabilities": suggestion.capabilities.value,
            "context_length": suggestion.context_length.value,
            "size_bytes": suggestion.size_bytes or None,
        }
    )


def _with_preview(
    suggestion: Suggestion, launch: LaunchSettings, features: LauncherFeatures
) -> Suggestion:
    try:
        order = adapt(plan_launch(recipe_of(suggestion), suggestion.repo, launch), features)
    except (ValidationError, InvalidRequestError, SwapFault):
        wrong = f"no recipe can be made for a repository that is called {suggestion.repo!r}"
        return suggestion.model_copy(update={"warnings": [*suggestion.warnings, wrong]})
    return suggestion.model_copy(update={"preview": list(order.argv)})


def _extra(family: Family | None, quantization: Quantization, traits: Traits) -> Extra | None:
    extra = family.extras.get(quantization.kind) if family else None
    return None if extra and extra.moe_only and traits.moe is None else extra


def _cache_bytes(family: Family | None, extra: Extra | None) -> int:
    flags: Iterable[str] = (*(family.flags if family else ()), *(extra.flags if extra else ()))
    return 1 if FP8_CACHE in flags else 2


def _plan(
    files: ModelFiles,
    cluster: ClusterFacts,
    config: Config,
    longest: Suggested[int | None],
    value_bytes: int,
) -> MemoryPlan:
    heads = config.number("num_attention_heads", "n_head")
    return plan_memory(
        weights=files.weight_bytes,
        cost=cache_cost(config, value_bytes),
        context=longest.value,
        heads=heads.value if heads else None,
        sparks=len(cluster.hosts),
        memory=cluster.memory_bytes or USUAL_MEMORY,
    )


def _architecture(config: Config) -> Suggested[str | None]:
    source = config.top.source("architectures")
    found = config.architecture
    return Suggested(value=found, source=source, certainty="read" if found else "guessed")


def _mode(
    files: ModelFiles, cluster: ClusterFacts, plan: MemoryPlan
) -> Suggested[Literal["solo", "cluster"]]:
    source = "weight files and memory of the Sparks"
    mode: Literal["solo", "cluster"] = "solo" if plan.nodes == 1 else "cluster"
    if not files.weight_bytes:
        note = "the size of the weights is not known"
        return Suggested(value=mode, source=source, certainty="guessed", note=note)
    weights, memory = files.weight_bytes / GIB, plan.memory / GIB
    told = "of" if cluster.memory_bytes else "of what should be"
    note = f"{weights:.1f} GiB of weights on {plan.nodes} x {memory:.1f} GiB {told} memory"
    certainty: Certainty = "derived" if cluster.memory_bytes else "guessed"
    return Suggested(value=mode, source=source, certainty=certainty, note=note)


def _tensor_parallel(plan: MemoryPlan) -> Suggested[int]:
    note = None if plan.divided else "its attention heads cannot be divided among more Sparks"
    return Suggested(value=plan.nodes, source="mode", certainty="derived", note=note)


def _share(files: ModelFiles, plan: MemoryPlan, traits: Traits) -> Suggested[float]:
    if traits.pooling is not None and plan.nodes == 1:
        source = "weight files, without a long cache"
        share = pooling_share(files.weight_bytes, plan.memory)
        return Suggested(value=share, source=source, certainty="guessed")
    note = f"needs about {plan.needed / GIB:.0f} of {plan.memory / GIB:.0f} GiB on each Spark"
    source = "weight files, 6 GiB beside them, and cache"
    return Suggested(value=plan.share, source=source, certainty="derived", note=note)


def _context(longest: Suggested[int | None], plan: MemoryPlan) -> Suggested[int | None]:
    if longest.value is None or plan.context is None or plan.context >= longest.value:
        return longest
    reason = "nobody runs more on a Spark"
    certainty: Certainty = "guessed"
    if plan.context < LONGEST:
        reason, certainty = "more does not fit into memory", "derived"
    note = f"the files allow {longest.value} ({longest.source}); {reason}"
    return Suggested(value=plan.context, source="memory", certainty=certainty, note=note)


def _image(family: Family | None, extra: Extra | None) -> Suggested[str | None]:
    if family is not None and extra is not None and extra.image:
        source = f"family {family.label}"
        return Suggested(
            value=extra.image, source=source, certainty=family.certainty, note=extra.note
        )
    return Suggested(value=None, source="the cluster's own image", certainty="derived")


def _env(family: Family | None, extra: Extra | None) -> list[Suggested[str]]:
    if family is None or extra is None:
        return []
    source = f"family {family.label}"
    return [
        Suggested(value=setting, source=source, certainty=family.certainty) for setting in extra.env
    ]
