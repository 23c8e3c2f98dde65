"""What docker and a port say, read and judged: containers, loops, verdicts, log lines."""

import json
from dataclasses import replace

import pytest

from spark_health.services.box_watch import BoxSight
from spark_health.services.boxes import Box, read_answer
from spark_health.services.logins import Login
from spark_health.services.logs import read_rows
from spark_health.services.restarts import Restarts
from spark_health.services.service import Service
from spark_health.services.verdict import of_container, of_port
from spark_health.services.versions import Versions, version_in
from spark_health.watching.first.http_look import HttpLook

NOW = 1_795_800_000
RUNNING = Box(
    "kokoro", "f" * 64, "running", 0, 0, None, "2026-11-21T00:28:26.522090155Z", False,
    "unless-stopped", "kokoro:v0.2.4", None, 4000.0,
)  # fmt: skip
SPARK = Login("spark1", "Spark 1", "spark1")
SPEECH = Service(
    "parakeet", "Speech to text", "speech_to_text", "built_in", SPARK, "kokoro", "127.0.0.9", 8000,
    blocks=True,
)  # fmt: skip
PLAIN = replace(SPEECH, name="kokoro", label="Voice", blocks=False)
BOT = replace(PLAIN, name="bot", kind="bot", address=None, port=None)
OK, REFUSED, SILENT = HttpLook("answered", 200), HttpLook("refused"), HttpLook("silent")


def row(name="kokoro", **changes):
    fields = {
        "Name": f"/{name}", "Id": "f" * 64, "Status": "running", "ExitCode": 0, "Restarts": 0,
        "Health": None, "StartedAt": "2026-11-21T00:28:26.522090155Z", "Oom": False,
        "Policy": "unless-stopped", "Image": "kokoro:v0.2.4", "Version": None,
    } | changes  # fmt: skip
    return f"box {json.dumps(list(fields.values()))}"


def sight(box=RUNNING, **changes):
    return BoxSight(**({"known": True, "box": box} | changes))


class TestDocker:
    def test_one_answer_holds_them_all(self):
        text = f"now {NOW}\n{row()}\n{row('qdrant', Status='exited', ExitCode=137, Oom=True)}"
        looked = read_answer(
            f"{text}\ngpu 94\nend 1\nError: No such object: gone\n", ["kokoro", "qdrant", "gone"],
            "Spark 1",
        )  # fmt: skip
        assert looked.problem is None
        assert looked.gpu_percent == 94
        assert set(looked.boxes) == {"kokoro", "qdrant"}
        assert looked.boxes["qdrant"].out_of_memory
        began = looked.boxes["kokoro"].started.timestamp()
        assert looked.boxes["kokoro"].up_seconds == pytest.approx(NOW - began, abs=1)

    @pytest.mark.parametrize(
        ("tail", "problem"),
        [
            ("end 0\n", None),
            ("end 1\nerror: no such object: x\n", None),
            ("end 1\nError response from daemon: No such container: x\n", None),
            ("end 124\n", "does not answer"),
            ("end 137\n", "does not answer"),
            ("end 127\nsh: docker: not found\n", "no docker"),
            ("end 1\npermission denied while trying to connect to the Docker daemon socket\n",
             "group docker"),
            ("end 1\nCannot connect to the Docker daemon at unix:///var/run/docker.sock.\n",
             "Cannot connect"),
            ("end 1\n", "exit code 1"),
            ("", "cut off"),
            ("end", "cut off"),
        ],
    )  # fmt: skip
    def test_what_docker_says_is_told_from_what_is_missing(self, tail, problem):
        looked = read_answer(f"now 1\n{tail}", ["x"], "Spark 1")
        assert looked.boxes == {}
        assert (looked.problem is None) is (problem is None)
        assert problem is None or problem in looked.problem

    @pytest.mark.parametrize(
        "line",
        ["box", "box [", "box []", "box {}", "box null", "box [1,2,3,4,5,6,7,8,9,10,11]",
         row(Status="dancing"), row(Id=None), row(Status=["running"]), "rubbish",
         "box " + "[" * 5000, row(name="another")],
    )  # fmt: skip
    def test_junk_is_no_container(self, line):
        assert read_answer(f"now 1\n{line}\nend 0\n", ["kokoro"], "Spark 1").boxes == {}

    def test_a_container_found_by_its_id_is_another_one(self):
        looked = read_answer(f"now 1\n{row('kokoro')}\nend 0\n", ["ffff"], "Spark 1")
        assert looked.boxes == {}

    @pytest.mark.parametrize("stamp", ["", "0001-01-01T00:00:00Z", "soon", None, 7])
    def test_a_start_that_is_none(self, stamp):
        looked = read_answer(f"now 1\n{row(StartedAt=stamp)}\nend 0\n", ["kokoro"], "Spark 1")
        assert looked.boxes["kokoro"].started is None
        assert looked.boxes["kokoro"].up_seconds is None


class TestCrashLoops:
    def seen(self, *looks):
        runs = Restarts()
        for at, box in looks:
            runs.see(box, at)
        return runs.looping

    def box(self, restarts=0, state="running", up=5.0, **changes):
        return replace(RUNNING, restarts=restarts, state=state, up_seconds=up, **changes)

    def test_a_count_that_grows_is_a_loop_until_a_run_lives(self):
        looks = [(n * 5.0, self.box(n)) for n in range(4)]
        assert self.seen(*looks)
        assert not self.seen(*looks, (200.0, self.box(3, up=130.0)))
        assert not self.seen(*looks, (900.0, self.box(3, up=100.0)))

    def test_a_loop_of_before_our_start_is_seen_at_once_and_an_old_count_is_none(self):
        assert self.seen((0.0, self.box(9, "restarting", None)))
        assert self.seen((0.0, self.box(9, up=2.0)))
        assert not self.seen((0.0, self.box(9, up=86_400.0)))
        assert not self.seen((0.0, self.box(2, "restarting", None)))

    def test_somebody_else_who_starts_it_again_and_again(self):
        looks = [(n * 5.0, self.box(started_at=f"2026-11-21T00:00:0{n}Z")) for n in range(4)]
        assert self.seen(*looks)
        assert not self.seen(*looks[:3])

    def test_another_container_and_a_start_on_purpose_begin_anew(self):
        looks = [(n * 5.0, self.box(n)) for n in range(3)]
        assert not self.seen(*looks, (20.0, self.box(3, id="a" * 64)))
        assert not self.seen(*looks, (20.0, None), (25.0, self.box(3, up=500.0)))


class TestVerdicts:
    @pytest.mark.parametrize(
        ("seen", "known", "state", "said"),
        [
            (OK, sight(), "up", ""),
            (HttpLook("answered", 404), sight(), "up", "has no"),
            (OK, sight(None), "up", ""),
            (OK, BoxSight(), "up", ""),
            (OK, sight(looping=True, recent_restarts=4), "degraded", "4 times"),
            (HttpLook("answered", 503), sight(), "down", "HTTP 503"),
            (REFUSED, sight(), "down", "nothing listens"),
            (REFUSED, sight(replace(RUNNING, up_seconds=7.0)), "down", "started 7 s ago"),
            (REFUSED, sight(None), "down", "no container kokoro"),
            (REFUSED, BoxSight(problem="docker hangs"), "down", "nothing listens"),
            (REFUSED, sight(replace(RUNNING, state="exited", exit_code=137, out_of_memory=True)),
             "down", "out of memory"),
            (REFUSED, sight(replace(RUNNING, state="restarting", exit_code=1)), "down", "again"),
            (REFUSED, sight(replace(RUNNING, state="paused")), "down", "paused"),
            (REFUSED, sight(looping=True, recent_restarts=5), "down", "5 starts"),
            (SILENT, sight(replace(RUNNING, state="exited")), "down", "does not run"),
            (SILENT, sight(), "down", "does not answer"),
            (SILENT, sight(replace(RUNNING, health="healthy")), "busy", "healthy"),
        ],
    )  # fmt: skip
    def test_of_a_port_and_its_container(self, seen, known, state, said):
        verdict = of_port(PLAIN, seen, known, fresh=True)
        assert verdict[0] == state
        assert said in verdict[1]

    @pytest.mark.parametrize(
        ("known", "silent", "state"),
        [
            (BoxSight(), 10, "busy"),
            (BoxSight(), 599, "busy"),
            (BoxSight(), 600, "down"),
            (sight(gpu_percent=94), 500, "busy"),
            (sight(replace(RUNNING, health="unhealthy"), gpu_percent=94), 500, "busy"),
            (sight(replace(RUNNING, health="unhealthy"), gpu_percent=0), 10, "down"),
            (sight(replace(RUNNING, health="healthy"), gpu_percent=0), 500, "busy"),
            (sight(gpu_percent=0), 10, "busy"),
            (sight(gpu_percent=0), 130, "down"),
            (sight(gpu_percent=94), 601, "down"),
            (sight(replace(RUNNING, state="exited"), gpu_percent=94), 10, "down"),
            (sight(looping=True, gpu_percent=94), 10, "down"),
        ],
    )
    def test_a_blocked_event_loop_is_work_as_long_as_it_may_be(self, known, silent, state):
        assert of_port(SPEECH, SILENT, known, fresh=True, silent_seconds=silent)[0] == state

    def test_counters_that_move_are_life(self):
        assert of_port(PLAIN, SILENT, sight(), fresh=True, moved=True)[0] == "busy"

    def test_what_is_known_of_old_says_nothing(self):
        old = sight(replace(RUNNING, state="exited"))
        assert of_port(SPEECH, SILENT, old, fresh=False)[0] == "busy"
        assert of_container(BOT, old, fresh=False)[0] == "unknown"

    @pytest.mark.parametrize(
        ("known", "state"),
        [
            (BoxSight(problem="docker hangs"), "unknown"),
            (sight(None), "down"),
            (sight(), "up"),
            (sight(replace(RUNNING, health="unhealthy")), "degraded"),
            (sight(replace(RUNNING, state="exited")), "down"),
            (sight(replace(RUNNING, state="created")), "down"),
            (sight(looping=True, recent_restarts=3), "down"),
        ],
    )
    def test_of_a_container_without_a_port(self, known, state):
        assert of_container(BOT, known, fresh=True)[0] == state


class TestLogLines:
    def test_both_streams_come_in_the_order_of_their_times(self):
        text = "2026-11-21T00:00:02.5Z out\n2026-11-21T00:00:01.123456789Z err\n"
        assert [line for _, line in read_rows(text)] == ["err", "out"]
        assert all(len(stamp) == 30 for stamp, _ in read_rows(text))

    def test_a_piece_that_was_cut_loses_its_first_line_and_junk_is_none(self):
        text = "1-21T00:00:01Z half\n2026-11-21T00:00:02Z whole\nno time\n\n"
        assert [line for _, line in read_rows(text, cut=True)] == ["whole"]
        assert read_rows("") == []
        assert read_rows("2026-11-21T00:00:02Z ") == [("2026-11-21T00:00:02.000000000Z", "")]


@pytest.mark.parametrize(
    ("body", "version"),
    [
        (b'{"version":"0.33.0"}', "0.33.0"),
        (b'{"title":"qdrant","version":"1.15.4"}', "1.15.4"),
        (b"", None), (b"[]", None), (b'{"version":7}', None), (b'{"version":"a b"}', None),
        (b'{"version":"' + b"9" * 900 + b'"}', None), (b"[" * 60_000, None),
    ],
)  # fmt: skip
def test_a_version_is_a_plain_word(body, version):
    assert version_in(body) == version


def test_the_image_says_it_where_the_service_does_not():
    versions = Versions(None, None)
    for image, label, version in (
        ("qdrant/qdrant:v1.15.4", None, "v1.15.4"), ("a:5000/b:latest", None, None),
        ("a:5000/b", None, None), ("x@sha256:ab", None, None), ("x:latest", "0.2.4", "0.2.4"),
    ):  # fmt: skip
        assert versions.of(PLAIN, replace(RUNNING, image=image, version=label)) == version
    assert versions.of(PLAIN, None) is None
