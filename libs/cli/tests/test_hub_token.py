"""The token for the hub reaches the swapper and nobody else."""

from spark_cli.run_folder import RunFolder
from spark_cli.services import Wiring, service_environment
from spark_cli.up import cluster_settings


def test_the_token_is_in_the_environment_of_the_swapper_only(tmp_path) -> None:
    settings = {"HF_TOKEN": "secret", "SPARK1_HOST": "192.0.2.1", "OTHER": "x"}
    cluster = cluster_settings(settings)
    assert "OTHER" not in cluster
    wiring = Wiring(bus={}, cluster=cluster)
    folder = RunFolder(tmp_path)
    for name, port in Wiring.usual_ports().items():
        environment = service_environment(name, port, wiring, folder)
        assert ("HF_TOKEN" in environment) == (name == "swapper")
        assert environment["SPARK1_HOST"] == "192.0.2.1"
