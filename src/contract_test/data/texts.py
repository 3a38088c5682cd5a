"""Texts as people may be shown them."""

from __future__ import annotations

import json


def inert(text: str) -> str:
    """A text that does nothing to a terminal: what cannot be printed is escaped as in JSON; line ends stay."""
    return "".join(letter if letter.isprintable() or letter == "\n" else json.dumps(letter)[1:-1] for letter in text)


def counted(number: int, name: str) -> str:
    """`1 message`, `2 messages`."""
    return f"{number} {name}" if number == 1 else f"{number} {name}s"
