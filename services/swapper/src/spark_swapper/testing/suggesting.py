"""Suggestions for repositories whose files a test wrote down, without any Spark."""

from collections.abc import Mapping

from spark_common.contracts.models import Suggestion, SuggestRecipe
from spark_common.errors import UnknownModelError
from spark_swapper.launching.launch import LaunchSettings
from spark_swapper.suggest.facts import ClusterFacts, HostFacts, ModelFiles
from spark_swapper.suggest.infer import infer


class FakeSuggesting:
    """Infers from files in memory; every host holds them."""

    def __init__(self, files: Mapping[str, ModelFiles] | None = None) -> None:
        self.files = dict(files or {})

    async def suggest(self, request: SuggestRecipe) -> Suggestion:
        """Return what the files say; raises UnknownModelError for other repositories."""
        files = self.files.get(request.repo)
        if files is None:
            raise UnknownModelError(f"no model {request.repo!r}", near=list(self.files))
        cluster = ClusterFacts((HostFacts("spark1", "Spark 1", holds=True),))
        return infer(files, cluster, key="it", read_from="spark1", launch=LaunchSettings())
