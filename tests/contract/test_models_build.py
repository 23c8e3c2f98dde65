"""Messages, questions and answers are built at first use: what is wrong in one shows here."""

import importlib
import pkgutil
from collections.abc import Iterator

import pytest
from pydantic import BaseModel, PydanticUndefinedAnnotation

import spark_common.contracts
import spark_common.events
from spark_common.contracts.rpc import Reply, Request
from spark_common.events.message import Command, Event

BASES: tuple[type[BaseModel], ...] = (Command, Event, Request, Reply)


def _below(base: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for model in base.__subclasses__():
        yield model
        yield from _below(model)


def _models() -> list[type[BaseModel]]:
    for package in (spark_common.events, spark_common.contracts):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    found = {model for base in BASES for model in _below(base)}
    ours = (model for model in found if model.__module__.startswith("spark_common."))
    return sorted(ours, key=lambda model: (model.__module__, model.__qualname__))


def test_every_message_can_be_built() -> None:
    models = _models()
    for model in models:
        model.model_rebuild()
    assert all(any(issubclass(model, base) for model in models) for base in BASES)
    assert [model for model in models if not model.__pydantic_complete__] == []


def test_a_model_of_something_that_is_nowhere_is_refused() -> None:
    class Broken(Event):
        field: "Nowhere"  # noqa: F821 - the error itself

    with pytest.raises(PydanticUndefinedAnnotation, match="Nowhere"):
        Broken.model_rebuild()
