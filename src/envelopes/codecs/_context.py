"""What every codec reads and writes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from enum import Enum
from typing import Any, Final, NamedTuple, Protocol

from envelopes._envelope import Envelope, Headers, Wire
from envelopes.catalog import Channel
from envelopes.types import FrozenMap


class _NoData(Enum):
    NO_DATA = "no data"


NO_DATA: Final = _NoData.NO_DATA
"""Stands for the data of a tombstone, or of an event without data."""


class Context(NamedTuple):
    """What a message says around its data, and how it was framed. What a codec does not carry is None."""

    type: str | None = None
    id: str | None = None
    source: str | None = None
    time: datetime | None = None
    dataschema: str | None = None
    schema_id: int | None = None
    key: str | bytes | None = None
    extensions: Mapping[str, Any] = FrozenMap()
    content_type: str | None = None
    """The media type of the data, if the message names one."""
    data_path: tuple[str | int, ...] = ()
    """Where the data is in the parsed JSON of the message."""
    json_start: int = 0
    """How many bytes come before the JSON."""
    prefix: bytes = b""
    """What a recording keeps as the bytes before the JSON."""
    frame: Any = None
    """What else the codec read around the data, for itself: what it writes again if the message is passed on."""
    unfold: Callable[[bytes], Any] | None = None
    """Reads the document to which `data_path` leads, if the bytes are not its JSON text. See `LayeredCodec`."""

    @property
    def is_bare(self) -> bool:
        """True if the message says nothing around its data but its type and its key."""
        return not (self.id or self.source or self.time or self.dataschema or self.extensions)


EMPTY: Final = Context()
"""The context of a message that is data alone."""


class CodecError(ValueError):
    """Bytes that the codec cannot read, or a context that it cannot write.

    Attributes:
        pointer: A JSON pointer into the message, or the name of a header.
        expected: What the codec asks for there.
        found: What is there instead.
        data_path: Where the data is, as far as the codec came.
    """

    def __init__(self, pointer: str, expected: str, found: str, data_path: tuple[str | int, ...] = ()) -> None:
        self.pointer, self.expected, self.found, self.data_path = pointer, expected, found, data_path
        super().__init__(pointer, expected, found, data_path)


class Codec(Protocol):
    """Bytes ⇄ (context, data). A codec is a module with these names and a row in `CODECS`."""

    CONTEXT_NAMES: frozenset[str]
    """The names of the fields that it puts around the data. A recording keeps them as they are."""

    def read(self, raw: bytes | None, key: bytes | None, headers: Headers, channel: Channel) -> tuple[Context, Any]:
        """Return the context and the parsed data, or `NO_DATA`. Raises CodecError."""
        ...

    def write(self, context: Context, raw: bytes, channel: Channel) -> Wire:
        """Put the context around data that is JSON text already. Raises CodecError."""
        ...


class LayeredCodec(Codec, Protocol):
    """A codec of messages with encodings inside: base64, JSON in a text, or bytes that are no JSON at all.

    The document of a message is JSON in which all of them are decoded. Recordings keep it. A codec of this kind puts
    `unfold` into each context that it reads.
    """

    CONTEXT_TEXTS: frozenset[str]
    """Texts around the data that are the same in messages of everybody. A recording keeps them. Optional."""
    DATA_NAMES: Collection[str]
    """Names in the data that are the codec's own, such as `args`. A recording keeps them. Optional."""

    def unfold(self, raw: bytes) -> Any:
        """Return the document of a message, with its numbers as they were written. Raises CodecError."""
        ...

    def fold(self, document: Any) -> bytes:
        """Return the bytes of a document. Raises CodecError."""
        ...


def context_of(envelope: Envelope[Any]) -> Context:
    """Return the context that `decode` read an envelope from."""
    received = envelope._received  # noqa: SLF001 - what `decode` keeps for those who pass on and record
    if received is None:
        raise ValueError("this envelope was not decoded")
    context: Context = received.context
    return context


def key_of(key: bytes | None) -> str | bytes | None:
    """Return a stream's key as text, or as bytes if it is not UTF-8."""
    try:
        return None if key is None else key.decode()
    except UnicodeDecodeError:
        return key


def key_bytes(context: Context) -> bytes | None:
    """Return a stream's key as bytes."""
    return context.key.encode() if isinstance(context.key, str) else context.key


def last_header(headers: Headers, name: str) -> bytes | None:
    """Return the value of a header, or None. If it is there twice, the last one counts."""
    found = None
    for other, value in headers:
        if other == name:
            found = value
    return found


def header_text(name: str, value: bytes) -> str:
    """Return a header's value as text. Raises CodecError if it is not UTF-8."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise CodecError(f"header {name}", "a text in UTF-8", f"the bytes {value[:20].hex(' ')}") from None
