"""Durations: `90s`, `10m`, `1h`, `2d` in options, and `P7D`, `PT2H` (ISO 8601) in the catalog."""

from __future__ import annotations

import re
from datetime import timedelta

_DURATION = re.compile(r"([0-9]{1,6})([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


_ISO = re.compile(
    r"P(?=.)(?:([0-9]{1,4})W|(?:([0-9]{1,6})D)?(?:T(?=.)(?:([0-9]{1,6})H)?(?:([0-9]{1,6})M)?(?:([0-9]{1,9})S)?)?)"
)


def iso_duration(text: str) -> timedelta | None:
    """Return the duration of a text such as `P7D` or `PT2H`, or None for any other text, such as months."""
    match = _ISO.fullmatch(text)
    if match is None:
        return None
    weeks, days, hours, minutes, seconds = (int(each or 0) for each in match.groups())
    return timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)


def parse_duration(text: str) -> timedelta | None:
    """Return the duration of a text such as `1h`, or None for any other text."""
    match = _DURATION.fullmatch(text)
    return timedelta(**{_UNITS[match[2]]: int(match[1])}) if match else None


def iso_text(duration: timedelta) -> str:
    """Return a duration as `iso_duration` reads it: `P7D`, `PT2H`, `P1DT30M`."""
    minutes, seconds = divmod(duration.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    days = f"{duration.days}D" if duration.days else ""
    times = "".join(f"{number}{unit}" for number, unit in ((hours, "H"), (minutes, "M"), (seconds, "S")) if number)
    return f"P{days}{'T' if times else ''}{times}" if duration else "PT0S"
