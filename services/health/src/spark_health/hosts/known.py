"""What the containers are that the settings name."""

from collections.abc import Callable, Mapping

from spark_common.contracts.hardware import ConsumerName
from spark_common.owner import LiveSettings
from spark_health.settings import HealthSettings


def containers_of(
    settings: HealthSettings, live: LiveSettings
) -> Callable[[], Mapping[str, ConsumerName]]:
    """Return what says it now: the owner may give a container another name."""
    runtime, parakeet = live.of(settings.cluster.runtime), live.of(settings.parakeet)
    kokoro, magpie = live.of(settings.kokoro), live.of(settings.magpie)
    embed, qdrant = live.of(settings.embed), live.of(settings.qdrant)

    def now() -> dict[str, ConsumerName]:
        return {
            parakeet().parakeet_container: "speech",
            kokoro().kokoro_container: "speech",
            magpie().magpie_container: "speech",
            embed().embed_container: "embeddings",
            qdrant().qdrant_container: "vectors",
            runtime().vllm_container: "vllm",
        }

    return now
