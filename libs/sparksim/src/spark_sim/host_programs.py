"""The small programs of a Spark whose answers come from the simulation, not this machine."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from spark_sim import nvidia_smi
from spark_sim.call import Call
from spark_sim.daemon import Program
from spark_sim.disk import df_rows
from spark_sim.faults import Behaviour
from spark_sim.net_tables import tcp6_table, tcp_table
from spark_sim.pace import epoch

if TYPE_CHECKING:
    from spark_sim.host import SimulatedHost

MACS = {
    "spark1": {"enP7s7": "02:00:5e:10:00:01", "wlP9s9": "02:00:5e:10:00:11"},
    "spark2": {"enP7s7": "02:00:5e:10:00:02", "wlP9s9": "02:00:5e:10:00:12"},
}
"""Locally administered, so they are nobody's."""
_KERNEL = (
    "6.17.0-1014-nvidia #14-Ubuntu SMP PREEMPT_DYNAMIC Tue Mar 17 19:01:40 UTC 2026 "
    "aarch64 aarch64 aarch64 GNU/Linux"
)
_IBDEV = """\
rocep1s0f0 port 1 ==> enp1s0f0np0 (Down)
rocep1s0f1 port 1 ==> enp1s0f1np1 (Up)
roceP2p1s0f0 port 1 ==> enP2p1s0f0np0 (Down)
roceP2p1s0f1 port 1 ==> enP2p1s0f1np1 (Up)
"""
_BORN = epoch() - 107_816.42

_ANON_BYTES = {
    "parakeet-asr": 2_900_000_000,
    "kokoro": 1_100_000_000,
    "embeddings": 1_300_000_000,
    "qdrant": 620_000_000,
}
"""What the containers beside the model allocate of the processor's memory."""


class HostPrograms:
    """Programs of one host; ``peer`` finds the other by its address."""

    def __init__(
        self, host: "SimulatedHost", peer: Callable[[str], "SimulatedHost | None"]
    ) -> None:
        self._host = host
        self._peer = peer

    def table(self) -> dict[str, Program]:
        """Return the programs by name."""
        return {
            "nvidia-smi": self._nvidia_smi,
            "ip": self._ip,
            "sudo": self._sudo,
            "pgrep": self._pgrep,
            "ibdev2netdev": self._ibdev2netdev,
            "cat": self._cat,
            "free": self._free,
            "df": self._df,
            "uptime": self._uptime,
            "nproc": self._nproc,
            "uname": self._uname,
            "hostname": self._hostname,
            "ssh": self._ssh,
            "journalctl": self._host.kernel.journalctl,
            "dmesg": self._host.kernel.dmesg,
        }

    async def _real(self, call: Call, name: str) -> int:
        program = shutil.which(name, path="/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin")
        if program is None:
            await call.err(f"bash: {name}: command not found\n")
            return 127
        await call.become((program, *call.argv), call.env)
        return 0

    async def _nvidia_smi(self, call: Call) -> int:
        behaviour = self._host.faults.behaviour
        if behaviour is Behaviour.SMI_HANG:
            await self._host.faults.until_not(Behaviour.SMI_HANG)
        if behaviour is Behaviour.DRIVER_MISMATCH:
            await call.out(nvidia_smi.MISMATCH)
            return 18
        driver = nvidia_smi.DEADLOCKS if behaviour is Behaviour.OTHER_DRIVER else nvidia_smi.DRIVER
        usage = self._host.runtimes.usage()
        if behaviour is Behaviour.SPEECH_BUSY and self._host.speech is not None:
            usage = replace(usage, percent=max(usage.percent, 94))
        capped = behaviour is Behaviour.POWER_CAP
        text, code = nvidia_smi.answer(call.argv, usage, driver=driver, capped=capped)
        await call.out(text)
        return code

    async def _ip(self, call: Call) -> int:
        out, err, code = self._host.network.answer(call.argv)
        await call.out(out)
        if err:
            await call.err(err)
        return code

    async def _sudo(self, call: Call) -> int:
        return await self._host.power.sudo(call)

    async def _pgrep(self, call: Call) -> int:
        """Only for the desktop: what else is asked is asked of this machine."""
        if not any("Xorg" in word for word in call.argv):
            return await self._real(call, "pgrep")
        if self._host.faults.behaviour is not Behaviour.DESKTOP:
            return 1
        await call.out("2204 /usr/lib/xorg/Xorg vt1 -displayfd 3\n2391 /usr/bin/gnome-shell\n")
        return 0

    async def _ibdev2netdev(self, call: Call) -> int:
        await call.out(_IBDEV)
        return 0

    async def _cat(self, call: Call) -> int:
        known = self._files()
        if not call.argv or not any(path in known for path in call.argv):
            return await self._real(call, "cat")
        code = 0
        for path in call.argv:
            if path in known:
                await call.out(known[path])
            else:
                await call.err(f"cat: {path}: No such file or directory\n")
                code = 1
        return code

    def _files(self) -> dict[str, str]:
        busy = self._host.runtimes.usage().load
        uptime = epoch() - _BORN
        files = {
            "/proc/meminfo": self._host.memory.meminfo(),
            "/proc/sys/kernel/random/boot_id": self._host.boot_id + "\n",
            "/proc/net/tcp": tcp_table(self._host.listening()),
            "/proc/net/tcp6": tcp6_table(),
            "/proc/uptime": f"{uptime:.2f} {uptime * 19.5:.2f}\n",
            "/proc/loadavg": f"{0.31 + busy:.2f} {0.60 + busy / 2:.2f} 0.66 1/601 3770418\n",
        }
        for name, mac in MACS[self._host.name].items():
            files[f"/sys/class/net/{name}/address"] = mac + "\n"
        for container, box in self._host.engine.containers.items():
            folder = f"/sys/fs/cgroup/system.slice/docker-{container}.scope"
            if box.running:
                anon = _ANON_BYTES.get(box.spec.name, 48_000_000)
                files[f"{folder}/memory.stat"] = f"anon {anon}\nfile 912384000\nshmem 0\n"
            for name, text in self._host.runtimes.control_group(container).items():
                files[f"{folder}/{name}"] = text
        return files

    async def _free(self, call: Call) -> int:
        row = self._host.memory.free()
        unit = {"-b": 1 / 1024, "-m": 1024.0, "-g": 1048576.0}.get(
            next((word for word in call.argv if word != "-h"), ""), 1.0
        )
        human = "-h" in call.argv

        def shown(name: str) -> str:
            kb = row[name]
            if not human:
                return str(int(kb / unit))
            return f"{kb / 1048576:.0f}Gi" if kb >= 10 * 1048576 else f"{kb / 1048576:.1f}Gi"

        heads = ("total", "used", "free", "shared", "buff/cache", "available")
        await call.out(" " * 15 + "".join(f"{head:>12}" for head in heads).lstrip(" ") + "\n")
        await call.out("Mem:    " + "".join(f"{shown(head):>12}" for head in heads) + "\n")
        swap = "".join(f"{shown(f'swap_{head}'):>12}" for head in ("total", "used", "free"))
        await call.out(f"Swap:   {swap}\n")
        return 0

    async def _df(self, call: Call) -> int:
        full = self._host.faults.behaviour is Behaviour.DISK_FULL
        text = df_rows(call.argv, self._host.sandbox.hub, full=full)
        if text is None:
            return await self._real(call, "df")
        await call.out(text)
        return 0

    async def _uptime(self, call: Call) -> int:
        if call.argv:
            return await self._real(call, "uptime")
        busy = self._host.runtimes.usage().load
        await call.out(f" 02:12:30 up 1 day,  5:56,  1 user,  load average: {0.31 + busy:.2f}, "
                       f"{0.60 + busy / 2:.2f}, 0.66\n")  # fmt: skip
        return 0

    async def _nproc(self, call: Call) -> int:
        await call.out("20\n")
        return 0

    async def _uname(self, call: Call) -> int:
        name = self._hostname_text()
        parts = {"-n": name, "-r": _KERNEL.split()[0], "-m": "aarch64", "-s": "Linux",
                 "-a": f"Linux {name} {_KERNEL}", "": "Linux"}  # fmt: skip
        await call.out(parts.get(" ".join(call.argv), f"Linux {name} {_KERNEL}") + "\n")
        return 0

    async def _hostname(self, call: Call) -> int:
        await call.out((self._host.address if "-I" in call.argv else self._hostname_text()) + "\n")
        return 0

    def _hostname_text(self) -> str:
        return f"{self._host.name[:-1]}-{self._host.name[-1]}"

    async def _ssh(self, call: Call) -> int:
        words = list(call.argv)
        while words and words[0].startswith("-"):
            option = words.pop(0)
            if option in {"-o", "-i", "-p", "-l", "-F"} and words:
                words.pop(0)
        target, command = words[0].rpartition("@")[2], " ".join(words[1:])
        other = self._peer(target)
        if other is None:
            await call.err(f"ssh: Could not resolve hostname {target}: Name or service not known\n")
            return 255
        if not other.reachable:
            await self._host.pace.sleep(5)
            await call.err(f"ssh: connect to host {target} port 22: Connection timed out\n")
            return 255
        await other.faults.while_frozen()
        bash = shutil.which("bash") or "/bin/bash"
        box = other.sandbox
        await call.become((bash, "-c", command or "true"), box.environment(), str(box.home))
        return 0
