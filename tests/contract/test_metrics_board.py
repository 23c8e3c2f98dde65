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


def places(value: Any, key: str) -> Iterator[Any]:
    """Yield what stands under a key anywhere in a document."""
    match value:
        case dict():
            if key in value:
                yield value[key]
            for inner in value.values():
                yield from places(inner, key)
        case list():
            for inner in value:
                yield from places(inner, key)


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


def test_the_board_asks_the_source_that_grafana_is_given() -> None:
    board = document("board.json")
    [source] = document("datasource.yaml")["datasources"]
    [variable] = (one for one in board["templating"]["list"] if one["type"] == "datasource")
    # A variable of this kind begins with the default source of its type.
    assert (variable["query"], source["type"], source["isDefault"]) == (*["prometheus"] * 2, True)
    asked = list(places(board["panels"], "datasource"))
    assert len(asked) >= len(board["panels"])
    for one in asked:
        assert one == {"type": source["type"], "uid": f"${{{variable['name']}}}"}


def test_every_variable_of_a_query_is_one_of_the_board() -> None:
    board = document("board.json")
    known = {one["name"] for one in board["templating"]["list"]}
    used = {
        name
        for one in expressions(board)
        for name in re.findall(r"\$\{?(\w+)", one)
        if not name.startswith("__")
    }
    assert used <= known


def test_panels_have_a_number_and_a_place_of_their_own() -> None:
    panels = document("board.json")["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        at = panel["gridPos"]
        cells = {
            (at["x"] + across, at["y"] + down)
            for across in range(at["w"])
            for down in range(at["h"])
        }
        assert at["x"] + at["w"] <= 24
        assert not cells & taken, panel["title"]
        taken |= cells


def test_what_an_alert_says_is_known_to_it() -> None:
    labels = set(re.findall(r"\b[a-z_]+\b", (ROOT / "docs" / "METRICS.md").read_text()))
    for rule in document("alerts.yaml")["groups"][0]["rules"]:
        told = " ".join(rule["annotations"].values())
        named = set(re.findall(r"\$labels\.(\w+)", told))
        assert named <= labels, rule["alert"]
        by = re.search(r"\b(?:sum|max|min|avg) by \(([^)]*)\)", rule["expr"])
        assert by is None or named <= {one.strip() for one in by[1].split(",")}, rule["alert"]
        pages = re.findall(r'(docs/\w+\.md), "([^"]+)"', told)
        assert len(pages) == told.count("docs/"), rule["alert"]
        for page, heading in pages:
            lines = (ROOT / page).read_text(encoding="utf-8").splitlines()
            assert any(line.lstrip("#") == f" {heading}" for line in lines), heading


def test_prometheus_finds_its_rules_where_compose_puts_them() -> None:
    compose = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text(encoding="utf-8"))
    prometheus = compose["services"]["prometheus"]
    given = {Path(one["target"]) for one in prometheus["configs"]}
    (config,) = (word[len("--config.file=") :] for word in prometheus["command"][:1])
    assert Path(config) in given
    for rules in document("prometheus.yaml")["rule_files"]:
        assert Path(config).parent / rules in given


def test_a_metric_that_nobody_has_would_be_seen() -> None:
    query = 'sum by (le) (rate(spark_nothing_seconds_bucket{name="x"}[5m])) / on (host) up'
    assert asked_for(query) == {"spark_nothing_seconds"}
