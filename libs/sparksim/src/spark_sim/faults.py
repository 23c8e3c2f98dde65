"""The ways in which a simulated Spark can misbehave."""

import asyncio
from enum import StrEnum


class Behaviour(StrEnum):
    """What a host does until it is told otherwise."""

    OK = "ok"
    SLOW = "slow"
    """Everything takes ten times longer."""
    OFFLINE = "offline"
    """The hub cannot be reached; the other Spark and the controller can."""
    HANG = "hang"
    """Loads stop in the middle of the weights and say nothing more."""
    FLAKY = "flaky"
    """Every third load and every third SSH command fails."""
    OOM_ON_LOAD = "oom_on_load"
    """The kernel kills the engine while it loads: an empty ``{}`` is all vLLM says."""
    LOW_MEMORY = "low_memory"
    """Something else holds the memory: vLLM refuses to start with a ValueError."""
    MEMORY_LEAK = "memory_leak"
    """Something else takes more and more memory until hardly any is left."""
    MEMORY_LATE = "memory_late"
    """The driver gives memory back half a minute after a runtime is gone."""
    CACHE_FULL = "cache_full"
    """The page cache is full and makes room slowly: weights load at a sixth of the speed until
    somebody drops it."""
    FREEZE_ON_LOAD = "freeze_on_load"
    """A load takes all memory at once; the host hangs and is started anew after some minutes."""
    PORT_TAKEN = "port_taken"
    """Another program listens on vLLM's port, unless the runtime has it already."""
    BAD_FLAG = "bad_flag"
    """vLLM does not know one of the flags it is given, in pre-flight and launch alike."""
    UNREACHABLE = "unreachable"
    """Nothing of the host listens and every connection is cut."""
    OFF = "off"
    """Switched off: as unreachable, and a magic packet wakes it after some time."""
    SMI_HANG = "smi_hang"
    """nvidia-smi never returns; everything else works."""
    DOCKER_HANG = "docker_hang"
    """docker takes questions and never answers; what runs goes on."""
    DRIVER_MISMATCH = "driver_mismatch"
    """The driver was updated without a restart."""
    OTHER_DRIVER = "other_driver"
    """The driver is the one that hangs with CUDA graphs."""
    POWER_CAP = "power_cap"
    """The GPU is busy at thirty watts and a low clock."""
    DESKTOP = "desktop"
    """Somebody is logged in at a screen."""
    CLOCK_SKEW = "clock_skew"
    """The clock is a minute and a half ahead."""
    CUDA_WEDGE = "cuda_wedge"
    """The engine dies after the first answer; the HTTP server stays and answers 500."""
    GIBBERISH = "gibberish"
    """The engine answers every prompt with the same token, as with a broken kernel."""
    WEDGE_AT_ONCE = "wedge_at_once"
    """The same before the first answer: ready, and not one token."""
    CRASH_LOOP = "crash_loop"
    """The runtime dies soon after it is ready, every time."""
    SERVICE_CRASH_LOOP = "service_crash_loop"
    """Voice, embeddings, Qdrant and the bridge of this host end right after each start."""
    DISK_FULL = "disk_full"
    """No container starts and no download finishes."""
    NO_REGISTRY = "no_registry"
    """Images cannot be pulled: the registry does not answer."""
    BAD_KEY = "bad_key"
    """NVIDIA's registry refuses every key."""
    SSH_HANG = "ssh_hang"
    """SSH connects and then nothing answers, as on a frozen host."""
    CHANGED_HOST_KEY = "changed_host_key"
    """SSH shows another host key than before."""

    # Loads that fail, each in vLLM's own words: see `load_failures.py`.
    POST_PARSE = "post_parse"
    BAD_PARSER = "bad_parser"
    CONTEXT_TOO_LONG = "context_too_long"
    UNKNOWN_ARCHITECTURE = "unknown_architecture"
    GATED = "gated"
    OFFLINE_FILES = "offline_files"
    DAMAGED_FILES = "damaged_files"
    NOFILE = "nofile"
    PORT_LOST = "port_lost"
    """Another program takes the port between the checks and the start."""
    MEMORY_TAKEN = "memory_taken"
    MAMBA_BLOCK = "mamba_block"
    MM_BUDGET = "mm_budget"
    KV_NONE = "kv_none"
    KV_TOO_SMALL = "kv_too_small"
    KV_TOO_SMALL_OLD = "kv_too_small_old"
    CUDA_OOM = "cuda_oom"
    DRIVER_OOM = "driver_oom"
    EARLYOOM = "earlyoom"
    RAY_OOM = "ray_oom"
    RENDEZVOUS = "rendezvous"
    READY_TIMEOUT = "ready_timeout"
    NCCL_ERROR = "nccl_error"
    NCCL_WATCHDOG = "nccl_watchdog"
    NCCL_HANG = "nccl_hang"
    """One rank spins on its GPU, the others wait for it, and nobody says a word."""
    SHM_STALL = "shm_stall"
    """The engine waits for a worker that never answers, and says so every minute."""
    SHM_STALL_DEATH = "shm_stall_death"
    FASTSAFETENSORS_HANG = "fastsafetensors_hang"
    """The load stops before the first shard."""
    CUDA_FAULT = "cuda_fault"
    CUBLAS_FAULT = "cublas_fault"
    ENGINE_DEAD = "engine_dead"
    SILENT_DEATH = "silent_death"
    """The process is gone in the middle of the weights and nobody said why."""
    IMAGE_MISMATCH = "image_mismatch"
    """The images of this host are not those of the other one."""
    SPEECH_WEDGE = "speech_wedge"
    """The GPU context of the speech container breaks at its next job, and stays broken until the
    container is another one, whatever the host is switched to."""
    SPEECH_ERRORS = "speech_errors"
    """Every job of speech to text fails with a bare 500; a restart does not help."""
    SPEECH_BUSY = "speech_busy"
    """The event loop of the speech container is blocked by work: nothing is answered."""
    VOICE_ERRORS = "voice_errors"
    """Every job of text to speech fails with a bare 500."""
    VOICE_SILENT = "voice_silent"
    """Text to speech answers with sound in which nothing is to be heard."""
    NAME_TAKEN = "name_taken"
    """Docker still knows a container of that name when a new one is to start."""


class Faults:
    """The behaviour of one host, and what was counted for it."""

    def __init__(self) -> None:
        self.behaviour = Behaviour.OK
        self.changed = asyncio.Event()
        self.frozen = False
        """Whether the host ran out of memory and hangs."""
        self._loads = 0
        self._commands = 0

    def turn(self, behaviour: Behaviour) -> None:
        """Switch; whoever waits for a change wakes up and the counts start again."""
        self.behaviour = behaviour
        self._loads = self._commands = 0
        self._wake()

    def freeze(self, frozen: bool) -> None:
        """Hang, or go on."""
        self.frozen = frozen
        self._wake()

    def _wake(self) -> None:
        previous, self.changed = self.changed, asyncio.Event()
        previous.set()

    def load_fails(self) -> bool:
        """Count a load; true when this one is to fail for being flaky."""
        self._loads += 1
        return self.behaviour is Behaviour.FLAKY and self._loads % 3 == 0

    def command_fails(self) -> bool:
        """Count an SSH command; true when this one is to fail for being flaky."""
        self._commands += 1
        return self.behaviour is Behaviour.FLAKY and self._commands % 3 == 0

    async def while_frozen(self) -> None:
        """Wait as long as the host is frozen."""
        while self.frozen or self.behaviour is Behaviour.SSH_HANG:
            await self.changed.wait()

    async def until_not(self, behaviour: Behaviour) -> None:
        """Wait as long as the host behaves like this."""
        while self.behaviour is behaviour:
            await self.changed.wait()
