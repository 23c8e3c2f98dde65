"""``sparkctl nim``: the catalogue, installing with a key that is no argument, removing."""

import json

KEY = "nvapi-0123456789abcdef"
VIEW = {
    "entries": [{"name": "llama", "label": "Llama", "port": 8010, "image": "nvcr.io/nim/x/llama",
                 "installed_on": ["spark2"]}],
    "services": [{"name": "llama", "host": "spark2", "url": "http://<spark-2-ip>:8010",
                  "port": 8010, "image": "nvcr.io/nim/x/llama"}],
    "problems": ["nim-catalog.yaml: 'x': must be fields with values."], "key_set": False,
    "job": {"id": "one", "state": "complete", "message": "Llama runs."},
}  # fmt: skip


def test_what_there_is(gateway, run):
    gateway.says("GET", "/api/nim/catalog", VIEW)
    said = run("nim").output
    assert "runs: llama on spark2: http://<spark-2-ip>:8010" in said
    assert "cannot be used: nim-catalog.yaml" in said
    assert "no key in the settings" in said
    assert "last job: one complete: Llama runs." in said


def test_it_is_installed_with_a_key_from_a_file_and_followed(gateway, run, tmp_path):
    (tmp_path / "key").write_text(KEY + "\n")
    gateway.says("POST", "/api/nim/install", {"id": "one", "state": "running"}, 202)
    gateway.streams(
        "GET",
        "/api/nim/jobs/one/stream",
        ("install.progress", {"step": "pulling", "message": "Downloading.", "lines": ["a layer"]}),
        ("install.complete", {"outcome": "complete", "message": "It runs.", "total_seconds": 3}),
    )
    done = run("nim", "install", "llama", "--port", "8099", "--env", "A=b=c", "--key-file",
               str(tmp_path / "key"), "--follow")  # fmt: skip
    assert (done.exit_code, "a layer" in done.output) == (0, True), done.output
    assert KEY not in done.output
    body = json.loads(gateway.asked[0].content)
    assert (body["entry"], body["port"], body["env"]) == ("llama", 8099, {"A": "b=c"})
    assert body["ngc_api_key"] == KEY


def test_the_key_comes_from_stdin_and_never_from_an_argument(gateway, run):
    gateway.says("POST", "/api/nim/install", {"id": "one", "state": "running"}, 202)
    assert run("nim", "install", "x", "--image", "nvcr.io/nim/x/y", "--ask-key",
               text=KEY + "\n").exit_code == 0  # fmt: skip
    body = json.loads(gateway.asked[0].content)
    assert (body["name"], body["image"], body["ngc_api_key"]) == ("x", "nvcr.io/nim/x/y", KEY)
    assert run("nim", "install", "x", "--key", KEY).exit_code == 2


def test_it_is_stopped_and_removed_with_its_volume_by_choice(gateway, run):
    gateway.says("DELETE", "/api/nim/jobs/one", {"id": "one", "state": "running"})
    assert run("nim", "cancel", "one").output == "install one is being stopped\n"
    gateway.says("DELETE", "/api/nim/llama", {"message": "Llama was removed."})
    assert run("nim", "remove", "llama", "--volume", "--yes").output == "Llama was removed.\n"
    assert gateway.asked[-1].url.params["volume"] == "true"
