"""Arrays of token ids, as LangChain sends them: text of cl100k_base, read back where possible."""

from collections.abc import Callable, Sequence

from spark_embed.refusals import ADVICE, RefusalError, bad

Decode = Callable[[Sequence[int]], str]


def decoder() -> Decode:
    """Return what reads token ids; where the vocabulary is not on the disk, it refuses."""
    try:
        import tiktoken

        encoding = tiktoken.get_encoding("cl100k_base")
    except Exception:
        return refuse

    def decode(ids: Sequence[int]) -> str:
        try:
            return str(encoding.decode(list(ids)))
        except (KeyError, OverflowError, ValueError) as error:
            raise not_known(ids) from error

    return decode


def refuse(ids: Sequence[int]) -> str:
    """Say what to do instead."""
    raise bad(ADVICE, "input")


def not_known(ids: Sequence[int]) -> RefusalError:
    """Some of the ids are no tokens of cl100k_base."""
    return bad(f"Some of {len(ids)} token ids are out of vocabulary. {ADVICE}", "input")
