"""What the gateway may say about settings, schedules, messages and accounts, from the contracts."""

from datetime import timedelta
from typing import Any

import pytest

from spark_common.contracts.accountability import Accountability, HolderAccount
from spark_common.contracts.dead_letters import DeadLetter, DeadLetters
from spark_common.contracts.home import HomeView
from spark_common.contracts.owner_settings import (
    Imported,
    SettingsView,
    SettingView,
    StateDocument,
)
from spark_common.contracts.schedules import (
    Calendar,
    CalendarEntry,
    Conflict,
    PutSchedule,
    Run,
    Schedules,
    ScheduleView,
)
from spark_common.contracts.webhooks import Deliveries, DeliveryView, Targets, TargetView

_HOSTILE = "<img src=x onerror=alert(1)>"


class Owner:
    """Builders; ``scenes`` are those of the dashboard's other tests."""

    def __init__(self, scenes: Any) -> None:
        self.scenes = scenes
        self.now = scenes.now

    def setting(self, name: str, label: str, group: str, **changes: Any) -> SettingView:
        """Return a field of the table."""
        fields: dict[str, Any] = {
            "name": name, "label": label, "group": group, "kind": "text", "source": "default",
            "help": "Leave it empty if you did not change it.",
        }  # fmt: skip
        return SettingView(**(fields | changes))

    def settings(self, version: int = 4, **changes: Any) -> SettingsView:
        """Return a field of every kind."""
        make = self.setting
        fields: dict[str, Any] = {
            "version": version, "settings": [
                make("OPEN_WEBUI_URL", "Link of “Open chat”", "Page", kind="url",
                     value="http://127.0.0.1:3000", source="environment"),
                make("HIDDEN_SERVICES", "Hidden services", "Page", kind="list", default=[],
                     value=["magpie"], source="owner", help="One a line."),
                make("VLLM_PORT", "Port", "vLLM", kind="integer", default=8888, value=8888),
                make("VLLM_CONTAINER", "Container name", "vLLM", default="vllm_node",
                     value="vllm_node"),
                make("SPARK1_HOST", "Address of Spark 1", "vLLM", kind="address",
                     value="127.0.0.21", source="environment"),
                make("DRAIN_SECONDS", "Time to finish answers", "Swaps", kind="number", unit="s",
                     default=30.0, value=60.0, source="owner"),
                make("SWAP_MODE", "When a model is asked for", "Swaps", kind="choice",
                     choices=["never", "ask", "always"], default="ask", value="ask"),
                make("SWAP_ROLLBACK", "Bring the old model back", "Swaps", kind="flag",
                     default=False, value=True, source="environment"),
                make("NGC_API_KEY", "NVIDIA key (NGC)", "Keys", kind="secret", source="owner",
                     is_set=True, help="For images of NVIDIA."),
                make("HF_TOKEN", "Hugging Face token", "Keys", kind="secret"),
            ],
        }  # fmt: skip
        return SettingsView(**(fields | changes))

    def document(self, **changes: Any) -> StateDocument:
        """Return an exported state."""
        fields: dict[str, Any] = {
            "exported_at": self.now, "settings": {"VLLM_PORT": "9000"},
            "missing_secrets": ["NGC_API_KEY"],
        }  # fmt: skip
        return StateDocument(**(fields | changes))

    def imported(self, **changes: Any) -> Imported:
        """Return what an import did."""
        fields: dict[str, Any] = {
            "settings": 3, "schedules": 1, "overrides": True,
            "warnings": ["OLD_NAME is not known to this version."],
            "changes": [
                {
                    "part": "settings", "name": "VLLM_PORT", "how": "replaced",
                    "before": "8888", "after": "9000",
                },
                {"part": "schedules", "name": _HOSTILE, "how": "added"},
            ],
        }  # fmt: skip
        return Imported(**(fields | changes))

    def home(self, **changes: Any) -> HomeView:
        """Return a home model that a person has to name anew."""
        fields: dict[str, Any] = {
            "model": "qwen4", "state": "blocked",
            "sentence": "qwen4 is not on the menu; name a model that is.",
        }  # fmt: skip
        return HomeView(**(fields | changes))

    def conflict(self, other_id: str = "eval-run") -> Conflict:
        """Return a clash tonight."""
        return Conflict(
            at=self.later(9), until=self.later(10), other="schedule", other_id=other_id,
            sentence="eval-run wants gpt-oss-120b, but the night swap goes back to Qwen3.6.",
        )  # fmt: skip

    def schedule(self, id: str = "night-swap", **changes: Any) -> ScheduleView:
        """Return a swap every night; ``view`` changes what is known of it."""
        view = changes.pop("view", {})
        fields: dict[str, Any] = {
            "id": id, "name": "Back to Qwen3.6", "kind": "swap", "cron": "30 22 * * *",
            "timezone": "Europe/Berlin", "model": "qwen3.6-35b-a3b", "owner": "Alice",
            "duration_minutes": 2.0,
        }  # fmt: skip
        run = Run(
            id=f"{id}-1", nominal=self.scenes.ago(50_000), state="failed",
            started_at=self.scenes.ago(50_000), finished_at=self.scenes.ago(49_880),
            message="The swap was rolled back: not enough free memory.",
        )  # fmt: skip
        known: dict[str, Any] = {
            "next_at": self.later(9), "last": run, "created_at": self.scenes.ago(90_000),
        }  # fmt: skip
        return ScheduleView(schedule=PutSchedule(**(fields | changes)), **(known | view))

    def ran(self) -> ScheduleView:
        """Return the nightly swap with its latest runs."""
        view = self.schedule()
        assert view.last is not None
        done = view.last.model_copy(update={"id": "n-0", "state": "done", "message": "Loaded."})
        return view.model_copy(update={"runs": [view.last, done]})

    def schedules(self) -> Schedules:
        """Return one of our own, one of another program, a frequent one and one that is off."""
        missed = Run(
            id="e-1", nominal=self.scenes.ago(86_400), state="missed",
            message="It never asked for the Sparks.",
        )  # fmt: skip
        clash = {"conflicts": [self.conflict()]}
        theirs = {"last": missed, "conflicts": [self.conflict("night-swap")]}
        return Schedules(schedules=[
            self.schedule("sweep", name="Health sweep", kind="sweep", cron=None, model=None,
                          every_seconds=1800, view={"next_at": self.later(0.4), "last": None}),
            self.schedule("eval-run", name="eval-run", kind="outside", model="gpt-oss-120b",
                          owner="Bob", view=theirs),
            self.schedule(view=clash),
            self.schedule("off", name="Old job", enabled=False,
                          view={"next_at": None, "last": None}),
        ])  # fmt: skip

    def entry(self, id: str, hours: float, **changes: Any) -> CalendarEntry:
        """Return a run on the calendar that many hours from now."""
        fields: dict[str, Any] = {
            "schedule_id": id, "name": id, "kind": "swap", "at": self.later(hours),
            "until": self.later(hours + 0.1), "owner": "Alice",
        }  # fmt: skip
        return CalendarEntry(**(fields | changes))

    def calendar(self, **changes: Any) -> Calendar:
        """Return a week with a frequent entry, a nightly one and a clash."""
        nights = [self.entry("night-swap", 9 + 24 * day) for day in range(6)]
        sweeps = [self.entry("sweep", 0.5 + half / 2, kind="sweep") for half in range(100)]
        clash = self.entry("eval-run", 9, kind="outside", model="gpt-oss-120b",
                           conflicts=[self.conflict()])  # fmt: skip
        fields: dict[str, Any] = {
            "start": self.now, "end": self.later(168), "entries": [*nights, *sweeps, clash],
            "lease_holder": "crm-sync", "lease_until": self.later(0.6),
        }  # fmt: skip
        return Calendar(**(fields | changes))

    def target(self, id: str = "ops", **changes: Any) -> TargetView:
        """Return a webhook that works."""
        fields: dict[str, Any] = {
            "id": id, "name": "Operations", "kind": "webhook", "topics": ["swap", "lock"],
            "url": "http://127.0.0.1:9000/hook", "has_secret": True, "last_status": 200,
        }  # fmt: skip
        return TargetView(**(fields | changes))

    def targets(self) -> Targets:
        """Return one that works, one that fails, one that gave up and one of the environment."""
        return Targets(targets=[
            self.target(),
            self.target("phone", name="My phone", kind="ntfy", url=None,
                        address="ntfy://ntfy.example", pending=3, last_status=503, dead=1,
                        last_error="The receiver answered 503.", next_try_at=self.later(0.2)),
            self.target("gone", name="Old one", enabled=False, last_status=410,
                        disabled_because="The receiver answered 410: it is gone."),
            self.target("env", name="WEBHOOK_URL", from_settings=True, has_secret=False),
        ])  # fmt: skip

    def delivery(self, id: str = "d-1", **changes: Any) -> DeliveryView:
        """Return a delivery that arrived."""
        fields: dict[str, Any] = {
            "id": id, "target": "ops", "event_id": f"event-{id}", "type": "swap.complete",
            "state": "delivered", "tries": 1, "status": 200, "latency_ms": 41.6,
            "created_at": self.scenes.ago(300), "tried_at": self.scenes.ago(299),
        }  # fmt: skip
        return DeliveryView(**(fields | changes))

    def deliveries(self) -> Deliveries:
        """Return one of each state."""
        return Deliveries(deliveries=[
            self.delivery("d-3", target="phone", state="pending", status=503, tries=4,
                          error="The receiver answered 503.", next_try_at=self.later(0.2)),
            self.delivery(),
            self.delivery("d-0", target="phone", state="dead", status=None, tries=31,
                          error="No answer within 10 s.", type="lock.expired"),
        ])  # fmt: skip

    def letters(self, **changes: Any) -> DeadLetters:
        """Return one message that nobody could handle."""
        fields: dict[str, Any] = {
            "number": 4, "at": self.scenes.ago(4000), "stream": "SC_INGRESS",
            "consumer": "swapper-ingress", "why": "refused", "deliveries": 1,
            "sentence": "a swap was asked for with a model that is a number",
            "action": "Ask again with the key of a model.", "message_number": 17,
            "subject": "swap.requested",
        }  # fmt: skip
        return DeadLetters(letters=[DeadLetter(**(fields | changes))])

    def accounts(self) -> Accountability:
        """Return two holders."""
        return Accountability(
            since=(self.now - timedelta(days=6)).date(), until=self.now.date(),
            free_minutes=8000.0, problems=["events of two hours are missing"], holders=[
                HolderAccount(holder="crm-sync", leases=12, held_minutes=431.5, idle_minutes=210.2,
                              swaps=9, imposed_minutes=64.0),
                HolderAccount(holder="Alice", leases=2, held_minutes=90.0, swaps=3),
            ],
        )  # fmt: skip

    def later(self, hours: float) -> Any:
        """Return a moment from now."""
        return self.now + timedelta(hours=hours)


@pytest.fixture
def owner(scenes: Any) -> Owner:
    """Builders of what the gateway may say about what the owner edits."""
    return Owner(scenes)
