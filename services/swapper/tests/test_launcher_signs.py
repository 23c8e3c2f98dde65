import pytest

from spark_swapper.launching.launcher_signs import launcher_cause

GOOD = """Solo mode enabled. Skipping node detection.
Head Node: 127.0.0.1
Worker Nodes:
Container Name: vllm_node
Image Name: vllm-node
Action: exec
Starting Head Node on 127.0.0.1...
3f1c0d9e8b7a3f1c0d9e8b7a3f1c0d9e8b7a3f1c0d9e8b7a3f1c0d9e8b7a3f1c
Executing command: vllm serve org/m --port 8888
Command dispatched in background (Daemon mode). Container: vllm_node
"""


def test_a_launch_that_went_well_has_no_cause() -> None:
    assert launcher_cause(GOOD) is None


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (
            'docker: Error response from daemon: Conflict. The container name "/vllm_node" is '
            'already in use by container "3f1c". You have to remove (or rename) that container '
            "to be able to reuse that name.",
            "name_taken",
        ),
        ("Cluster containers are already running. Skipping launch.", "already_running"),
        ("Error: Docker image mismatch on worker node (<spark-2-ip>):", "images_differ"),
        (
            "Error: Cluster launch aborted because image 'vllm-node' is not in sync.",
            "images_differ",
        ),
        ("Unable to find image 'vllm-node-mxfp4:latest' locally", "image_missing"),
        (
            "Error: Could not inspect image 'vllm-node' on worker node (<spark-2-ip>).",
            "image_missing",
        ),
        (
            "permission denied while trying to connect to the Docker daemon socket at "
            "unix:///var/run/docker.sock",
            "docker_not_allowed",
        ),
        ("Error: Passwordless SSH to <spark-2-ip> failed.", "sparks_not_connected"),
        (
            "Error: ibdev2netdev not found. Cannot auto-detect interfaces.",
            "sparks_not_connected",
        ),
        (
            "Error: Unexpected number of active CX7 interfaces (1). Expected 2 (non-mesh) or 4 "
            "(mesh).",
            "sparks_not_connected",
        ),
        (
            "Error: Command requires 4 nodes (tp=4 * pp=1 * dp=1) but only 2 node(s) are "
            "configured.",
            "too_few_sparks",
        ),
        ("Error: Invalid .env file syntax. Aborting.", "launcher_settings"),
        ("Error: Unknown argument or action: --apply-mod", "launcher_too_old"),
        ("Error: Patch script failed on <spark-1-ip>", "mod_failed"),
    ],
)
def test_a_launcher_that_exits_with_zero_still_says_why(line, code) -> None:
    cause = launcher_cause(GOOD.replace("Executing", f"{line}\nExecuting", 1))
    assert cause is not None
    assert cause.code == code
    assert cause.evidence == [line]
    assert cause.sentence.endswith(".")


def test_the_numbers_are_in_the_sentence() -> None:
    cause = launcher_cause(
        "Error: Command requires 4 nodes (tp=4 * pp=1 * dp=1) but only 2 node(s) are configured."
    )
    assert cause is not None
    assert cause.sentence == "The model needs 4 Sparks, and the launcher knows only 2."
