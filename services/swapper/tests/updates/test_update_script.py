"""What the script of an update does to a checkout, with real git."""

import pytest

from spark_swapper.updates.effects import update_command

pytestmark = pytest.mark.connected

DIRECTORY = "spark-vllm-docker"


async def update(repository):
    command = update_command(DIRECTORY, (), copy=False)
    return await repository.shell.run("spark1", command, timeout_seconds=60)


async def test_the_branch_moves_forward_and_says_where_it_is(repository):
    repository.push("news")
    result = await update(repository)
    assert result.ok, result
    sight = await repository.sight()
    assert sight.checkout.behind == 0
    assert f"the checkout is at {sight.checkout.commit}" in result.stdout


async def test_a_file_that_git_ignores_is_never_overwritten(repository):
    """The launcher's .env is such a file: which Sparks there are stands in it."""
    work = repository.root / "work"
    (work / ".gitignore").write_text(".env\n")
    repository.push("Ignore the settings of a cluster")
    assert (await update(repository)).ok
    own = repository.folder / ".env"
    own.write_text("CLUSTER_NODES=mine\n")
    (work / ".env").write_text("CLUSTER_NODES=theirs\n")
    repository.git("add", "-f", ".env", cwd=work)
    repository.push("Commit one by mistake")
    assert (await repository.sight()).checkout.dirty == (".env",)
    result = await update(repository)
    assert result.exit_code == 81
    assert "would be overwritten" in result.stdout
    assert own.read_text() == "CLUSTER_NODES=mine\n"
    assert (await repository.sight()).checkout.behind == 1


async def test_commits_of_its_own_are_not_merged(repository):
    repository.push("theirs")
    (repository.folder / "own").write_text("x")
    repository.git("add", ".")
    repository.git("commit", "-q", "-m", "own")
    result = await update(repository)
    assert result.exit_code == 81
    assert (await repository.sight()).checkout.ahead == 1


async def test_without_a_network_nothing_moves(repository):
    repository.push("news")
    repository.git("remote", "set-url", "origin", str(repository.root / "gone"))
    assert (await update(repository)).exit_code == 81
