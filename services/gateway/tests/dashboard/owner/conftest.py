"""What the gateway may say about settings, schedules, messages and accounts, from the contracts."""

from datetime import timedelta
from typing import Any

import pytest

from spark_common.contracts.owner_settings import (
    Imported,
    SettingsView,
    SettingView,
    StateDocument,
)


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
        }  # fmt: skip
        return Imported(**(fields | changes))

    def later(self, hours: float) -> Any:
        """Return a moment from now."""
        return self.now + timedelta(hours=hours)


@pytest.fixture
def owner(scenes: Any) -> Owner:
    """Builders of what the gateway may say about what the owner edits."""
    return Owner(scenes)
