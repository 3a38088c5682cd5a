"""What generated modules import, and nothing else does."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from ._catalog import Catalog, Channel, Subject
from ._coding import coding_with
from ._contract import Contract
from ._values import OpenValueObject, RootValue, ValueObject
from .types import Boolean, Day, FrozenMap, Integer, Json, Number, Timestamp

__all__ = [
    "Boolean",
    "Catalog",
    "Channel",
    "Contract",
    "Day",
    "Field",
    "FrozenMap",
    "Integer",
    "Json",
    "Number",
    "OpenValueObject",
    "RootValue",
    "Subject",
    "Timestamp",
    "ValueObject",
    "coding_with",
    "contract_beside",
]


def contract_beside(subject: str, version: int, module: str) -> Contract:
    """The contract whose schema stands beside a generated module; `module` is its `__file__`."""
    return Contract(subject, version, Path(module).with_suffix(".json"))
