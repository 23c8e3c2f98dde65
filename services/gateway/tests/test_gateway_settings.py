"""The gateway's settings from an environment."""

import ipaddress

import pytest

from spark_common.settings import SettingsError, load
from spark_gateway.settings import GatewaySettings

ENOUGH = {"NATS_URL": "nats://127.0.0.1:4222", "SPARK1_HOST": "127.0.0.11", "SPARK1_USER": "alice"}


def test_the_defaults_are_enough_for_a_home():
    settings = load(GatewaySettings, ENOUGH)
    assert settings.http.bind_port == 9999
    assert settings.http.bind_host == "127.0.0.1"
    assert settings.cluster.vllm_port == 8888
    assert settings.allowed_hosts == ()
    assert settings.trusted_proxies == ()
    assert settings.demo is False
    assert settings.warnings == ()


def test_lists_are_written_as_people_write_them():
    settings = load(
        GatewaySettings,
        {
            **ENOUGH,
            "ALLOWED_HOSTS": "Sparks.example, .onion",
            "TRUSTED_PROXIES": "127.0.0.1 fd00::/8",
            "DEMO": "1",
        },
    )
    assert settings.allowed_hosts == ("sparks.example", ".onion")
    assert settings.trusted_proxies == (
        ipaddress.ip_network("127.0.0.1"),
        ipaddress.ip_network("fd00::/8"),
    )
    assert settings.demo is True


@pytest.mark.parametrize(("name", "value"), [("TRUSTED_PROXIES", "proxy"), ("DEMO", "perhaps")])
def test_a_malformed_option_falls_back_with_a_warning(name, value):
    settings = load(GatewaySettings, {**ENOUGH, name: value})
    assert len(settings.warnings) == 1
    assert name in settings.warnings[0]
    assert settings.trusted_proxies == ()


@pytest.mark.parametrize("name", sorted(ENOUGH))
def test_a_missing_one_is_named(name):
    with pytest.raises(SettingsError, match=name):
        load(GatewaySettings, {key: value for key, value in ENOUGH.items() if key != name})
