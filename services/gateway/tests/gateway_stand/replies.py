"""Services that answer any question of a contract with some valid reply, made from its schema."""

import pkgutil
from importlib import import_module
from itertools import cycle
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from pydantic import BaseModel, ValidationError
from schemathesis import openapi

import spark_common.contracts
from spark_common.bus import Serving
from spark_common.contracts.rpc import Rpc
from spark_common.testing import MemoryBroker, MemoryBus

REPLIES_OF_EACH = 2
ANSWERED_HERE = "gateway"


def all_questions() -> list[Rpc[Any, Any]]:
    """Return every question of every contract, by subject."""
    found: dict[str, Rpc[Any, Any]] = {}
    for module in pkgutil.iter_modules(spark_common.contracts.__path__):
        values = vars(import_module(f"spark_common.contracts.{module.name}")).values()
        found |= {value.subject: value for value in values if isinstance(value, Rpc)}
    return [found[subject] for subject in sorted(found)]


def some_replies(reply: type[BaseModel]) -> list[BaseModel]:
    """Return a few valid replies, always the same ones."""
    made: list[BaseModel] = []

    @settings(
        max_examples=REPLIES_OF_EACH,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(_bodies_of(reply))
    def collect(case: Any) -> None:
        try:
            made.append(reply.model_validate(case.body))
        except (ValidationError, ValueError):
            return  # A rule that the schema cannot say.

    collect()
    return made


def _bodies_of(reply: type[BaseModel]) -> Any:
    schema = reply.model_json_schema(ref_template="#/components/schemas/{model}")
    parts = schema.pop("$defs", {})
    operation = {
        "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}},
        "responses": {"200": {"description": "a reply"}},
    }
    document = {
        "openapi": "3.1.0",
        "info": {"title": "replies", "version": "1"},
        "paths": {"/reply": {"post": operation}},
        "components": {"schemas": parts},
    }
    return openapi.from_dict(document)["/reply"]["post"].as_strategy()


async def answer_everything(broker: MemoryBroker, besides: frozenset[str] = frozenset()) -> None:
    """Serve every question that a gateway asks, but those of the services ``besides``."""
    by_service: dict[str, list[Serving]] = {}
    for rpc in all_questions():
        if rpc.service != ANSWERED_HERE and rpc.service not in besides:
            by_service.setdefault(rpc.service, []).append(_answering(rpc))
    for name, verbs in by_service.items():
        await MemoryBus(name, broker).serve(name, "1.0.0", "anything", verbs)


def _answering(rpc: Rpc[Any, Any]) -> Serving:
    replies = cycle(some_replies(rpc.reply) or [rpc.reply()])

    async def answer(_: Any) -> Any:
        return next(replies)

    return Serving(rpc, answer)
