"""Two Sparks as settings name them; nobody answers at their addresses."""

from pathlib import Path

from spark_common.settings import ClusterSettings, HostSettings

TWO_SPARKS = ClusterSettings(
    hosts=(
        HostSettings(name="spark1", label="Spark 1", address="127.0.0.11", user="alice"),
        HostSettings(name="spark2", label="Spark 2", address="127.0.0.12", user="alice"),
    ),
    ssh_key_path=Path("key"),
    known_hosts_path=Path("known"),
)
