"""What values look like, where a schema cannot say it: times without an offset, and times as numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable

_LOCAL_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?")
_SECONDS = 946_684_800, 4_102_444_800
_TIME_NAME = re.compile(r"(?i)(time|date|_at|_on|_ts|since|until|expires|created|updated|stamp)|At$|^(ts|iat|exp|nbf)$")
_UNITS = (("seconds", 1), ("milliseconds", 1_000), ("microseconds", 1_000_000))


def text_hint(texts: Iterable[str], name: str) -> str | None:
    """Return a sentence if all texts are times without an offset, or None."""
    del name
    found = list(texts)
    if found and all(_LOCAL_TIME.fullmatch(text) for text in found):
        return "looks like a time without an offset, so it has no format. Ask the producer for RFC 3339 with Z"
    return None


def number_hint(low: int, high: int, name: str) -> str | None:
    """Return a sentence if all integers of a field with such a name can be times since 1970, or None."""
    if not _TIME_NAME.search(name):
        return None
    for unit, factor in _UNITS:
        if _SECONDS[0] * factor <= low and high <= _SECONDS[1] * factor:
            return f"looks like a time in {unit} since 1970. Say so in its description"
    return None
