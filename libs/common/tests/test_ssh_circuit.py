"""A host that was away is asked again by one caller, and not before its time."""

import pytest

from spark_common.errors import HostKeyChangedError, HostUnreachableError
from spark_common.remote.ssh.circuit import Circuit
from spark_common.testing import FakeClock

AWAY = HostUnreachableError("Spark 1 does not answer", host="spark1")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def circuit(clock: FakeClock) -> Circuit:
    return Circuit(clock, 25.0)


def test_a_host_nobody_asked_yet_may_be_asked(circuit: Circuit) -> None:
    circuit.admit()
    circuit.admit()


@pytest.mark.parametrize("later", [0.0, 24.9])
async def test_the_failure_is_repeated_as_a_copy(
    later: float, circuit: Circuit, clock: FakeClock
) -> None:
    circuit.failed(AWAY)
    await clock.advance(later)
    with pytest.raises(HostUnreachableError) as repeated:
        circuit.admit()
    assert repeated.value is not AWAY
    assert repeated.value.body() == AWAY.body()


async def test_after_its_time_one_caller_probes_and_the_others_are_refused(
    circuit: Circuit, clock: FakeClock
) -> None:
    circuit.failed(AWAY)
    await clock.advance(25)
    circuit.admit()
    with pytest.raises(HostUnreachableError):
        circuit.admit()
    circuit.succeeded()
    circuit.admit()


async def test_a_probe_that_fails_starts_the_time_again(circuit: Circuit, clock: FakeClock) -> None:
    circuit.failed(AWAY)
    await clock.advance(25)
    circuit.admit()
    circuit.failed(HostKeyChangedError("another key"))
    await clock.advance(24)
    with pytest.raises(HostKeyChangedError):
        circuit.admit()


async def test_a_probe_without_a_verdict_lets_the_next_caller_try(
    circuit: Circuit, clock: FakeClock
) -> None:
    circuit.failed(AWAY)
    await clock.advance(25)
    circuit.admit()
    circuit.gave_up()
    circuit.admit()
