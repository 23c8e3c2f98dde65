"""What the code of each service says, asks and reads on the bus is what its identity may."""

import ast
import importlib
import pkgutil
from functools import cache
from pathlib import Path

import pytest

from spark_common import contracts, schemas, subjects
from spark_common.bus.patterns import matches
from spark_common.bus.permissions import PERMISSIONS, automation
from spark_common.bus.streams import STREAMS, stream_of
from spark_common.contracts.rpc import Rpc

ROOT = Path(__file__).parents[2]
SERVICES = sorted(path.parent.name for path in (ROOT / "services").glob("*/pyproject.toml"))
TELLING = {"publish", "publish_durable", "Outgoing"}
CONTRACTS = [
    importlib.import_module(module.name)
    for module in pkgutil.iter_modules(contracts.__path__, f"{contracts.__name__}.")
]
QUESTIONS: dict[str, Rpc] = {
    name: value
    for module in CONTRACTS
    for name, value in vars(module).items()
    if isinstance(value, Rpc)
}
TELLERS = {
    "swap.requested": {"automation"},
    "swap.requested.x": {"swapper"},
    "swap.cancel.x": {"swapper"},
    "swap.accepted.x": {"swapper"},
    "swap.rejected.x": {"swapper"},
    "swap.progress.x": {"swapper"},
    "swap.complete.x": {"swapper"},
    "swap.failed.x": {"swapper"},
    "menu.changed": {"swapper", "gateway"},
    "settings.changed": {"coordinator"},
    "keys.changed": {"coordinator"},
    "health.transition.x": {"health"},
    "service.action": {"health"},
    "health.checked.x": {"health"},
    "audio.suspect": {"audio-proxy"},
    "audio.state": {"audio-proxy"},
    "audio.request.done": {"audio-proxy"},
    "audio.job.x": {"audio-proxy"},
    "redaction.audit.x": {"redaction"},
}
"""Who may say what; of jobs the swapper, of ``lock`` and ``schedule`` the coordinator."""


def may_publish(name: str, subject: str) -> bool:
    return any(matches(pattern, subject) for pattern in PERMISSIONS[name].publish)


def may_listen(name: str, subject: str) -> bool:
    return any(matches(pattern, subject) for pattern in PERMISSIONS[name].subscribe)


def may_read(name: str, stream: str) -> bool:
    return may_publish(name, f"$JS.API.STREAM.MSG.GET.{stream}")


@cache
def trees(service: str) -> tuple[ast.Module, ...]:
    folder = ROOT / "services" / service / "src"
    found = tuple(ast.parse(path.read_text(encoding="utf-8")) for path in folder.rglob("*.py"))
    assert found
    return found


def names_in(node: ast.AST, known: frozenset[str]) -> set[str]:
    """Names of ``known`` that are used below a node, bare or as an attribute."""
    used = set()
    for each in ast.walk(node):
        if isinstance(each, ast.Name) and each.id in known:
            used.add(each.id)
        elif isinstance(each, ast.Attribute) and each.attr in known:
            used.add(each.attr)
    return used


SUBJECTS = frozenset(
    name
    for name, value in vars(subjects).items()
    if not name.startswith("_")
    and (isinstance(value, str) or callable(value))
    and name != "dry_run_answer"  # an id
)


def addresses(name: str) -> list[str]:
    """Subjects that a name of ``spark_common.subjects`` can mean, with ``x`` for ids."""
    value = getattr(subjects, name)
    if isinstance(value, str):
        return [value]
    if not name.startswith("job_"):
        return [value("x")]
    return [
        value(kind, "x")
        for kind in ("download", "update", "install", "overlay")
        if name != "job_outcomes"
    ]


@pytest.mark.parametrize("service", SERVICES)
class TestEveryService:
    def test_may_ask_or_answer_every_question_it_knows(self, service: str) -> None:
        known = frozenset(QUESTIONS)
        for tree in trees(service):
            for name in names_in(tree, known):
                subject = QUESTIONS[name].subject
                own = QUESTIONS[name].service == service
                may = may_listen(service, subject) if own else may_publish(service, subject)
                assert may, f"{service} uses {name} and may not use {subject}"

    def test_may_tell_every_subject_it_tells(self, service: str) -> None:
        for tree in trees(service):
            for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
                called = call.func
                name = called.attr if isinstance(called, ast.Attribute) else ""
                name = called.id if isinstance(called, ast.Name) else name
                if name not in TELLING or not call.args:
                    continue
                for told in names_in(call.args[0], SUBJECTS):
                    for subject in addresses(told):
                        assert may_publish(service, subject), f"{service} tells {subject}"

    def test_may_do_something_with_every_subject_it_names(self, service: str) -> None:
        for tree in trees(service):
            imported = {
                alias.name
                for node in ast.walk(tree)
                if isinstance(node, ast.ImportFrom) and node.module == "spark_common.subjects"
                for alias in node.names
            }
            named = imported | {
                node.attr
                for node in ast.walk(tree)
                if isinstance(node, ast.Attribute)
                and isinstance(node.value, ast.Name)
                and node.value.id == "subjects"
            }
            for subject in (each for name in named & SUBJECTS for each in addresses(name)):
                owner = stream_of(subject)
                reads = owner is not None and may_read(service, owner.name)
                assert may_publish(service, subject) or may_listen(service, subject) or reads, (
                    f"{service} names {subject}"
                )

    def test_may_read_or_work_off_every_stream_it_names(self, service: str) -> None:
        specs = {spec.name: spec for spec in STREAMS}
        for path in (ROOT / "services" / service / "src").rglob("*.py"):
            if path.name == "app.py":
                # Names the streams whose being there it waits for.
                continue
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Constant) and node.value in specs:
                    spec = specs[node.value]
                    works = any(
                        may_publish(service, f"$JS.API.CONSUMER.MSG.NEXT.{spec.name}.{each.name}")
                        for each in spec.consumers
                    )
                    assert works or may_read(service, spec.name), f"{path} names {spec.name}"

    def test_answers_and_is_answered_under_its_own_name_only(self, service: str) -> None:
        assert may_listen(service, f"rpc.{service}.about.get")
        assert may_listen(service, f"_INBOX_{service}.x.y")
        others = {*PERMISSIONS, "auto_x"} - {service}
        assert not [name for name in others if may_listen(service, f"rpc.{name}.about.get")]
        assert not [name for name in others if may_listen(service, f"_INBOX_{name}.x.y")]


@pytest.mark.parametrize("channel", schemas.CHANNELS, ids=lambda channel: channel.address)
def test_everything_is_told_by_those_who_may_and_nobody_else(channel: schemas.Channel) -> None:
    subject = channel.address.replace("{id}", "x")
    tellers = {name for name in PERMISSIONS if may_publish(name, subject)}
    if subject in TELLERS:
        assert tellers == TELLERS[subject]
    elif subject.startswith(("download.", "update.")) and subject.count(".") == 2:
        assert tellers == {"swapper"}
    elif subject.startswith("install.") and subject.count(".") == 2:
        # Embeddings are installed by the swapper, all other services by health.
        assert tellers == {"swapper", "health"}
    elif subject.startswith("overlay.") and subject.count(".") == 2:
        assert tellers == {"health"}
    elif subject.startswith(("lock.", "schedule.")):
        assert tellers == {"coordinator"}
    elif channel.stream is not None:
        # Reports and asked-for checks: several may, those who own outcomes and leases apart.
        assert tellers
        assert subject in ("health.probe.requested", "health.report")
    else:
        # Copies that the server makes: a forged one would be taken for an outcome.
        assert tellers == set()


@pytest.mark.parametrize("spec", STREAMS, ids=lambda spec: spec.name)
class TestEveryStream:
    def test_each_durable_consumer_has_one_worker_who_can_settle(self, spec) -> None:
        for consumer in spec.consumers:
            place = f"{spec.name}.{consumer.name}"
            workers = [
                name
                for name in PERMISSIONS
                if name != "provisioner" and may_publish(name, f"$JS.API.CONSUMER.MSG.NEXT.{place}")
            ]
            assert len(workers) == 1, place
            assert may_publish(workers[0], f"$JS.ACK.{place}.1.1.1.1.1")
            assert may_publish(workers[0], f"$JS.API.CONSUMER.INFO.{place}")

    def test_only_the_provisioner_makes_changes_or_deletes_it(self, spec) -> None:
        for verb in ("CREATE", "UPDATE", "DELETE", "PURGE", "MSG.DELETE", "SNAPSHOT", "RESTORE"):
            subject = f"$JS.API.STREAM.{verb}.{spec.name}"
            assert [name for name in PERMISSIONS if may_publish(name, subject)] == ["provisioner"]

    def test_no_automation_reads_it_but_by_its_own_consumer(self, spec) -> None:
        own = automation("alpha").publish
        for subject in (
            f"$JS.API.STREAM.MSG.GET.{spec.name}",
            f"$JS.API.CONSUMER.CREATE.{spec.name}",
            f"$JS.API.CONSUMER.CREATE.{spec.name}.auto_beta",
            f"$JS.API.CONSUMER.MSG.NEXT.{spec.name}.auto_beta",
            f"$JS.API.CONSUMER.DELETE.{spec.name}.webhook",
            f"$JS.ACK.{spec.name}.auto_beta.1.1.1.1.1",
        ):
            assert not any(matches(pattern, subject) for pattern in own), subject
