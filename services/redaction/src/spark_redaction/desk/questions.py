"""The requests. What people wrote is never shown by ``repr`` nor by an error."""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

MOST_INLINE = 2_000
MOST_IN_SET = 50_000
MOST_TOKENS = 20_000
LONGEST_TTL_SECONDS = 30 * 86_400
DAY_SECONDS = 86_400

TaskId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{8,64}$")]
SessionId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:-]{1,64}$")]
SetName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]
Words = Annotated[str, StringConstraints(min_length=1, max_length=400)]
Tolerance = Literal["exact", "standard", "lenient"]
Format = Literal["auto", "text", "json"]
Json = dict[str, Any] | list[Any]


class Question(BaseModel):
    """Frozen; an unknown field is a typo."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, populate_by_name=True
    )


class KnownEntity(Question):
    """Somebody or something to look for."""

    type: Annotated[str, StringConstraints(min_length=1, max_length=40)] = "PERSON"
    value: Words = Field(repr=False)
    aliases: list[Words] = Field(default_factory=list, max_length=40, repr=False)
    id: Annotated[str, StringConstraints(min_length=1, max_length=120)] | None = None

    def name(self) -> tuple[str, str, tuple[str, ...], str | None]:
        """As the workers take it."""
        return self.type, self.value, tuple(self.aliases), self.id


class _Body(Question):
    text: str | None = Field(default=None, repr=False)
    messages: list[Any] | None = Field(default=None, repr=False)
    document: Json | None = Field(default=None, alias="json", repr=False)
    format: Format = "auto"

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if sum(each is not None for each in (self.text, self.messages, self.document)) != 1:
            raise ValueError("exactly one of text, messages and json")
        return self

    @property
    def shape(self) -> str:
        """Which of the three it is."""
        if self.text is not None:
            return "text"
        return "messages" if self.messages is not None else "json"

    @property
    def content(self) -> Any:
        """What it holds."""
        return {"text": self.text, "messages": self.messages, "json": self.document}[self.shape]


class ScrubQuestion(_Body):
    """``POST /scrub``."""

    entities: list[KnownEntity] = Field(default_factory=list, repr=False)
    entity_set: SetName | None = None
    session_id: SessionId | None = None
    profile: Literal["transcript", "crm", "strict"] = "transcript"
    keep: list[Words] = Field(default_factory=list, max_length=500, repr=False)
    ner: Literal["off", "best_effort", "required"] | None = None
    ttl_s: int = Field(default=DAY_SECONDS, ge=1, le=LONGEST_TTL_SECONDS)
    passthrough_placeholders: bool = False


class RehydrateQuestion(_Body):
    """``POST /rehydrate``."""

    task_id: TaskId | None = None
    session_id: SessionId | None = None
    tolerance: Tolerance = "standard"
    on_unknown: Literal["keep", "error"] = "keep"
    expand_in_urls: bool = False

    @model_validator(mode="after")
    def _one_scope(self) -> Self:
        if (self.task_id is None) == (self.session_id is None):
            raise ValueError("exactly one of task_id and session_id")
        return self


class VerifyQuestion(Question):
    """``POST /scrub/verify``."""

    text: str = Field(repr=False)
    task_id: TaskId | None = None
    session_id: SessionId | None = None

    @model_validator(mode="after")
    def _one_scope(self) -> Self:
        if (self.task_id is None) == (self.session_id is None):
            raise ValueError("exactly one of task_id and session_id")
        return self


class EraseQuestion(Question):
    """``POST /erase``."""

    value: Words | None = Field(default=None, repr=False)
    entity_id: Annotated[str, StringConstraints(min_length=1, max_length=120)] | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.value is None) == (self.entity_id is None):
            raise ValueError("exactly one of value and entity_id")
        return self


class EntitySetQuestion(Question):
    """``PUT /entity-sets/{name}``."""

    entities: list[KnownEntity] = Field(repr=False)
