"""What every codec takes apart and puts together."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from envelopes._envelope import Headers, Wire
from envelopes.types import FrozenMap


class Parts(NamedTuple):
    """A message's context as it stands on the wire; None where the codec does not carry it."""

    type: str | None = None
    id: str | None = None
    source: str | None = None
    time: datetime | None = None
    dataschema: str | None = None
    schema_id: int | None = None
    key: str | None = None
    extensions: Mapping[str, Any] = FrozenMap()


class Malformed(ValueError):  # noqa: N818 - it never leaves the package: decode and encode turn it into their errors
    """Bytes that are not what the codec asks for."""

    def __init__(self, pointer: str, expected: str, found: str) -> None:
        self.pointer, self.expected, self.found = pointer, expected, found
        super().__init__(pointer, expected, found)


class Codec(Protocol):
    """Bytes ⇄ (context, data). A codec is a module with these names and a row in `CODECS`."""

    HEAD: int
    """How many bytes stand before the JSON."""

    NAMES: frozenset[str]
    """The names that it gives to what stands around the data: a recording keeps them as they are."""

    def place(self, payload: Any) -> tuple[str | int, ...]:
        """The path to the data in the parsed JSON of a message that can be read."""
        ...

    def read(self, raw: bytes, key: bytes | None, headers: Headers) -> tuple[Parts, Any]:
        """Give the context and the parsed data. Raises Malformed."""
        ...

    def write(self, parts: Parts, raw: bytes, mode: str) -> Wire:
        """Put the context around data that is JSON text already. Raises Malformed."""
        ...


def key_text(key: bytes | None) -> str | None:
    """Read a stream's key as text."""
    return None if key is None else key.decode(errors="backslashreplace")


def key_bytes(parts: Parts) -> bytes | None:
    """Write a stream's key."""
    return None if parts.key is None else parts.key.encode()
