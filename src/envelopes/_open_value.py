"""Value objects with fields that their contract describes by a rule, and not one by one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import model_validator

from ._errors import ContractViolationError, Violation
from ._names import is_described
from ._pydantic import BY_NAME
from ._values import BASES, ValueObject
from .pointers import escape
from .types import FrozenMap, Json, exact_numbers_as_decimals


class MappingValueObject(ValueObject):
    """A value object with maps for fields that its contract describes without naming each of them."""

    @classmethod
    def _field_for(cls, name: str) -> str | None:
        """Return the field that holds what JSON has under an additional name, or None."""
        if name in cls.__declared__:
            return None
        fields = cls.__additional__.items()
        return next((field for field, patterns in fields if not patterns or is_described(name, patterns)), None)

    @classmethod
    def _additional(cls, field: str, value: Any) -> dict[str, Any]:
        if value is None:
            return {}
        if not isinstance(value, Mapping):
            found = f"a value of type {type(value).__name__}"
            raise ContractViolationError(*cls._names(), Violation(f"/{field}", "type", "a mapping", found))
        for name in value:
            if isinstance(name, str) and cls._field_for(name) != field:
                patterns = cls.__additional__[field]
                expected = f"names that match {' or '.join(patterns)}" if patterns else "names of no other field"
                violation = Violation(f"/{escape(name)}", "properties", expected, repr(name))
                raise ContractViolationError(*cls._names(), violation)
        return dict(exact_numbers_as_decimals(value))

    @model_validator(mode="before")
    @classmethod
    def _gather(cls, data: Any) -> Any:
        if not isinstance(data, dict) or BY_NAME.get():
            return data
        gathered: dict[str, Any] = {}
        additional: dict[str, dict[str, Any]] = {}
        for name, value in data.items():
            field = cls._field_for(name)
            if field is not None:
                additional.setdefault(field, {})[name] = value
            elif name in cls.__declared__ or name not in cls.__additional__:
                gathered[name] = value  # unknown ones, too: they are ignored, or refused
        return gathered | additional


class OpenValueObject(MappingValueObject):
    """A value object with a map for fields that may be any JSON."""

    __additional__: ClassVar[Mapping[str, tuple[str, ...]]] = {"additional_properties": ()}

    additional_properties: FrozenMap[str, Json] = FrozenMap()


BASES.update((MappingValueObject, OpenValueObject))
