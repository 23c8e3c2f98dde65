"""The body of every fake program, in both languages: whatever a host has, it is the same."""

import asyncio
import os
import shlex
import shutil
from collections.abc import AsyncIterator
from importlib import resources
from pathlib import Path

import pytest
import pytest_asyncio

from spark_sim.call import Call
from spark_sim.daemon import ProgramDaemon
from spark_sim.sandbox import Sandbox

pytestmark = pytest.mark.connected
ODD = (b"", b"a b", b"it's \\ $HOME `x`\n", b"\xff\xfe", "ü".encode(), b"-e")


class Simulator:
    """Keeps what it is called with, and answers as it is told."""

    def __init__(self) -> None:
        self.calls: list[Call] = []

    async def __call__(self, call: Call) -> int:
        self.calls.append(call)
        match call.argv[0]:
            case "echo":
                await call.out(await call.read_all())
                await call.err(b"\xffdone\n")
            case "flood":
                for _ in range(40):
                    await call.out(b"x" * 100_000)
            case "become":
                await call.become(
                    ("/bin/sh", "-c", 'pwd; echo "$WORD$1"; cat', "sh", *call.argv[1:]),
                    {"WORD": "a=b "},
                    "/usr",
                )
                await asyncio.Event().wait()
        return 7


@pytest.fixture(params=["perl", "python"])
def sandbox(request: pytest.FixtureRequest, tmp_path: Path) -> Sandbox:
    made = Sandbox(tmp_path / "it's", tmp_path / "socket", "mark")
    if request.param == "python":
        made._perl = None
    elif made._perl is None:
        pytest.skip("no Perl here")
    made.build(["docker"], [])
    return made


@pytest_asyncio.fixture
async def simulator(sandbox: Sandbox) -> AsyncIterator[Simulator]:
    made = Simulator()
    daemon = ProgramDaemon(sandbox._socket, {"docker": made})
    await daemon.start()
    yield made
    await daemon.stop()


async def run(
    sandbox: Sandbox, *words: str | bytes, said: bytes = b"", cwd: Path | None = None
) -> tuple[int, bytes, bytes]:
    process = await asyncio.create_subprocess_exec(
        sandbox.bin / "docker",
        *words,
        env={"PATH": os.environ["PATH"], "ODD": "a=b\n'", "LANG": "C.UTF-8"},
        cwd=cwd,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate(said)
    assert process.returncode is not None
    return process.returncode, out, err


async def test_the_perl_stands_up_to_strict_and_warnings() -> None:
    perl = shutil.which("perl")
    if perl is None:
        pytest.skip("no Perl here")
    body = str(resources.files("spark_sim.programs").joinpath("client.pl"))
    process = await asyncio.create_subprocess_exec(
        *(perl, "-Mstrict", "-Mwarnings=FATAL,all", "-c", body), stderr=asyncio.subprocess.PIPE
    )
    _, err = await process.communicate()
    assert (process.returncode, err.split()[-2:]) == (0, [b"syntax", b"OK"]), err


async def test_words_environment_and_folder_arrive_and_the_code_comes_back(
    sandbox: Sandbox, simulator: Simulator, tmp_path: Path
) -> None:
    assert await run(sandbox, "x", *ODD, cwd=tmp_path) == (7, b"", b"")
    (call,) = simulator.calls
    assert call.argv == ("x", *(os.fsdecode(word) for word in ODD))
    assert (call.program, call.cwd, call.env["ODD"]) == ("docker", str(tmp_path), "a=b\n'")
    assert call.pid > 1


async def test_all_three_streams_pass_bytes(sandbox: Sandbox, simulator: Simulator) -> None:
    said = bytes(range(256)) * 2000
    assert await run(sandbox, "echo", said=said) == (7, said, b"\xffdone\n")
    code, out, _ = await run(sandbox, "flood")
    assert (code, len(out)) == (7, 4_000_000)


async def test_it_becomes_another_program_with_its_own_input(
    sandbox: Sandbox, simulator: Simulator
) -> None:
    code, out, err = await run(sandbox, "become", b"\xff'", said=b"rest")
    assert (code, out, err) == (0, b"/usr\na=b \xff'\nrest", b"")


async def test_a_folder_that_is_gone_is_the_root(
    sandbox: Sandbox, simulator: Simulator, tmp_path: Path
) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    script = f"rmdir {folder}; exec {shlex.quote(str(sandbox.bin / 'docker'))} x"
    process = await asyncio.create_subprocess_exec("/bin/sh", "-c", script, cwd=folder)
    assert await process.wait() == 7
    assert simulator.calls[0].cwd == "/"


async def test_without_a_simulator_it_says_so(sandbox: Sandbox) -> None:
    code, _, err = await run(sandbox, "ps")
    assert (code, err) == (127, b"docker: the simulator is gone\n")
