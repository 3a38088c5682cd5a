"""Texts as people may be shown them."""

from __future__ import annotations

import json
from collections.abc import Sequence


def inert(text: str) -> str:
    """Return a text that does nothing to a terminal: what cannot be printed is escaped as in JSON; line ends stay."""
    return "".join(letter if letter.isprintable() or letter == "\n" else json.dumps(letter)[1:-1] for letter in text)


def counted(number: int, name: str) -> str:
    """Return `1 message`, `2 messages`."""
    return f"{number} {name}" if number == 1 else f"{number} {name}s"


def listed(names: Sequence[str], most: int = 10) -> str:
    """Return `a, b and 3 more`."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")


def percent(share: float) -> str:
    """Return `81%`, of a share from 0 to 1; never rounded up to more than there is."""
    return f"{int(share * 100 + 1e-9)}%"
