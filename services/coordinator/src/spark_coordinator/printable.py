"""Text of others, fit for a line that people read in a terminal or a log."""


def printable(text: str) -> str:
    """Return the text with a blank for each letter that does not print, such as an escape."""
    return "".join(letter if letter.isprintable() else " " for letter in text)
