"""The request log as a file: CSV that no spreadsheet runs, or one JSON list. Pure."""

import csv
import io
from collections.abc import Iterable
from typing import Final

from spark_common.contracts.requests import RequestRow

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
"""Beginnings that make a spreadsheet compute a cell, or look behind the blank for such."""
COLUMNS: Final = tuple(name for name in RequestRow.model_fields if name != "mark")


def csv_heading() -> bytes:
    """Return the first line of a CSV file, with the mark that tells spreadsheets it is UTF-8."""
    return "\ufeff".encode() + _written([COLUMNS])


def csv_lines(rows: Iterable[RequestRow]) -> bytes:
    """Return rows as CSV lines in the order of ``COLUMNS``; what is not known is empty."""
    return _written([_cell(value) for value in _values(row)] for row in rows)


def json_lines(rows: Iterable[RequestRow], *, first: bool) -> bytes:
    """Return rows as elements of a JSON list; ``first``: nothing stands before them."""
    elements = [row.model_dump_json(exclude={"mark"}) for row in rows]
    joined = ",\n".join(elements)
    return (joined if first or not elements else ",\n" + joined).encode()


def _values(row: RequestRow) -> list[object]:
    values = row.model_dump(mode="json")
    return [values[name] for name in COLUMNS]


def _cell(value: object) -> object:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value


def _written(rows: Iterable[Iterable[object]]) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue().encode()
