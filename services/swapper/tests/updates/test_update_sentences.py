"""What the lines and the endings of an update mean."""

import itertools
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spark_common.settings import RuntimeSettings
from spark_swapper.updates import causes
from spark_swapper.updates.build_log import BuildLog
from spark_swapper.updates.kept import kept_images, kept_tag, outdated, way_back
from spark_swapper.updates.plan import Builds, room_problem
from spark_swapper.updates.reply import CheckoutFound, Commit, Found, ImageFound, Programs
from spark_swapper.updates.sight import Sight, fetch_problem
from spark_swapper.updates.view import updates_view

OUTPUT = b"""spark-control: moving the checkout forward
Updating 0123456..89abcde
spark-control: getting vllm-node
latest: Pulling from eugr/spark-vllm
0123456789ab: Pulling fs layer
ba9876543210: Already exists
0123456789ab: Pull complete
Digest: sha256:00
Status: Downloaded newer image for eugr/spark-vllm:latest
Checking image 'vllm-node' on 1 host(s): <spark-2-ip>
Image 'vllm-node' differs on spark@<spark-2-ip>; will copy.
Saving image locally to /tmp/vllm_image.Xy12...
Loading image into spark@<spark-2-ip>...
\x1b[32mLoaded image: vllm-node:latest\x1b[0m
Copy to <spark-2-ip> completed in 00:01:04
Copy complete.
         TIMING STATISTICS
Prebuilt Pull:  00:02:10
"""


def test_the_real_lines_mark_the_steps():
    log = BuildLog()
    said = list(log.feed(OUTPUT, last=True))
    steps = [(meaning.step, meaning.message) for _, meaning in said if meaning is not None]
    assert steps == [
        ("pulling", "Getting the new commits."),
        ("pulling", "Downloading the image eugr/spark-vllm."),
        ("copying", "Comparing vllm-node on the other Sparks."),
        ("saving", "Packing the image for the other Sparks."),
        ("copying", "Copying the image to another Spark."),
        ("copying", "Copied the image in 00:01:04."),
        ("copying", "Every Spark has the image."),
    ]
    assert "Loaded image: vllm-node:latest" in [line for line, _ in said]


@pytest.mark.parametrize(
    ("line", "step"),
    [
        (b"Rebuilding vLLM wheels...", "building"),
        (b"vLLM build command: docker build", "building"),
        (b"Building runner image with command: docker build -t x", "building"),
        (b"Status: Image is up to date for eugr/spark-vllm:latest", "pulling"),
        (b"anything else", None),
    ],
)
def test_each_marker_has_its_step(line, step):
    ((_, meaning),) = BuildLog().feed(line, last=True)
    assert (meaning.step if meaning is not None else None) == step


def test_a_password_in_an_address_is_not_told():
    ((line, _),) = BuildLog().feed(b"From https://alice:hunter2@example.invalid/x", last=True)
    assert line == "From https://example.invalid/x"


def test_the_share_of_layers_is_the_percentage():
    log = BuildLog()
    assert log.percent is None
    assert list(log.feed(b"aaaaaaaaaaaa: Pulling fs layer\rbbbbbbbbbbbb: Already exists\r"))
    assert log.percent == 50
    list(log.feed(b"aaaaaaaaaaaa: Pull complete\n"))
    assert log.percent == 100
    list(log.feed(b"Saving image locally to /tmp/x\n"))
    assert log.percent is None


@given(st.lists(st.integers(0, len(OUTPUT)), max_size=10))
def test_where_the_output_is_cut_makes_no_difference(cuts):
    places = sorted({0, *cuts, len(OUTPUT)})
    log = BuildLog()
    pieces = [
        said for start, end in itertools.pairwise(places) for said in log.feed(OUTPUT[start:end])
    ]
    assert [*pieces, *log.feed(b"", last=True)] == list(BuildLog().feed(OUTPUT, last=True))


@pytest.mark.parametrize(
    ("exit_code", "lines", "code"),
    [
        (81, ["fatal: Not possible to fast-forward, aborting."], "diverged"),
        (81, ["error: Your local changes to x would be overwritten by merge:"], "local_changes"),
        (81, ["fatal: unable to access 'https://x/': Could not resolve host: x"], "no_network"),
        (81, ["error: unable to write file: No space left on device"], "disk_full"),
        (80, [], "no_builder"),
        (82, [], "no_builder"),
        (83, ["write /tmp/vllm_image.x: no space left on device"], "disk_full"),
        (83, ["OSError: Not enough free disk space"], "disk_full"),
        (83, ["failed to register layer: write /a: no space left on device"], "disk_full"),
        (83, ['Get "https://registry-1.docker.io/v2/": net/http: TLS timeout'], "pull_failed"),
        (83, ["toomanyrequests: You have reached your pull rate limit"], "pull_failed"),
        (83, ["pull access denied for x"], "pull_failed"),
        (83, ["Copy to <spark-2-ip> failed."], "copy_failed"),
        (83, ["Error: Failed to save image."], "copy_failed"),
        (83, ["ERROR: failed to solve: process did not complete"], "build_failed"),
        (None, [], "build_failed"),
        (143, ["x"], "build_failed"),
    ],
)
def test_each_ending_has_a_cause_with_something_to_do(exit_code, lines, code):
    cause = causes.of_ending("Spark 1", exit_code, lines)
    assert cause.code == code
    assert cause.action.endswith(".")
    assert cause.sentence.endswith(".") or cause.sentence.endswith(":")
    assert list(cause.evidence)[-len(lines) :] == lines or not lines


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("ssh: Could not resolve hostname", "cannot be reached|git said"),
        ("fatal: could not read Username: terminal prompts disabled", "asks for a password"),
        ("no end within 60 seconds", "did not answer in time"),
        ("fatal: Could not read from remote repository.", "cannot be reached"),
        ("fatal: weird", "git said: fatal: weird"),
        ("", "no reason"),
    ],
)
def test_a_failed_fetch_is_told_in_plain_words(said, expected):
    assert any(words in fetch_problem(said) for words in expected.split("|"))


OLD, NEW = "sha256:1", "sha256:2"
COMMIT, OTHER = "a" * 40, "b" * 40
KEPT = datetime(2026, 11, 27, tzinfo=UTC)


def a_sight(host="spark1", *, current=NEW, commit=OTHER, kept=(), **facts) -> Sight:
    found = Found(
        checkout=CheckoutFound(commit=commit, branch="main", upstream="o", ahead=0, behind=0),
        programs=Programs(builder=True),
        images=(ImageFound(tag="vllm-node", id=current),),
        kept=tuple(ImageFound(tag=tag, id=image) for tag, image in kept),
        **facts,
    )
    return Sight(host, f"Spark {host[-1]}", "d", found, fresh=True)


def at(day: int, commit: str = COMMIT) -> str:
    return f"vllm-node:before-202611{day:02}T000000Z-{commit}"


def test_the_way_back_leads_to_the_newest_that_differs():
    sights = [a_sight(kept=[(at(1), OLD), (at(2), NEW)], commit=COMMIT)]
    assert [kept.kept_as for kept in way_back(sights)] == [at(1)]
    assert way_back([a_sight(kept=[(at(2), NEW)], commit=COMMIT)]) == []
    assert [kept.at for kept in way_back([a_sight(kept=[(at(2), NEW)])])] == ["20261102T000000Z"]
    unknown = "vllm-node:before-20261101T000000Z-unknown"
    assert way_back([a_sight(kept=[(unknown, OLD)])])[0].commit is None
    assert way_back([a_sight(kept=[("vllm-node:before-20269901T000000Z-unknown", OLD)])]) == []


def test_the_way_back_looks_at_every_spark_for_itself():
    back = a_sight("spark1", kept=[(at(2), NEW)], commit=COMMIT)
    stayed = a_sight("spark2", kept=[(at(2), NEW)], commit=OTHER)
    assert [kept.host for kept in way_back([back, stayed])] == ["spark1", "spark2"]
    bare = Sight("spark2", "Spark 2", "d", Found(unseen="missing"), fresh=True)
    assert way_back([back, bare]) == []


def test_a_kept_image_gets_back_the_tag_it_had():
    found = Found(
        images=(ImageFound(tag="vllm/vllm-openai:v0.33", id=NEW), ImageFound(tag="other", id=NEW)),
        kept=(ImageFound(tag=kept_tag("vllm/vllm-openai:v0.33", KEPT, None), id=NEW),),
    )
    sight = Sight("spark1", "Spark 1", "d", found, fresh=True)
    assert [kept.tag for kept in kept_images([sight])] == ["vllm/vllm-openai:v0.33"]
    assert way_back([sight]) == []


def test_two_generations_stay_on_every_spark():
    sights = [
        a_sight("spark1", kept=[(at(day), OLD) for day in (1, 2, 3, 4)]),
        a_sight("spark2", kept=[(at(day), OLD) for day in (1, 4)]),
    ]
    kept = kept_images(sights)
    assert sorted(outdated(kept, "spark1")) == [at(1), at(2)]
    assert outdated(kept, "spark2") == [at(1)]


def test_a_kept_tag_fits_what_docker_takes():
    tag = kept_tag("registry:5000/a/vllm-node:x", KEPT, COMMIT)
    assert tag == f"registry:5000/a/vllm-node:before-20261127T000000Z-{COMMIT}"
    assert len(tag.rpartition(":")[2]) <= 128


def test_a_second_spark_need_not_have_the_checkout_but_must_answer():
    builds = Builds(RuntimeSettings, lambda: ("vllm-node", "vllm-node-b12x", "vllm/x:1"))
    bare = Sight("spark2", "Spark 2", "d", Found(unseen="missing"), fresh=True)
    assert builds.refusals([a_sight(), bare]) == []
    assert builds.of([a_sight(), bare]) == [("vllm-node", "-")]
    away = Sight("spark2", "Spark 2", "d", away="Spark 2 does not answer.")
    assert builds.refusals([a_sight(), away]) == ["Spark 2 does not answer."]
    zipped = Sight("spark2", "Spark 2", "d", Found(unseen="no_repository"), fresh=True)
    assert "not a git checkout" in builds.refusals([a_sight(), zipped])[0]
    assert "has no folder" in builds.refusals([bare])[0]


def test_room_is_asked_for_where_it_is_needed():
    tight, wide = 3_000_000_000, 90_000_000_000
    fits = a_sight(tmp_free_bytes=wide, docker_free_bytes=wide)
    assert room_problem([fits, fits], copies=True) is None
    assert room_problem([a_sight()], copies=True) is None
    full = a_sight(tmp_free_bytes=tight, docker_free_bytes=wide)
    assert "3 GB free in /tmp" in room_problem([full], copies=True).sentence
    assert room_problem([full], copies=False) is None
    other = a_sight("spark2", tmp_free_bytes=tight, docker_free_bytes=tight)
    assert "Spark 2" in room_problem([fits, other], copies=True).sentence


def test_an_answer_fits_into_one_message_of_the_bus():
    commits = tuple(
        Commit(sha=COMMIT, at="1", subject="s" * 500, body='"' * 4096) for _ in range(50)
    )
    checkout = CheckoutFound(commit=OTHER, branch="main", behind=50, commits=commits)
    sights = [
        Sight(f"spark{n}", f"Spark {n}", "d", Found(checkout=checkout), fresh=True)
        for n in range(1, 5)
    ]
    view = updates_view(sights, default_image="vllm-node", blockers=[], job=None)
    assert len(view.model_dump_json()) < 950_000
    assert view.checkouts[3].commits[0].body
    assert len(view.checkouts[3].commits) == 50
    two = updates_view(sights[:1], default_image="vllm-node", blockers=[], job=None)
    assert all(commit.body for commit in two.checkouts[0].commits)
