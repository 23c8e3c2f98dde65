"""What ``sparkctl up`` and ``sparkctl demo`` hand on to the services."""

from spark_cli.up import policy_settings


def test_what_the_owner_decides_reaches_the_services_and_nothing_else():
    decided = {
        "LEASE_BINDS_REQUESTS": "true",
        "HOME_MODEL": "qwen",
        "MODEL_REQUESTS_AT_ONCE": "4",
        "LIST_MENU": "false",
        "HEALTH_LOOK_SECONDS": "20",
        "HEALTH_HARDWARE_SECONDS": "60",
    }
    around = {"PATH": "/bin", "HOME": "/root", "AWS_SECRET": "x", "HEALTHY": "yes"}
    assert policy_settings({**decided, **around}) == decided
