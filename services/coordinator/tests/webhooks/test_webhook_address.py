"""Addresses are read in one way only, and lead nowhere they must not."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spark_common.errors import InvalidRequestError
from spark_common.forbidden_address import forbidden
from spark_common.webhook_address import read_url
from spark_coordinator.webhooks.guard import TargetGuard, is_this_machine


def dotted(*numbers: int) -> str:
    return ".".join(map(str, numbers))


METADATA = dotted(169, 254, 169, 254)
LAN = dotted(192, 168, 1, 7)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("http://receiver.lan", "http://receiver.lan/"),
        ("HTTP://Receiver.LAN:80/Hook?a=B", "http://receiver.lan/Hook?a=B"),
        ("https://receiver.lan:443", "https://receiver.lan/"),
        ("https://receiver.lan:8443/x", "https://receiver.lan:8443/x"),
        ("http://receiver.lan./x", "http://receiver.lan/x"),
        ("http://n8n_1:5678/webhook/a", "http://n8n_1:5678/webhook/a"),
        ("http://127.0.0.1:8080/x", "http://127.0.0.1:8080/x"),
        (f"http://{LAN}/x", f"http://{LAN}/x"),
        ("http://[::1]:8080/x", "http://[::1]:8080/x"),
        ("http://[0:0:0:0:0:0:0:1]/", "http://[::1]/"),
        ("http://bücher.example/ü?q=ä", "http://xn--bcher-kva.example/%C3%BC?q=%C3%A4"),
        ("http://a.lan/already%20quoted", "http://a.lan/already%20quoted"),
        ("http://a.lan?x", "http://a.lan/?x"),
        ("http://a.lan:", "http://a.lan/"),
    ],
)
def test_an_address_has_one_form(text: str, canonical: str) -> None:
    assert str(read_url(text)) == canonical
    assert str(read_url(canonical)) == canonical


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("ftp://receiver.lan/", "http:// or https://"),
        ("javascript:alert(1)", "http:// or https://"),
        ("//receiver.lan/x", "http:// or https://"),
        ("receiver.lan/x", "http:// or https://"),
        ("http:///x", "http:// or https://"),
        ("http://alice:pw@receiver.lan/", "user or password"),
        ("http://@receiver.lan/", "user or password"),
        ("http://receiver.lan:80@127.0.0.1/", "user or password"),
        ("http://receiver.lan/#x", "fragment"),
        ("http://receiver.lan/#", "fragment"),
        ("http://receiver.lan:0/", "port 0"),
        ("http://receiver.lan:70000/", "port"),
        ("http://receiver.lan:x/", "port"),
        ("http://rec eiver.lan/", "blanks"),
        ("http://receiver.lan/a b", "blanks"),
        ("http://receiver.lan/\r\nx: y", "blanks"),
        ("http://receiver.lan\\@127.0.0.1/", "backslash"),
        ("http://2130706433/", "four decimal numbers"),
        ("http://0177.0.0.1/", "four decimal numbers"),
        ("http://0x7f000001/", "four decimal numbers"),
        ("http://0x7f.0.0.0x1/", "four decimal numbers"),
        ("http://127.1/", "four decimal numbers"),
        ("http://127.0.0.1.5/", "four decimal numbers"),
        ("http://127.0.0.256/", "four decimal numbers"),
        ("http://[fe80::1%25eth0]/", "IPv6"),
        ("http://[::1/", "read"),
        ("http://[v1.x]/", "IPv6"),
        ("http://a..b/", "no host"),
        ("http://-a.lan/", "no host"),
        ("http://a%2elan/", "no host"),
        ("http://./", "no host"),
        (f"http://{'a' * 64}.lan/", "no host"),
        ("http://xn--a\u3002\u3002b/", "IDNA"),
    ],
)
def test_odd_addresses_are_refused_with_what_is_wrong(text: str, says: str) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        read_url(text)
    assert says in refused.value.message


@pytest.mark.parametrize(
    "host", ["\uff11\uff12\uff17.0.0.1", "127\u30020\u30020\u30021", "\u2460\u2461\u2466.0.0.1"]
)
def test_digits_in_disguise_become_the_address_they_mean(host: str) -> None:
    assert read_url(f"http://{host}/").host == "127.0.0.1"


@given(st.text(max_size=40), st.sampled_from(["", "http://", "https://", "http://a.lan"]))
def test_whatever_is_typed_has_one_form_or_a_reason(text: str, begin: str) -> None:
    try:
        read = read_url(begin + text)
    except InvalidRequestError:
        return
    assert read_url(str(read)) == read
    assert str(read).isascii()
    assert "@" not in read.authority


@pytest.mark.parametrize(
    "address",
    [
        METADATA,
        dotted(169, 254, 1, 1),
        dotted(100, 100, 100, 200),
        dotted(168, 63, 129, 16),
        "0.0.0.0",
        "0.1.2.3",
        "224.0.0.1",
        "239.255.255.250",
        "255.255.255.255",
        "240.0.0.1",
        "::",
        "fe80::1",
        "ff02::1",
        "fd00:ec2::254",
        "::ffff:127.0.0.1",
        f"::ffff:{METADATA}",
        f"64:ff9b::{METADATA}",
        f"::{METADATA}",
        "2002:a9fe:a9fe::1",
    ],
)
def test_where_nothing_is_sent(address: str) -> None:
    assert forbidden(ipaddress.ip_address(address)) is not None


@pytest.mark.parametrize(
    "address",
    [
        LAN,
        dotted(10, 0, 0, 5),
        dotted(100, 64, 0, 1),
        "127.0.0.1",
        "127.0.0.11",
        "203.0.113.7",
        "::1",
        "fd12::1",
        "2001:db8::1",
        "2002:cb00:7107::1",
    ],
)
def test_the_house_and_the_world_are_allowed(address: str) -> None:
    assert forbidden(ipaddress.ip_address(address)) is None


@given(st.ip_addresses(v=4, network=f"{dotted(169, 254, 0, 0)}/16"))
def test_no_disguise_of_a_link_local_address_passes(address: ipaddress.IPv4Address) -> None:
    number = int(address)
    disguises = (
        ipaddress.IPv6Address(number),
        ipaddress.IPv6Address((0xFFFF << 32) | number),
        ipaddress.IPv6Address((0x64FF9B << 96) | number),
        ipaddress.IPv6Address((0x64FF9B0001 << 80) | number),
        ipaddress.IPv6Address((0xFFFF << 48) | number),
        ipaddress.IPv6Address((0x2002 << 112) | (number << 80)),
    )
    assert all(forbidden(one) for one in (address, *disguises))


def test_every_address_behind_a_name_counts() -> None:
    guard = TargetGuard()
    good, bad = ipaddress.ip_address(LAN), ipaddress.ip_address(METADATA)
    assert guard.refusal("receiver.lan", 80, [good]) is None
    assert guard.refusal("receiver.lan", 80, [good, bad]) is not None
    assert guard.refusal("receiver.lan", 80, []) is None


@pytest.mark.parametrize(
    ("host", "port", "addresses", "refused"),
    [
        ("127.0.0.1", 9999, ["127.0.0.1"], True),
        ("127.0.0.11", 9999, ["127.0.0.11"], True),
        ("::1", 9999, ["::1"], True),
        ("gateway", 9999, [dotted(172, 20, 0, 3)], True),
        ("gateway", 9999, [], True),
        ("my-box.lan", 9999, [LAN], True),
        ("other-box.lan", 9999, [dotted(192, 168, 1, 8)], False),
        ("127.0.0.1", 9998, ["127.0.0.1"], False),
    ],
)
def test_our_own_gateway_is_no_target(host, port, addresses, refused) -> None:
    ours = {ipaddress.ip_address(LAN)}
    guard = TargetGuard({9999}, own=lambda one: one.is_loopback or one in ours)
    found = guard.refusal(host, port, [ipaddress.ip_address(one) for one in addresses])
    assert (found is not None) is refused


def test_only_addresses_of_this_machine_are_its_own() -> None:
    assert is_this_machine(ipaddress.ip_address("127.0.0.1"))
    assert not is_this_machine(ipaddress.ip_address("203.0.113.7"))
