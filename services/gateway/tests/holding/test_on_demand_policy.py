"""When requests are worth a swap: a table, and what holds for every scene."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spark_gateway.holding.policy import Ask, Batch, Rules, Scene, next_swap, stays_until

RULES = Rules(stay_seconds=100, patience_seconds=60)
A = Batch("a", 1, 990.0)
B = Batch("b", 3, 995.0)
OLD = Batch("old", 1, 900.0)
OLDER = Batch("older", 1, 890.0)


@pytest.mark.parametrize(
    ("scene", "waiting", "expected"),
    [
        ({}, [], "nobody waits"),
        ({}, [A], Ask("a")),
        ({}, [A, B], Ask("b")),
        ({}, [A, B, OLD], Ask("old")),
        ({}, [OLD, OLDER], Ask("older")),
        ({"swapping": True}, [OLD], "a swap runs"),
        ({"ready_at": 901.0}, [OLD], "it stays"),
        ({"ready_at": 900.0}, [A], Ask("a")),
        ({"ready_at": 999.0, "loaded": False}, [A], Ask("a")),
        ({"ready_at": None}, [A], Ask("a")),
        ({"answering": 1}, [A, B], "it answers"),
        ({"answering": 1}, [A, OLD], Ask("old")),
        ({"answering": 1, "in_line": 1}, [OLD], "a line"),
        ({"in_line": 1}, [A], "a line"),
        ({"in_line": 1, "loaded": False}, [A], Ask("a")),
        ({"answering": 1, "loaded": False}, [A], Ask("a")),
    ],
)
def test_the_table(scene, waiting, expected):
    assert next_swap(Scene(**{"now": 1000.0, "loaded": True, **scene}), waiting, RULES) == expected


TIMES = st.floats(0, 2000, allow_nan=False)
SCENES = st.builds(
    Scene,
    now=st.just(2000.0),
    loaded=st.booleans(),
    ready_at=st.none() | TIMES,
    answering=st.integers(0, 3),
    in_line=st.integers(0, 3),
    swapping=st.booleans(),
)
WAITING = st.dictionaries(st.sampled_from("abcd"), st.tuples(st.integers(1, 9), TIMES)).map(
    lambda found: [Batch(model, *rest) for model, rest in found.items()]
)
SOME = st.builds(Rules, st.floats(0, 500), st.floats(0, 500))


@given(SCENES, WAITING, SOME)
def test_a_swap_is_only_wanted_where_nothing_says_no(scene, waiting, rules):
    found = next_swap(scene, waiting, rules)
    if not isinstance(found, Ask):
        return
    (batch,) = [each for each in waiting if each.model == found.model]
    assert not scene.swapping
    if scene.loaded:
        assert scene.in_line == 0
        assert scene.ready_at is None or scene.now - scene.ready_at >= rules.stay_seconds
        assert not scene.answering or scene.now - batch.oldest >= rules.patience_seconds


@given(SCENES, WAITING, SOME)
def test_who_lost_patience_is_overtaken_only_by_who_waits_longer(scene, waiting, rules):
    found = next_swap(scene, waiting, rules)
    if isinstance(found, Ask):
        chosen = next(each.oldest for each in waiting if each.model == found.model)
        for batch in waiting:
            if batch.oldest <= scene.now - rules.patience_seconds:
                assert chosen <= batch.oldest


@given(SCENES, WAITING, SOME)
def test_the_order_of_arrival_of_the_question_does_not_matter(scene, waiting, rules):
    assert next_swap(scene, waiting, rules) == next_swap(scene, waiting[::-1], rules)


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 40)), max_size=60))
def test_nobody_waits_for_ever_however_many_come(arrivals):
    """Swaps take 30 seconds, everybody asks for something else, and each is served in the end."""
    rules, now, loaded, ready_at = Rules(20, 60), 0.0, "z", 0.0
    queue, coming, worst = [], list(arrivals), 0.0
    while coming or queue:
        now += 10
        while coming and len(queue) < 8:
            model, later = coming.pop()
            queue.append((model, now + later - 40))
        batches = {}
        for model, since in queue:
            batches.setdefault(model, []).append(since)
        waiting = [Batch(model, len(all_), min(all_)) for model, all_ in batches.items()]
        found = next_swap(Scene(now, True, ready_at), waiting, rules)
        if isinstance(found, Ask):
            now += 30
            loaded, ready_at = found.model, now
        worst = max([worst, *(now - since for model, since in queue if model == loaded)])
        queue = [each for each in queue if each[0] != loaded]
    # Those who lost patience go by age: at most four models, a minute or so each.
    assert worst <= 40 + 60 + 4 * (30 + 20 + 10)


def test_a_model_stays_only_while_it_is_loaded_and_known_since_when():
    assert stays_until(Scene(1000, True, 950.0), RULES) == 1050
    assert stays_until(Scene(1000, True, 0.0), RULES) == 1000
    assert stays_until(Scene(1000, False, 950.0), RULES) == 1000
    assert stays_until(Scene(1000, True, None), RULES) == 1000
