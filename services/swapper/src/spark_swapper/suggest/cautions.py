"""What stands in the way of a suggestion, in plain English. Pure."""

from spark_swapper.suggest.facts import GIB, ClusterFacts, ModelFiles
from spark_swapper.suggest.families import Family
from spark_swapper.suggest.memory import MemoryPlan
from spark_swapper.suggest.traits import Traits


def cautions(
    files: ModelFiles,
    cluster: ClusterFacts,
    traits: Traits,
    family: Family | None,
    plan: MemoryPlan,
) -> list[str]:
    """Return sentences, the worst first."""
    found = [*_about_files(files), *_about_place(files, cluster, plan)]
    if traits.pooling is not None:
        found.append("It answers with embeddings or scores, not with chat.")
        return found
    if files.chat_template == "none" and "mistral" not in files.formats:
        found.append("The files have no chat template: it is probably a base model.")
    if family is None and files.config is not None:
        found.append("Its family is not known here; look up its parsers and flags.")
    return found


def _about_files(files: ModelFiles) -> list[str]:
    found = []
    if files.config is None:
        found.append("There is no config.json that can be read; everything here is a guess.")
    if "gguf" in files.formats and not files.formats & {"safetensors", "bin"}:
        found.append("Its weights are GGUF files, which vLLM runs slowly and for few models.")
    if not files.weight_bytes:
        found.append("No weight file was found, so nobody knows whether it fits.")
    return found


def _about_place(files: ModelFiles, cluster: ClusterFacts, plan: MemoryPlan) -> list[str]:
    found = []
    if not plan.fits:
        weights, memory = files.weight_bytes / GIB, plan.memory / GIB
        found.append(
            f"It does not fit: {weights:.0f} GiB of weights on {plan.nodes} x {memory:.0f} GiB "
            "of memory, which must hold the cache as well."
        )
    lacking = cluster.lacking(plan.nodes)
    if not any(host.holds for host in cluster.hosts):
        found.append("No Spark has all of its files yet.")
    elif plan.nodes > 1 and lacking:
        found.append(f"It needs its files on {plan.nodes} Sparks; {', '.join(lacking)} lacks them.")
    return found
