"""Finds what is personal in text, hides it behind placeholders, and puts it back.

Needs the standard library and google-re2 only; copy this folder to use it elsewhere.
"""

from spark_redaction.scrub.detector import Detector
from spark_redaction.scrub.kinds import Kind, kind_of
from spark_redaction.scrub.names.dictionary import Dictionary
from spark_redaction.scrub.names.entity import Entity
from spark_redaction.scrub.scrubber import LeakError, Scrubbed, Scrubber
from spark_redaction.scrub.tokens.book import Book, Entry
from spark_redaction.scrub.tokens.rehydrate import Rehydrator, Report

__all__ = [
    "Book",
    "Detector",
    "Dictionary",
    "Entity",
    "Entry",
    "Kind",
    "LeakError",
    "Rehydrator",
    "Report",
    "Scrubbed",
    "Scrubber",
    "kind_of",
]
