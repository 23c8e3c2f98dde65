"""A cluster whose owner wants swaps because of requests; nothing listens anywhere."""

import pytest
from gateway_stand.holding import Cluster

from spark_gateway.dataplane.meters import Meters


@pytest.fixture
def meters() -> Meters:
    return Meters()


@pytest.fixture
def cluster(meters: Meters) -> Cluster:
    made = Cluster(None, meters)
    made.change(swap_on_demand=True)
    return made
