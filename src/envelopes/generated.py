"""What generated modules import."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from ._coding import Reader, coding_with, reader_of
from ._contract import Contract
from ._fields import DecimalNumber, DecimalText, Deprecated, JsonDefault, JsonEqual, OneOf
from ._names import Matching
from ._open_value import MappingValueObject, OpenValueObject
from ._values import RootValue, ValueObject
from .catalog import Catalog, Channel, Subject
from .types import Boolean, Day, FrozenMap, Integer, Json, NotAnObject, Number, Timestamp

__all__ = [
    "Boolean",
    "Catalog",
    "Channel",
    "Contract",
    "Day",
    "DecimalNumber",
    "DecimalText",
    "Deprecated",
    "Field",
    "FrozenMap",
    "Integer",
    "Json",
    "JsonDefault",
    "JsonEqual",
    "MappingValueObject",
    "Matching",
    "NotAnObject",
    "Number",
    "OneOf",
    "OpenValueObject",
    "Reader",
    "RootValue",
    "Subject",
    "Timestamp",
    "ValueObject",
    "coding_with",
    "contract_beside",
    "reader_of",
    "shared_beside",
]


def contract_beside(subject: str, version: int, module: str) -> Contract:
    """Return the contract whose schema file is beside a generated module. `module` is the module's `__file__`."""
    return Contract(subject, version, Path(module).with_suffix(".json"))


def shared_beside(module: str) -> Contract:
    """Return the schemas of the classes that several contracts share: those beside a generated module."""
    return Contract("", 0, Path(module).with_suffix(".json"))
