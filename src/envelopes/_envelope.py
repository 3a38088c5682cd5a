"""Envelopes around value objects, and the bytes they travel as."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, NamedTuple, Self, TypeAlias, TypeVar

from ._values import ValueObject
from .types import FrozenMap

T_co = TypeVar("T_co", bound=ValueObject | None, covariant=True)

Headers = tuple[tuple[str, bytes], ...]

Bytes: TypeAlias = bytes | bytearray | memoryview
AnyHeader: TypeAlias = str | bytes | int | None
AnyHeaders: TypeAlias = Mapping[Any, Any] | Iterable[tuple[str | bytes, AnyHeader]] | None


class Wire(bytes):
    """The bytes of one message, with the key and the headers that go beside them on a stream.

    It is `bytes`: give it to any client as the value. It takes what clients hand over: keys and headers as bytes, texts
    or numbers, headers as pairs, as a mapping or as None. A header without a value is left out. A value of None, which
    is a tombstone, is empty and has `is_null`.

    Attributes:
        key: The key, as bytes.
        headers: The headers, as pairs of a name and bytes.
        is_null: True if there was no value.
    """

    key: bytes | None
    headers: Headers
    is_null: bool

    def __new__(cls, value: Bytes | str | None, key: Bytes | str | int | None = None, headers: AnyHeaders = ()) -> Self:
        """Take a message as a client hands it over.

        Args:
            value: The message's bytes or text. None is a tombstone.
            key: The key, if there is one.
            headers: The headers, as pairs or as a mapping.

        Raises:
            TypeError: The value, the key or a header is of another type.
        """
        wire = super().__new__(cls, b"" if value is None else _bytes("a message", value))
        wire.is_null = value is None
        wire.key = None if key is None else _bytes("a key", key)
        pairs = headers.items() if isinstance(headers, Mapping) else headers or ()
        wire.headers = tuple(
            (name if isinstance(name, str) else _bytes("a header's name", name).decode(errors="backslashreplace"),
             _bytes("a header", each))
            for name, each in pairs
            if each is not None
        )  # fmt: skip
        return wire

    @classmethod
    def of(cls, message: Wire | Bytes | str | None) -> Wire:
        """Return a message as `Wire`. Raises TypeError."""
        return message if isinstance(message, Wire) else Wire(message)

    @classmethod
    def of_parts(cls, value: bytes, key: bytes | None, headers: Headers) -> Self:
        """Return a message whose parts are bytes already."""
        wire = super().__new__(cls, value)
        wire.key, wire.headers, wire.is_null = key, headers, False
        return wire

    def __reduce__(self) -> tuple[Any, ...]:
        return Wire, (None if self.is_null else bytes(self), self.key, self.headers)


def _bytes(what: str, value: Any) -> bytes:
    if isinstance(value, str):
        return value.encode(errors="surrogatepass")
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    if isinstance(value, int) and what != "a message":
        return str(value).encode()
    raise TypeError(f"{what} is bytes or text, and this is a {type(value).__name__}")


class Received(NamedTuple):
    """A message as it was read, so that it can be passed on unchanged."""

    data: Any
    """The value object."""
    wire: bytes
    context: Any
    """What the codec read: an `envelopes.codecs.Context`."""
    is_unchanged: bool = True
    """True if the envelope is the one that `decode` returned, and not a copy with changes."""


@dataclass(frozen=True)
class Envelope(Generic[T_co]):
    """A message's context (CloudEvents 1.0 attributes) around its value object.

    What a codec does not carry is None.

    Attributes:
        data: The value object. It is None for a message without data, if the catalog allows those on the channel.
        id: The message's id.
        source: Who sent it.
        type: The subject.
        time: When it was sent.
        version: The version that the sender named.
        dataschema: The URI that names the version, as it was read.
        key: The key on a stream: a text, or bytes if it is not UTF-8.
        extensions: CloudEvents extension attributes by their names.
        newer: True if this package does not know the version. Then `data` has the newest version that it knows.
        channel: The channel that it was read from. It does not count when envelopes are compared.
    """

    data: T_co
    id: str | None = None
    source: str | None = None
    type: str | None = None
    time: datetime | None = None
    version: int | None = None
    dataschema: str | None = None
    key: str | bytes | None = None
    extensions: Mapping[str, Any] = field(default_factory=FrozenMap)
    newer: bool = False
    channel: str | None = field(default=None, compare=False)
    _received: Received | None = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        # `decode` does not come here, but `dataclasses.replace` does.
        if self._received is not None and self._received.is_unchanged:
            object.__setattr__(self, "_received", self._received._replace(is_unchanged=False))

    @property
    def data_path(self) -> tuple[str | int, ...]:
        """Where the data was in the JSON of the message that was read."""
        path: tuple[str | int, ...] = () if self._received is None else self._received.context.data_path
        return path
