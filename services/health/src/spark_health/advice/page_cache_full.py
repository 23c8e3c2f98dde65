"""A full page cache makes a load of a model ever slower until it dies."""

from spark_common.contracts.hardware import HostHardware
from spark_health.advice.finding import Found
from spark_health.hosts.sight import Sight

_SHARE = 0.5
"""Of all memory."""
_FREE = 0.1


class PageCacheFull:
    """Told while nothing is loaded, that is before a load."""

    name = "page_cache_full"
    heading = "The page cache is full before a load"

    def find(self, _sight: Sight, shown: HostHardware) -> Found | None:
        """Return it when the cache holds half of the memory and hardly any is free."""
        memory = shown.memory
        if memory is None or memory.page_cache is None or memory.free is None:
            return None
        if any(one.name == "vllm" and one.bytes for one in shown.consumers):
            return None
        if memory.page_cache < _SHARE * memory.total or memory.free > _FREE * memory.total:
            return None
        size = memory.page_cache / 1024**3
        return Found(
            "warning",
            f"{size:.0f} GiB of {shown.label}'s memory are page cache: drop it before a large "
            "model is loaded, or the load gets slower and slower.",
        )
