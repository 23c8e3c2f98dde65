"""Scrub and rehydrate by a question on the bus; the same JSON as over HTTP."""

from typing import Annotated, Literal

from pydantic import Field, JsonValue, StringConstraints

from spark_common.contracts.rpc import Reply, Request, Rpc

Tenant = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:-]{1,64}$")]


class ScrubText(Request):
    """Hide what is personal in a text, messages or a document."""

    tenant: Tenant = "default"
    question: dict[str, JsonValue] = Field(repr=False)
    """The body of ``POST /scrub``."""


class RehydrateText(Request):
    """Put values back."""

    tenant: Tenant = "default"
    asked_by: Literal["bus", "operator"] = "bus"
    """``operator``: whoever runs the cluster, for a tenant; the audit says so."""
    question: dict[str, JsonValue] = Field(repr=False)
    """The body of ``POST /rehydrate``."""


class RedactionAnswer(Reply):
    """The body of the answer."""

    answer: dict[str, JsonValue] = Field(repr=False)


SCRUB_TEXT = Rpc("rpc.redaction.text.scrub", ScrubText, RedactionAnswer)
REHYDRATE_TEXT = Rpc("rpc.redaction.text.rehydrate", RehydrateText, RedactionAnswer)
