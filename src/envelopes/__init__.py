"""Typed, immutable value objects for every message, and the envelopes they travel in.

>>> from envelopes import decode, encode
>>> from envelopes.messages import MessageLiked
"""

from ._catalog import Catalog, Channel, Subject
from ._coding import at, decode, encode
from ._contract import ASSERTED_FORMATS, Contract, compile_schema, excerpt, find_violation, find_violations
from ._envelope import Envelope, Wire
from ._errors import (
    ContractViolationError,
    DecodeError,
    EncodeError,
    EnvelopesError,
    UnknownNameError,
    Violation,
)
from ._upcast import UpcastError, as_newest, upcast
from ._values import OpenValueObject, RootValue, ValueObject
from .types import freeze

__all__ = [
    "ASSERTED_FORMATS",
    "Catalog",
    "Channel",
    "Contract",
    "ContractViolationError",
    "DecodeError",
    "EncodeError",
    "Envelope",
    "EnvelopesError",
    "OpenValueObject",
    "RootValue",
    "Subject",
    "UnknownNameError",
    "UpcastError",
    "ValueObject",
    "Violation",
    "Wire",
    "as_newest",
    "at",
    "compile_schema",
    "decode",
    "encode",
    "excerpt",
    "find_violation",
    "find_violations",
    "freeze",
    "upcast",
]
