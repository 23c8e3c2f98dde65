"""What processes in containers ask of the simulator: start-up rules and ``vllm serve``."""

import json
from typing import TYPE_CHECKING

from spark_sim.call import Call
from spark_sim.daemon import Program
from spark_sim.faults import Behaviour
from spark_sim.journal import Journal
from spark_sim.ray_ranks import ray
from spark_sim.vllm_cli.flags import FLAGS

if TYPE_CHECKING:
    from spark_sim.host import SimulatedHost

_IMPORT_SECONDS = 20.0
"""Importing vLLM and building its parser."""
_KEPT = frozenset({"--port", "--host", "--served-model-name", "--model"})


class VllmCalls:
    """Programs behind the ``vllm`` package of the containers."""

    def __init__(self, host: "SimulatedHost", journal: Journal) -> None:
        self._host = host
        self._journal = journal

    def table(self) -> dict[str, Program]:
        """Return the programs by name."""
        return {
            "vllm-rules": self._rules,
            "vllm-tell": self._tell,
            "vllm-serve": self._serve,
            "ray": self._ray,
        }

    async def _rules(self, call: Call) -> int:
        purpose, *argv = call.argv
        if purpose == "preflight":
            self._journal.add(self._host.name, "preflight", argv=argv)
        resumed = call.env.get("SPARK_SIM_RESUMED") == "1"
        unknown = []
        if self._host.faults.behaviour is Behaviour.BAD_FLAG:
            unknown = _refusable(argv)[:1]
        rules = {
            "seconds": 0 if resumed else self._host.pace.real(_IMPORT_SECONDS),
            "unknown": unknown,
            "image": call.env.get("SPARK_SIM_IMAGE", ""),
        }
        await call.out(json.dumps(rules))
        return 0

    async def _tell(self, call: Call) -> int:
        self._journal.add(self._host.name, call.argv[0], **json.loads(call.argv[1]))
        return 0

    async def _ray(self, call: Call) -> int:
        return await ray(self._host.runtimes, call)

    async def _serve(self, call: Call) -> int:
        start = json.loads(call.argv[0])
        return await self._host.runtimes.serve(
            call, start["options"], start["given"], call.argv[1:]
        )


def _refusable(argv: list[str]) -> list[str]:
    """Return the options that argparse would not take for the beginning of another one."""
    known = [name for flag in FLAGS for name in flag.names]
    given = [word.partition("=")[0].replace("_", "-") for word in argv if word.startswith("--")]
    alone = [
        name for name in given
        if not any(other != name and other.startswith(name) for other in known)
    ]  # fmt: skip
    return [name for name in alone if name not in _KEPT] or alone
