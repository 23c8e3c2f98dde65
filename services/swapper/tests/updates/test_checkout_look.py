"""The look at a checkout, with real git and commits that try to be taken for something else."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from spark_common.clock import SystemClock
from spark_common.errors import RemoteCommandError
from spark_common.remote import RemoteResult
from spark_common.settings import HostSettings
from spark_common.testing.shell import LocalShell
from spark_swapper.updates.looking import SoftwareLook
from spark_swapper.updates.reply import look_command, moment, read_found
from spark_swapper.updates.sight import Sight
from spark_swapper.updates.view import checkout_state

pytestmark = pytest.mark.connected

DIRECTORY = "spark-vllm-docker"
SHA = "0123456789" * 4
HOSTILE = [
    ("Plain", "with a body\n\nof two paragraphs"),
    ("Forge", f"{SHA}\n1700000000\nAnother subject\nand body\n\x1e\x1f commit {SHA}"),
    ("Quotes '\"`$(touch /tmp/pwned)` %H%x00%s", '"}], "ahead": 0'),
    ("\x1b[31mRed\x1b[0m \tand bell\x07", "x" * 10_000),
    ("Ümläut 火", "кириллица"),
    ("y" * 3000, ""),
]


async def test_commits_that_look_like_something_else_stay_themselves(repository):
    for subject, body in HOSTILE:
        repository.push(subject, body)
    before = await repository.sight(refresh=False)
    assert (before.checkout.behind, before.checkout.fetched) == (0, None)
    sight = await repository.sight()
    assert (sight.checkout.ahead, sight.checkout.behind) == (0, len(HOSTILE))
    state = checkout_state(sight)
    assert len(state.commits) == len(HOSTILE)
    assert [commit.files for commit in state.commits] == [1] * len(HOSTILE)
    told = {commit.subject[:8]: commit for commit in state.commits}
    assert told["Plain"].body == "with a body\n\nof two paragraphs"
    assert told["Forge"].body.startswith(f"{SHA}\n1700000000\n")
    assert told["Red \tand"].subject == "Red \tand bell"
    assert len(told["Red \tand"].body) == 4096
    assert told["Ümläut 火"].body == "кириллица"
    assert len(told["yyyyyyyy"].subject) == 500
    assert any("$(touch" in commit.subject for commit in state.commits)
    assert all(commit.at is not None for commit in state.commits)
    assert not Path("/tmp/pwned").exists()
    assert sight.refusals() == []


async def test_it_is_told_when_the_remote_was_asked_and_that_it_never_was(repository):
    never = await repository.look(refresh=False)
    assert never.checkout.fetched_at is None
    began = int(time.time())
    asked = moment((await repository.look()).checkout.fetched_at)
    assert began <= asked.timestamp() <= time.time()
    head = repository.folder / ".git" / "FETCH_HEAD"
    os.utime(head, (1_700_000_000, 1_700_000_000))
    by_hand = await repository.look(refresh=False)
    assert by_hand.checkout.fetched_at == "1700000000"
    repository.git("remote", "set-url", "origin", str(repository.root / "gone"))
    assert (await repository.look()).checkout.fetched_at == "1700000000"
    # Git empties the file when a fetch fails: from then on nothing on the Spark tells.
    assert (await repository.look(refresh=False)).checkout.fetched_at is None


async def test_a_fetch_that_fails_makes_nobody_forget_the_one_before(repository):
    host = HostSettings(name="spark1", label="Spark 1", address="127.0.0.2", user="spark")
    look = SoftwareLook(repository.shell, [host], lambda: DIRECTORY, tuple, SystemClock())
    (asked,) = await look.look(refresh=True)
    assert checkout_state(asked).fetched_at is not None
    repository.git("remote", "set-url", "origin", str(repository.root / "gone"))
    for refresh in (True, False):
        (since,) = await look.look(refresh=refresh)
        assert checkout_state(since).fetched_at == checkout_state(asked).fetched_at


async def test_a_checkout_that_shares_its_repository_has_a_time_of_its_own(repository):
    await repository.look()
    repository.git("worktree", "add", "-q", "--detach", "../beside")
    command = look_command("beside", (), refresh=False)
    beside = read_found(await repository.shell.run("spark1", command, timeout_seconds=60))
    assert beside.checkout.fetched_at is None


async def test_only_the_latest_fifty_commits_are_told(repository):
    work = repository.root / "work"
    for number in range(60):
        repository.git("commit", "-q", "--allow-empty", "-m", f"c{number}", cwd=work)
    repository.git("push", "-q", "origin", "HEAD:main", cwd=work)
    found = await repository.look()
    assert (found.checkout.behind, len(found.checkout.commits)) == (60, 50)
    assert found.checkout.commits[0].subject == "c59"


async def test_files_that_were_changed_are_named(repository):
    folder = repository.folder
    odd = "new\nline 'and' \"quotes\""
    for name in (".gitignore", odd):
        (folder / name).write_text("ignored\n")
    (folder / "more").mkdir()
    (folder / "more" / "a").write_text("x")
    repository.git("add", ".")
    sight = await repository.sight()
    assert set(sight.checkout.dirty) == {".gitignore", odd, "more/a"}
    (said,) = sight.refusals()
    assert said.startswith("Spark 1 has local changes in spark-vllm-docker: .gitignore, ")
    assert "\n" not in said
    for number in range(70):
        (folder / f"f{number}").write_text("x")
    repository.git("add", ".")
    sight = await repository.sight()
    assert (len(sight.checkout.dirty), sight.checkout.dirty_more) == (50, 23)
    assert "and 68 more" in sight.refusals()[0]


async def test_a_file_of_ones_own_blocks_only_what_would_bring_it(repository):
    recipes = repository.folder / "recipes"
    recipes.mkdir()
    for name in ("mine.yaml", "theirs.yaml", "more"):
        (recipes / name).write_text("mine: true\n")
    sight = await repository.sight()
    assert (sight.checkout.dirty, sight.refusals()) == ((), [])
    work = repository.root / "work"
    for name in ("theirs.yaml", "another.yaml", "more/deep/one.yaml"):
        (work / "recipes" / name).parent.mkdir(parents=True, exist_ok=True)
        (work / "recipes" / name).write_text("mine: false\n")
    repository.git("add", ".", cwd=work)
    repository.git("commit", "-q", "-m", "Recipes", cwd=work)
    repository.git("push", "-q", "origin", "HEAD:main", cwd=work)
    sight = await repository.sight()
    assert sight.checkout.dirty == ("recipes/more/deep/one.yaml", "recipes/theirs.yaml")
    (said,) = sight.refusals()
    assert said.endswith("Undo, commit or move them away there first.")


async def commit_own(repository):
    (repository.folder / "own").write_text("x")
    repository.git("add", ".")
    repository.git("commit", "-q", "-m", "own")


async def diverge(repository):
    repository.push("theirs")
    await commit_own(repository)


async def detach(repository):
    repository.git("checkout", "-q", "--detach")


async def forget_upstream(repository):
    repository.git("branch", "--unset-upstream")


async def lose_upstream(repository):
    repository.git("config", "branch.main.merge", "refs/heads/gone")


async def lose_git(repository):
    subprocess.run(["mv", str(repository.folder / ".git"), str(repository.root)], check=True)


async def inside_another(repository):
    await lose_git(repository)
    repository.git("init", "-q", str(repository.home))


async def lose_all(repository):
    subprocess.run(["mv", str(repository.folder), str(repository.root / "away")], check=True)


async def break_head(repository):
    (repository.folder / ".git" / "HEAD").write_text("rubbish\n")


async def empty(repository):
    await lose_git(repository)
    repository.git("init", "-q", "-b", "main", str(repository.folder))


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (commit_own, "has 1 commit that its origin does not have"),
        (diverge, "went different ways: 1 commit of its own, 1 commit missing"),
        (detach, "is not on a branch"),
        (forget_upstream, "does not follow a remote branch"),
        (lose_upstream, "does not follow a remote branch"),
        (lose_git, "is not a git checkout"),
        (inside_another, "is not a git checkout"),
        (lose_all, "has no folder spark-vllm-docker"),
        (break_head, "is not a git checkout"),
        (empty, "has no commit yet"),
    ],
)
async def test_what_cannot_move_says_why(repository, spoil, said):
    await spoil(repository)
    (refusal,) = (await repository.sight()).refusals()
    assert said in refusal
    assert "Spark 1" in refusal
    assert checkout_state(await repository.sight()).host == "spark1"


async def test_a_repository_of_another_user_says_what_to_run(repository):
    git = repository.bin / "git"
    said = "fatal: detected dubious ownership in repository at '/x'"
    git.write_text(f'#!/bin/sh\necho "{said}" >&2\nexit 128\n')
    git.chmod(0o755)
    (refusal,) = (await repository.sight()).refusals()
    assert "git config --global --add safe.directory" in refusal


async def test_without_git_it_says_so(repository):
    shell = LocalShell({"spark1": repository.home}, str(repository.bin))
    (repository.bin / "python3").symlink_to(Path(sys.executable).resolve())
    found = read_found(
        await shell.run("spark1", look_command(DIRECTORY, (), refresh=True), timeout_seconds=30)
    )
    sight = Sight("spark1", "Spark 1", DIRECTORY, found, fresh=True)
    assert "has no git" in sight.refusals()[0]


async def test_nothing_of_the_repository_runs_because_somebody_looks(repository):
    trap = repository.root / "sprung"
    script = repository.root / "trap.sh"
    script.write_text(f"#!/bin/sh\ntouch {trap}\n")
    script.chmod(0o755)
    hooks = repository.folder / ".git" / "hooks"
    hooks.mkdir(exist_ok=True)
    for name in ("post-checkout", "post-merge", "reference-transaction", "post-index-change"):
        (hooks / name).symlink_to(script)
    repository.git("config", "core.fsmonitor", str(script))
    repository.git("config", "core.pager", str(script))
    repository.git("config", "core.askPass", str(script))
    repository.push("news")
    found = await repository.look()
    assert found.checkout.behind == 1
    assert not trap.exists()


async def test_a_remote_that_is_away_is_no_reason_to_know_less(repository):
    repository.push("news")
    await repository.look()
    repository.git("remote", "set-url", "origin", "http://127.0.0.1:9/x.git")
    sight = await repository.sight()
    assert (sight.checkout.behind, sight.checkout.fetched) == (1, False)
    assert "cannot be reached" in sight.problem()
    assert "127.0.0.1" not in sight.problem()
    repository.git("remote", "set-url", "origin", "http://alice:hunter2@127.0.0.1:9/x.git")
    assert "hunter2" not in (await repository.look()).model_dump_json()


async def test_images_are_told_with_version_and_absence(repository):
    found = await repository.look("there", "gone", "broken", "odd", refresh=False)
    (there, gone, broken, odd) = found.images
    assert (there.id, there.size, there.version) == ("sha256:ab", 7, "0.30")
    assert there.created is not None
    assert (gone.id, gone.problem) == (None, None)
    assert broken.problem == "dial unix docker.sock: connect: no such file or directory"
    assert "unreadable" in odd.problem
    (kept,) = found.kept
    assert (kept.tag, kept.id) == (f"a:before-20261127T010203Z-{SHA}", "sha256:cd")
    assert found.tmp_free_bytes > 0


@pytest.mark.parametrize(
    ("result", "said"),
    [
        (RemoteResult(0, "no json", ""), "unreadable"),
        (RemoteResult(0, "", ""), "unreadable"),
        (RemoteResult(0, '{"images": 7}', ""), "unreadable"),
        (RemoteResult(127, "", "sh: python3: not found\n"), "python3: not found"),
        (RemoteResult(None, "", ""), "without a word"),
    ],
)
def test_an_answer_that_is_none_is_an_error(result, said):
    with pytest.raises(RemoteCommandError, match=said):
        read_found(result)


@pytest.mark.parametrize("seconds", [None, "", "soon", "9" * 30, "-99999999999999"])
def test_a_date_that_no_calendar_has_is_none(seconds):
    assert moment(seconds) is None
