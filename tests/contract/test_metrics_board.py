"""What Prometheus and Grafana are given: it parses, and asks only for metrics that exist."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
GRAFANA = ROOT / "deploy" / "grafana"
NAMED = set(re.findall(r"`(\w+)`", (ROOT / "docs" / "METRICS.md").read_text(encoding="utf-8")))
_SUFFIX = re.compile(r"_(bucket|sum|count)$")
_NO_METRIC = re.compile(r"\{[^}]*\}|\[[^\]]*\]|\"[^\"]*\"|\b(?:by|without|on|ignoring)\s*\([^)]*\)")
_WORD = re.compile(r"\b[a-zA-Z_:][\w:]*\b(?!\s*\()")
_OF_PROMQL = {"and", "or", "unless", "bool", "offset", "group_left", "group_right", "up"}


def asked_for(expression: str) -> set[str]:
    """Return the metrics of an expression of PromQL, histograms by their own name."""
    words = set(_WORD.findall(_NO_METRIC.sub(" ", expression))) - _OF_PROMQL
    return {_SUFFIX.sub("", word) for word in words if word not in NAMED} | (words & NAMED)


def expressions(value: Any) -> Iterator[str]:
    """Yield what is asked of Prometheus anywhere in a document."""
    match value:
        case dict():
            for key, inner in value.items():
                if key == "expr":
                    yield inner
                else:
                    yield from expressions(inner)
        case list():
            for inner in value:
                yield from expressions(inner)


def document(name: str) -> Any:
    text = (GRAFANA / name).read_text(encoding="utf-8")
    return json.loads(text) if name.endswith(".json") else yaml.safe_load(text)


@pytest.mark.parametrize("name", ["board.json", "alerts.yaml"])
def test_every_metric_that_is_asked_for_is_in_the_list(name: str) -> None:
    asked = set().union(*(asked_for(one) for one in expressions(document(name))))
    assert len(asked) > 3
    assert asked - NAMED == set()


def test_the_profile_names_files_that_are_there_and_parts_that_exist() -> None:
    compose = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text(encoding="utf-8"))
    for part in compose["configs"].values():
        assert document(Path(part["file"]).name)
    hosts = {
        target.partition(":")[0]
        for job in document("prometheus.yaml")["scrape_configs"]
        for group in job["static_configs"]
        for target in group["targets"]
    }
    assert hosts
    assert hosts <= {*compose["services"], "localhost"}


def test_a_metric_that_nobody_has_would_be_seen() -> None:
    query = 'sum by (le) (rate(spark_nothing_seconds_bucket{name="x"}[5m])) / on (host) up'
    assert asked_for(query) == {"spark_nothing_seconds"}
