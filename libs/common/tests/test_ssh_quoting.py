"""What is an argument here is the same argument there, whatever it contains."""

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spark_common.errors import InvalidRequestError
from spark_common.remote import RemoteCommand
from spark_common.remote.ssh import SshShell
from spark_common.testing.sshd import LoopbackSshd

pytestmark = pytest.mark.connected

TEXT = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=40)
NAME = st.from_regex(r"SC_[A-Z0-9_]{1,12}", fullmatch=True)
ON_REAL_SHELL = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

HOSTILE = [
    "",
    " ",
    "~",
    "~/models",
    "$HOME",
    "${HOME:?}",
    "$(touch pwned)",
    "`touch pwned`",
    "; touch pwned",
    "&& touch pwned",
    "| touch pwned",
    "> pwned",
    "'; touch pwned; '",
    "'\"'\"'; touch pwned #",
    '"; touch pwned; "',
    "\\",
    "\\'",
    "a\nb; touch pwned",
    "a\r\nb",
    "*",
    "[!x]*",
    "{a,b}",
    "!!",
    "-rf",
    "--",
    "#",
    "=",
    "A=B",
    "%s%n",
    "\t\x01\x1b[31m\x7f",
    "Zürich 模型 🚀 \u202e",
    "x" * 100_000,
]


async def arguments_received(shell: SshShell, argv: list[str]) -> list[str]:
    result = await shell.run("spark1", RemoteCommand(("printf", r"%s\0", *argv)))
    assert result.ok, result.stderr
    return result.stdout.split("\0")[:-1]


@ON_REAL_SHELL
@given(argv=st.lists(TEXT, min_size=1, max_size=6))
async def test_every_argument_arrives_as_it_was(
    argv: list[str], sshd: LoopbackSshd, connect: Callable[..., SshShell]
) -> None:
    shell = connect(sshd.port)
    try:
        assert await arguments_received(shell, argv) == argv
    finally:
        await shell.close()


@pytest.mark.parametrize("argument", HOSTILE, ids=lambda text: repr(text[:24]))
async def test_a_hostile_argument_is_only_an_argument(
    argument: str, sshd: LoopbackSshd, connect: Callable[..., SshShell]
) -> None:
    assert await arguments_received(connect(sshd.port), [argument, "end"]) == [argument, "end"]
    assert list(sshd.home.iterdir()) == []


@ON_REAL_SHELL
@given(env=st.dictionaries(NAME, TEXT, max_size=4))
async def test_the_environment_arrives_as_it_was(
    env: dict[str, str], sshd: LoopbackSshd, connect: Callable[..., SshShell]
) -> None:
    shell = connect(sshd.port)
    try:
        result = await shell.run("spark1", RemoteCommand(("env", "-0"), env=env))
    finally:
        await shell.close()
    there = dict(line.split("=", 1) for line in result.stdout.split("\0") if line)
    assert {name: there[name] for name in env} == env


@pytest.mark.parametrize("name", ["spark vllm", "$(touch pwned)", "a'b", "モデル", "-dash"])
async def test_a_working_directory_is_entered_whatever_its_name(
    name: str, sshd: LoopbackSshd, connect: Callable[..., SshShell]
) -> None:
    folder = sshd.home / name
    folder.mkdir()
    shell = connect(sshd.port)
    for cwd in (f"./{name}", str(folder)):
        result = await shell.run("spark1", RemoteCommand(("pwd",), cwd=cwd))
        assert result.stdout == f"{folder}\n"
    assert list(sshd.home.iterdir()) == [folder]


@pytest.mark.parametrize("stdin", [b"secret", b"\0\xff\n" * 1000, b"x" * 3_000_000, b""])
async def test_standard_input_arrives_byte_for_byte(
    stdin: bytes, sshd: LoopbackSshd, connect: Callable[..., SshShell]
) -> None:
    command = RemoteCommand(("sh", "-c", "cat > received"), stdin=stdin)
    assert (await connect(sshd.port).run("spark1", command)).ok
    assert (sshd.home / "received").read_bytes() == stdin


@pytest.mark.parametrize(
    "command",
    [
        RemoteCommand(()),
        RemoteCommand(("echo", "a\0b")),
        RemoteCommand(("true",), env={"A B": "1"}),
        RemoteCommand(("true",), env={"A;touch pwned": "1"}),
    ],
)
async def test_what_no_argument_list_can_carry_is_refused_before_connecting(
    command: RemoteCommand, sshd: LoopbackSshd, connect: Callable[..., SshShell]
) -> None:
    with pytest.raises(InvalidRequestError):
        await connect(sshd.port).run("spark1", command)
    assert sshd.connections == 0
