"""Who may ask, and by which name."""

import ipaddress

import pytest

from spark_common.errors import ERRORS
from spark_gateway.allowed_hosts import AllowedHosts
from spark_gateway.errors import STATUSES, HttpFaultError
from spark_gateway.origin_guard import OriginGuard

PROXIED = {
    "host": "127.0.0.1:9999",
    "origin": "https://sparks.example",
    "x-forwarded-host": "sparks.example",
    "x-forwarded-proto": "https",
}


def test_forwarded_names_count_only_from_trusted_proxies():
    trusting = OriginGuard((ipaddress.ip_network("127.0.0.0/8"),))
    trusting.check(PROXIED, "http", "127.0.0.1")
    for guard, peer in ((trusting, "192.0.2.1"), (OriginGuard(), "127.0.0.1"), (trusting, None)):
        with pytest.raises(HttpFaultError):
            guard.check(PROXIED, "http", peer)


@pytest.mark.parametrize(
    "origin",
    ["http://gw:bad", "http://[::1", "ftp://gw", "gw", "http://gw/path", "http://u@gw", "http://"],
)
def test_what_is_no_origin_is_refused(origin):
    with pytest.raises(HttpFaultError):
        OriginGuard().check({"host": "gw", "origin": origin}, "http", None)


def test_case_and_default_ports_do_not_matter():
    OriginGuard().check({"host": "GW", "origin": "http://gw:80"}, "http", None)
    OriginGuard().check({"host": "[::1]:9999", "origin": "http://[::1]:9999"}, "http", None)


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "localhost:9999",
        "a.localhost",
        "127.0.0.1",
        "127.0.0.1:9999",
        "[::1]",
        "[fe80::1]:9999",
        "gateway",
        "spark-control:9999",
        "spark-control.local",
        "SPARK.LOCAL:9999",
        "spark.local.",
        None,
    ],
)
def test_names_that_nobody_else_can_own_are_admitted(host):
    assert AllowedHosts().admits(host)


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.example",
        "evil.example:9999",
        "127.0.0.1.evil.example",
        "local.evil.example",
        "spark.local.evil.example",
        "evil.example.",
        "[evil.example]",
        "[::1",
        "[::1]x",
        "a b",
        "a/b",
        "localhost:",
        "localhost:x",
        "localhost:999999999",
        "local\u0131host.example",
        ".local.",
        "..",
        "a..local",
    ],
)
def test_names_that_a_stranger_can_point_at_us_are_refused(host):
    assert not AllowedHosts().admits(host)


def test_the_owner_can_list_more():
    hosts = AllowedHosts(("sparks.example", ".onion"))
    assert hosts.admits("sparks.example:443")
    assert hosts.admits("abc.onion")
    assert not hosts.admits("x.sparks.example")
    assert not hosts.admits("onion.example")
    assert AllowedHosts(("*",)).admits("anything.example")


def test_every_code_has_a_status():
    assert set(STATUSES) == set(ERRORS)
