"""Values that plain types cannot hold exactly: each remembers its JSON text, and is written back as it came."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, SupportsIndex


class Exact:
    """Mixed into a plain type: remembers the JSON text that the value was read from."""

    text: str

    def __reduce_ex__(
        self, protocol: SupportsIndex
    ) -> tuple[Any, ...]:  # datetime has one of its own, which comes first
        return _restore, (type(self), self.text)


class ExactInt(Exact, int):
    """An integer that is not written as 64-bit digits: `1.0`, `1e3`, thirty digits."""

    @classmethod
    def of(cls, text: str) -> ExactInt:
        """Build from a JSON number whose value is an integer."""
        exact = cls(int(text) if text.lstrip("-").isdigit() else int(Decimal(text)))
        exact.text = text
        return exact


class ExactFloat(Exact, float):
    """A number of which a double is only the nearest: `1e400` is infinity here, and `1e400` on the wire."""

    @classmethod
    def of(cls, text: str) -> ExactFloat:
        """Build from any JSON number."""
        exact = cls(text)
        exact.text = text
        return exact


class ExactDatetime(Exact, datetime):
    """A date-time whose text `datetime` would write in another way, or cannot hold: the nearest instant it holds."""

    @classmethod
    def of(cls, text: str) -> ExactDatetime:
        """Build from an RFC 3339 date-time; a leap second is the last microsecond before it."""
        try:
            exact = cls.fromisoformat(text)
        except ValueError:
            near = _nearest(text)
            exact = cls.combine(near.date(), near.timetz())
        exact.text = text
        return exact


class ExactDate(Exact, date):
    """A date outside the years of `date`: the nearest one it holds."""

    @classmethod
    def of(cls, text: str) -> ExactDate:
        """Build from an RFC 3339 full-date."""
        exact = cls(1, int(text[5:7]), 1)
        exact.text = text
        return exact


class ExactDecimal(Exact, Decimal):
    """A decimal that JSON holds as a text, such as `"1.10"`. A text that is no decimal is NaN here."""

    @classmethod
    def of(cls, text: str) -> ExactDecimal:
        """Build from any text."""
        try:
            exact = cls(text if _DECIMAL.fullmatch(text) else "NaN")
        except ArithmeticError:  # an exponent beyond what Decimal counts with
            exact = cls("NaN")
        exact.text = text
        return exact

    def __eq__(self, other: object) -> bool:
        if self.is_nan():
            return isinstance(other, ExactDecimal) and self.text == other.text
        return super().__eq__(other)

    def __hash__(self) -> int:
        return hash(self.text) if self.is_nan() else super().__hash__()


_DECIMAL = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


def _restore(cls: Any, text: str) -> Any:
    return cls.of(text)


def _nearest(text: str) -> datetime:
    text = text.upper().replace(" ", "T")
    late = text[17:19] == "60"
    if late:
        text = f"{text[:17]}59{text[19:]}"
    if text.startswith("0000"):
        return datetime.min.replace(tzinfo=UTC)
    try:
        near = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("an RFC 3339 date-time") from None
    return near.replace(microsecond=999_999) if late else near
