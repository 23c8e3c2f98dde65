"""Reading what a Spark says: fixtures, junk, truncation; never a number that was not said."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spark_common.clock import SystemClock
from spark_common.contracts.hardware import HostHardware
from spark_common.settings import HostSettings
from spark_health.hosts.power_rules import read_rules
from spark_health.hosts.reading import Reading, read
from spark_health.hosts.remembering import address_of
from spark_health.hosts.sections import split
from spark_health.hosts.showing import show
from spark_health.hosts.sight import Sight
from spark_health.testing.spark_says import MARK, MEMINFO, PROC, SMI, TAILSCALE, USUAL, answer

HOST = HostSettings(name="spark1", label="Spark 1", address="127.0.1.72", user="alice")
MIB, KIB = 1024**2, 1024


def of(text: str) -> Reading:
    return read(split(text, MARK))


def sight(text: str) -> Sight:
    clock = SystemClock()
    return Sight(HOST).after(of(text), (clock.now(), 10.0), 10.2, 4.0)


def shown(text: str) -> HostHardware:
    return show(sight(text), SystemClock().now(), 11.0, {"parakeet-asr": "speech"}, None, None)


def test_a_whole_answer_is_read_in_full() -> None:
    host = shown(answer())
    assert (host.answering, host.unread, host.gpu_problem) == ("well", [], None)
    assert (host.hostname, host.kernel, host.cores) == ("spark-7d19", "6.17.0-1014-nvidia", 20)
    assert (host.uptime_seconds, host.load) == (107816.42, [0.31, 0.60, 0.66])
    assert host.memory is not None
    assert host.memory.model_dump() == {
        "total": 125442868 * KIB,
        "available": 115789005 * KIB,
        "used": (125442868 - 115789005) * KIB,
        "free": 115454464 * KIB,
        "page_cache": (2100000 + 214532 - 39936) * KIB,
        "swap_total": 16777212 * KIB,
        "swap_used": (16777212 - 15826228) * KIB,
    }
    assert host.disk is not None
    assert host.disk.available == 597000000000
    assert [(one.interface, one.kind) for one in host.routes] == [
        ("enP7s7", "cable"), ("wlP9s9", "wifi"),
    ]  # fmt: skip
    assert [(one.kind, one.address) for one in host.badges] == [
        ("wireguard", "203.0.113.6"), ("tailscale", TAILSCALE),
    ]  # fmt: skip
    assert not host.driver_mismatch


def test_unified_memory_is_the_sum_of_the_processes_and_is_shared_out() -> None:
    host = shown(answer())
    assert host.gpu is not None
    assert host.gpu_unified_memory
    assert (host.gpu.watt_limit, host.gpu.memory_total) == (None, 125442868 * KIB)
    # More than is used in all: the rows of the fixture are of two moments; still what was said.
    assert host.gpu.memory_used == (218 + 96073) * MIB
    sizes = {one.name: one.bytes for one in host.consumers}
    assert sizes["vllm"] == 96073 * MIB
    assert (sizes["speech"], sizes["embeddings"], sizes["other"]) == (218 * MIB, 0, 0)
    assert [(one.consumer, one.container) for one in host.gpu.processes] == [
        ("speech", "parakeet-asr"), ("vllm", None),
    ]  # fmt: skip
    share = {one.name: one.share for one in host.consumers}["vllm"]
    assert share == pytest.approx(96073 * MIB / (125442868 * KIB), abs=0.001)


def test_what_a_container_allocates_beside_the_gpu_is_its_consumers() -> None:
    quiet, other = "b" * 64, "c" * 64
    boxes = f"{USUAL['containers'][1]}\n{quiet} qdrant qdrant/qdrant:v1\n{other} grafana grafana:11"
    own = f"{'a' * 64} 2900000000\n{quiet} 620000000\n{other} 90000000\njunk\n{'d' * 64} x"
    host = shown(answer(apps=(0, "3150, python3, 218"), containers=(0, boxes), boxmemory=(0, own)))
    assert host.memory is not None
    sizes = {one.name: one.bytes for one in host.consumers}
    assert sizes["speech"] == 218 * MIB + 2_900_000_000
    assert (sizes["vectors"], sizes["embeddings"]) == (620_000_000, 0)
    assert sizes["other"] == host.memory.used - 218 * MIB - 2_900_000_000 - 620_000_000
    unsaid = shown(answer(containers=(0, boxes), boxmemory=(124, "")))
    assert {one.name: one.bytes for one in unsaid.consumers}["speech"] == 218 * MIB


@pytest.mark.parametrize(
    ("code", "said", "problem", "mismatch"),
    [
        (18, "Failed to initialize NVML: Driver/library version mismatch\nNVML library version: "
             "580.142", "driver and library", True),
        (124, "", "did not answer in time", False),
        (137, SMI, "did not answer in time", False),
        ("skipped", "", "did not answer in time", False),
        (127, "timeout: failed to run command 'nvidia-smi'", "no nvidia-smi", False),
        (9, "NVIDIA-SMI has failed because it could not communicate", "nvidia-smi failed", False),
        (0, "", "no row of numbers", False),
        (0, "[N/A], [N/A]", "no row of numbers", False),
        (0, SMI + ", 7", "no row of numbers", False),
    ],
)  # fmt: skip
def test_a_gpu_that_says_nothing_is_told_with_the_reason(code, said, problem, mismatch) -> None:
    host = shown(answer(smi=(code, said)))
    assert host.gpu is None
    assert problem in (host.gpu_problem or "")
    assert host.driver_mismatch is mismatch
    assert host.memory is not None
    assert not host.gpu_unified_memory


@pytest.mark.parametrize(
    ("row", "name", "value"),
    [
        (SMI, "percent", 0.0),
        (SMI.replace(", 42,", ", [N/A],"), "celsius", None),
        (SMI.replace(" 9.87", " [Not Supported]"), "watts", None),
        (SMI.replace(" 9.87", " -3"), "watts", None),
        (SMI.replace(" 9.87", " 9.87 W"), "watts", None),
        (SMI.replace(" 0,", " 400,"), "percent", None),
        (SMI.replace(", 42,", ", nan,"), "celsius", None),
        (SMI.replace(", 42,", ", ٤٢,"), "celsius", None),
        (SMI.replace("580.142", "[N/A]"), "driver", None),
        (SMI.replace("[N/A], [N/A], P0", "100, 16000, P8"), "memory_used", 100 * MIB),
        (SMI.replace("P0", "[Unknown Error]"), "pstate", None),
    ],
)
def test_a_cell_is_a_number_or_nothing(row, name, value) -> None:
    gpu = shown(answer(smi=(0, row))).gpu
    assert gpu is not None
    assert getattr(gpu, name) == value


@pytest.mark.parametrize(
    ("proc", "read_at_all"),
    [
        (PROC, True),
        (PROC.replace("MemAvailable:   115789005 kB", "MemAvailable:   925789005 kB"), False),
        (PROC.replace("MemTotal:       125442868 kB", "MemTotal: 0 kB"), False),
        (PROC.replace("MemTotal:       125442868 kB", "MemTotal:       12544"), False),
        (PROC.replace("125442868 kB", "125442868 MB"), False),
        (PROC.replace("115789005", "-5"), False),
        (PROC.replace("115789005", "9" * 40), False),
    ],
)
def test_memory_is_both_numbers_or_none(proc, read_at_all) -> None:
    host = shown(answer(proc=(0, proc)))
    assert (host.memory is not None) is read_at_all
    assert bool(host.consumers) is read_at_all


def test_what_the_processes_hold_is_unknown_when_one_does_not_say() -> None:
    host = shown(answer(apps=(0, "1, VLLM::EngineCore, [N/A]\n2, python3, 5")))
    assert host.gpu is not None
    assert host.gpu.memory_used is None
    sizes = {one.name: one.bytes for one in host.consumers}
    assert (sizes["vllm"], sizes["other"]) == (None, None)
    silent = shown(answer(apps=(124, "")))
    assert {one.name: one.bytes for one in silent.consumers}["vllm"] is None
    nonsense = shown(answer(apps=(0, "1, VLLM::EngineCore, 999999999")))
    assert nonsense.gpu is not None
    assert nonsense.gpu.memory_used is None


def test_a_docker_that_hangs_or_refuses_is_named_and_the_rest_is_read() -> None:
    hung = shown(answer(containers=(124, "")))
    assert (hung.answering, hung.unread) == ("partly", ["docker did not answer in time."])
    assert "docker on it hangs" in hung.reason
    refused = answer(containers=(1, "permission denied while trying to connect to the Docker"))
    assert shown(refused).answering == "well"
    assert "group docker" in shown(refused).unread[0]
    assert hung.memory is not None


@given(st.integers(0, len(answer())))
def test_a_cut_answer_says_less_and_nothing_else(cut: int) -> None:
    full, part = of(answer()), of(answer()[:cut])
    for name in ("epoch", "uptime", "load", "memory", "gpu", "apps"):
        assert getattr(part.moving, name) in (None, getattr(full.moving, name))
    assert full.rest is not None
    for name in ("disk", "cores", "hostname", "routes", "addresses", "links", "boxes", "rules"):
        value = getattr(part.rest, name) if part.rest else None
        assert value in (None, getattr(full.rest, name))
    assert part.complete is (cut == len(answer()))


ODD = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=80)
LINES = st.lists(
    ODD | st.sampled_from([*answer().split("\n"), *MEMINFO.split("\n"), f"{MARK} smi", MARK]),
    max_size=60,
).map("\n".join)


@given(LINES)
def test_junk_never_raises_and_is_fit_to_be_shown(text: str) -> None:
    host = shown(text + "\n")
    HostHardware.model_validate_json(host.model_dump_json())
    if host.memory is not None:
        assert 0 <= host.memory.available <= host.memory.total
    if host.gpu is not None and host.gpu.percent is not None:
        assert 0 <= host.gpu.percent <= 100


@given(st.sampled_from(sorted(USUAL)), ODD)
def test_junk_in_one_section_leaves_the_others_alone(name: str, junk: str) -> None:
    host = shown(answer(**{name: (0, junk)}))
    if name != "proc":
        assert host.memory is not None
    if name != "disk":
        assert host.disk is not None


def test_a_section_that_shows_a_mark_of_its_own_making_is_not_believed() -> None:
    forged = "@@ffffffffffffffff smi 0\nNVIDIA GB10, 1.1, 99, 99, 99, 99, 99, 99, 9, 9, P0"
    assert shown(answer(desktop=(0, forged))).gpu == shown(answer()).gpu


def test_a_very_long_section_loses_its_last_line() -> None:
    rows = "\n".join(f"{pid}, python3, 1" for pid in range(1, 9000))[:60_000]
    apps = of(answer(apps=(0, rows))).moving.apps
    assert apps is not None
    assert all(app.bytes == MIB for app in apps)


@pytest.mark.parametrize(
    ("ahead", "took", "told"), [(0, 0.2, False), (3, 0.2, False), (95, 0.2, True), (-95, 0.2, True),
                                (20, 30.0, False)],
)  # fmt: skip
def test_a_clock_is_off_only_beyond_the_way_there_and_back(ahead, took, told) -> None:
    now = SystemClock().now()
    reading = of(answer(clock=(0, str(int(now.timestamp()) + ahead))))
    found = Sight(HOST).after(reading, (now, 10.0), 10.0 + took, 60.0).skew
    assert (found is not None) is told
    if found is not None:
        assert found == pytest.approx(ahead, abs=2)


def test_a_slow_answer_is_slow_and_a_cut_one_is_partial() -> None:
    now = SystemClock().now()
    assert Sight(HOST).after(of(answer()), (now, 0.0), 5.0, 4.0).answering == "slow"
    assert Sight(HOST).after(of(answer()[:900]), (now, 0.0), 1.0, 4.0).answering == "partly"


def test_a_quick_look_keeps_what_rarely_changes() -> None:
    quick = answer().split(f"{MARK} disk")[0] + f"{MARK} end 0\n"
    after = sight(answer()).after(of(quick), (SystemClock().now(), 20.0), 20.1, 4.0)
    assert (after.rest.cores, after.rest_mono, after.read_mono) == (20, 10.2, 20.0)


@pytest.mark.parametrize(
    ("links", "routes", "interface"),
    [
        (None, None, "enP7s7"),
        (None, "default via 127.0.1.1 dev wlP9s9 src 127.0.1.80 metric 600", "enP7s7"),
        ("3: wlP9s9: <UP> mtu 1\\    link/ether 02:00:5e:10:00:11 brd ff",
         "default via 127.0.1.1 dev wlP9s9 metric 600", "wlP9s9"),
        ("2: enx1: <UP> mtu 1\\    link/ether 02:00:5e:10:00:01 brd ff",
         "default via 127.0.1.1 dev enx1", "enx1"),
        ("4: enp1s0f1np1: <UP> mtu 1\\    link/ether 02:00:5e:20:01:01 brd ff", "", None),
        ("2: enP7s7: <UP> mtu 1\\    link/ether ff:ff:ff:ff:ff:ff brd ff", "", None),
        ("2: enP7s7: <UP> mtu 1\\    link/ether 02:00:5e:10:00 brd ff", "", None),
    ],
)  # fmt: skip
def test_the_card_that_wakes_is_the_one_of_the_cable(links, routes, interface) -> None:
    other = {}
    if links is not None:
        other["link"] = (0, links)
    if routes is not None:
        other["route"] = (0, routes)
    found = address_of(sight(answer(**other)))
    assert (found.interface if found else None) == interface
    if found is not None and interface == "enP7s7":
        assert (found.mac, found.broadcast) == ("02:00:5e:10:00:01", "127.0.1.255")


HEAD = "User alice may run the following commands on spark-1:\n"


@pytest.mark.parametrize(
    ("rules", "shutdown", "reboot"),
    [
        ("    (root) NOPASSWD: /usr/local/bin/spark-shutdown",
         ("/usr/local/bin/spark-shutdown",), None),
        ("    (ALL : ALL) ALL", None, None),
        ("    (ALL) NOPASSWD: ALL", None, None),
        ("    (root) /usr/sbin/poweroff", None, None),
        ("    (bob) NOPASSWD: /usr/sbin/poweroff", None, None),
        ("    (root) NOPASSWD: /usr/sbin/shutdown -h now, /usr/sbin/shutdown -r now",
         ("/usr/sbin/shutdown", "-h", "now"), ("/usr/sbin/shutdown", "-r", "now")),
        ("    (root) NOPASSWD: /usr/bin/systemctl poweroff,\n        /usr/bin/systemctl reboot",
         ("/usr/bin/systemctl", "poweroff"), ("/usr/bin/systemctl", "reboot")),
        ("    (root) NOPASSWD: /usr/bin/systemctl restart nginx", None, None),
        ("    (root) NOPASSWD: /usr/bin/tee, PASSWD: /usr/sbin/reboot", None, None),
        ("    (root) NOPASSWD: SETENV: /usr/sbin/reboot", None, ("/usr/sbin/reboot",)),
        ("    (root) NOPASSWD: /tmp/x;id/poweroff", None, None),
        ("", None, None),
    ],
)  # fmt: skip
def test_only_a_rule_for_just_that_turns_a_spark_off(rules, shutdown, reboot) -> None:
    found = read_rules(HEAD + rules + "\n")
    assert (found.shutdown, found.reboot) == (shutdown, reboot)


@given(ODD)
def test_rules_of_any_text_are_read_without_a_fall(text: str) -> None:
    read_rules(text)
    read_rules(HEAD + "    (root) NOPASSWD: " + text)
