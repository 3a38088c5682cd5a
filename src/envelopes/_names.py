"""Names of fields that a contract describes by patterns, and not one by one."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import jsonschema_rs
from pydantic import GetCoreSchemaHandler, ValidationInfo
from pydantic_core import CoreSchema, core_schema

BUILDING = "building"
"""Pydantic's context where a value object is built from Python values, and not read."""


def is_described(name: str, patterns: tuple[str, ...]) -> bool:
    """Return True if one of the patterns matches a name, as the contract's validator matches them."""
    return bool(_validator(patterns).is_valid(name))


@cache
def _validator(patterns: tuple[str, ...]) -> Any:
    return jsonschema_rs.Draft202012Validator({"anyOf": [{"pattern": each} for each in patterns]}, offline=True)


class Matching:
    """Keeps the entries of a map whose names match a pattern: the contract does not describe the others.

    Reading ignores them, as it ignores unknown fields. Building refuses them.
    """

    def __init__(self, *patterns: str) -> None:
        self.patterns = patterns

    def __repr__(self) -> str:
        return f"Matching({', '.join(map(repr, self.patterns))})"

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.with_info_before_validator_function(self._described, handler(source))

    def _described(self, value: Any, info: ValidationInfo) -> Any:
        if not isinstance(value, Mapping):
            return value
        described = {
            name: item for name, item in value.items() if not isinstance(name, str) or is_described(name, self.patterns)
        }
        if info.context == BUILDING and len(described) < len(value):
            raise ValueError(f"names that match {' or '.join(self.patterns)}")
        return described
