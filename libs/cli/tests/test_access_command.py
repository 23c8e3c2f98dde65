"""``sparkctl access`` shows the key, and by its exit code whether a Spark lets us in."""

import json

import pytest

HOST = {"name": "spark1", "label": "Spark 1", "address": "192.0.2.11", "user": "alice"}
ACCESS = {
    "public_key": "ssh-ed25519 AAAA spark-control",
    "fingerprint": "SHA256:abc",
    "command": "mkdir -p ~/.ssh",
    "problem": "",
    "hosts": [HOST | {"ssh_port": 22}],
}
STEPS = [
    {"step": "network", "ok": True, "sentence": "It answers.", "action": ""},
    {"step": "login", "ok": False, "sentence": "It refuses our key.", "action": "Paste it."},
]


def test_the_key_and_where_it_belongs(gateway, run):
    gateway.says("GET", "/api/access", ACCESS)
    done = run("access")
    assert (done.exit_code, done.output.splitlines()) == (
        0,
        [
            "ssh-ed25519 AAAA spark-control",
            "SHA256:abc",
            "",
            "paste on each Spark, as that user; twice does no harm:",
            "  mkdir -p ~/.ssh",
            "  Spark 1: alice@192.0.2.11 port 22",
            "",
            "then: sparkctl access SPARK",
        ],
    )
    assert json.loads(run("access", "--json").output) == ACCESS


def test_without_a_key_it_says_why(gateway, run):
    without = {"public_key": None, "fingerprint": None, "command": None}
    gateway.says("GET", "/api/access", ACCESS | without | {"problem": "Make one."})
    done = run("access")
    assert (done.exit_code, done.output) == (1, "there is no key: Make one.\n")


@pytest.mark.parametrize(("ok", "code", "word"), [(True, 0, ""), (False, 1, "not ")])
def test_a_login_is_tried_anew(gateway, run, ok, code, word):
    told = {"name": "spark1", "label": "Spark 1", "ok": ok, "steps": STEPS}
    gateway.says("POST", "/api/access/spark1/test", told)
    done = run("access", "spark1")
    assert (done.exit_code, done.output.splitlines()) == (
        code,
        [
            f"Spark 1: {word}connected",
            "  ok    It answers.",
            "  FAIL  It refuses our key.",
            "        Paste it.",
        ],
    )
