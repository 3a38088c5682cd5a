"""`decode` and `encode`, with the catalog of this package unless you give another one."""

from __future__ import annotations

from functools import cache
from typing import Any

from ._decoding import decode_message
from ._encoding import encode_message
from ._envelope import Envelope, Wire
from ._values import ValueObject
from .catalog import Catalog


def decode(wire: bytes | str | None, *, channel: str, catalog: Catalog | None = None) -> Envelope[Any]:
    """Read one message of a channel.

    Args:
        wire: The message as bytes or text. Pass `Wire(value, key, headers)` for a message of a stream. None is a
            message without a value.
        channel: The channel's name in the catalog.
        catalog: The catalog of a generated package. The default is the catalog of `envelopes.messages`.

    Returns:
        The envelope, with the value object of the message's subject and version in `data`.

    Raises:
        DecodeError: The codec or the contract does not accept the message.
        UnknownNameError: The catalog has no such channel.

    """
    return decode_message(wire, channel, catalog or default_catalog())


def encode(
    message: Envelope[Any] | ValueObject,
    *,
    source: str | None = None,
    channel: str | None = None,
    catalog: Catalog | None = None,
) -> Wire:
    """Write one message for a channel of its subject.

    What the envelope leaves open is filled in. The key, the id and the time are taken from the data if the catalog
    points to them there. Otherwise the id is a new UUID and the time is now.

    Args:
        message: A value object, or an envelope around one.
        source: Who sends the message, if the envelope does not name a source.
        channel: The channel to write for, if the subject has several. The default is the one that the envelope was read
            from, or else the first.
        catalog: The catalog of a generated package. The default is the catalog of `envelopes.messages`.

    Returns:
        The bytes to send, with the key and the headers for a stream.

    Raises:
        EncodeError: The contract or the codec does not accept the message.
        UnknownNameError: The catalog gives the subject no channel, or not this one.
        TypeError: The message is not a value object.

    """
    return encode_message(message, source, catalog or default_catalog(), channel)


@cache
def default_catalog() -> Catalog:
    """Return the catalog of `envelopes.messages`.

    It is imported on first use: `contract-test generate` imports `envelopes`, and must be able to repair a broken one.
    """
    from .messages import CATALOG

    return CATALOG
