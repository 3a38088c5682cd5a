"""Typed, immutable value objects for every message, and the envelopes they travel in.

>>> from envelopes import decode, encode
>>> from envelopes.messages import MessageLiked
"""

from ._default import decode, encode
from ._envelope import Envelope, Wire
from ._errors import (
    ContractViolationError,
    DecodeError,
    EncodeError,
    EnvelopesError,
    UnknownNameError,
    UpcastError,
    Violation,
)
from ._upcast import as_newest, upcast
from ._values import ValueObject
from .types import FrozenMap

__all__ = [
    "ContractViolationError",
    "DecodeError",
    "EncodeError",
    "Envelope",
    "EnvelopesError",
    "FrozenMap",
    "UnknownNameError",
    "UpcastError",
    "ValueObject",
    "Violation",
    "Wire",
    "as_newest",
    "decode",
    "encode",
    "upcast",
]
