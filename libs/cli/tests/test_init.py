"""``sparkctl init``: what containers start from, made once and kept."""

import asyncio
import stat
import subprocess
from pathlib import Path

import asyncssh
import pytest
from click.testing import CliRunner, Result

from spark_cli.__main__ import main
from spark_common.bus.permissions import OPERATOR, PERMISSIONS
from spark_common.embedded.binaries import NATS, REDIS, find_binary
from spark_common.testing.ports import free_port


def run_init(directory: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["init", "--dir", str(directory), *arguments])


def contents(directory: Path) -> dict[str, bytes]:
    files = (path for path in directory.rglob("*") if path.is_file())
    return {str(path.relative_to(directory)): path.read_bytes() for path in files}


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_it_makes_everything_that_containers_need(tmp_path: Path) -> None:
    result = run_init(tmp_path / "secrets")
    assert result.exit_code == 0, result.output
    seeds = {f"nats/{name}.nk" for name in (*PERMISSIONS, OPERATOR)}
    assert set(contents(tmp_path / "secrets")) == seeds | {
        "nats/nats.conf",
        "redis/redis.conf",
        "redaction/redaction.key",
        "redis/password",
        "ssh/id_ed25519",
        "ssh/id_ed25519.pub",
    }


def test_it_shows_the_key_for_the_sparks_and_no_secret(tmp_path: Path) -> None:
    result = run_init(tmp_path)
    public = (tmp_path / "ssh/id_ed25519.pub").read_text().strip()
    assert public.startswith("ssh-ed25519 ")
    assert public in result.output.splitlines()
    assert (tmp_path / "redis/password").read_text() not in result.output
    assert "PRIVATE" not in result.output
    for seed in (tmp_path / "nats").glob("*.nk"):
        assert seed.read_text().strip() not in result.output


def test_only_the_owner_reads_it(tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir(mode=0o755)
    run_init(tmp_path / "secrets")
    for path in [tmp_path / "secrets", *(tmp_path / "secrets").rglob("*")]:
        expected = 0o700 if path.is_dir() else 0o644 if path.suffix == ".pub" else 0o600
        assert mode(path) == expected, path


def test_a_second_run_changes_nothing(tmp_path: Path) -> None:
    first = run_init(tmp_path)
    before = contents(tmp_path)
    second = run_init(tmp_path)
    assert (second.exit_code, second.output) == (0, first.output)
    assert contents(tmp_path) == before


def test_an_upgrade_brings_its_configuration_and_keeps_the_keys(tmp_path: Path) -> None:
    run_init(tmp_path)
    before = contents(tmp_path)
    for name in ("nats/nats.conf", "redis/redis.conf"):
        (tmp_path / name).write_text("written by an older release\n")
    run_init(tmp_path)
    assert contents(tmp_path) == before


def test_what_is_missing_is_made_and_the_rest_stays(tmp_path: Path) -> None:
    run_init(tmp_path)
    before = contents(tmp_path)
    (tmp_path / "nats/health.nk").unlink()
    (tmp_path / "redis/password").write_text("")
    run_init(tmp_path)
    changed = {name for name, held in contents(tmp_path).items() if held != before[name]}
    assert changed == {"nats/health.nk", "nats/nats.conf", "redis/password", "redis/redis.conf"}
    assert (tmp_path / "redis/password").read_text()


def test_a_lost_public_key_does_not_cost_the_private_one(tmp_path: Path) -> None:
    run_init(tmp_path)
    before = contents(tmp_path)
    (tmp_path / "ssh/id_ed25519.pub").unlink()
    run_init(tmp_path)
    assert contents(tmp_path) == before


def test_the_two_halves_of_the_ssh_key_belong_together(tmp_path: Path) -> None:
    run_init(tmp_path)
    private = asyncssh.read_private_key(tmp_path / "ssh/id_ed25519")
    public = asyncssh.read_public_key(tmp_path / "ssh/id_ed25519.pub")
    assert private.convert_to_public().public_data == public.public_data


def test_the_configuration_goes_where_it_is_asked_for(tmp_path: Path) -> None:
    nats, redis = tmp_path / "state/nats/nats.conf", tmp_path / "state/redis/redis.conf"
    run_init(tmp_path / "secrets", "--nats-config", str(nats), "--redis-config", str(redis))
    assert (mode(nats), mode(redis)) == (0o600, 0o600)
    assert not list((tmp_path / "secrets").rglob("*.conf"))


def test_the_configuration_of_the_servers_holds_no_secret(tmp_path: Path) -> None:
    run_init(tmp_path)
    configuration = "".join(path.read_text() for path in tmp_path.rglob("*.conf"))
    secrets = [*(tmp_path / "nats").glob("*.nk"), tmp_path / "redis/password"]
    assert not [path.name for path in secrets if path.read_text().strip() in configuration]


@pytest.mark.parametrize("wrong", ["4222", ":4222", "127.0.0.1:", "127.0.0.1:nats", "host:70000"])
@pytest.mark.parametrize("option", ["--nats-listen", "--redis-listen"])
def test_an_address_without_host_and_port_is_refused(
    tmp_path: Path, option: str, wrong: str
) -> None:
    result = run_init(tmp_path / "secrets", option, wrong)
    assert result.exit_code == 2
    assert option in result.output
    assert not (tmp_path / "secrets").exists()


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = run_init(tmp_path / "file" / "secrets")
    assert result.exit_code == 1
    assert result.output == f"Error: {tmp_path / 'file' / 'secrets'}: Not a directory\n"


@pytest.mark.connected
async def test_nats_server_accepts_what_it_renders(tmp_path: Path) -> None:
    run_init(tmp_path, "--nats-listen", "0.0.0.0:4222", "--state", str(tmp_path))
    binary = await find_binary(NATS)
    checked = subprocess.run(
        [binary, "-t", "-c", tmp_path / "nats/nats.conf"], capture_output=True, text=True
    )
    assert checked.returncode == 0, checked.stderr
    assert "is valid" in checked.stdout + checked.stderr


@pytest.mark.connected
async def test_redis_server_starts_with_what_it_renders(tmp_path: Path) -> None:
    port = free_port()
    run_init(tmp_path, "--redis-listen", f"127.0.0.1:{port}", "--state", str(tmp_path))
    binary = await find_binary(REDIS)
    process = await asyncio.create_subprocess_exec(
        binary, tmp_path / "redis/redis.conf", stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    said = b""
    try:
        async with asyncio.timeout(60):
            async for line in process.stdout:
                said += line
                if b"ready to accept connections" in line.lower():
                    break
    finally:
        if process.returncode is None:
            process.terminate()
        await process.communicate()
    assert b"ready to accept connections" in said.lower(), said.decode()
    assert process.returncode == 0


def test_a_damaged_seed_is_one_line(tmp_path: Path) -> None:
    run_init(tmp_path)
    (tmp_path / "nats" / "gateway.nk").write_text("garbage")
    again = run_init(tmp_path)
    assert again.exit_code == 1
    assert "gateway.nk does not hold a seed of NATS: delete it" in again.output
    assert len(again.output.splitlines()) == 1
