"""deploy/ as it is written: what a container may do, and that every setting of it is read."""

import importlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from spark_cli.commands.automation import automation
from spark_common.owner import TABLE
from spark_common.settings import Env, HostSettings, HostsSettings, Settings, load
from spark_common.settings.secret_files import FROM_FILES

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
TEXT = (DEPLOY / "compose.yaml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
CONTAINERS: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = sorted(path.parent.name for path in (ROOT / "services").glob("*/pyproject.toml"))
LONG_RUNNING = [*OURS, "nats", "redis"]
OPTIONAL = {"sparks": ["sim"], "prometheus": ["metrics"], "grafana": ["metrics"]}
"""What runs only when its profile is asked for."""
FOUR = {"SPARK1_HOST", "SPARK1_USER", "SPARK2_HOST", "SPARK2_USER"}

_REFERENCE = re.compile(r"\$\{(\w+)(?:(:[-?])([^}]*))?\}")
_HOST_VARIABLE = re.compile(r"SPARK[1-9][0-9]*_(\w+)\Z")


def settings_of(service: str) -> type[Settings]:
    module = importlib.import_module(f"spark_{service.replace('-', '_')}.settings")
    found = [
        member
        for member in vars(module).values()
        if isinstance(member, type)
        and issubclass(member, Settings)
        and "http" in member.model_fields
    ]
    assert len(found) == 1, found
    return found[0]


def variables_read_by(settings: type[Settings]) -> set[str]:
    """Return the names; those of the Sparks as ``SPARKn_``."""
    names = set()
    for name, field in settings.model_fields.items():
        if name in {"warnings", "name", "label"}:
            continue
        if name == "hosts" and issubclass(settings, HostsSettings):
            names |= {f"SPARKn_{host}" for host in variables_read_by(HostSettings)}
        elif isinstance(field.annotation, type) and issubclass(field.annotation, Settings):
            names |= variables_read_by(field.annotation)
        else:
            declared = (item.name for item in field.metadata if isinstance(item, Env))
            names.add(next(declared, name.upper()))
    return names


def words_of(name: str) -> list[str]:
    """Return the lines of a file of deploy/ that say something."""
    lines = (DEPLOY / name).read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def filled_in(value: object, given: dict[str, str]) -> str:
    return _REFERENCE.sub(lambda found: given.get(found[1]) or found[3] or "", str(value))


def test_every_service_is_in_it_and_nothing_else() -> None:
    assert set(CONTAINERS) == {*LONG_RUNNING, *OPTIONAL, "init"}
    profiles = {name: one["profiles"] for name, one in CONTAINERS.items() if "profiles" in one}
    assert profiles == OPTIONAL


def test_an_old_compose_reads_it() -> None:
    assert not {"name", "include"} & set(COMPOSE)


SWITCHES = {"API_KEYS", "API_KEYS_MODELS_OPEN", "API_KEYS_CONTROL_OPEN"}
"""They say whether keys are asked for, and hold none."""


@pytest.mark.parametrize("name", sorted(CONTAINERS))
class TestEveryContainer:
    def test_runs_as_nobody_and_writes_nowhere_else(self, name: str) -> None:
        container = CONTAINERS[name]
        assert container["user"] == "10001:10001"
        assert container["read_only"] is True
        assert container["cap_drop"] == ["ALL"]
        assert container["security_opt"] == ["no-new-privileges:true"]
        assert not {"cap_add", "privileged", "network_mode", "pid", "devices"} & set(container)

    def test_is_limited_in_memory_and_log(self, name: str) -> None:
        container = CONTAINERS[name]
        assert re.fullmatch(r"\d+m", container["mem_limit"])
        assert set(container["logging"]["options"]) == {"max-size", "max-file"}

    def test_mounts_volumes_and_nothing_of_the_machine(self, name: str) -> None:
        sources = {mount.split(":")[0] for mount in CONTAINERS[name]["volumes"]}
        assert sources <= set(COMPOSE["volumes"])

    def test_has_no_secret_in_its_environment_or_arguments(self, name: str) -> None:
        container = CONTAINERS[name]
        secret = re.compile(r"PASSWORD|TOKEN|SECRET|SEED|KEY")
        named = {key for key in container.get("environment", {}) if secret.search(key)}
        named -= SWITCHES
        assert {key for key in named if not key.endswith(("_FILE", "_PATH"))} == set()
        assert all(container["environment"][key].startswith("/secrets/") for key in named)
        assert not re.search(r"(?i)password|token", json.dumps(container["command"]))


@pytest.mark.parametrize("name", [*LONG_RUNNING, *OPTIONAL])
def test_what_runs_is_watched_and_started_again(name: str) -> None:
    container = CONTAINERS[name]
    assert container["restart"] == "unless-stopped"
    assert container["healthcheck"]["test"]
    assert container["depends_on"]["init"] == {"condition": "service_completed_successfully"}
    assert container["stop_grace_period"] == "30s"


@pytest.mark.parametrize("name", OURS)
class TestEveryService:
    def test_reads_every_variable_it_is_given(self, name: str) -> None:
        given = {_HOST_VARIABLE.sub(r"SPARKn_\1", key) for key in CONTAINERS[name]["environment"]}
        shown = {field.name for field in TABLE.fields} if name == "coordinator" else set()
        shown |= {f"{secret}_FILE" for secret in FROM_FILES}
        assert given - variables_read_by(settings_of(name)) - shown == set()

    def test_starts_with_the_four_variables_and_no_warning(self, name: str) -> None:
        four = {key: "192.0.2.1" if key.endswith("HOST") else "alice" for key in FOUR}
        environment = CONTAINERS[name]["environment"]
        environ = {key: filled_in(v, four) for key, v in environment.items() if v is not None}
        settings = load(settings_of(name), environ)
        assert settings.warnings == ()
        assert str(settings.http.bind_port) == settings_of(name).defaults["BIND_PORT"]  # type: ignore[attr-defined]

    def test_is_installed_in_the_image(self, name: str) -> None:
        assert f"./services/{name}" in (DEPLOY / "Dockerfile").read_text().split()


def test_the_coordinator_gets_every_setting_that_it_shows_but_no_secret() -> None:
    given = set(CONTAINERS["coordinator"]["environment"])
    assert given & {field.name for field in TABLE.fields} == {
        field.name for field in TABLE.fields if not field.secret
    }


def test_only_the_dashboard_is_reachable_from_outside() -> None:
    assert [name for name in LONG_RUNNING if CONTAINERS[name].get("ports")] == ["gateway"]
    board = [port for name in OPTIONAL for port in CONTAINERS[name].get("ports", [])]
    assert board == ["127.0.0.1:${GRAFANA_PORT:-3000}:3000"]


def test_every_service_reaches_both_simulated_sparks() -> None:
    sparks = CONTAINERS["sparks"]["networks"]
    given = dict(line.split("=") for line in words_of("sim.env"))
    assert [given["SPARK1_HOST"]] == sparks["default"]["aliases"]
    assert [given["SPARK2_HOST"]] == sparks["sim"]["aliases"]
    assert all(CONTAINERS[name]["networks"] == ["default", "sim"] for name in OURS)
    command = " ".join(CONTAINERS["sparks"]["command"])
    assert f"--spark1={given['SPARK1_HOST']} --spark2={given['SPARK2_HOST']}" in command


def test_prometheus_reads_every_service_and_grafana_reads_prometheus() -> None:
    read = yaml.safe_load((DEPLOY / "grafana" / "prometheus.yaml").read_text())
    targets = {job["static_configs"][0]["targets"][0] for job in read["scrape_configs"]}
    ports = {name: settings_of(name).defaults["BIND_PORT"] for name in OURS}
    assert targets == {f"{name}:{port}" for name, port in ports.items()}
    assert all((DEPLOY / one["file"]).is_file() for one in COMPOSE["configs"].values())
    used = {one["source"] for name in OPTIONAL for one in CONTAINERS[name].get("configs", [])}
    assert used == set(COMPOSE["configs"])
    source = yaml.safe_load((DEPLOY / "grafana" / "datasource.yaml").read_text())
    assert source["datasources"][0]["url"] == "http://prometheus:9090"


def test_only_those_who_look_at_the_sparks_see_the_ssh_key() -> None:
    seen = [name for name in CONTAINERS if any("ssh:" in m for m in CONTAINERS[name]["volumes"])]
    assert sorted(seen) == ["health", "init", "sparks", "swapper"]


def test_only_init_writes_secrets_and_the_servers_see_none() -> None:
    for name in LONG_RUNNING:
        mounts = [m for m in CONTAINERS[name]["volumes"] if m.startswith(("secrets:", "ssh:"))]
        assert all(mount.endswith(":ro") for mount in mounts)
        assert bool(mounts) is (name in OURS)


def test_the_volumes_of_the_servers_keep_the_owner_that_init_gave_them() -> None:
    for name in ("nats", "redis", "prometheus", "grafana"):
        assert CONTAINERS[name]["volumes"] == [f"{name}:/data:nocopy"]
        assert f"{name}:/state/{name}" in CONTAINERS["init"]["volumes"]


def test_init_tells_the_command_for_automations_where_everything_is() -> None:
    told = CONTAINERS["init"]["environment"]
    read = {option.envvar for option in automation.commands["add"].params if option.envvar}
    assert set(told) == read
    assert f"--nats-config={told['NATS_CONFIG']}" in CONTAINERS["init"]["command"]
    assert "--dir=/secrets" in CONTAINERS["init"]["command"]
    assert told["NATS_IDENTITIES"] == "/secrets/nats"
    assert told["NATS_URL"] == CONTAINERS["gateway"]["environment"]["NATS_URL"]


def test_four_variables_are_enough() -> None:
    references = _REFERENCE.findall(TEXT)
    assert {name for name, default, _ in references if default != ":-"} == FOUR
    assert {line.split("=")[0] for line in words_of(".env.example")} == FOUR


@pytest.mark.parametrize("feature", ["# syntax", "<<", "--link", "--mount", "ADD "])
def test_old_builders_know_every_feature_of_the_dockerfile(feature: str) -> None:
    assert feature not in (DEPLOY / "Dockerfile").read_text()


def test_no_start_of_a_container_compiles_what_the_image_could_have_compiled() -> None:
    base = (DEPLOY / "Dockerfile").read_text().partition("\nFROM ${BASE_IMAGE}\n")[2]
    compiled, _, later = base.partition("USER 10001")
    assert "python -m compileall" in compiled
    assert "PYTHONDONTWRITEBYTECODE=1" in compiled
    assert "python -m compileall" not in later


def test_the_build_context_holds_only_what_is_named() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    rules = [line for line in lines if not line.startswith("#")]
    assert rules[0] == "*"
    assert {rule for rule in rules if rule.startswith("!")} == {
        "!libs",
        "!services",
        "!cluster",
        "!requirements.lock",
    }
