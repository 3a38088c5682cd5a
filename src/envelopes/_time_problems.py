"""What is wrong with a text that should be an RFC 3339 date-time, in words."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

_DATE_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_DATE, _MINUTES = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}"), re.compile(r"[0-9]{2}:[0-9]{2}")


def describe_timestamp(value: Any) -> str | None:
    """Return which part of a JSON value is wrong for an RFC 3339 date-time, or None if its form is right."""
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        unit = "milliseconds" if abs(float(value)) >= _SMALLEST_MILLISECONDS else "seconds"
        return f"it is a number, perhaps of {unit} since 1970: write 2026-03-01T12:00:00Z"
    if not isinstance(value, str):
        return "it is not a text"
    return None if _DATE_TIME.fullmatch(value) else _wrong_part(value)


_SMALLEST_MILLISECONDS = 10**11


def _wrong_part(text: str) -> str:
    day = _DATE.match(text)
    if day is None:
        return "it does not begin with a date such as 2026-03-01"
    rest = text[day.end() :]
    if not rest:
        return "there is a date without a time"
    clock = _MINUTES.match(rest, 1)
    if rest[0] not in "Tt " or clock is None:
        return "there is no T with a time of day after the date"
    rest = rest[clock.end() :]
    if not rest.startswith(":"):
        return "the seconds are missing: write 12:00:00, not 12:00"
    rest = re.sub(r"^:[0-9]{2}(\.[0-9]+)?", "", rest)
    if not rest:
        return "the offset is missing: end it with Z, or with an offset such as +01:00"
    if rest[0] == " ":
        return "there is a blank before the offset: end it with Z, or with an offset such as +01:00"
    if rest[0] == "[" or "[" in rest:
        return "there is the name of a time zone in brackets: end it with the offset alone"
    if re.fullmatch(r"[+-][0-9]{4}", rest):
        return "the offset has no colon: write +01:00, not +0100"
    return "there is no offset after the seconds: end it with Z, or with an offset such as +01:00"
