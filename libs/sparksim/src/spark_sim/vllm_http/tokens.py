"""A tokenizer that is stable and reversible; nothing else about it is real."""

import re
import zlib
from collections.abc import Sequence

_PIECES = re.compile(r" ?[^\W_]{1,7}|\s+?|.", re.DOTALL)
_FIRST_ID = 1000


class Tokenizer:
    """Cuts text into pieces of up to seven letters and remembers their numbers."""

    def __init__(self) -> None:
        self._texts: dict[int, str] = {}

    @staticmethod
    def cut(text: str) -> list[str]:
        """Return the pieces of a text."""
        return _PIECES.findall(text)

    def encode(self, text: str) -> list[int]:
        """Return the numbers of the pieces."""
        return [self._number(piece) for piece in self.cut(text)]

    def decode(self, numbers: Sequence[int]) -> str:
        """Return the text of numbers, single bytes below 256 included."""
        return "".join(
            self._texts.get(number) or (chr(number) if number < 256 else "\ufffd")
            for number in numbers
        )

    def _number(self, piece: str) -> int:
        number = _FIRST_ID + zlib.crc32(piece.encode("utf-8", "surrogatepass")) % 250_000
        while self._texts.setdefault(number, piece) != piece:
            number += 1
        return number


def chat_prompt(messages: Sequence[dict[str, object]], *, closed_thought: bool = False) -> str:
    """Return the text a chat template makes of messages."""
    turns = [f"<|im_start|>{m.get('role', '')}\n{text_of(m.get('content'))}<|im_end|>\n"
             for m in messages]  # fmt: skip
    return "".join(turns) + "<|im_start|>assistant\n" + ("<think>\n\n</think>\n\n" * closed_thought)


def text_of(content: object) -> str:
    """Return the text of a message's content: a string or a list of parts."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        parts = (part.get("text") for part in content if isinstance(part, dict))
        return "".join(part for part in parts if isinstance(part, str))
    return ""
