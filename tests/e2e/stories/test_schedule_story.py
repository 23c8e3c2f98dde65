"""A night of schedules on the whole product: load, warm, restart, sweep, and a job of one's own."""

import os
import re
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

PATH, GEMMA = "/api/schedule", "gemma-4-26b"
TEXT = (Path(__file__).parents[3] / "docs/api/schedules.md").read_text()
EXAMPLES = re.findall(r"^```sh\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)


def soon(seconds):
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


def put(product, id, **facts):
    """Register it; the coordinator may still be starting."""
    body = {"id": id, "owner": "Alice", **facts}
    answer = product.until("an answer", lambda: answered(product, body))
    assert answer.status_code == 201, answer.text
    return answer.json()


def answered(product, body):
    answer = product.http.post(PATH, json=body)
    return None if answer.status_code in (503, 504) else answer


def ended(product, id):
    """Return the run of a schedule once it is over."""

    def over():
        runs = product.http.get(f"{PATH}/{id}").raise_for_status().json()["runs"]
        return runs[0] if runs and runs[0]["finished_at"] else None

    return product.until(f"a run of {id}", over, 120)


def test_what_is_scheduled_happens_under_the_lease_and_is_kept(product) -> None:
    product.behave("ok")
    product.until("the menu", lambda: product.http.get("/api/models").raise_for_status())
    late = {"misfire": {"policy": "run_once", "within_minutes": 10}}
    put(product, "load", kind="swap", model=GEMMA, at=soon(1), **late)
    warm = put(product, "warm", kind="warm", model=GEMMA, at=soon(1.5), **late)
    assert [one["other_id"] for one in warm["conflicts"]] == ["load"]
    loaded = ended(product, "load")
    assert loaded["state"] == "done", loaded
    assert ended(product, "warm")["state"] == "done"
    launches = len(product.journal("runtime_launched"))

    put(product, "afresh", kind="restart", service="vllm", at=soon(0.5), **late)
    put(product, "sweep", kind="sweep", at=soon(0.5))
    put(product, "job", at=soon(0.5), missed_after_minutes=5)
    product.http.post(f"{PATH}/job/checkin").raise_for_status()
    afresh = ended(product, "afresh")
    assert afresh["state"] == "done", afresh
    assert len(product.journal("runtime_launched")) == launches + 1
    swap = product.view(afresh["swap_id"])
    assert (swap["phase"], swap["requested_by"]) == ("ready", "schedule afresh")

    for name in ("sweep", "job"):
        assert ended(product, name)["state"] == "done"

    calendar = product.http.get(f"{PATH}/calendar", params={"from": soon(-300)}).json()
    found = {entry["schedule_id"]: entry["state"] for entry in calendar["entries"]}
    for name in ("load", "warm", "afresh", "sweep", "job"):
        assert found[name] == "done"
        product.http.delete(f"{PATH}/{name}").raise_for_status()
    lock = product.http.get("/api/swap/lock").raise_for_status().json()
    assert not str(lock["holder"]).startswith("schedule") or lock["state"] == "draining"


@pytest.mark.parametrize("example", EXAMPLES, ids=["register", "calendar"])
def test_the_examples_of_the_document_work(product, example) -> None:
    product.until("the coordinator", lambda: product.http.get(PATH).raise_for_status())
    done = subprocess.run(
        ["sh", "-eu", "-c", example.replace("http://127.0.0.1:9999", product.url)],
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert '"nightly"' in done.stdout or '"entries":[' in done.stdout, done.stdout
    product.http.delete(f"{PATH}?id=nightly")
