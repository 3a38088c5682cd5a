"""Which version a `dataschema` names that the catalog does not list.

Only URIs that are built as the subject's own are understood. If those end in the number of their version, as in
`urn:contract:like:v2` or `https://example.com/like/v2.json`, a URI that differs only in the number names that version.
If they end in semantic versions, as in `https://example.com/like/1.0.0`, one beyond the newest is a newer version.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_NUMBERED = re.compile(r"(?P<head>.*[:/._-]v?)(?P<number>[0-9]{1,9})(?P<tail>(?:\.json)?#?)", re.DOTALL)
_SEMANTIC = re.compile(
    r"(?P<head>.*[:/_-]v?)(?P<number>[0-9]{1,9}\.[0-9]{1,9}\.[0-9]{1,9})(?P<tail>(?:\.json)?#?)", re.DOTALL
)


@dataclass(frozen=True)
class DataschemaFamily:
    """The text around the number in the URIs of one subject, and the greatest number with its version."""

    pattern: re.Pattern[str]
    head: str
    tail: str
    newest: tuple[tuple[int, ...], int]

    def version_of(self, uri: str) -> int | None:
        """Return the version that a URI names, or None if it names none."""
        match = self.pattern.fullmatch(uri)
        if match is None or (match["head"], match["tail"]) != (self.head, self.tail):
            return None
        number, (newest, version) = _numbers(match["number"]), self.newest
        if self.pattern is _NUMBERED:
            return number[0]
        return version + 1 if number > newest else None

    def next_uri(self) -> str:
        """Return the URI that the version after the newest would have."""
        number, _ = self.newest
        following = ".".join(map(str, (number[0] + 1, *(0 for _ in number[1:]))))
        return f"{self.head}{following}{self.tail}"


def family_of(dataschemas: Mapping[int, str]) -> DataschemaFamily | None:
    """Return how the URIs of a subject's versions are numbered, or None if they are not."""
    for pattern in (_SEMANTIC, _NUMBERED):
        matches = {version: pattern.fullmatch(uri) for version, uri in dataschemas.items()}
        found = {version: match for version, match in matches.items() if match is not None}
        around = {(match["head"], match["tail"]) for match in found.values()}
        if not found or len(found) != len(matches) or len(around) != 1:
            continue
        if pattern is _NUMBERED and any(int(match["number"]) != version for version, match in found.items()):
            continue
        head, tail = next(iter(around))
        newest = max((_numbers(match["number"]), version) for version, match in found.items())
        return DataschemaFamily(pattern, head, tail, newest)
    return None


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(".")))
