"""Which parsers and abilities follow from the family. Pure."""

from spark_common.contracts.models import Certainty, Suggested
from spark_swapper.suggest.facts import ModelFiles
from spark_swapper.suggest.families import Family
from spark_swapper.suggest.traits import Traits

_CHECK = "known of relatives; the model card says which one it is"


def tool_parser(files: ModelFiles, family: Family | None, traits: Traits) -> Suggested[str | None]:
    """Return the parser of tool calls; None when it has none or nobody knows."""
    if traits.pooling is not None:
        return Suggested(value=None, source=traits.pooling.source, certainty="derived")
    if family is None:
        return _unknown()
    own_template = "mistral" in files.formats
    if family.tool and files.chat_template == "plain" and not own_template:
        note = "the chat template of these files does not speak of tools"
        return Suggested(value=None, source="chat template", certainty="derived", note=note)
    return _of_family(family, family.tool)


def reasoning_parser(family: Family | None, traits: Traits) -> Suggested[str | None]:
    """Return the parser that tells thinking from answering; None when there is none."""
    if traits.pooling is not None:
        return Suggested(value=None, source=traits.pooling.source, certainty="derived")
    return _unknown() if family is None else _of_family(family, family.reasoning)


def capabilities(
    traits: Traits, tool: Suggested[str | None], reasoning: Suggested[str | None]
) -> Suggested[list[str]]:
    """Return what clients may do with it, as sure as the least sure part."""
    if pooling := traits.pooling:
        note = "embeddings or scores, no chat"
        return Suggested(value=[], source=pooling.source, certainty=pooling.certainty, note=note)
    found = ["chat"]
    if traits.vision is not None:
        found.append("vision")
    if tool.value is not None:
        found.append("tools")
    if reasoning.value is not None:
        found.append("reasoning")
    sure = {tool.certainty, reasoning.certainty}
    certainty: Certainty = "guessed" if "guessed" in sure else "derived"
    return Suggested(value=found, source="traits and parsers", certainty=certainty)


def _of_family(family: Family, parser: str | None) -> Suggested[str | None]:
    note = _CHECK if family.certainty == "guessed" else None
    source = f"family {family.label}"
    return Suggested(value=parser, source=source, certainty=family.certainty, note=note)


def _unknown() -> Suggested[str | None]:
    note = "its family is not known here; without a parser, calls and thoughts stay in the text"
    return Suggested(value=None, source="no known family", certainty="guessed", note=note)
