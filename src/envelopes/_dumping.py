"""Value objects as plain Python values: what `model_dump` returns, and what can be read again."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from decimal import Decimal
from enum import Enum
from math import isfinite
from typing import Any

from . import _json
from ._equality import json_equal
from ._exact import ExactDate, ExactDatetime, ExactDecimal, ExactFloat, ExactInt
from ._json import MAX_DEPTH
from .pointers import escape
from .types import FrozenMap


class Dumped(dict[str, Any]):
    """What `model_dump` returns for a value object: its fields under their Python names.

    It remembers the JSON names, so `model_validate` reads it without guessing.
    """

    __slots__ = ("additional", "json_names")

    json_names: Mapping[str, str]
    additional: Collection[str]

    def under_json_names(self) -> dict[str, Any]:
        """Return the same values under their JSON names."""
        named = {self.json_names.get(name, name): value for name, value in self.items() if name not in self.additional}
        for name in self.additional:
            named |= self.get(name, {})
        return named


class NotJsonError(ValueError):
    """A Python value that JSON does not have, with the JSON pointer of its place."""

    def __init__(self, pointer: str, expected: str, found: str) -> None:
        self.pointer, self.expected, self.found = pointer, expected, found
        super().__init__(pointer, expected, found)


def dump(value: Any, *, defaults: bool = True) -> Any:
    """Return a value object as a `Dumped`, without absent fields. Tuples and scalars stay; maps become dicts.

    Without `defaults`, fields that have the value of an absent field are left out, too.
    """
    fields = getattr(type(value), "_dumped", None)
    if fields is not None:
        return fields(value, defaults=defaults)
    if isinstance(value, tuple):
        return tuple(dump(item, defaults=defaults) for item in value)
    if isinstance(value, FrozenMap):
        return {name: dump(item, defaults=defaults) for name, item in value.items()}
    return value


def is_default(field: Any, value: Any) -> bool:
    """Return True if a field has the value of an absent one."""
    default = None if field.is_required() else field.get_default(call_default_factory=True)
    return not field.is_required() and json_equal(as_json(value), as_json(default))


def under_json_names(value: Any) -> Any:
    """Return what `dump` returned with JSON names, at every level."""
    if isinstance(value, dict):
        named = value.under_json_names() if isinstance(value, Dumped) else value
        return {name: under_json_names(item) for name, item in named.items()}
    return tuple(under_json_names(item) for item in value) if isinstance(value, tuple) else value


def selected(value: Any, include: Any, exclude: Any, *, nulls: bool = True) -> Any:
    """Return the part of a dumped value that pydantic's `include` and `exclude` select; without nulls if asked."""
    if isinstance(value, dict):
        parts = {name: _part(item, name, include, exclude, nulls) for name, item in value.items()}
        kept = {name: part for name, part in parts.items() if part is not _LEFT_OUT and (nulls or part is not None)}
        if not isinstance(value, Dumped):
            return kept
        made = Dumped(kept)
        made.json_names, made.additional = value.json_names, value.additional
        return made
    if isinstance(value, tuple):
        size = len(value)
        spec = (_positions(include, size), _positions(exclude, size))
        items = [_part(item, place, *spec, nulls) for place, item in enumerate(value)]
        return tuple(item for item in items if item is not _LEFT_OUT)
    return value


_LEFT_OUT: Any = object()


def _part(value: Any, key: str | int, include: Any, exclude: Any, nulls: bool) -> Any:  # noqa: FBT001 - positional, as all here
    inner_include = _at(include, key)
    inner_exclude = _at(exclude, key)
    if inner_exclude is True or (include is not None and inner_include is None):
        return _LEFT_OUT
    inner = None if inner_include is True else inner_include
    return selected(value, inner, inner_exclude, nulls=nulls)


def _at(spec: Any, key: str | int) -> Any:
    """Return what `include` or `exclude` says of one field or item: None for nothing, True for the whole of it."""
    if spec is None:
        return None
    if not isinstance(spec, Mapping):
        return True if key in spec or "__all__" in spec else None
    inner = spec.get(key, spec.get("__all__"))
    return True if inner is ... else None if inner is False else inner


def _positions(spec: Any, size: int) -> Any:
    """Count negative positions from the end, as pydantic does."""
    if isinstance(spec, Mapping):
        return {(key + size if isinstance(key, int) and key < 0 else key): inner for key, inner in spec.items()}
    return spec if spec is None else {key + size if isinstance(key, int) and key < 0 else key for key in spec}


def as_json(value: Any, pointer: str = "", max_depth: int = MAX_DEPTH) -> Any:
    """Return a Python value as a parsed JSON value, with long numbers as Decimal and times as text.

    It takes what `model_dump` returns, value objects and FrozenMaps included. Raises NotJsonError.
    """
    if value is None or type(value) in (str, bool, int):
        return value
    if isinstance(value, Enum):
        value = value.value
    if max_depth == 0:
        raise NotJsonError(pointer, "JSON that is nested less deeply", "a value that is nested too deeply")
    value = value._json_value() if hasattr(type(value), "_json_value") else value  # noqa: SLF001 - of a value object
    if isinstance(value, Mapping):
        named = value.under_json_names() if isinstance(value, Dumped) else value
        made = {}
        for key, item in named.items():
            if not isinstance(key, str):
                raise NotJsonError(pointer, "an object with strings as keys", f"a key of type {type(key).__name__}")
            made[str(key)] = as_json(item, f"{pointer}/{escape(key)}", max_depth - 1)
        return made
    if isinstance(value, list | tuple):
        return [as_json(item, f"{pointer}/{place}", max_depth - 1) for place, item in enumerate(value)]
    return _scalar(value, pointer)


def _scalar(value: Any, pointer: str) -> Any:
    if isinstance(value, ExactDatetime | ExactDate | ExactDecimal):
        return value.text
    if isinstance(value, ExactInt | ExactFloat):
        return int(value.text) if value.text.lstrip("-").isdigit() else Decimal(value.text)
    if isinstance(value, date):  # a datetime is one, too
        return _json.loads(_json.dumps(value))
    if isinstance(value, bool) or value is None:
        return value
    for base in (str, int):  # an enum's member, a subclass: as its base is written
        if isinstance(value, base):
            return base.__str__(value) if base is str else int(value)
    if isinstance(value, float | Decimal):
        if not (value.is_finite() if isinstance(value, Decimal) else isfinite(value)):
            raise NotJsonError(pointer, "a JSON number", str(value))
        return float(value) if isinstance(value, float) else value
    raise NotJsonError(pointer, "a JSON value", f"a value of type {type(value).__name__}")
