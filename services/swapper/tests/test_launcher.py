"""A launch in the words of the checkout on the Spark: of today, of January, and of in between."""

import shlex
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spark_common.remote.command import RemoteResult
from spark_swapper.adapters.launcher_probe import LauncherProbe, parse_features
from spark_swapper.causes import SwapFault
from spark_swapper.launching.launcher import EXTRA_ARGS, LauncherFeatures, adapt
from spark_swapper.launching.nodes import nodes_of
from spark_swapper.testing import a_candidate

TODAY = LauncherFeatures()
JANUARY = LauncherFeatures(
    ray=True, daemon_exec=False, quotes=False, solo=False, volume=False, env=False, mods=False,
    node="192.0.2.11",
)  # fmt: skip
MARCH = replace(TODAY, ray=True, volume=False)
SPECULATIVE = '{"method":"mtp"}'


def a_launch(*, options=(), arguments=(), hosts=("spark1",), **facts):
    candidate = a_candidate(hosts=hosts)
    argv = (candidate.repo, *arguments)
    launch = ("./launch-cluster.sh", *options, "-d", "exec", "vllm", "serve", *argv)
    return replace(candidate, vllm_argv=argv, launch_argv=launch, **facts)


SOLO = ("-t", "vllm-node", "--name", "vllm_node", "--solo")
WIDE = ("-t", "vllm-node", "--name", "vllm_node")
VOLUME = "/data/models:/models:ro"


@pytest.mark.parametrize(
    ("features", "options"),
    [
        (TODAY, "-t vllm-node --name vllm_node --solo -d"),
        (MARCH, "-t vllm-node --name vllm_node --solo -d"),
        (JANUARY, "-t vllm-node --name vllm_node -n 192.0.2.11"),
        (replace(JANUARY, node=""), "-t vllm-node --name vllm_node"),
    ],
)
def test_a_solo_model_stays_on_its_spark_whatever_the_launcher(features, options):
    told = adapt(a_launch(options=SOLO), features)
    assert shlex.join(told.argv) == f"./launch-cluster.sh {options} exec vllm serve org/qwen"
    assert told.foreground is (not features.daemon_exec)
    assert dict(told.env) == {}


@pytest.mark.parametrize(("features", "more"), [
    (TODAY, ""),
    (MARCH, " --distributed-executor-backend ray"),
    (JANUARY, " --distributed-executor-backend ray"),
])  # fmt: skip
def test_a_model_over_both_is_told_to_use_ray_only_where_there_is_ray(features, more):
    candidate = a_launch(options=WIDE, arguments=("-tp", "2"), hosts=("spark1", "spark2"))
    command = " ".join(adapt(candidate, features).argv).partition(" exec ")[2]
    assert command == f"vllm serve org/qwen -tp 2{more}"


def test_a_volume_is_a_flag_or_else_an_extra_argument_of_docker():
    candidate = a_launch(options=SOLO, volumes=(VOLUME,))
    told = adapt(candidate, TODAY)
    assert told.argv[6:9] == ("-v", VOLUME, "-d")
    assert EXTRA_ARGS not in told.env
    assert adapt(candidate, MARCH).env == {EXTRA_ARGS: f"-v {VOLUME}"}
    more = replace(candidate, env={EXTRA_ARGS: "-e A=1", "HF_HOME": "/cache"})
    assert adapt(more, MARCH).env == {EXTRA_ARGS: f"-e A=1 -v {VOLUME}", "HF_HOME": "/cache"}


def test_variables_of_the_container_go_the_same_way():
    candidate = a_launch(options=(*SOLO, "-e", "VLLM_X=1"))
    assert adapt(candidate, TODAY).argv[6:8] == ("-e", "VLLM_X=1")
    assert adapt(candidate, JANUARY).env == {EXTRA_ARGS: "-e VLLM_X=1"}


@pytest.mark.parametrize("hostile", [
    "/data/my model:/m", "/a:$(reboot)", "/a;b:/c", "/a:/b'", "/a\n:/b", "", "/a|b:/c", "*:/b",
])  # fmt: skip
@pytest.mark.parametrize("features", [TODAY, MARCH, JANUARY])
def test_what_the_launcher_would_tear_apart_or_execute_is_refused(hostile, features):
    for facts in ({"volumes": (hostile,)}, {"options": (*SOLO, "-e", hostile)}):
        with pytest.raises(SwapFault) as refused:
            adapt(a_launch(**{"options": SOLO, **facts}), features)
        assert refused.value.cause.code == "bad_arguments"
    if hostile.strip() and " " not in hostile:
        with pytest.raises(SwapFault):
            adapt(a_launch(options=SOLO, env={EXTRA_ARGS: hostile}), features)


def test_patches_need_a_launcher_that_knows_them():
    candidate = a_launch(options=(*SOLO, "--apply-mod", "mods/fix"))
    assert "--apply-mod" in adapt(candidate, MARCH).argv
    with pytest.raises(SwapFault) as refused:
        adapt(candidate, JANUARY)
    assert refused.value.cause.code == "launcher_too_old"


@given(st.lists(st.text(min_size=1).filter(lambda text: text.isprintable()), max_size=4))
def test_arguments_survive_a_launcher_that_loses_their_quotes(values):
    arguments = [part for value in values for part in ("--speculative-config", value)]
    told = adapt(a_launch(options=SOLO, arguments=tuple(arguments)), JANUARY)
    command = " ".join(told.argv[told.argv.index("exec") + 1 :])
    assert shlex.split(command) == ["vllm", "serve", "org/qwen", *arguments]
    today = adapt(a_launch(options=SOLO, arguments=tuple(arguments)), TODAY)
    assert list(today.argv[-len(arguments) or len(today.argv) :]) == arguments


@pytest.mark.parametrize(("arguments", "nodes"), [
    ((), 1),
    (("-tp", "2"), 2),
    (("--tensor-parallel-size=2", "--pipeline-parallel-size", "2"), 4),
    (("--tensor_parallel_size", "2", "-dp", "2"), 4),
    (("-tp", "2", "--tensor-parallel-size", "1"), 1),
    (("-pp", "2"), 2),
    (("-tp", "two"), 1),
])  # fmt: skip
def test_nodes_are_counted_as_the_launcher_counts_them(arguments, nodes):
    assert nodes_of(("org/qwen", *arguments)) == nodes


SAID = """stamp abc:1700000000:9
committed 2026-01-20T12:00:00Z
has solo
node 192.0.2.11
"""


def test_what_a_script_does_not_show_it_cannot_do():
    found = parse_features(SAID)
    assert found == replace(
        JANUARY, stamp="abc:1700000000:9", committed="2026-01-20T12:00:00Z", solo=True
    )
    assert parse_features("absent\n") is None
    assert parse_features("stamp abc\nsame\n") is None


class Answering:
    """Says one thing after another and remembers what it was asked."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.stamps = []

    async def run(self, host, command, *, timeout_seconds=30.0):
        self.stamps.append(command.argv[-1])
        return self.answers.pop(0)


async def test_a_launcher_is_read_again_only_when_it_changed():
    changed = SAID.replace("abc", "def").replace("has solo", "has volume")
    shell = Answering(
        RemoteResult(0, SAID, ""),
        RemoteResult(0, "stamp abc:1700000000:9\nsame\n", ""),
        RemoteResult(0, changed, ""),
        RemoteResult(1, "", "broken"),
    )
    probe = LauncherProbe(shell, "spark-vllm-docker")
    first = await probe.features("spark1")
    assert await probe.features("spark1") is first
    second = await probe.features("spark1")
    assert (second.solo, second.volume) == (False, True)
    assert await probe.features("spark1") is second
    assert shell.stamps == ["", first.stamp, first.stamp, second.stamp]


async def test_without_a_checkout_the_launch_itself_says_what_is_wrong():
    probe = LauncherProbe(Answering(RemoteResult(0, "absent\n", "")), "nowhere")
    assert await probe.features("spark1") == LauncherFeatures()
