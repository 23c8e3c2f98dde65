"""Text as it is spoken: without the marks of Markdown, without emoji, with single blanks."""

import re
from collections.abc import Sequence
from typing import Final

PARAGRAPH: Final = "\n"
"""Stands in cleaned text where a pause is meant: between paragraphs, items and headings."""

_MOST_MARKED: Final = 500
"""Characters between two marks that belong together; keeps every pattern linear."""
_FENCE = re.compile(r"^[ \t]{0,3}(?:`{3,}|~{3,})[^\n]{0,80}$", re.MULTILINE)
_RULE = re.compile(r"^[ \t]{0,3}(?:[-*_=][ \t]?){3,200}$", re.MULTILINE)
_HEADING = re.compile(r"^[ \t]{0,3}#{1,6}[ \t]{1,8}(.{0,1000}?)[ \t#]{0,20}$", re.MULTILINE)
_QUOTE = re.compile(r"^[ \t]{0,3}(?:>[ \t]?){1,8}", re.MULTILINE)
_ITEM = re.compile(r"^[ \t]{0,12}(?:[-*+•]|(\d{1,3}[.)]))[ \t]{1,8}(?=\S)", re.MULTILINE)
_LINK = re.compile(r"!?\[([^\[\]\n]{0,500})\]\(([^()\n]{0,2000})\)")
_CODE = re.compile(rf"`{{1,2}}([^`\n]{{1,{_MOST_MARKED}}})`{{1,2}}")


def _between(mark: str, own: str) -> re.Pattern[str]:
    inside = rf"(?=\S)([^{own}\n]{{1,{_MOST_MARKED}}})(?<=\S)"
    return re.compile(rf"(?<![\w{own}]){mark}{inside}{mark}(?![\w{own}])")


_MARKED: Final[Sequence[re.Pattern[str]]] = (
    _between(r"\*{3}", "*"),
    _between(r"\*\*", "*"),
    _between("__", "_"),
    _between("~~", "~"),
    _between(r"\*", "*"),
    _between("_", "_"),
)
_EMOJI = re.compile(
    "["
    "\U0001f000-\U0001faff"  # pictures, cards, symbols for things, flags
    "\u2600-\u26ff\u2700-\u27bf"  # weather, chess, dingbats
    "\u2b05-\u2b07\u2b1b\u2b1c\u2b50\u2b55\u231a\u231b\u23e9-\u23f3\u23f8-\u23fa"
    "\u200d\ufe0e\ufe0f\u20e3"  # what joins and dresses them
    "\U000e0020-\U000e007f"
    "]+"
)
_LONELY = re.compile(r"[^\S\n]{1,4}([.,!?;:](?=\s|$))")
_UNSEEN = re.compile("[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\u00ad\u200b\u2060\ufeff]+")
_BLANKS = re.compile(r"[^\S\n]+")
_BREAKS = re.compile(r" ?\n[ \n]*")


def cleaned(text: str) -> str:
    """Return what is to be spoken of ``text``; empty when nothing is.

    Lines that belong together are joined; ``PARAGRAPH`` stands where they do not.
    """
    text = _UNSEEN.sub("", text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n"))
    text = _FENCE.sub("\n\n", text)
    text = _RULE.sub("\n\n", text)
    text = _HEADING.sub(r"\n\n\1\n\n", text)
    text = _QUOTE.sub("", text)
    text = _ITEM.sub(lambda item: f"\n\n{item[1] or ''} ", text)
    text = _LINK.sub(_linked, text)
    text = _CODE.sub(r"\1", text)
    for marked in (*_MARKED, *_MARKED):  # what lies within others comes out the second time
        text = marked.sub(r"\1", text)
    text = _LONELY.sub(r"\1", _EMOJI.sub(" ", text))
    return _joined(text)


def _linked(found: re.Match[str]) -> str:
    """Speak the words of a link; a pronunciation in Kokoro's notation stays as it is."""
    words, target = found[1], found[2]
    spelled = len(target) > 2 and target[0] == target[-1] == "/" and target[1] != "/"
    return found[0] if spelled and not found[0].startswith("!") else words


def _joined(text: str) -> str:
    paragraphs = re.split(r"\n[^\S\n]*\n\s*", text)
    lines = (_BLANKS.sub(" ", _BREAKS.sub(" ", part)).strip() for part in paragraphs)
    return PARAGRAPH.join(line for line in lines if any(map(str.isalnum, line)))
