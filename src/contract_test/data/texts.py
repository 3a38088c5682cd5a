"""Texts as people may be shown them."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

_LOG_COMMAND = re.compile(r"##(?=[A-Za-z0-9_-]*\[)|^(?=[^\S\n]*::)([^\S\n]*):", re.MULTILINE)
"""What CI servers take for a command: `##[error]` and `##vso[` anywhere, `::error::` at the start of a line."""


_WEB_ADDRESS = re.compile(r"(?:https?://[^\s/?#]+|mailto:[^\s@]+@)[^\s]*")


def inert(text: str) -> str:
    """Return a text that does nothing to a terminal or a CI server.

    What cannot be printed, and what begins a command, is escaped as in JSON. Line ends stay.
    """
    escaped = "".join(letter if letter.isprintable() or letter == "\n" else json.dumps(letter)[1:-1] for letter in text)
    return without_commands(escaped)


def without_commands(text: str) -> str:
    """Return a text in which nothing begins a command of a CI server."""
    return _LOG_COMMAND.sub(lambda found: "#\\u0023" if found[1] is None else f"{found[1]}\\u003a", text)


def printable(text: str) -> str:
    r"""Show what a terminal could act on, or what would turn the reading order, as an escape: `\x1b`, `\u202e`."""
    return text if text.isprintable() else "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)


def is_web_address(text: str) -> bool:
    """Return True if a page can have a link to an address: with https, http or mailto, and without blanks."""
    return _WEB_ADDRESS.fullmatch(text) is not None


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
