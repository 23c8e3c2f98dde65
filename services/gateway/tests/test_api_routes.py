"""Rules that every route obeys: nothing shadows, every change has a stance."""

import itertools

from gateway_stand.routes import changing, example_of

from spark_gateway.control_route import SAFE_METHODS, ControlRoute
from spark_gateway.routes import all_routes, methods_at


def test_no_route_shadows_another():
    for first, second in itertools.combinations(all_routes(), 2):
        shared = (first.methods or set()) & (second.methods or set())
        if not shared:
            continue
        example = example_of(second.path)
        hidden = first.path_regex.match(example) is not None
        assert not hidden, f"{first.path} answers {example}, meant for {second.path}"


def test_a_shadow_would_be_seen():
    """The check above can fail: an id in front of a word hides the word."""
    by_id = next(route for route in all_routes() if route.path == "/api/swap/{id}")
    assert by_id.path_regex.match("/api/swap/lock") is not None


def test_every_route_declares_its_stance():
    for route in all_routes():
        stance = getattr(route, "stance", "")
        assert stance == "same-origin" or stance.startswith("open: "), route.path
        if not (route.methods or set()) <= SAFE_METHODS:
            assert isinstance(route, ControlRoute), f"{route.path} changes things unguarded"


def test_there_are_changing_routes():
    assert ("POST", "/api/swap") in changing()
    assert ("DELETE", "/api/swap/x1") in changing()


def test_methods_are_known_for_405():
    assert methods_at("/api/swap") == {"GET", "HEAD", "POST"}
    assert methods_at("/nowhere") == set()
