"""What a Spark says, as it was seen on real ones, and the answer of the script made of it."""

TAILSCALE = ".".join(("100", "101", "2", "3"))
"""Put together: no address of anybody stands in this repository."""
MARK = "@@0123456789abcdef"
MEMINFO = """\
MemTotal:       125442868 kB
MemFree:        115454464 kB
MemAvailable:   115789005 kB
Buffers:          214532 kB
Cached:          2100000 kB
Shmem:             39936 kB
SwapTotal:      16777212 kB
SwapFree:       15826228 kB
"""
PROC = "107816.42 2105432.11\n0.31 0.60 0.66 1/601 3770418\n" + MEMINFO
SMI = "NVIDIA GB10, 580.142, 0, 42, 9.87, [N/A], 2405, 3003, [N/A], [N/A], P0"
APPS = "3150, python3, 218\n6330, VLLM::EngineCore, 96073"
BOX = "a" * 64
USUAL = {
    "clock": (0, "1795775000"),
    "proc": (0, PROC),
    "smi": (0, SMI),
    "apps": (0, APPS),
    "groups": (0, f"/proc/3150/cgroup:0::/system.slice/docker-{BOX}.scope"),
    "disk": (
        0,
        "Filesystem 1-blocks Used Available Capacity Mounted on\n"
        "/dev/nvme0n1p2    983349346304 336077062144 597000000000      37% /",
    ),
    "cores": (0, "20"),
    "system": (
        0,
        "Linux spark-7d19 6.17.0-1014-nvidia #14-Ubuntu SMP PREEMPT_DYNAMIC Tue Mar 17 19:01:40 "
        "UTC 2026 aarch64 aarch64 aarch64 GNU/Linux",
    ),
    "route": (
        0,
        "default via 127.0.1.1 dev wlP9s9 proto dhcp src 127.0.1.80 metric 600 \n"
        "default via 127.0.1.1 dev enP7s7 proto dhcp src 127.0.1.72 metric 100 ",
    ),
    "address": (
        0,
        "1: lo    inet 127.0.0.1/8 scope host lo\\       valid_lft forever\n"
        "2: enP7s7    inet 127.0.1.72/24 brd 127.0.1.255 scope global dynamic enP7s7\\  valid\n"
        "7: wg0    inet 203.0.113.6/24 scope global wg0\\       valid_lft forever\n"
        f"8: tailscale0    inet {TAILSCALE}/32 scope global tailscale0\\       valid_lft forever",
    ),
    "link": (
        0,
        "1: lo: <LOOPBACK,UP> mtu 65536 qdisc noqueue state UNKNOWN\\    link/loopback "
        "00:00:00:00:00:00 brd 00:00:00:00:00:00\n"
        "2: enP7s7: <BROADCAST,UP> mtu 1500 state UP\\    link/ether 02:00:5e:10:00:01 brd "
        "ff:ff:ff:ff:ff:ff\n"
        "3: wlP9s9: <BROADCAST,UP> mtu 1500 state UP\\    link/ether 02:00:5e:10:00:11 brd "
        "ff:ff:ff:ff:ff:ff\n"
        "4: enp1s0f1np1: <BROADCAST,UP> mtu 9000\\    link/ether 02:00:5e:20:01:01 brd "
        "ff:ff:ff:ff:ff:ff\n"
        "9: vethab@if8: <BROADCAST> mtu 1500\\    link/ether 02:00:5e:99:01:01 brd "
        "ff:ff:ff:ff:ff:ff",
    ),
    "wireguard": (0, "7: wg0: <POINTOPOINT,NOARP,UP> mtu 1420 state UNKNOWN\\    link/none "),
    "containers": (0, f"{BOX} parakeet-asr spark-parakeet:latest"),
    "desktop": (1, ""),
    "sudo": (1, "sudo: a password is required"),
    "blobs": (0, "0"),
}


def answer(**other: tuple[int | str, str]) -> str:
    """Return the script's output, with some sections otherwise."""
    text = "Welcome to a Spark\n"
    for name, (code, said) in {**USUAL, **other}.items():
        text += f"{MARK} {name} {code}\n{said}\n\n"
    return text + f"{MARK} end 0\n"
