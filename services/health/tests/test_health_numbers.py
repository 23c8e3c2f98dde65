"""docs/METRICS.md names what health shows, and the board and the alerts use what there is."""

import importlib
import json
import pkgutil
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

import spark_health
from spark_common.contracts.deep_health import DeepResult, DeepState
from spark_common.contracts.health import TargetView, Uptime
from spark_common.contracts.services import ContainerView
from spark_common.events import ServiceAction
from spark_common.service.metrics import REGISTRY
from spark_common.testing import FakeClock
from spark_health.deep import numbers as of_deep
from spark_health.remedies import numbers as of_remedies
from spark_health.services import numbers as of_containers
from spark_health.watching import numbers

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "METRICS.md").read_text(encoding="utf-8")
GRAFANA = ROOT / "deploy" / "grafana"
BOARD: dict[str, Any] = json.loads((GRAFANA / "board.json").read_text())
ALERTS: dict[str, Any] = yaml.safe_load((GRAFANA / "alerts.yaml").read_text())
RULES = [rule for group in ALERTS["groups"] for rule in group["rules"]]
NOW = datetime(2026, 11, 2, tzinfo=UTC)
RUNNING = ContainerView(name="box", state="running", restart_count=2)


def restarted() -> ServiceAction:
    """A remedy that was carried out."""
    return ServiceAction(
        service="sampled", action="restart", automatic=True, requested_by="health", ok=True, at=NOW
    )


def documented() -> set[str]:
    """Every name in the tables of the page."""
    cells = [line.split("|")[1] for line in PAGE.splitlines() if line.startswith("| `spark_")]
    return {name for cell in cells for name in re.findall(r"`(spark_\w+)`", cell)}


def used(expression: str) -> set[str]:
    """The metrics of an expression, without what histograms append."""
    names = set(re.findall(r"\bspark_[a-z_]+\b", expression))
    return {re.sub(r"_(bucket|sum|count)\Z", "", name) for name in names}


def expressions() -> list[str]:
    found = [rule["expr"] for rule in RULES]
    for panel in BOARD["panels"]:
        found += [target["expr"] for target in panel.get("targets", ())]
    return found


def test_the_page_names_every_number_of_health_and_no_other() -> None:
    for module in pkgutil.walk_packages(spark_health.__path__, "spark_health."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    ours = {
        family.name + ("_total" if family.type == "counter" else "")
        for family in REGISTRY.collect()
        if family.name.startswith("spark_health_")
    }
    assert ours == {name for name in documented() if name.startswith("spark_health_")}


@pytest.mark.parametrize("expression", expressions())
def test_board_and_alerts_ask_for_numbers_that_exist(expression: str) -> None:
    assert used(expression)
    assert used(expression) <= documented()


def test_the_labels_they_ask_for_are_those_of_health() -> None:
    labels = {
        family.name: set(sample.labels) - {"le"}
        for family in REGISTRY.collect()
        if family.name.startswith("spark_health_")
        for sample in _sampled(family.name)
    }
    assert labels["spark_health_up"] == {"target", "kind"}
    for expression in expressions():
        for name, inside in re.findall(r"(spark_health_[a-z_]+)\{([^}]*)\}", expression):
            asked = set(re.findall(r"(\w+)\s*[!=]", inside))
            assert asked <= labels[re.sub(r"_(total|bucket)\Z", "", name)], expression


def test_every_alert_says_what_it_means_and_the_board_has_no_overlap() -> None:
    assert len({rule["alert"] for rule in RULES}) == len(RULES)
    for rule in RULES:
        assert rule["annotations"]["summary"]
        assert rule["annotations"]["description"].endswith(".")
        assert rule["labels"]["severity"] in ("warning", "critical")
    places = set()
    for panel in BOARD["panels"]:
        grid = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(grid["x"], grid["x"] + grid["w"])
            for y in range(grid["y"], grid["y"] + grid["h"])
        }
        assert not cells & places, panel["title"]
        places |= cells
    assert len({panel["id"] for panel in BOARD["panels"]}) == len(BOARD["panels"])


def test_prometheus_is_told_of_every_service() -> None:
    config = yaml.safe_load((GRAFANA / "prometheus.yaml").read_text())
    compose = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text())["services"]
    jobs = {
        job["job_name"]: job["static_configs"][0]["targets"][0] for job in config["scrape_configs"]
    }
    ours = {
        name: one["environment"]["BIND_PORT"]
        for name, one in compose.items()
        if "environment" in one and "BIND_PORT" in one["environment"]
    }
    assert jobs == {name: f"{name}:{port}" for name, port in ours.items()}


def test_what_nobody_can_tell_is_absent_and_what_is_gone_is_gone() -> None:
    view = TargetView(
        name="numbered", kind="service", label="N", state="up", level="up", age_seconds=3.0,
        uptime=Uptime(day=99.0),
    )  # fmt: skip
    numbers.stands(view)
    labels = {"target": "numbered", "kind": "service"}
    assert REGISTRY.get_sample_value("spark_health_up", labels) == 1
    assert _value("spark_health_uptime_percent", target="numbered", window="day") == 99
    numbers.stands(view.model_copy(update={"state": "down"}))
    assert REGISTRY.get_sample_value("spark_health_up", labels) == 0
    numbers.stands(view.model_copy(update={"state": "unknown"}))
    assert REGISTRY.get_sample_value("spark_health_up", labels) is None
    assert _value("spark_health_state", target="numbered", state="unknown") == 1
    assert _value("spark_health_state", target="numbered", state="up") == 0
    numbers.forget("numbered")
    assert _value("spark_health_state", target="numbered", state="unknown") is None
    assert _value("spark_health_seen_age_seconds", target="numbered") is None


async def test_deep_checks_count_each_and_a_skipped_one_says_nothing() -> None:
    def result(state: DeepState) -> DeepResult:
        return DeepResult(state=state, sentence="", latency_ms=40.0, at=NOW)

    of_deep.checked("probed", result("wedged"))
    of_deep.checked("probed", result("skipped"))
    assert _value("spark_health_deep_state", target="probed", state="wedged") == 1
    assert _value("spark_health_deep_state", target="probed", state="ok") == 0
    assert _value("spark_health_deep_checks_total", target="probed", state="skipped") == 1
    assert _value("spark_health_deep_seconds_count", target="probed") == 2
    of_deep.forget("probed")
    assert _value("spark_health_deep_state", target="probed", state="wedged") is None


def test_actions_are_counted_by_how_they_ended() -> None:
    def count(outcome: str) -> float:
        labels = {"target": "acted", "action": "restart", "automatic": "true", "outcome": outcome}
        return _value("spark_health_actions_total", **labels) or 0

    acted = restarted().model_copy(update={"service": "acted"})
    of_remedies.told(acted)
    of_remedies.told(acted.model_copy(update={"ok": False}))
    of_remedies.told(acted.model_copy(update={"ok": False, "decision": "gave_up"}))
    assert [count(one) for one in ("done", "failed", "gave_up", "suggested")] == [1, 1, 1, 0]


def test_a_container_that_is_gone_from_the_list_has_no_numbers() -> None:
    views = {"boxed": RUNNING}
    shown = of_containers.ContainerNumbers(lambda: views, FakeClock())
    shown.turn()
    assert _value("spark_health_container_state", target="boxed", state="running") == 1
    assert _value("spark_health_container_state", target="boxed", state="exited") == 0
    assert _value("spark_health_container_restarts", target="boxed") == 2
    views["boxed"] = ContainerView(name="box", state="unknown", crash_loop=True)
    shown.turn()
    assert _value("spark_health_container_state", target="boxed", state="unknown") == 1
    assert _value("spark_health_container_restarts", target="boxed") is None
    assert _value("spark_health_container_crash_loop", target="boxed") == 1
    views.clear()
    shown.turn()
    assert _value("spark_health_container_state", target="boxed", state="unknown") is None
    assert _value("spark_health_container_crash_loop", target="boxed") is None


def _value(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(name, labels)


def _sampled(name: str) -> list[Any]:
    """Samples of one family, with something in it."""
    view = TargetView(
        name="sampled", kind="host", label="S", state="up", level="up", age_seconds=1.0,
        uptime=Uptime(day=1.0),
    )  # fmt: skip
    numbers.stands(view)
    numbers.looked("sampled", 1.0)
    numbers.changed("sampled", "up")
    numbers.reported(None, ok=False)
    of_deep.checked("sampled", DeepResult(state="ok", sentence="", latency_ms=3.0, at=NOW))
    of_remedies.told(restarted())
    of_containers.ContainerNumbers(lambda: {"sampled": RUNNING}, FakeClock()).turn()
    return [
        sample for family in REGISTRY.collect() if family.name == name for sample in family.samples
    ]
