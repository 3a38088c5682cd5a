"""Envelopes around value objects, and the bytes they travel as."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, Self, TypeVar

from ._values import ValueObject
from .types import FrozenMap

T_co = TypeVar("T_co", bound=ValueObject, covariant=True)

Headers = tuple[tuple[str, bytes], ...]


class Wire(bytes):
    """The bytes of one message, with the key and the headers that go beside them on a stream.

    It is `bytes`: give it to any client as the value.
    """

    key: bytes | None
    headers: Headers

    def __new__(
        cls, value: bytes, key: bytes | str | None = None, headers: Iterable[tuple[str, bytes | str | None]] = ()
    ) -> Self:
        """Clients differ in whether keys and headers are texts: both are taken."""
        wire = super().__new__(cls, value)
        wire.key = key.encode() if isinstance(key, str) else key
        wire.headers = tuple((name, each.encode() if isinstance(each, str) else each or b"") for name, each in headers)
        return wire

    def __reduce__(self) -> tuple[Any, ...]:
        return Wire, (bytes(self), self.key, self.headers)


@dataclass(frozen=True)
class Envelope(Generic[T_co]):
    """A message's context (CloudEvents 1.0 attributes) around its value object.

    `type` is the subject. `version` is what the sender said; where this package does not know that version, `data` is
    of the newest one it knows, and `newer` is True. What a codec does not carry is None.
    """

    data: T_co
    id: str | None = None
    source: str | None = None
    type: str | None = None
    time: datetime | None = None
    version: int | None = None
    dataschema: str | None = None
    key: str | None = None
    extensions: Mapping[str, str | int | bool] = field(default_factory=FrozenMap)
    newer: bool = False
