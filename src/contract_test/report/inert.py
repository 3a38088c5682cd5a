"""Text that nothing takes as a command: strangers write messages; terminals and CI servers read reports."""

from __future__ import annotations

import re

_COLOUR = re.compile("(\x1b\\[[0-9;]*m)")


def printable(text: str) -> str:
    r"""Show what a terminal could act on, or what would turn the reading order, as an escape: `\x1b`, `\u202e`."""
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)


def coloured_line(text: str) -> str:
    """Return the same, but colours stay: pytest writes them itself."""
    return "".join(part if number % 2 else printable(part) for number, part in enumerate(_COLOUR.split(text)))


def workflow_data(text: str) -> str:
    """Return the message of a GitHub workflow command."""
    return printable(text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A"))


def workflow_property(text: str) -> str:
    """Return a property of a GitHub workflow command."""
    return workflow_data(text).replace(":", "%3A").replace(",", "%2C")
