"""The arguments of a launch, read by vLLM's own parser on the Spark, without starting anything."""

import json
import re
from importlib import resources

from spark_common.errors import DeadlineExceededError, SparkError
from spark_common.remote import RemoteCommand, RemoteResult, RemoteShell
from spark_swapper.launching.candidate import Candidate
from spark_swapper.ports import PreflightResult

PREFLIGHT_SECONDS = 60.0
"""Importing vLLM takes 15 to 40 s; longer is no answer, and no reason to refuse."""
DEEP_SECONDS = 110.0
"""Reading the configuration as well imports the model's own code."""

MARKER = "SPARKCTL_PREFLIGHT "
PARSER = resources.files("spark_swapper.adapters").joinpath("parser.sh").read_text()
_PARSED = 0
_USAGE = 2
_REFUSED = 3
_ERROR = re.compile(r"^vllm(?: [a-z-]+)?: error: (.+)$")
_MAX_LINE = 400
_EXTRA = "VLLM_SPARK_EXTRA_DOCKER_ARGS"


class ParserPreflight:
    """Checks a launch inside the runtime's image on the head, in one round trip. Touches nothing.

    The container that is up is asked if it is of the same image; a launch with volumes of its own
    (a local model, a chat template) is checked in a container that has them too.
    """

    def __init__(self, shell: RemoteShell, container: str) -> None:
        self._shell = shell
        self._container = container

    async def __call__(self, candidate: Candidate, *, deep: bool = False) -> PreflightResult:
        """Check the arguments; whatever keeps the check itself from running is ``unknown``."""
        seconds = DEEP_SECONDS if deep else PREFLIGHT_SECONDS
        try:
            result = await self._shell.run(
                candidate.head, self._command(candidate, deep), timeout_seconds=seconds
            )
        except DeadlineExceededError:
            return _unknown(f"the check took longer than {seconds:.0f} s")
        except SparkError as error:
            return _unknown(error.message)
        return judge(result, modded="--apply-mod" in candidate.launch_argv)

    def _command(self, candidate: Candidate, deep: bool) -> RemoteCommand:
        volumes = volumes_of(candidate)
        options = [word for volume in volumes for word in ("-v", _read_only(volume))]
        anew = "yes" if deep or volumes else "no"
        how = (self._container, candidate.image, anew, "yes" if deep else "no")
        words = (*how, *options, "--", *candidate.vllm_argv)
        return RemoteCommand(argv=("sh", "-c", PARSER, "parser", *words), stdin=preflight_script())


def volumes_of(candidate: Candidate) -> tuple[str, ...]:
    """Return the volumes that the launch adds to the container, ``host:container`` each."""
    argv = candidate.launch_argv
    options = argv[: argv.index("exec")] if "exec" in argv else argv
    words = [*options, *candidate.env.get(_EXTRA, "").split()]
    found = list(candidate.volumes)
    for at, word in enumerate(words):
        name, equals, value = word.partition("=")
        if name not in ("-v", "--volume"):
            continue
        if equals:
            found.append(value)
        elif at + 1 < len(words):
            found.append(words[at + 1])
    return tuple(dict.fromkeys(found))


def _read_only(volume: str) -> str:
    source, _, rest = volume.partition(":")
    return f"{source}:{rest.partition(':')[0]}:ro"


def preflight_script() -> bytes:
    """Return the program that runs inside the image; it gets the arguments of ``vllm serve``."""
    return resources.files("spark_swapper.checks").joinpath("preflight_inside.py").read_bytes()


def judge(result: RemoteResult, modded: bool) -> PreflightResult:
    """Return what an answer means: 0 good, 2 and 3 bad when they say why, the rest unknown.

    ``modded``: the launch patches vLLM first, which the checked container may not have been.
    """
    answer = _marked(result.stdout)
    error: str | None = None
    if result.exit_code == _PARSED and answer.get("ok") is True:
        message = "vLLM accepts the arguments; a real load can still fail."
        return PreflightResult("good", message)
    if result.exit_code == _USAGE:
        matches = [_ERROR.match(line.strip()) for line in result.stderr.splitlines()]
        error = next((match[1] for match in reversed(matches) if match), None)
    elif result.exit_code == _REFUSED and answer.get("ok") is False:
        error = str(answer.get("error") or "") or None
    if error is None:
        return _unknown(_last_line(result))
    line = _cut(error)
    if modded:
        return PreflightResult(
            "unknown",
            f"vLLM does not accept them without the recipe's mods, which is no proof: {line}",
            (line,),
        )
    return PreflightResult("bad", f"vLLM does not accept its arguments: {line}", (line,))


def _marked(stdout: str) -> dict[str, object]:
    """Return what the program said among the lines that vLLM prints itself."""
    for line in reversed(stdout.splitlines()):
        if line.startswith(MARKER):
            try:
                found = json.loads(line.removeprefix(MARKER))
            except ValueError:
                return {}
            return found if isinstance(found, dict) else {}
    return {}


def _last_line(result: RemoteResult) -> str:
    lines = [line.strip() for line in result.stderr.splitlines() if line.strip()]
    ended = "a signal" if result.exit_code is None else f"exit code {result.exit_code}"
    return lines[-1] if lines else f"the check ended with {ended} and said nothing"


def _unknown(reason: str) -> PreflightResult:
    return PreflightResult("unknown", _cut(reason))


def _cut(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= _MAX_LINE else flat[: _MAX_LINE - 1] + "…"
