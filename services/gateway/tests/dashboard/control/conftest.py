"""What the gateway may say about recipes, disks, downloads and updates, from the contracts."""

from typing import Any

import pytest
from pydantic import BaseModel

from spark_common.contracts.disk import DeletePlace, DeletePlan
from spark_common.contracts.downloads import (
    DownloadPlace,
    DownloadPlan,
    Downloads,
    DownloadView,
)
from spark_common.contracts.jobs import JobState
from spark_common.contracts.models import (
    LastTest,
    MemoryFit,
    Menu,
    ModelCopy,
    ModelView,
    Suggested,
    Suggestion,
)
from spark_common.contracts.plans import (
    CheckResult,
    NodePlan,
    Quarantine,
    SwapPlan,
    Validation,
)
from spark_common.contracts.recipes import (
    FieldProblem,
    FlagHelp,
    Flags,
    Knobs,
    MemoryHelp,
    Preview,
    RecipeDetail,
    RecipeForm,
    Template,
    Templates,
)
from spark_common.contracts.swaps import Cause
from spark_common.contracts.updates import CheckoutState, PendingCommit, Updates, UpdateView

GB = 1_000_000_000
GIB = 2**30
COMMAND = (
    "./launch-cluster.sh --solo -d exec vllm serve openai/gpt-oss-120b --port 8888 "
    "--max-model-len 131072 --gpu-memory-utilization 0.8 --tool-call-parser openai"
)


def said(model: BaseModel) -> Any:
    """Return what the gateway would send."""
    return model.model_dump(mode="json")


class Control:
    """Builders; ``scenes`` are those of the dashboard's other tests."""

    def __init__(self, scenes: Any) -> None:
        self.scenes = scenes

    def fit(self, needed: float, verdict: str = "good") -> MemoryFit:
        """Return how a model fits a Spark of 119.7 GiB; ``needed`` in GiB."""
        return MemoryFit(
            needed_bytes=int(needed * GIB),
            total_bytes=int(119.7 * GIB),
            left_bytes=int((111.6 - needed) * GIB),
            verdict=verdict,
        )

    def tested(self, verdict: str, sentence: str, kind: str = "test") -> LastTest:
        """Return a test four minutes ago."""
        return LastTest(kind=kind, verdict=verdict, sentence=sentence, at=self.scenes.ago(250))

    def every_card(self) -> list[ModelView]:
        """Return a model in every state a card can have."""
        make = self.scenes.model
        both = ["spark1", "spark2"]
        well = "vLLM accepts the settings."
        models = {model.key: model for model in self.scenes.models()}
        changes: dict[str, dict[str, Any]] = {
            "qwen3.6-35b-a3b": {"fit": self.fit(83.8)},
            "gpt-oss-120b": {"fit": self.fit(95.8), "test": self.tested("good", well)},
            "gemma-4-26b": {"fit": self.fit(71.9)},
            "minimax-m2.7": {"fit": self.fit(112.8, "bad")},
            "llama-4-scout": {"expected_bytes": int(60.8 * GB)},
        }
        for key, change in changes.items():
            models[key] = models[key].model_copy(update=change)
        half = (
            models["llama-4-scout"]
            .copies[0]
            .model_copy(
                update={"missing": [f"model-0000{n}-of-00013.safetensors" for n in range(6, 14)]}
            )
        )
        models["llama-4-scout"] = models["llama-4-scout"].model_copy(update={"copies": [half]})
        stale = ModelCopy(host="spark2", size_bytes=int(63.4 * GB), state="ready", stale=True)
        oss = models["gpt-oss-120b"]
        models["gpt-oss-120b"] = oss.model_copy(update={"copies": [*oss.copies, stale]})
        broken = [ModelCopy(host="spark1", size_bytes=12 * GB, state="broken",
                            missing=["config.json"])]  # fmt: skip
        flag = "vLLM does not know the flag --swap-space"
        return [
            *models.values(),
            make(
                "support-v2", "Support assistant v2", "/home/spark/models/support-v2",
                local_path="/home/spark/models/support-v2", source="own", gigabytes=28.2,
                fit=self.fit(59.8), test=self.tested("bad", flag),
            ),
            make(
                "kimi", "Kimi Linear 48B", "moonshotai/Kimi-Linear-48B-A3B", gigabytes=98.0,
                quarantine=Quarantine(
                    reason="Spark 1 ran out of memory and did not answer for 9 min.",
                    since=self.scenes.ago(80_000).isoformat(), host="spark1",
                ), test=self.tested("bad", "Spark 1 ran out of memory", "load"),
            ),
            make("phi", "Phi 5 mini", "microsoft/Phi-5-mini", state="incomplete").model_copy(
                update={"copies": broken}
            ),
            make(
                "glm", "GLM 4.7 Air", "zai-org/GLM-4.7-Air-AWQ", state="downloading",
                gigabytes=12.4, capabilities=["chat", "tools"],
            ),
            make(
                "step", "Step 3.5 Flash", "stepfun-ai/Step-3.5-Flash", state="incomplete",
                mode="cluster", gigabytes=104.0,
            ).model_copy(update={"copies": [
                ModelCopy(host="spark1", size_bytes=104 * GB, state="ready")]}),
            make(
                "both", "Mistral Small 4", "mistralai/Mistral-Small-4", hosts=both,
                fit=self.fit(40, "unknown"), gigabytes=48.1,
                test=self.tested("unknown", "no model server runs in which it could be tried"),
            ),
        ]  # fmt: skip

    def menu(self, **changes: Any) -> Menu:
        """Return the menu with every kind of card."""
        menu: Menu = self.scenes.menu(models=self.every_card(), **changes)
        return menu

    def download(self, **changes: Any) -> DownloadView:
        """Return a download that is at 41 %."""
        fields: dict[str, Any] = {
            "id": "dl-1", "requested_by": "Alice", "state": JobState.RUNNING, "step": "fetching",
            "percent": 41.0, "eta_seconds": 390.0, "n": 7, "created_at": self.scenes.ago(270),
            "repo": "zai-org/GLM-4.7-Air-AWQ", "done_bytes": int(24.9 * GB),
            "total_bytes": int(60.8 * GB), "bytes_per_second": 92e6,
            "places": [DownloadPlace(host="spark1", label="Spark 1", state="running")],
        }  # fmt: skip
        return DownloadView(**(fields | changes))

    def failed_download(self) -> DownloadView:
        """Return a download that stopped for want of space."""
        return self.download(
            id="dl-0", repo="nvidia/Llama-4-Scout-17B-16E-NVFP4", state=JobState.FAILED,
            percent=None, finished_at=self.scenes.ago(900),
            cause=Cause(
                code="disk_full", sentence="The disk of Spark 1 is full: 36 GB are missing.",
                action="Delete a model, then press Resume.",
            ),
        )  # fmt: skip

    def downloads(self) -> Downloads:
        """Return one that runs and one that failed."""
        return Downloads(running=[self.download()], recent=[self.failed_download()])

    def download_plan(self, hosts: list[str], **changes: Any) -> DownloadPlan:
        """Return what a download of 60.8 GB would need."""
        free = {"spark1": 2_250, "spark2": 3_060}
        places = [
            DownloadPlace(
                host=host, label=f"Spark {host[-1]}", state="absent", free_bytes=free[host] * GB,
                free_after_bytes=int((free[host] - 60.8) * GB), total_bytes=int(60.8 * GB),
            )
            for host in hosts
        ]  # fmt: skip
        fields: dict[str, Any] = {
            "repo": "nvidia/Llama-4-Scout-17B-16E-NVFP4", "total_bytes": int(60.8 * GB),
            "size_source": "hub", "missing_bytes": int(60.8 * GB), "places": places,
            "eta_seconds": 660.0, "usual_bytes_per_second": 92e6,
        }  # fmt: skip
        return DownloadPlan(**(fields | changes))

    def delete_plan(self, **changes: Any) -> DeletePlan:
        """Return what deleting gpt-oss-120b would free."""
        place = DeletePlace(
            host="spark1", label="Spark 1", frees_bytes=int(63.4 * GB), free_bytes=2_250 * GB,
            free_after_bytes=2_313 * GB, root_owned=True,
        )  # fmt: skip
        fields: dict[str, Any] = {
            "model": "gpt-oss-120b", "repo": "openai/gpt-oss-120b", "name": "gpt-oss-120b",
            "places": [place], "frees_bytes": int(63.4 * GB),
            "notes": [
                "To get it back, download it again: about 12 min at your usual speed.",
                "Your settings for it are kept.",
            ],
        }  # fmt: skip
        return DeletePlan(**(fields | changes))

    def swap_plan(self, **changes: Any) -> SwapPlan:
        """Return what a swap to gpt-oss-120b would do."""
        node = NodePlan(
            host="spark1", label="Spark 1", total_bytes=int(119.7 * GIB),
            needed_bytes=int(95.8 * GIB), headroom_bytes=int(15.4 * GIB), verdict="good",
        )  # fmt: skip
        fields: dict[str, Any] = {
            "model": "gpt-oss-120b", "model_name": "gpt-oss-120b", "served_name": "gpt-oss-120b",
            "stops": "Qwen3.6 35B A3B", "stops_key": "qwen3.6-35b-a3b", "in_flight": 2,
            "drain_seconds": 30.0, "eta_seconds": 205.0, "back_seconds": 110.0, "nodes": [node],
            "launch_cmd": COMMAND,
        }  # fmt: skip
        return SwapPlan(**(fields | changes))

    def preview(self, *problems: FieldProblem, utilization: float = 0.8) -> Preview:
        """Return what a recipe would run."""
        allocated = 119.7 * utilization
        help_ = MemoryHelp(
            total_bytes=int(119.7 * GIB), measured=True, utilization=utilization,
            allocated_bytes=int(allocated * GIB), left_bytes=int((111.2 - allocated) * GIB),
            pages=200, sentences=[
                f"About {allocated:.0f} GB for the model, about {111.2 - allocated:.0f} GB stay "
                "free on Spark 1.",
                "The weights take about 63.4 GB.",
            ],
        )  # fmt: skip
        return Preview(launch_cmd=COMMAND, problems=list(problems), memory=help_)

    def detail(self, **changes: Any) -> RecipeDetail:
        """Return the recipe of gpt-oss-120b with changes of the owner."""
        fields: dict[str, Any] = {
            "form": RecipeForm(
                key="gpt-oss-120b", repo="openai/gpt-oss-120b", name="gpt-oss-120b"
            ),
            "source": "override",
            "knobs": Knobs(
                max_model_len=131_072, gpu_memory_utilization=0.8, fast_load=True,
                prefix_caching=True,
            ),
            "bundled_knobs": Knobs(max_model_len=131_072, gpu_memory_utilization=0.7),
            "flags": ["--max-num-batched-tokens=16384", "--tool-call-parser=openai"],
            "preview": self.preview(), "longest_context": 131_072,
        }  # fmt: skip
        return RecipeDetail(**(fields | changes))

    def flags(self) -> Flags:
        """Return a few flags of vLLM."""
        return Flags(
            flags=[
                FlagHelp(flag="--max-num-seqs", kind="integer", help="Answers at the same time."),
                FlagHelp(
                    flag="--max-num-batched-tokens", kind="integer",
                    help="Tokens that are worked on in one step.",
                ),
                FlagHelp(flag="--enforce-eager", kind="switch", help="No CUDA graphs."),
            ],
            vllm_version="0.12",
        )  # fmt: skip

    def unknown_flag(self) -> FieldProblem:
        """Return what is wrong with a misspelled flag."""
        return FieldProblem(
            field="--max-num-seq", near=["--max-num-seqs"],
            message="is not a flag of vLLM 0.12; did you mean --max-num-seqs?",
        )  # fmt: skip

    def suggestion(self) -> Suggestion:
        """Return what the files of Nemotron say."""

        def from_file(value: Any, key: str) -> Any:
            return Suggested[Any](value=value, source=f"config.json: {key}", certainty="read")

        def guess(value: Any, note: str | None = None) -> Any:
            return Suggested[Any](
                value=value, source="the model family", certainty="guessed", note=note
            )

        def rule(value: Any, source: str, note: str | None = None) -> Any:
            return Suggested[Any](value=value, source=source, certainty="derived", note=note)

        return Suggestion(
            key="nemotron", repo="nvidia/Nemotron-3-Nano-30B-A3B-FP8", name="Nemotron 3 Nano 30B",
            read_from="spark1", hosts=["spark1"], size_bytes=int(32.1 * GB),
            architecture=from_file("NemotronHForCausalLM", "architectures"),
            served_name=rule("Nemotron-3-Nano-30B-A3B-FP8", "the name of the repository"),
            mode=rule("solo", "32.1 GB against 119.7 GB of memory", "It fits one Spark easily"),
            tensor_parallel=rule(1, "one Spark"),
            image=rule(None, "nothing asks for another one"),
            context_length=from_file(131_072, "max_position_embeddings"),
            quantization=from_file("fp8", "quantization_config.quant_method"),
            tool_parser=guess("qwen3_coder"), reasoning_parser=guess("nano_v3"),
            capabilities=guess(["chat", "tools", "reasoning"]),
            args=[
                from_file("--max-model-len=131072", "max_position_embeddings"),
                rule("--gpu-memory-utilization=0.6", "the size of the weights"),
                rule("--max-num-batched-tokens=16384", "hybrid models", "Mamba needs it"),
                rule("--enable-auto-tool-choice", "--tool-call-parser"),
                guess("--tool-call-parser=qwen3_coder"),
                guess("--reasoning-parser=nano_v3"),
            ],
            env=[rule("VLLM_USE_FLASHINFER=1", "models of this kind")],
            warnings=["It mixes Mamba and attention; without more batched tokens it would stop "
                      "while starting."],
        )  # fmt: skip

    def validation(self, verdict: str = "good") -> Validation:
        """Return how a pre-flight test ended."""
        sentence = "vLLM does not know the flag --swap-space."
        cause = Cause(code="bad_flag", sentence=sentence, action="Remove it under Advanced.")
        return Validation(
            ok=verdict != "bad", verdict=verdict, checks=[
                CheckResult(name="arguments", verdict=verdict, sentence=sentence)
            ],
            cause=cause if verdict == "bad" else None,
            note="Test passed: vLLM accepts the settings. A real load can still fail."
            if verdict == "good" else "",
        )  # fmt: skip

    def templates(self) -> Templates:
        """Return three recipes of the launcher."""
        form = RecipeForm(repo="zai-org/GLM-4.7-Air-AWQ", name="GLM 4.7 Air AWQ")
        return Templates(
            directory="/home/spark/spark-vllm-docker/recipes", host="spark1",
            templates=[
                Template(
                    name="glm-4.7-air-awq", title="GLM 4.7 Air AWQ", repo=form.repo, form=form,
                    description="AWQ weights with MTP, one Spark.", mode="solo",
                ),
                Template(
                    name="gpt-oss-120b", title="gpt-oss-120b", repo="openai/gpt-oss-120b",
                    form=form, mode="either", known_as="gpt-oss-120b",
                ),
                Template(
                    name="broken", title="", problem="broken.yaml is not YAML: line 3 has a tab.",
                ),
            ],
        )  # fmt: skip

    def updates(self, job: UpdateView | None = None, **changes: Any) -> Updates:
        """Return three pending commits."""
        commits = [
            PendingCommit(sha="4f1c2aa" + "0" * 33, subject="load safetensors in parallel"),
            PendingCommit(sha="b90d771" + "0" * 33, subject="fix crash with two images"),
            PendingCommit(sha="0e55f13" + "0" * 33, subject="docs: describe --solo"),
        ]
        checkout = CheckoutState(
            host="spark1", label="Spark 1", directory="/home/spark/spark-vllm-docker",
            behind=3, ahead=0, commits=commits,
        )  # fmt: skip
        fields: dict[str, Any] = {"checkouts": [checkout], "can_apply": True, "job": job}
        return Updates(**(fields | changes))

    def update_job(self, **changes: Any) -> UpdateView:
        """Return an update that builds."""
        fields: dict[str, Any] = {
            "id": "up-1", "requested_by": "dashboard", "state": JobState.RUNNING,
            "step": "building", "percent": 42.0, "eta_seconds": 540.0, "n": 3,
            "message": "Step 11/26", "created_at": self.scenes.ago(400),
        }  # fmt: skip
        return UpdateView(**(fields | changes))

    def failed_update(self) -> UpdateView:
        """Return an update that broke while it was built."""
        return self.update_job(
            state=JobState.FAILED, percent=None, finished_at=self.scenes.ago(60),
            cause=Cause(
                code="build_failed", sentence="The image could not be built on Spark 1.",
                action="Free some disk space, then press Try again.",
                evidence=["ERROR: failed to solve: no space left on device"],
            ),
        )  # fmt: skip

    def snapshot(self, menu: Menu | None = None, **changes: Any) -> dict[str, Any]:
        """Return what ``/api/live`` says first, with every kind of card."""
        more = {
            name: said(changes.pop(name)) if changes.get(name) is not None else None
            for name in ("downloads", "updates")
        }
        found: dict[str, Any] = self.scenes.snapshot(menu or self.menu(), **changes)
        return {**found, **more}


@pytest.fixture
def control(scenes: Any) -> Control:
    """Builders of what the gateway may say about everything but swaps."""
    return Control(scenes)
