"""`decode` and `encode` as a generated package has them."""

from __future__ import annotations

from typing import Any, Protocol

from ._decoding import decode_message
from ._encoding import encode_message
from ._envelope import Envelope, T_co, Wire
from ._values import ValueObject
from .catalog import Catalog


class Decode(Protocol):
    """`decode` of a generated package."""

    def __call__(self, wire: bytes | str | None, *, channel: str) -> Envelope[Any]:
        """Read one message of a channel of this package's catalog.

        Args:
            wire: The bytes of the message. Pass `Wire(value, key, headers)` for a message of a stream.
            channel: The channel's name in the catalog.

        Returns:
            The envelope, with the value object of the message's subject and version in `data`.

        Raises:
            DecodeError: The codec or the contract does not accept the message.
            UnknownNameError: The catalog has no such channel.

        """
        ...


class Encode(Protocol):
    """`encode` of a generated package."""

    def __call__(
        self, message: Envelope[Any] | ValueObject, *, source: str | None = None, channel: str | None = None
    ) -> Wire:
        """Write one message for a channel of its subject in this package's catalog.

        Args:
            message: A value object of this package, or an envelope around one.
            source: Who sends the message, if the envelope does not name a source.
            channel: The channel to write for, if the subject has several. The default is the one that the envelope was
                read from, or else the first.

        Returns:
            The bytes to send, with the key and the headers for a stream.

        Raises:
            EncodeError: The contract or the codec does not accept the message.
            UnknownNameError: The catalog gives the subject no channel, or not this one.
            TypeError: The message is not a value object.

        """
        ...


def coding_with(catalog: Catalog) -> tuple[Decode, Encode]:
    """Return `decode` and `encode` for the messages of a generated package."""

    def decode_(wire: bytes | str | None, *, channel: str) -> Envelope[Any]:
        return decode_message(wire, channel, catalog)

    def encode_(message: Envelope[Any] | ValueObject, *, source: str | None = None, channel: str | None = None) -> Wire:
        return encode_message(message, source, catalog, channel)

    for function, name, protocol in ((decode_, "decode", Decode), (encode_, "encode", Encode)):
        function.__name__ = function.__qualname__ = name
        function.__doc__ = protocol.__call__.__doc__
    return decode_, encode_


class Reader(Protocol[T_co]):
    """Reads the messages of one channel, as one of the classes of its subjects."""

    def __call__(self, wire: bytes | str | None) -> Envelope[T_co]:
        """Read one message of the channel.

        Args:
            wire: The bytes of the message. Pass `Wire(value, key, headers)` for a message of a stream.

        Returns:
            The envelope. A type checker knows the classes that its `data` can have, so `match` can be exhaustive.

        Raises:
            DecodeError: The codec or the contract does not accept the message.

        """
        ...


def reader_of(catalog: Catalog, channel: str) -> Reader[Any]:
    """Return the function that reads the messages of one channel of a generated package."""

    def read(wire: bytes | str | None) -> Envelope[Any]:
        return decode_message(wire, channel, catalog)

    read.__doc__ = Reader.__call__.__doc__
    return read
