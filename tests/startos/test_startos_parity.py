"""The StartOS package and compose start the same product: one cannot change without the other."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from spark_common.settings import Settings, load
from spark_common.settings.load import SettingsError
from spark_common.settings.secret_files import FROM_FILES
from spark_common.settings.values import check_address, check_user

ROOT = Path(__file__).parents[2]
STARTOS = ROOT / "startos"
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text())
CONTAINERS: dict[str, dict[str, Any]] = COMPOSE["services"]
SERVICES: dict[str, dict[str, Any]] = json.loads((STARTOS / "startos/definition.json").read_text())
FIELDS = json.loads((STARTOS / "test/fields.json").read_text())
SIDECARS = {"nats", "redis"}

ELSEWHERE = {
    "NATS_URL": ("nats://nats:4222", "nats://127.0.0.1:4222"),
    "REDIS_URL": ("redis://redis:6379/0", "redis://127.0.0.1:6379/0"),
    "AUDIO_PROXY_HOST": ("audio-proxy", "127.0.0.1"),
    "REDACTION_HOST": ("redaction", "127.0.0.1"),
}
"""All of StartOS' containers share one network, in which compose's names are this machine."""

_SPARK = re.compile(r"SPARK[1-4]_")


def text_of(name: str) -> str:
    return (STARTOS / "startos" / name).read_text()


def in_compose(service: str) -> dict[str, str]:
    """Return what compose gives by itself: no Sparks, nothing that is only handed on."""
    given = CONTAINERS[service]["environment"]
    return {
        name: value
        for name, value in given.items()
        if value is not None and not _SPARK.match(name) and name != "LOG_LEVEL"
    }


def settings_of(service: str) -> type[Settings]:
    module = __import__(f"spark_{service.replace('-', '_')}.settings", fromlist=["settings"])
    return next(
        member
        for member in vars(module).values()
        if isinstance(member, type)
        and issubclass(member, Settings)
        and "http" in member.model_fields
    )


def test_the_services_are_those_of_compose_and_of_the_repository() -> None:
    ours = {path.parent.name for path in (ROOT / "services").glob("*/pyproject.toml")}
    assert (
        set(SERVICES)
        == ours
        == {name for name, one in CONTAINERS.items() if "profiles" not in one}
        - {
            *SIDECARS,
            "init",
        }
    )


@pytest.mark.parametrize("service", sorted(SERVICES))
class TestEveryService:
    def test_is_given_the_same_variables(self, service: str) -> None:
        compose, startos = in_compose(service), SERVICES[service]["environment"]
        assert set(startos) == set(compose)
        for name, value in startos.items():
            if name in ELSEWHERE:
                assert (compose[name], value) == ELSEWHERE[name]
            elif name == "BIND_HOST":
                assert value == ("0.0.0.0" if service == "gateway" else "127.0.0.1")
            else:
                assert value == compose[name], name

    def test_hears_of_the_sparks_where_compose_says_so(self, service: str) -> None:
        named = any(_SPARK.match(name) for name in CONTAINERS[service]["environment"])
        assert SERVICES[service]["sparks"] is named

    def test_sees_exactly_the_secrets_its_variables_name(self, service: str) -> None:
        environment = SERVICES[service]["environment"]
        named = {value for value in environment.values() if value.startswith("/secrets/")}
        assert {f"/secrets/{secret}" for secret in SERVICES[service]["secrets"]} == named

    def test_has_a_folder_where_compose_gives_one(self, service: str) -> None:
        mounts = {mount.split(":")[1] for mount in CONTAINERS[service]["volumes"]}
        assert SERVICES[service]["data"] is ("/data" in mounts)

    def test_starts_with_it_and_needs_all_of_it(self, service: str) -> None:
        sparks = {"SPARK1_HOST": "192.0.2.11", "SPARK1_USER": "alice"}
        environment = {**SERVICES[service]["environment"], **sparks}
        if service == "gateway":
            environment |= {"ALLOWED_HOSTS": "sparks.example", "TRUSTED_PROXIES": "192.0.2.1"}
        kind = settings_of(service)
        assert load(kind, environment).warnings == ()
        assert str(load(kind, environment).http.bind_port) == environment["BIND_PORT"]  # type: ignore[attr-defined]
        if SERVICES[service]["sparks"] and service != "redaction":
            with pytest.raises(SettingsError, match="SPARK1_HOST"):
                load(kind, SERVICES[service]["environment"])


def test_the_proxy_and_the_domains_reach_the_gateway_by_names_it_reads() -> None:
    fields = settings_of("gateway").model_fields
    main = text_of("main.ts")
    for name in ("ALLOWED_HOSTS", "TRUSTED_PROXIES"):
        assert name.lower() in fields
        assert f"{name}:" in main


def test_the_sidecars_are_the_images_of_compose() -> None:
    manifest = text_of("manifest/index.ts")
    for service, variable in (("nats", "NATS_IMAGE"), ("redis", "REDIS_IMAGE")):
        image = CONTAINERS[service]["image"].removeprefix(f"${{{variable}:-").removesuffix("}")
        assert f"dockerTag: '{image}'" in manifest


def test_the_sidecars_are_started_like_those_of_compose() -> None:
    main = " ".join(text_of("main.ts").split())
    for service in SIDECARS:
        command = ", ".join(f"'{word}'" for word in CONTAINERS[service]["command"])
        assert f"command: [{command}]" in main


def test_the_keys_are_made_like_those_of_compose() -> None:
    words = re.findall(r"'(sparkctl|init|--[^']+)'", text_of("preparing.ts"))
    compose = [word.replace("0.0.0.0", "127.0.0.1") for word in CONTAINERS["init"]["command"]]
    assert words == compose


def test_each_secret_that_a_person_sets_is_a_file_that_one_service_reads() -> None:
    listed = re.search(r"secretFiles = \[([^\]]+)\]", text_of("fileModels/secrets.ts"))
    assert listed is not None
    names = set(re.findall(r"'(\w+)'", listed[1]))
    assert {name.upper() for name in names} == {*FROM_FILES, "HF_TOKEN"}
    for name in names:
        seers = [service for service in SERVICES if name in SERVICES[service]["secrets"]]
        assert len(seers) == 1, name


@pytest.mark.parametrize("text", FIELDS["addresses"]["accepted"])
def test_what_the_form_takes_for_an_address_the_services_take(text: str) -> None:
    assert check_address(text) == text


@pytest.mark.parametrize("text", FIELDS["addresses"]["refused"])
def test_what_the_form_refuses_as_an_address_the_services_refuse(text: str) -> None:
    with pytest.raises(ValueError, match="must be"):
        check_address(text)


@pytest.mark.parametrize("text", FIELDS["users"]["accepted"])
def test_what_the_form_takes_for_a_user_the_services_take(text: str) -> None:
    assert check_user(text) == text


@pytest.mark.parametrize("text", FIELDS["users"]["refused"])
def test_what_the_form_refuses_as_a_user_the_services_refuse(text: str) -> None:
    with pytest.raises(ValueError, match="must be"):
        check_user(text)
