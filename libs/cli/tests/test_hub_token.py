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


def test_settings_reach_the_services_and_secrets_only_who_needs_them(tmp_path) -> None:
    settings = {"DRAIN_SECONDS": "5", "OPEN_WEBUI_URL": "http://chat", "WEBHOOK_SECRET": "hush"}
    wiring = Wiring(bus={}, cluster=cluster_settings(settings))
    folder = RunFolder(tmp_path)
    for name, port in Wiring.usual_ports().items():
        environment = service_environment(name, port, wiring, folder)
        assert (environment["DRAIN_SECONDS"], environment["OPEN_WEBUI_URL"]) == ("5", "http://chat")
        assert ("WEBHOOK_SECRET" in environment) == (name == "coordinator")
