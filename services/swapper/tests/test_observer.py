"""What is loaded, whoever loaded it."""

from spark_swapper.readiness.observer import RuntimeObserver


def an_observer(bench):
    changes = []

    async def changed():
        changes.append(observer.view().state)

    observer = RuntimeObserver(bench.runtime, bench.clock, bench.shelf.key_for, changed)
    return observer, changes


async def test_before_the_first_look_nothing_is_known(bench):
    assert an_observer(bench)[0].view().state == "unknown"


async def test_it_sees_what_others_loaded_and_tells_only_changes(bench):
    observer, changes = an_observer(bench)
    await observer.look()
    await observer.look()
    view = observer.view()
    assert (view.state, view.model, view.served_name) == ("serving", "gemma", "gemma-served")
    assert view.context_length == 4096
    assert view.since == bench.clock.now()
    assert changes == ["serving"]


async def test_idle_starting_and_serving_follow_each_other(bench):
    observer, changes = an_observer(bench)
    bench.runtime._container = None
    await observer.look()
    bench.runtime.serve(bench.new)
    bench.runtime._container.born = bench.clock.monotonic()
    await observer.look()
    await bench.clock.advance(61)
    await observer.look()
    assert changes == ["idle", "starting", "serving"]


async def test_a_dead_runtime_in_a_running_container_is_not_starting(bench):
    observer, _ = an_observer(bench)
    bench.runtime.faults.dies_after = 0
    bench.runtime.serve(bench.new)
    bench.runtime._container.born = bench.clock.monotonic()
    await observer.look()
    assert (observer.view().state, "empty container" in observer.view().detail) == ("idle", True)


async def test_a_silent_first_host_is_said_unless_the_model_answers_over_http(bench):
    observer, _ = an_observer(bench)
    bench.runtime.faults.away = {"spark1"}
    await observer.look()
    assert observer.view().state == "serving"
    bench.runtime._container = None
    await observer.look()
    view = observer.view()
    assert (view.state, view.detail) == ("unreachable", "Spark 1 does not answer")
    bench.runtime.faults.away, bench.runtime.faults.docker_silent = set(), {"spark1"}
    await observer.look()
    assert "docker on Spark 1" in observer.view().detail


async def test_a_model_that_is_not_on_the_menu_has_a_name_but_no_key(bench):
    observer, _ = an_observer(bench)
    del bench.shelf.candidates["gemma"]
    await observer.look()
    assert (observer.view().model, observer.view().served_name) == (None, "gemma-served")
