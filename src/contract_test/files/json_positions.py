"""Where the values of a JSON text stand in it, by JSON pointer.

The standard library's parser skips over values, so only the objects and arrays on the way to a pointer are read key by
key.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress

from contract_test.schema.walk import unescape

_SPACE = re.compile(r"[ \t\n\r]*")
_VALUES = json.JSONDecoder(strict=False, parse_int=str, parse_float=str, parse_constant=str)


class JsonText:
    """One JSON text, in which values can be found. A text that is not JSON is read as far as it is."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._members: dict[int, dict[str, tuple[int, int]]] = {}

    def offset_of(self, pointer: str) -> int:
        """Return where a value begins. For a property, this is where its name begins.

        If the pointer leads nowhere, return the place of what should contain the value.
        """
        found = value = self._skip(0)
        for step in pointer.split("/")[1:]:
            member = self._members_at(value).get(unescape(step))
            if member is None:
                break
            found, value = member
        return found

    def _members_at(self, start: int) -> dict[str, tuple[int, int]]:
        """The members of an object or array: where each begins, and where its value begins."""
        if start not in self._members:
            members = self._members[start] = {}
            with suppress(ValueError, TypeError, IndexError, RecursionError):  # the rest is not JSON
                self._read(start, members)
        return self._members[start]

    def _read(self, start: int, members: dict[str, tuple[int, int]]) -> None:
        opening = self._text[start]
        if opening not in "{[":
            return
        at = self._skip(start + 1)
        while self._text[at] not in "]}":
            name, value = str(len(members)), at
            if opening == "{":
                name, end = _VALUES.raw_decode(self._text, at)
                value = self._skip(self._skip(end) + 1)
            members[name] = at, value
            _, end = _VALUES.raw_decode(self._text, value)
            at = self._skip(end)
            if self._text[at] == ",":
                at = self._skip(at + 1)

    def _skip(self, at: int) -> int:
        found = _SPACE.match(self._text, at)
        return found.end() if found else at
