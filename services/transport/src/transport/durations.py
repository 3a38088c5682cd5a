"""ISO 8601 durations, as the catalog writes them."""

from __future__ import annotations

import re

_DURATION = re.compile(r"P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?")
_UNITS = (604800, 86400, 3600, 60, 1)


def seconds(text: str) -> float:
    """Read `PT2H`, `P1DT30M` and the like. Raises ValueError; months and years have no length of their own."""
    match = _DURATION.fullmatch(text)
    if match is None or not any(match.groups()):
        raise ValueError(f"{text!r} is no duration; write it like PT2H or P1DT30M")
    return sum(float(part) * unit for part, unit in zip(match.groups(), _UNITS, strict=True) if part)
