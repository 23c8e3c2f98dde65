"""Deadlines, stalls and blame: the rules of giving a load up, as tables."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spark_common.contracts.swaps import Cause
from spark_swapper.loads.blaming import WAIT_LOOKS, Witness, first_cause
from spark_swapper.loads.deadlines import GIB, LONGEST_SECONDS, load_deadline
from spark_swapper.loads.post_mortem import KernelWords, explained
from spark_swapper.loads.silence import Silence

SIZES = st.one_of(st.none(), st.integers(min_value=0, max_value=10**15))


@pytest.mark.parametrize(
    ("mode", "nodes", "gib", "learned", "seconds"),
    [
        ("solo", 1, 0, None, 900),
        ("solo", 1, 20, None, 900 + 160),
        ("solo", 1, 110, None, 900 + 880),
        ("solo", 1, 500, None, 1800),
        ("solo", 1, None, None, 1800),
        ("cluster", 2, 160, None, 1200 + 640),
        ("cluster", 2, 1000, None, 2700),
        ("cluster", 2, None, None, 2700),
        ("solo", 1, 20, 100, 1060),
        ("solo", 1, 20, 2000, 3000),
    ],
)
def test_a_load_gets_its_time_by_size_capped_unless_it_is_known_to_need_more(
    mode, nodes, gib, learned, seconds
):
    weights = None if gib is None else gib * GIB
    assert seconds == load_deadline(
        mode=mode, nodes=nodes, weight_bytes=weights, learned_seconds=learned
    )


@given(small=SIZES, more=st.integers(min_value=0, max_value=10**14), nodes=st.integers(1, 8))
def test_a_larger_model_never_gets_less_time(small, more, nodes):
    mode = "solo" if nodes == 1 else "cluster"
    large = None if small is None else small + more
    less = load_deadline(mode=mode, nodes=nodes, weight_bytes=small)
    assert 900 <= less <= load_deadline(mode=mode, nodes=nodes, weight_bytes=large)
    assert less <= LONGEST_SECONDS


@pytest.mark.parametrize(
    ("seconds", "milestone", "cores", "over"),
    [
        (599, "weights", None, False),
        (600, "weights", None, True),
        (600, "weights", 8.0, True),
        (600, "compile", 8.0, False),
        (1199, "compile", 8.0, False),
        (1200, "compile", 8.0, True),
        (600, "compile", 0.1, True),
        (600, "compile", None, True),
        (600, None, 8.0, True),
    ],
)
def test_computing_buys_time_only_where_silence_is_usual(seconds, milestone, cores, over):
    silence = Silence(0.0, 600.0)
    assert silence.over(float(seconds), milestone=milestone, cores=cores) is over


def test_whatever_was_said_or_read_starts_the_time_anew():
    silence = Silence(0.0, 600.0)
    silence.broken(599.0)
    assert not silence.over(1198.0, milestone="weights", cores=None)
    assert silence.over(1199.0, milestone="weights", cores=None)


@pytest.mark.parametrize(
    ("seconds", "gpus", "hangs"),
    [
        (299, [96, 0], False),
        (300, [96, 0], True),
        (300, [0, 96], True),
        (300, [96, 97], False),
        (300, [3, 0], False),
        (300, [96, None], False),
        (300, [None, None], False),
        (300, [96], False),
    ],
)
def test_one_busy_gpu_and_an_idle_one_are_a_hang_when_both_are_known(seconds, gpus, hangs):
    assert Silence(0.0, 600.0).hanging(float(seconds), gpus) is hangs


def a_cause(code, sentence="It failed."):
    return Cause(code=code, sentence=sentence, action="Press.", evidence=["line"])


def says(code=None, *, head=False, failing=False):
    return Witness(head, a_cause(code) if code else None, failing)


@pytest.mark.parametrize(
    ("witnesses", "waited", "code"),
    [
        ([says(head=True), says()], 0, None),
        ([says("out_of_gpu_memory", head=True), says()], 1, "out_of_gpu_memory"),
        ([says("gpu_fault", head=True), says("out_of_memory_killed")], 1, "out_of_memory_killed"),
        ([says("gpu_fault", head=True), says(failing=True)], 1, None),
        ([says("gpu_fault", head=True), says(failing=True)], WAIT_LOOKS, "gpu_fault"),
        ([says("gpu_fault", head=True), says()], 1, "gpu_fault"),
        ([says("sparks_lost_each_other", head=True), says("runtime_died")], 1, "runtime_died"),
        ([says("bad_arguments", head=True), says("not_enough_memory")], 1, "not_enough_memory"),
        ([says("launch_failed", head=True), says(failing=True)], 1, "launch_failed"),
    ],
)
def test_who_failed_first_is_blamed(witnesses, waited, code):
    found = first_cause(witnesses, waited)
    assert (found.code if found else None) == code


KILL = "kernel: Out of memory: Killed process 6330 (VLLM::EngineCor) total-vm:181210044kB"
NVRM = "kernel: NVRM: nvAssertOkFailedNoLog: Out of memory [NV_ERR_NO_MEMORY] (0x00000051)"
EARLYOOM = 'earlyoom[812]: sending SIGTERM to process 6330 uid 0 "VLLM::EngineCor": oom_score 1301'


@pytest.mark.parametrize(
    ("code", "words", "kills", "becomes", "says_so"),
    [
        ("runtime_died", KernelWords(True, (KILL,)), 0, "out_of_memory_killed", "ran out of"),
        ("ended_silently", KernelWords(True, (EARLYOOM,)), 0, "out_of_memory_killed", "ran out"),
        ("runtime_died", KernelWords(False), 1, "out_of_memory_killed", "ran out of memory"),
        ("out_of_memory_killed", KernelWords(True, (NVRM,)), 0, "out_of_gpu_memory", "driver"),
        ("gpu_fault", KernelWords(True, (NVRM,)), 0, "out_of_gpu_memory", "driver"),
        ("runtime_died", KernelWords(True), 0, "runtime_died", None),
        ("runtime_died", KernelWords(False), 0, "runtime_died", "may not be read"),
        ("out_of_memory_killed", KernelWords(False), 0, "out_of_memory_killed", "not proven"),
        ("out_of_memory_killed", KernelWords(True), 0, "out_of_memory_killed", "says nothing"),
        ("engine_failed", KernelWords(True, (KILL,)), 1, "engine_failed", None),
        ("bad_arguments", KernelWords(True, (KILL,)), 1, "bad_arguments", None),
    ],
)
def test_the_kernels_word_makes_a_guess_certain_or_is_said_to_be_missing(
    code, words, kills, becomes, says_so
):
    cause = explained(a_cause(code), words, label="Spark 2", oom_kills=kills)
    assert cause.code == becomes
    assert cause.evidence[0] == "line"
    said = "\n".join([cause.sentence, *cause.evidence])
    assert says_so is None or says_so in said
    if says_so is None:
        assert cause == a_cause(code)
    elif becomes != code:
        assert "Spark 2" in cause.sentence
