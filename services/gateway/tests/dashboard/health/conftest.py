"""What the gateway may say of the Sparks as machines and of services, from the contracts."""

from datetime import timedelta
from typing import Any

import pytest

from spark_common.contracts.deep_health import DeepHealth, DeepResult, DeepService, RemedyView
from spark_common.contracts.hardware import (
    Advice,
    Badge,
    Consumer,
    Disk,
    Finding,
    Gpu,
    Hardware,
    HostHardware,
    HostHistory,
    Memory,
    Point,
    Route,
    WakeAddress,
)
from spark_common.contracts.health import (
    Connectivity,
    HealthView,
    Maintenance,
    TargetUptime,
    TargetView,
    Transition,
    Uptime,
    WorkFailure,
)
from spark_common.contracts.jobs import JobState
from spark_common.contracts.nim import NimCatalog, NimChoice, NimInstallView
from spark_common.contracts.services import BridgeView, ContainerView, Services, ServiceView
from spark_common.contracts.speech_models import (
    KeptFiles,
    OverlayFile,
    SpeechHealth,
    SpeechJobView,
    SpeechModels,
)

GIB = 2**30
LABELS = {"parakeet": "Speech to text", "kokoro": "Text to speech", "embeddings": "Embeddings"}
KINDS = {"parakeet": "speech_to_text", "kokoro": "text_to_speech", "embeddings": "embeddings"}


class Watched:
    """Builders; ``scenes`` are those of the dashboard's other tests."""

    def __init__(self, scenes: Any) -> None:
        self.scenes = scenes
        self.now = scenes.now

    def machine(self, number: int, **changes: Any) -> HostHardware:
        """Return a Spark that is read."""
        used = {1: 92, 2: 19}[number] * GIB
        fields: dict[str, Any] = {
            "name": f"spark{number}", "label": f"Spark {number}", "address": f"127.0.0.1{number}",
            "answering": "well", "read_at": self.scenes.ago(2), "age_seconds": 2.0,
            "hostname": f"spark-{number}", "uptime_seconds": 107_816.0, "load": [3.1, 2.0, 1.0],
            "cores": 20, "gpu_unified_memory": True,
            "memory": Memory(total=120 * GIB, available=120 * GIB - used, used=used,
                             page_cache=2 * GIB),
            "consumers": [Consumer(name="vllm", bytes=84 * GIB if number == 1 else 0),
                          Consumer(name="speech", bytes=8 * GIB), Consumer(name="embeddings"),
                          Consumer(name="page_cache", bytes=2 * GIB),
                          Consumer(name="other", bytes=3 * GIB)],
            "gpu": Gpu(name="NVIDIA GB10", driver="580.142", percent=64.0, celsius=61.0),
            "disk": Disk(total=3_670_000_000_000, used=1_420_000_000_000,
                         available=2_250_000_000_000),
            "routes": [Route(interface="enP7s7", kind="cable")],
            "badges": [Badge(kind="wireguard", interface="wg0", address="203.0.113.6")],
            "wake_address": WakeAddress(mac="02:00:5e:10:00:02", interface="enP7s7", wired=True,
                                        seen_at=self.now),
        }  # fmt: skip
        return HostHardware(**(fields | changes))

    def hardware(self, *machines: HostHardware) -> Hardware:
        """Return both Sparks, with the last half hour of the first."""
        points = [
            Point(at=self.scenes.ago(1800 - 20 * n), gpu_percent=40.0 + n % 30, load=2.0)
            for n in range(90)
        ]
        history = HostHistory(host="spark1", span="hour", step_seconds=20, points=points)
        hosts = list(machines) or [self.machine(1), self.machine(2)]
        return Hardware(hosts=hosts, history=[history], as_of=self.now)

    def advice(self) -> Advice:
        """Return a trouble and a hint."""
        make = Finding
        return Advice(checks=[], as_of=self.now, findings=[
            make(check="disk_nearly_full", host="spark1", label="Spark 1", severity="trouble",
                 sentence="Spark 1 has 3 GB of disk left: delete a model that nobody uses.",
                 runbook="docs/RUNBOOK.md#the-disk-is-nearly-full"),
            make(check="shared_blobs", host="spark2", label="Spark 2", severity="hint",
                 sentence="Weights on Spark 2 lie in a store that models share.",
                 runbook="docs/RUNBOOK.md#weights-lie-in-a-shared-store"),
        ])  # fmt: skip

    def service(self, name: str = "parakeet", **changes: Any) -> ServiceView:
        """Return a service that is well."""
        fields: dict[str, Any] = {
            "name": name, "label": LABELS.get(name, name), "kind": KINDS.get(name, "http"),
            "origin": "built_in", "state": "up", "host": "spark1", "address": "127.0.0.11",
            "port": 8000, "url": "http://127.0.0.11:8000", "age_seconds": 1.0,
            "since": self.scenes.ago(600), "actions": ["start", "stop", "restart"],
            "has_logs": True, "container": ContainerView(
                name=name, state="running", restart_count=0, up_seconds=7200.0, image=f"{name}:v1"),
        }  # fmt: skip
        return ServiceView(**(fields | changes))

    def bridge(self, **changes: Any) -> ServiceView:
        """Return the Matrix bridge."""
        fields: dict[str, Any] = {
            "label": "Matrix bridge", "kind": "bot", "origin": "bridge", "url": None,
            "port": None, "address": None,
        }  # fmt: skip
        return self.service("matrix-bridge", **(fields | changes))

    def services(self, *views: ServiceView) -> Services:
        """Return what is always on."""
        usual = [self.service(), self.service("kokoro"), self.service("embeddings", host="spark2")]
        return Services(services=list(views) or [*usual, self.bridge()], as_of=self.now)

    def deep(self, name: str = "parakeet", **changes: Any) -> DeepService:
        """Return a deep check that passed; ``last`` and ``remedy`` are changed by their fields."""
        last = DeepResult(**({
            "state": "ok", "sentence": "heard 9 of 9 words", "latency_ms": 412.0,
            "at": self.scenes.ago(120),
        } | changes.pop("last", {})))  # fmt: skip
        remedy = RemedyView(**({
            "service": name, "label": LABELS.get(name, name), "mode": "act", "state": "quiet",
        } | changes.pop("remedy", {})))  # fmt: skip
        fields: dict[str, Any] = {
            "name": name, "label": LABELS.get(name, name), "host": "spark1", "last": last,
            "history": [last, last.model_copy(update={"at": self.scenes.ago(420)})],
            "remedy": remedy,
        }  # fmt: skip
        return DeepService(**(fields | changes))

    def open_circuit(self) -> DeepService:
        """Return speech that three restarts did not help."""
        return self.deep(
            last={"state": "wedged", "sentence": "two jobs in a row failed", "latency_ms": None},
            remedy={
                "state": "open", "restarts": 3, "sentence": "It is stuck again.",
                "press": "Press Restart now; Try again lets it be restarted by itself.",
                "evidence": ["HTTP 500", "CUDA error: an illegal memory access"],
            },
        )  # fmt: skip

    def checks(self, *each: DeepService) -> DeepHealth:
        """Return deep checks."""
        return DeepHealth(
            services=list(each) or [self.deep(), self.deep("kokoro"), self.deep("embeddings")],
            every_seconds=300.0, as_of=self.now,
        )  # fmt: skip

    def speech(self, **changes: Any) -> SpeechModels:
        """Return speech with one of our two files."""
        make = OverlayFile
        fields: dict[str, Any] = {
            "address": "127.0.0.11", "port": 8000, "container": "parakeet-asr", "host": "spark1",
            "state": "drift", "container_state": "running",
            "health": SpeechHealth(state="ready", diarizer="ready"),
            "undo": KeptFiles(kept_at=self.scenes.ago(600), files=["main.py"]), "files": [
                make(name="main.py", state="in_sync", shipped_sha256="a" * 64,
                     container_sha256="a" * 64),
                make(name="diarizer.py", state="drift", shipped_sha256="b" * 64,
                     container_sha256="c" * 64),
            ],
        }  # fmt: skip
        return SpeechModels(**(fields | changes))

    def speech_job(self) -> SpeechJobView:
        """Return a reapply that has just begun."""
        return SpeechJobView(
            id="ours", requested_by="Alice", state=JobState.RUNNING, step="accepted",
            created_at=self.now, action="reapply", host="spark1", container="parakeet-asr",
        )  # fmt: skip

    def catalog(self, **changes: Any) -> NimCatalog:
        """Return one entry."""
        entry = NimChoice(
            name="llama-3-1-8b", label="Llama 3.1 8B", kind="llm", about="Chat.",
            image="nvcr.io/nim/meta/llama-3.1-8b-instruct-dgx-spark:latest",
        )  # fmt: skip
        return NimCatalog(**({"entries": [entry], "key_set": False} | changes))

    def installing(self) -> NimInstallView:
        """Return an installation that downloads."""
        return NimInstallView(
            id="getting", requested_by="Alice", state=JobState.RUNNING, step="pulling",
            message="Downloading the image.", percent=40.0, created_at=self.now,
            what="llama-3-1-8b", host="spark2", image="nvcr.io/nim/meta/llama", port=8010, n=1,
            done_bytes=4_000_000_000, total_bytes=10_000_000_000,
        )  # fmt: skip

    def no_update(self) -> BridgeView:
        """Return the bridge without an update."""
        return BridgeView(service=self.bridge())

    def target(self, name: str, label: str, **changes: Any) -> TargetView:
        """Return a target that is up."""
        fields: dict[str, Any] = {
            "name": name, "kind": "service", "label": label, "state": "up", "level": "up",
        }  # fmt: skip
        return TargetView(**(fields | changes))

    def health(self, *targets: TargetView) -> HealthView:
        """Return what is watched."""
        return HealthView(targets=list(targets), as_of=self.now)

    def log(self) -> Connectivity:
        """Return a Spark that was down once, and a service under maintenance."""
        began, ended = self.scenes.ago(9000), self.scenes.ago(7740)
        change: dict[str, Any] = {"target": "spark2", "kind": "host", "label": "Spark 2"}
        up = Uptime(day=98.54, week=99.7, month=100.0, watched_since=self.scenes.ago(30 * 86_400))
        window = Maintenance(
            id="w1", target="kokoro", starts_at=self.now - timedelta(minutes=5),
            ends_at=self.now + timedelta(minutes=25), reason="a new voice", requested_by="Bob",
            active=True,
        )  # fmt: skip
        return Connectivity(
            transitions=[
                Transition(id="t2", **change, before="down", after="up", since=ended,
                           seconds=7740.0, before_seconds=1260.0),
                Transition(id="t1", **change, before="up", after="down", since=began, until=ended,
                           seconds=1260.0, reason="it does not answer over SSH"),
            ],
            uptime=[
                TargetUptime(target="spark2", label="Spark 2", kind="host", state="up", uptime=up),
                TargetUptime(target="kokoro", label="Text to speech", kind="service", state="down",
                             uptime=Uptime()),
            ],
            failures=[
                WorkFailure(target="kokoro", state="wedged", sentence="two jobs in a row failed",
                            since=self.now - timedelta(minutes=60),
                            until=self.now - timedelta(minutes=58), restarted=True),
            ],
            maintenance=[window], as_of=self.now,
        )  # fmt: skip

    def play(self, stage: Any) -> None:
        """Have the stage say all of it."""
        parts = {
            "hardware": self.hardware(), "advice": self.advice(), "services": self.services(),
            "deep-health": self.checks(), "speech-models": self.speech(),
            "nim/catalog": self.catalog(), "matrix-bridge": self.no_update(),
            "connectivity": self.log(),
        }  # fmt: skip
        for path, view in parts.items():
            self.say(stage, path, view)

    def say(self, stage: Any, path: str, view: Any) -> None:
        """Have the stage say one of it."""
        stage.replies["GET", f"/api/{path}"] = (200, view.model_dump(mode="json"))


@pytest.fixture
def watched(scenes: Any, stage: Any) -> Watched:
    """Builders of what health says; the stage says the usual already."""
    builders = Watched(scenes)
    builders.play(stage)
    stage.snapshot = scenes.snapshot()
    return builders
