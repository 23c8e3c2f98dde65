"""vLLM's ``/metrics``: the families a dashboard reads, with counters that move."""

from collections.abc import Iterator

from spark_sim.pace import epoch

_SECONDS = (0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)
_COUNTS = (1.0, 8.0, 16.0, 64.0, 256.0, 1024.0, 4096.0, 16384.0)
_HISTOGRAMS = {
    "vllm:time_to_first_token_seconds": ("Histogram of time to first token in seconds.", _SECONDS),
    "vllm:inter_token_latency_seconds": ("Histogram of inter-token latency in seconds.", _SECONDS),
    "vllm:e2e_request_latency_seconds": (
        "Histogram of e2e request latency in seconds.", _SECONDS),
    "vllm:request_queue_time_seconds": (
        "Histogram of time spent in WAITING phase for request.", _SECONDS),
    "vllm:request_prefill_time_seconds": (
        "Histogram of time spent in PREFILL phase for request.", _SECONDS),
    "vllm:request_decode_time_seconds": (
        "Histogram of time spent in DECODE phase for request.", _SECONDS),
    "vllm:request_prompt_tokens": ("Number of prefill tokens processed.", _COUNTS),
    "vllm:request_generation_tokens": ("Number of generation tokens processed.", _COUNTS),
}  # fmt: skip
_COUNTERS = {
    "vllm:prefix_cache_queries": "Prefix cache queries, in terms of number of queried tokens.",
    "vllm:prefix_cache_hits": "Prefix cache hits, in terms of number of cached tokens.",
    "vllm:num_preemptions": "Cumulative number of preemption from the engine.",
    "vllm:prompt_tokens": "Number of prefill tokens processed.",
    "vllm:prompt_tokens_cached": "Number of prefill tokens taken from a cache.",
    "vllm:generation_tokens": "Number of generation tokens processed.",
}
_REASONS = ("stop", "length", "abort", "error", "repetition")


class Metrics:
    """Counts what an engine does."""

    def __init__(self, model_name: str) -> None:
        self._labels = f'engine="0",model_name="{model_name}"'
        self._name = model_name
        self._created = epoch()
        self._running = 0
        self._counters = dict.fromkeys(_COUNTERS, 0.0)
        self._finished = dict.fromkeys(_REASONS, 0.0)
        self._seen: dict[str, list[float]] = {name: [] for name in _HISTOGRAMS}

    def begin(self, prompt_tokens: int) -> None:
        """Count a request that starts."""
        self._running += 1
        self._counters["vllm:prompt_tokens"] += prompt_tokens
        self._counters["vllm:prefix_cache_queries"] += prompt_tokens

    def first_token(self, seconds: float) -> None:
        """Count the wait for a first token."""
        self._observe("vllm:time_to_first_token_seconds", seconds)
        self._observe("vllm:request_prefill_time_seconds", seconds)
        self._observe("vllm:request_queue_time_seconds", 0.0)

    def tokens(self, count: int) -> None:
        """Count generated tokens."""
        self._counters["vllm:generation_tokens"] += count

    def end(self, reason: str, seconds: float, prompt: int, generated: int) -> None:
        """Count a request that ended."""
        self._running -= 1
        self._finished[reason] = self._finished.get(reason, 0.0) + 1
        if reason == "abort":
            return
        self._observe("vllm:e2e_request_latency_seconds", seconds)
        self._observe("vllm:request_decode_time_seconds", seconds)
        self._observe("vllm:request_prompt_tokens", prompt)
        self._observe("vllm:request_generation_tokens", generated)
        if generated > 1:
            self._observe("vllm:inter_token_latency_seconds", seconds / generated)

    def text(self) -> str:
        """Return the exposition."""
        return "\n".join(self._lines()) + "\n"

    def _observe(self, name: str, value: float) -> None:
        self._seen[name].append(value)
        if len(self._seen[name]) > 100_000:
            del self._seen[name][0]

    def _lines(self) -> Iterator[str]:
        yield from self._gauge(
            "vllm:num_requests_running",
            "Number of requests in model execution batches.",
            self._running,
        )
        yield from self._gauge("vllm:num_requests_waiting",
                               "Number of requests waiting to be processed.", 0)  # fmt: skip
        yield "# HELP vllm:num_requests_waiting_by_reason Number of waiting requests by reason."
        yield "# TYPE vllm:num_requests_waiting_by_reason gauge"
        for reason in ("capacity", "deferred"):
            yield f'vllm:num_requests_waiting_by_reason{{{self._labels},reason="{reason}"}} 0.0'
        yield from self._gauge("vllm:kv_cache_usage_perc",
                               "KV-cache usage. 1 means 100 percent usage.",
                               min(1.0, 0.004 * self._running))  # fmt: skip
        for name, text in _COUNTERS.items():
            yield f"# HELP {name}_total {text}"
            yield f"# TYPE {name}_total counter"
            yield f"{name}_total{{{self._labels}}} {self._counters[name]}"
            yield from self._created_line(name, text, self._labels)
        yield from self._successes()
        for name, (text, bounds) in _HISTOGRAMS.items():
            yield from self._histogram(name, text, bounds)
        yield "# HELP vllm:cache_config_info Information of the LLMEngine CacheConfig"
        yield "# TYPE vllm:cache_config_info gauge"
        yield ('vllm:cache_config_info{block_size="16",cache_dtype="auto",'
               'enable_prefix_caching="True",engine="0"} 1.0')  # fmt: skip

    def _gauge(self, name: str, text: str, value: float) -> Iterator[str]:
        yield f"# HELP {name} {text}"
        yield f"# TYPE {name} gauge"
        yield f"{name}{{{self._labels}}} {float(value)}"

    def _created_line(self, name: str, text: str, labels: str) -> Iterator[str]:
        yield f"# HELP {name}_created {text}"
        yield f"# TYPE {name}_created gauge"
        yield f"{name}_created{{{labels}}} {self._created!r}"

    def _successes(self) -> Iterator[str]:
        text = "Count of successfully processed requests."
        yield f"# HELP vllm:request_success_total {text}"
        yield "# TYPE vllm:request_success_total counter"
        for reason, count in self._finished.items():
            yield (f'vllm:request_success_total{{engine="0",finished_reason="{reason}",'
                   f'model_name="{self._name}"}} {count}')  # fmt: skip

    def _histogram(self, name: str, text: str, bounds: tuple[float, ...]) -> Iterator[str]:
        seen = self._seen[name]
        yield f"# HELP {name} {text}"
        yield f"# TYPE {name} histogram"
        for bound in (*bounds, float("inf")):
            shown = "+Inf" if bound == float("inf") else str(bound)
            count = sum(value <= bound for value in seen)
            yield (f'{name}_bucket{{engine="0",le="{shown}",model_name="{self._name}"}} '
                   f"{float(count)}")  # fmt: skip
        yield f"{name}_count{{{self._labels}}} {float(len(seen))}"
        yield f"{name}_sum{{{self._labels}}} {sum(seen)}"
        yield from self._created_line(name, text, self._labels)
