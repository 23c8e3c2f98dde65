"""Which recognisers these are; apart from them, for who only tells it."""

from typing import Final

VERSION: Final = "v6"
"""Of the recognisers as a whole; answered in ``coverage``."""
