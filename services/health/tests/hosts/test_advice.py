"""Each check with what it finds, what is well, and what it cannot know; and its page."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from spark_common.clock import SystemClock
from spark_common.settings import HostSettings
from spark_health.advice.advising import CHECKS, Advising, anchor
from spark_health.hosts.reading import Moving, Rest, read
from spark_health.hosts.sections import split
from spark_health.hosts.showing import show
from spark_health.hosts.sight import Sight
from spark_health.testing.spark_says import MARK, PROC, SMI, USUAL, answer

HOST = HostSettings(name="spark1", label="Spark 1", address="127.0.1.72", user="alice")
RUNBOOK = Path(__file__).parents[4] / "docs" / "RUNBOOK.md"
FULL = PROC.replace("115454464", "2454464").replace("2100000", "92100000")
NO_APPS = (0, "")
LOCAL = "169.254"
DISK = "/dev/nvme0n1p2    983349346304 {} {}      97% /"


def sight(**other) -> Sight:
    now = SystemClock().now()
    other = {"clock": (0, str(int(now.timestamp()))), **other}
    return Sight(HOST).after(read(split(answer(**other), MARK)), (now, 1.0), 1.1, 4.0)


def findings(one: Sight):
    now = SystemClock().now()
    return Advising().findings([(one, show(one, now, 1.2, {}, None, None))], now)


def link_local(text: str) -> tuple[int, str]:
    return 0, USUAL["address"][1] + "\n" + text


@pytest.mark.parametrize(
    ("other", "found"),
    [
        ({}, []),
        ({"proc": (0, FULL), "apps": NO_APPS}, ["page_cache_full"]),
        ({"proc": (0, FULL)}, []),
        ({"apps": NO_APPS}, []),
        ({"smi": (0, SMI.replace(" 0, 42, 9.87", " 96, 55, 29.6").replace("2405", "611"))},
         ["power_cap"]),
        ({"smi": (0, SMI.replace(" 0, 42, 9.87", " 96, 55, 29.6"))}, []),
        ({"smi": (0, SMI.replace(" 0, 42, 9.87", " 96, 55, 80.6").replace("2405", "611"))}, []),
        ({"smi": (0, SMI.replace(" 0, 42, 9.87", " 96, 55, [N/A]").replace("2405", "611"))}, []),
        ({"desktop": (0, "2204 /usr/lib/xorg/Xorg vt1\n9 /usr/bin/gnome-shell")},
         ["desktop_running"]),
        ({"desktop": (127, "pgrep: not found Xorg")}, []),
        ({"address": link_local(f"5: enp1s0f1np1    inet {LOCAL}.7.9/16 brd {LOCAL}.255.255")},
         ["link_local_address"]),
        ({"address": link_local(f"5: docker0    inet {LOCAL}.7.9/16 brd {LOCAL}.255.255")}, []),
        ({"blobs": (0, "31")}, ["shared_blobs"]),
        ({"blobs": (0, "")}, []),
        ({"smi": (0, SMI.replace("580.142", "590.44.01"))}, ["driver_deadlock"]),
        ({"smi": (18, "Failed to initialize NVML: Driver/library version mismatch")},
         ["driver_mismatch"]),
        ({"disk": (0, DISK.format(953349346304, 30000000000))}, ["disk_nearly_full"]),
        ({"disk": (0, DISK.format(883349346304, 99000000000))}, []),
        ({"disk": (1, "df: /: Input/output error")}, []),
        ({"clock": (0, str(int(SystemClock().now().timestamp()) + 9000))}, ["clock_skew"]),
    ],
)  # fmt: skip
def test_each_trouble_is_found_and_nothing_else(other, found) -> None:
    told = findings(sight(**other))
    assert [one.check for one in told] == found
    for one in told:
        assert one.sentence.endswith(".")
        assert ". " not in one.sentence
        assert "Spark 1" in one.sentence


def test_a_disk_without_room_is_worse_than_one_with_little() -> None:
    (one,) = findings(sight(disk=(0, DISK.format(980349346304, 300))))
    assert one.severity == "trouble"


def test_a_spark_of_which_nothing_is_known_has_no_findings() -> None:
    bare = replace(sight(), moving=Moving(), rest=Rest())
    assert findings(bare) == []


def test_every_finding_links_to_a_heading_of_the_runbook() -> None:
    headings = re.findall(r"^## (.+)$", RUNBOOK.read_text(encoding="utf-8"), re.MULTILINE)
    anchors = {anchor(heading) for heading in headings}
    for check in CHECKS:
        assert check.heading in headings
        assert anchor(check.heading) in anchors
    assert len({check.name for check in CHECKS}) == len(CHECKS)


def test_a_finding_says_since_when_and_begins_anew_after_it_was_gone() -> None:
    advising, clock = Advising(), SystemClock()
    bad, good = sight(blobs=(0, "3")), sight()
    first = clock.now()

    def found(one: Sight):
        now = clock.now()
        return advising.findings([(one, show(one, now, 1.2, {}, None, None))], now)

    (one,) = found(bad)
    (two,) = found(bad)
    assert one.since == two.since
    assert found(good) == []
    (three,) = found(bad)
    assert three.since is not None
    assert one.since is not None
    assert first <= one.since < three.since
