"""What the gateway may say to the dashboard, built from the contracts."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from spark_common.clock import SystemClock
from spark_common.contracts.leases import LeaseView, Waiter, Yield
from spark_common.contracts.models import (
    HostView,
    Menu,
    ModelCopy,
    ModelView,
    RecipeView,
    RuntimeView,
)
from spark_common.contracts.swaps import Cause, Phase, PhaseMark, Swaps, SwapView
from spark_common.events import SwapComplete, SwapFailed, SwapProgress

GB = 1_000_000_000
GIB = 2**30


class Scenes:
    """What the gateway may say, built from the contracts, so that it cannot drift from them."""

    def __init__(self) -> None:
        self.now = SystemClock().now()

    def ago(self, seconds: float) -> datetime:
        """Return the moment that many seconds ago."""
        return self.now - timedelta(seconds=seconds)

    def host(self, number: int, **changes: Any) -> HostView:
        """Return a Spark that is well."""
        used = {1: 92.3, 2: 19.2}[number]
        return HostView(
            name=f"spark{number}",
            label=f"Spark {number}",
            state="online",
            seen_at=self.ago(4),
            disk_total_bytes=3_670 * GB,
            disk_free_bytes={1: 2_250, 2: 3_060}[number] * GB,
            memory_total_bytes=int(119.7 * GIB),
            memory_available_bytes=int((119.7 - used) * GIB),
        ).model_copy(update=changes)

    def model(self, key: str, name: str, repo: str, **changes: Any) -> ModelView:
        """Return a model that is ready on the first Spark."""
        size = int(changes.pop("gigabytes", 23.4) * GB)
        hosts = changes.pop("hosts", ["spark1"])
        state = changes.get("state", "ready")
        kind = {"needs_setup": "ready", "incomplete": "incomplete", "downloading": "downloading"}
        copies = [
            ModelCopy(host=host, size_bytes=size, state=kind.get(state, "ready")) for host in hosts
        ]
        return ModelView(
            key=key,
            name=name,
            repo=repo,
            served_name=repo.split("/")[-1],
            copies=copies,
            size_bytes=size,
            **{
                "state": "ready",
                "source": None if state == "needs_setup" else "bundled",
                "capabilities": ["chat", "tools"],
                **changes,
            },
        )

    def models(self, loaded: str | None = "qwen3.6-35b-a3b") -> list[ModelView]:
        """Return the models of the simulated Sparks."""
        every = ["chat", "vision", "tools", "reasoning"]
        both = ["spark1", "spark2"]
        found = [
            self.model(
                "qwen3.6-35b-a3b", "Qwen3.6 35B A3B", "nvidia/Qwen3.6-35B-A3B-NVFP4",
                capabilities=every, context_length=262_144, load_seconds=110.0,
            ),
            self.model(
                "gpt-oss-120b", "gpt-oss-120b", "openai/gpt-oss-120b", gigabytes=63.4,
                capabilities=["chat", "tools", "reasoning"], context_length=131_072,
                load_seconds=200.0,
            ),
            self.model(
                "gemma-4-26b", "Gemma 4 26B", "google/gemma-4-26b-it", gigabytes=51.6, hosts=both,
                capabilities=["chat", "vision", "tools"],
            ),
            self.model(
                "minimax-m2.7", "MiniMax M2.7", "MiniMaxAI/MiniMax-M2.7-AWQ", gigabytes=61.4,
                hosts=both, mode="cluster", load_seconds=580.0,
            ),
            self.model(
                "nemotron", "Nemotron-3-Nano-30B-A3B", "nvidia/Nemotron-3-Nano-30B-A3B-FP8",
                gigabytes=32.1, state="needs_setup", capabilities=[],
            ),
            self.model(
                "llama-4-scout", "Llama 4 Scout", "nvidia/Llama-4-Scout-17B-16E-NVFP4",
                gigabytes=24.9, state="incomplete",
            ),
        ]  # fmt: skip
        return [model.model_copy(update={"loaded": model.key == loaded}) for model in found]

    def menu(self, loaded: str | None = "qwen3.6-35b-a3b", **changes: Any) -> Menu:
        """Return the menu with one model loaded, or none."""
        models = self.models(loaded)
        mine = next((model for model in models if model.loaded), None)
        runtime = RuntimeView(state="idle", since=self.ago(900))
        if mine is not None:
            runtime = RuntimeView(
                state="serving",
                model=mine.key,
                served_name=mine.served_name,
                context_length=mine.context_length,
                since=self.ago(13_200),
            )
        return Menu(
            models=models,
            recipes=[
                RecipeView(
                    key="deepseek-v4", name="DeepSeek V4 Flash",
                    repo="deepseek-ai/DeepSeek-V4-Flash", mode="cluster",
                ),
            ],
            hosts=[self.host(1), self.host(2)],
            runtime=runtime,
            as_of=self.ago(4),
        ).model_copy(update=changes)  # fmt: skip

    def swap(
        self, phase: str, marks: Mapping[str, float | None] | None = None, **changes: Any
    ) -> SwapView:
        """Return a swap to gpt-oss-120b; ``marks`` are phases with their seconds, in order."""
        marks = marks or {}
        begun = self.ago(sum(seconds or 0 for seconds in marks.values()) + changes.pop("since", 0))
        at = begun
        phases = []
        for name, seconds in marks.items():
            phases.append(PhaseMark(phase=Phase(name), at=at, seconds=seconds))
            at += timedelta(seconds=seconds or 0)
        fields: dict[str, Any] = {
            "id": "swap-1", "model": "gpt-oss-120b", "model_name": "gpt-oss-120b",
            "previous": "qwen3.6-35b-a3b", "requested_by": "Alice", "rollback": True,
            "phase": phase, "phases": phases, "usual_seconds": 200.0, "created_at": begun, "n": 6,
        }  # fmt: skip
        return SwapView(**(fields | changes))

    def loading(self, **changes: Any) -> SwapView:
        """Return a swap that has loaded 60 % of the weights."""
        marks = {
            "queued": 0.2,
            "preflight": 3,
            "draining": 14,
            "stopping": 7,
            "launching": 23,
            "loading": None,
        }
        fields = {"since": 39, "percent": 60.0, "eta_seconds": 80.0, "message": "Part 9 of 15"}
        return self.swap("loading", marks, **(fields | changes))

    def ended(self, phase: str = "failed", **changes: Any) -> SwapView:
        """Return a swap that ended without its model."""
        marks = {"preflight": 3, "draining": 14, "stopping": 7, "launching": 23, phase: None}
        cause = Cause(
            code="not_enough_memory",
            sentence="Not enough free memory: it asked for 101.7 GB, 88.4 GB was free.",
            action="Close what else uses memory on Spark 1, then try again.",
            evidence=[
                "ValueError: Free memory on device cuda:0 (88.41/119.69 GiB) is less than desired."
            ],
        )
        fields: dict[str, Any] = {"cause": cause, "finished_at": self.ago(60), "since": 60}
        return self.swap(phase, marks, **(fields | changes))

    def recent(self) -> list[SwapView]:
        """Return a short history, newest first."""

        def old(
            number: int, model: str, name: str, phase: str, hours: float, took: float
        ) -> SwapView:
            return self.swap(
                phase, {"preflight": took}, id=f"old-{number}", model=model, model_name=name,
                since=hours * 3600, finished_at=self.ago(hours * 3600), cause=None,
                requested_by=["Bob", "nightly-summary", "Alice"][number % 3], previous=None,
            )  # fmt: skip

        return [
            old(1, "qwen3.6-35b-a3b", "Qwen3.6 35B A3B", "ready", 3.66, 112),
            old(2, "gpt-oss-120b", "gpt-oss-120b", "rolled_back", 14, 209),
            old(3, "gpt-oss-120b", "gpt-oss-120b", "ready", 18, 198),
            old(4, "minimax-m2.7", "MiniMax M2.7", "failed", 70, 601),
            old(5, "gemma-4-26b", "Gemma 4 26B", "cancelled", 71, 31),
        ]

    def snapshot(
        self,
        menu: Menu | None = None,
        current: SwapView | None = None,
        queue: list[SwapView] | None = None,
        recent: list[SwapView] | None = None,
        **changes: Any,
    ) -> dict[str, Any]:
        """Return what ``/api/live`` says first; by default all is well."""
        names = ("audio-proxy", "coordinator", "gateway", "health", "redaction", "swapper")
        swaps = Swaps(
            current=current, queue=queue or [], recent=self.recent() if recent is None else recent
        )
        return {
            "menu": (menu or self.menu()).model_dump(mode="json"),
            "swaps": swaps.model_dump(mode="json"),
            "lease": self.free_lease().model_dump(mode="json"),
            "components": [{"name": name, "state": "up"} for name in names],
            "bus": {"connected": True, "detail": None},
            "version": "0.1.0",
            "demo": False,
            **changes,
        }

    def free_lease(self, **changes: Any) -> LeaseView:
        """Return the lease while nobody has it."""
        return LeaseView(**({"state": "free", "epoch": 6} | changes))

    def lease(self, holder: str = "crm-sync", seconds: float = 2280.0, **changes: Any) -> LeaseView:
        """Return the lease while somebody holds it, for that many seconds more."""
        fields: dict[str, Any] = {
            "state": "held", "holder": holder, "reason": "importing new contacts for Alice",
            "priority": "interactive", "since": self.ago(1320), "epoch": 7,
            "remaining_seconds": seconds, "expires_at": self.now + timedelta(seconds=seconds),
        }  # fmt: skip
        return LeaseView(**(fields | changes))

    def waiter(self, position: int, holder: str, **changes: Any) -> Waiter:
        """Return a place in line."""
        fields: dict[str, Any] = {
            "ticket": f"ticket-{position}", "holder": holder, "priority": "human",
            "position": position, "eta_seconds": 2280.0 + 300 * (position - 1),
            "ttl_seconds": 300.0, "since": self.ago(60), "wait_until": self.now,
        }  # fmt: skip
        return Waiter(**(fields | changes))

    def asked_to_yield(self, who: str = "Bob", note: str = "for the demo") -> Yield:
        """Return a standing request to the holder."""
        return Yield(
            requested_by=who, by=self.now + timedelta(minutes=20), note=note, at=self.ago(120)
        )

    def progress(self, n: int, phase: str, **changes: Any) -> dict[str, Any]:
        """Return the content of a ``swap.progress``."""
        fields: dict[str, Any] = {
            "swap_id": "swap-1", "n": n, "model": "gpt-oss-120b", "phase": phase, "at": self.now,
        }  # fmt: skip
        return SwapProgress(**(fields | changes)).model_dump(mode="json")

    def complete(self) -> dict[str, Any]:
        """Return the content of a ``swap.complete``."""
        return SwapComplete(
            swap_id="swap-1", model="gpt-oss-120b", served_name="gpt-oss-120b",
            previous="qwen3.6-35b-a3b", requested_by="Alice", total_seconds=182.0,
            finished_at=self.now,
        ).model_dump(mode="json")  # fmt: skip

    def failed(self, outcome: str, serving: str | None) -> dict[str, Any]:
        """Return the content of a ``swap.failed``."""
        cause = self.ended().cause
        return SwapFailed(
            swap_id="swap-1", model="gpt-oss-120b", previous="qwen3.6-35b-a3b",
            requested_by="Alice", outcome=outcome, cause=cause,
            failed_in="launching", serving=serving,
            total_seconds=48.0, finished_at=self.now,
        ).model_dump(mode="json")  # fmt: skip
