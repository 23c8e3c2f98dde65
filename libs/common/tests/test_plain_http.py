"""The client for plain HTTP: no proxy of the environment, and no certificate is good enough."""

import ssl

import httpx
import pytest

from spark_common.plain_http import plain_client, trusting_nobody


def test_its_tls_asks_for_certificates_and_accepts_none():
    context = trusting_nobody()
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.get_ca_certs() == []
    assert context.cert_store_stats()["x509"] == 0


@pytest.mark.parametrize("scheme", ["http", "https", "all"])
async def test_a_proxy_of_the_environment_is_not_asked(monkeypatch, scheme):
    monkeypatch.setenv(f"{scheme.upper()}_PROXY", "http://127.0.0.9:9")
    async with plain_client(timeout=1.0) as client:
        with pytest.raises(httpx.ConnectError) as failed:
            await client.get("http://127.0.0.10:9/")
    assert str(failed.value.request.url) == "http://127.0.0.10:9/"
    assert not any(client._mounts.values())
