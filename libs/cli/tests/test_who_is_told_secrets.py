"""What is secret in the owner's environment reaches the one service that needs it."""

import pytest

from spark_cli.run_folder import RunFolder
from spark_cli.services import Wiring, service_environment
from spark_cli.up import cluster_settings


@pytest.mark.parametrize(
    ("variable", "service"),
    [("HF_TOKEN", "swapper"), ("WEBHOOK_SECRET", "coordinator"), ("WEBHOOK_URL", "coordinator")],
)
def test_a_secret_is_in_the_environment_of_one_service_only(tmp_path, variable, service) -> None:
    cluster = cluster_settings({variable: "secret", "SPARK1_HOST": "192.0.2.1", "OTHER": "x"})
    assert "OTHER" not in cluster
    wiring = Wiring(bus={}, cluster=cluster, gateway_port=9123)
    folder = RunFolder(tmp_path)
    for name, port in Wiring.usual_ports().items():
        environment = service_environment(name, port, wiring, folder)
        assert (variable in environment) == (name == service)
        assert environment["SPARK1_HOST"] == "192.0.2.1"
        assert environment.get("GATEWAY_PORT") == ("9123" if name == "coordinator" else None)
