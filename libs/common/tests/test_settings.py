"""Settings: required ones are named when they are unusable, optional ones fall back and say so."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import pytest
from pydantic import ValidationError

from spark_common.settings import (
    BusSettings,
    ClusterSettings,
    HttpSettings,
    RedisSettings,
    Seconds,
    Settings,
    SettingsError,
    load,
)
from spark_common.settings.support import NgcSettings


class ExampleSettings(Settings):
    defaults: ClassVar[Mapping[str, str]] = {"BIND_PORT": "9101"}

    bus: BusSettings
    redis: RedisSettings
    http: HttpSettings
    cluster: ClusterSettings
    drain_seconds: Seconds = 30.0


GOOD = {
    "NATS_URL": "nats://127.0.0.1:4222",
    "REDIS_URL": "redis://127.0.0.1:6379/0",
    "SPARK1_HOST": "127.0.0.11",
    "SPARK1_USER": "alice",
    "SSH_KEY_PATH": "/keys/id_ed25519",
    "SSH_KNOWN_HOSTS": "/data/known_hosts",
}


def settings(**changes: str) -> ExampleSettings:
    return load(ExampleSettings, {**GOOD, **changes})


def test_the_least_that_is_needed_gives_the_documented_defaults() -> None:
    loaded = settings()
    assert loaded.warnings == ()
    assert (loaded.http.bind_host, loaded.http.bind_port) == ("127.0.0.1", 9101)
    assert loaded.http.log_level == "info"
    assert loaded.drain_seconds == 30.0
    assert loaded.cluster.vllm_port == 8888
    assert loaded.cluster.vllm_container == "vllm_node"
    assert loaded.cluster.vllm_dir == "spark-vllm-docker"
    assert loaded.cluster.vllm_image == "vllm-node"
    assert loaded.cluster.known_hosts_path == Path("/data/known_hosts")
    assert loaded.bus.seed_file is None


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        settings().http.bind_port = 1  # type: ignore[misc]


@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize("blank", [None, "", "  "])
def test_a_required_variable_that_is_missing_or_blank_is_named(
    name: str, blank: str | None
) -> None:
    variables = {key: value for key, value in GOOD.items() if key != name}
    if blank is not None:
        variables[name] = blank
    with pytest.raises(SettingsError) as refusal:
        load(ExampleSettings, variables)
    assert str(refusal.value).startswith(f"{name} is not set: ")
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("NATS_URL", "127.0.0.1:4222"),
        ("NATS_URL", "nats://"),
        ("NATS_URL", "nats://127.0.0.1:port"),
        ("REDIS_URL", "http://127.0.0.1"),
        ("SPARK1_HOST", "alice@spark"),
        ("SPARK1_HOST", "-oProxyCommand=touch pwned"),
        ("SPARK1_HOST", "spark;reboot"),
        ("SPARK1_HOST", "spark:22"),
        ("SPARK1_HOST", "127.0.0.999"),
        ("SPARK1_HOST", "a" * 64),
        ("SPARK1_USER", "-l root"),
        ("SPARK1_USER", "alice bob"),
        ("SPARK1_USER", "$(id)"),
    ],
)
def test_a_required_variable_that_is_wrong_is_named_with_the_rule(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"^{name} is wrong: must "):
        settings(**{name: value})


@pytest.mark.parametrize("name", ["NATS_URL", "REDIS_URL"])
def test_credentials_in_a_url_are_refused_and_not_repeated(name: str) -> None:
    scheme = "nats" if name == "NATS_URL" else "redis"
    with pytest.raises(SettingsError) as refusal:
        settings(**{name: f"{scheme}://alice:hunter2@127.0.0.1"})
    assert "credentials" in str(refusal.value)
    assert "hunter2" not in str(refusal.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BIND_HOST", "not a host"),
        ("LOG_LEVEL", "loud"),
        ("DRAIN_SECONDS", "-3"),
        ("DRAIN_SECONDS", "soon"),
        ("DRAIN_SECONDS", "inf"),
        ("VLLM_PORT", "0"),
        ("VLLM_PORT", "65536"),
        ("VLLM_CONTAINER", "a b"),
        ("VLLM_DIR", "~/spark-vllm-docker"),
        ("VLLM_DIR", "../elsewhere"),
        ("VLLM_IMAGE", "--privileged"),
        ("SPARK1_SSH_PORT", "ssh"),
        ("DRAIN_SECONDS", ""),
        ("VLLM_PORT", " "),
    ],
)
def test_an_optional_variable_that_is_unusable_falls_back_with_a_warning(
    name: str, value: str
) -> None:
    loaded = settings(**{name: value})
    assert loaded.model_copy(update={"warnings": ()}) == settings()
    [warning] = loaded.warnings
    assert warning.startswith(name)
    assert "default" in warning


def test_a_bad_port_of_the_service_itself_is_an_error_because_it_has_no_other() -> None:
    with pytest.raises(SettingsError, match="BIND_PORT is wrong"):
        settings(BIND_PORT="99999")


def test_levels_are_read_in_any_case() -> None:
    assert settings(LOG_LEVEL="WARNING").http.log_level == "warning"


class TestHosts:
    def test_any_number_of_sparks_in_order(self) -> None:
        loaded = settings(
            SPARK10_HOST="127.0.0.20",
            SPARK10_USER="carol",
            SPARK2_HOST="spark-two.example",
            SPARK2_USER="bob",
            SPARK2_SSH_PORT="2222",
        )
        assert [(h.name, h.label, h.address, h.user, h.ssh_port) for h in loaded.cluster.hosts] == [
            ("spark1", "Spark 1", "127.0.0.11", "alice", 22),
            ("spark2", "Spark 2", "spark-two.example", "bob", 2222),
            ("spark10", "Spark 10", "127.0.0.20", "carol", 22),
        ]

    def test_a_spark_without_a_user_is_an_error(self) -> None:
        with pytest.raises(SettingsError, match=r"^SPARK2_USER is not set"):
            settings(SPARK2_HOST="127.0.0.12")

    @pytest.mark.parametrize("address", [None, ""])
    def test_a_spark_without_an_address_is_left_out_with_a_warning(
        self, address: str | None
    ) -> None:
        more = {"SPARK2_USER": "bob"} | ({} if address is None else {"SPARK2_HOST": address})
        loaded = settings(**more)
        assert [host.name for host in loaded.cluster.hosts] == ["spark1"]
        assert loaded.warnings == ("SPARK2_HOST is not set; Spark 2 is left out",)

    @pytest.mark.parametrize("address", ["127.0.0.11", "::1", "spark1", "a.b-c.example."])
    def test_addresses_and_names_are_accepted(self, address: str) -> None:
        assert settings(SPARK1_HOST=address).cluster.hosts[0].address == address.rstrip(".")

    def test_a_local_name_becomes_its_ipv4_address_once(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked: list[tuple[object, ...]] = []

        def resolver(*question: object) -> list[tuple[object, ...]]:
            asked.append(question)
            return [(2, 1, 6, "", ("127.0.0.31", 0))]

        monkeypatch.setattr("socket.getaddrinfo", resolver)
        loaded = settings(SPARK1_HOST="Spark-1.local")
        assert loaded.cluster.hosts[0].address == "127.0.0.31"
        assert len(asked) == 1

    def test_a_local_name_that_does_not_resolve_says_what_to_write(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def resolver(*_question: object) -> list[tuple[object, ...]]:
            raise OSError("Name or service not known")

        monkeypatch.setattr("socket.getaddrinfo", resolver)
        with pytest.raises(SettingsError) as refusal:
            settings(SPARK1_HOST="spark-1.local")
        assert str(refusal.value) == (
            "SPARK1_HOST is wrong: 'spark-1.local' does not resolve to an IPv4 address on this "
            "machine; write the Spark's IP address instead"
        )


def test_a_process_with_unusable_settings_says_one_line_and_ends_with_two() -> None:
    program = (
        "from spark_common.settings import RedisSettings, load_or_exit; load_or_exit(RedisSettings)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program],
        env={"PATH": os.environ["PATH"], "REDIS_URL": "redis://alice:hunter2@127.0.0.1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert ended.stderr.startswith("REDIS_URL is wrong: must not contain credentials")
    assert ended.stderr.count("\n") == 1


class TestSecretFiles:
    def ngc(self, **environ: str) -> NgcSettings:
        return load(NgcSettings, environ)

    def test_a_file_stands_for_the_variable_that_is_not_set(self, tmp_path: Path) -> None:
        (tmp_path / "key").write_text("nvapi-1\n")
        loaded = self.ngc(NGC_API_KEY_FILE=str(tmp_path / "key"))
        assert loaded.ngc_api_key is not None
        assert loaded.ngc_api_key.get_secret_value() == "nvapi-1"
        assert loaded.warnings == ()

    def test_the_variable_itself_wins(self, tmp_path: Path) -> None:
        (tmp_path / "key").write_text("nvapi-1")
        loaded = self.ngc(NGC_API_KEY="nvapi-2", NGC_API_KEY_FILE=str(tmp_path / "key"))
        assert loaded.ngc_api_key is not None
        assert loaded.ngc_api_key.get_secret_value() == "nvapi-2"

    @pytest.mark.parametrize("content", [None, b"", b" \n"])
    def test_a_file_that_is_missing_or_empty_is_no_secret(
        self, tmp_path: Path, content: bytes | None
    ) -> None:
        if content is not None:
            (tmp_path / "key").write_bytes(content)
        loaded = self.ngc(NGC_API_KEY_FILE=str(tmp_path / "key"))
        assert (loaded.ngc_api_key, loaded.warnings) == (None, ())

    def test_a_file_that_cannot_be_read_is_told_without_its_content(self, tmp_path: Path) -> None:
        (tmp_path / "key").write_bytes(b"nvapi-\xff")
        loaded = self.ngc(NGC_API_KEY_FILE=str(tmp_path / "key"))
        assert loaded.ngc_api_key is None
        assert [w for w in loaded.warnings if "NGC_API_KEY_FILE" in w and "nvapi" not in w]
        assert self.ngc(NGC_API_KEY_FILE=str(tmp_path)).warnings
