"""By what a place is known again, whatever stands between its words."""


def place_key(text: str) -> str:
    """Return the words and numbers of a folded address, one space between them."""
    return " ".join("".join(c if c.isalnum() else " " for c in text).split())
