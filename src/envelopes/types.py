"""The field types of value objects: immutable, and exact where Python's own types would lose something.

A type checker sees the plain type (`Integer` is `int`, `Timestamp` is `datetime`); at run time a value that
the plain type cannot hold exactly (`1.0` for an integer, nanoseconds, a leap second, thirty digits) is an
instance of a subclass that remembers its JSON text and is written back as it came.
"""

from __future__ import annotations

import json
import re
from collections.abc import ItemsView, Iterator, KeysView, Mapping, ValuesView
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Annotated, Any, TypeAlias, TypeVar, get_args

import orjson
from pydantic import GetCoreSchemaHandler, Strict, ValidationInfo
from pydantic_core import CoreSchema, core_schema

from ._exact import Exact, ExactDate, ExactDatetime, ExactDecimal, ExactFloat, ExactInt
from ._json import MAX_DEPTH, loads, number_survives

K = TypeVar("K")
V = TypeVar("V")
T = TypeVar("T")

_SMALLEST, _LARGEST = -(2**63), 2**64 - 1


class FrozenMap(Mapping[K, V]):
    """An immutable, hashable mapping with the keys' order kept."""

    __slots__ = ("_items",)
    _items: dict[K, V]

    def __init__(self, items: Mapping[K, V] | None = None, /) -> None:
        object.__setattr__(self, "_items", dict(items or {}))

    def __getitem__(self, key: K) -> V:
        return self._items[key]

    def __contains__(self, key: object) -> bool:
        return key in self._items

    def __iter__(self) -> Iterator[K]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def keys(self) -> KeysView[K]:
        """Return the keys, in the order of the JSON text."""
        return self._items.keys()

    def values(self) -> ValuesView[V]:
        """Return the values, in the order of the JSON text."""
        return self._items.values()

    def items(self) -> ItemsView[K, V]:
        """Return the pairs, in the order of the JSON text."""
        return self._items.items()

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a FrozenMap cannot be changed ({name!r})")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"a FrozenMap cannot be changed ({name!r})")

    def __hash__(self) -> int:
        return hash(frozenset(self._items.items()))

    def __eq__(self, other: object) -> bool:
        if isinstance(other, FrozenMap):
            return self._items == other._items
        return self._items == other if isinstance(other, Mapping) else NotImplemented

    def __repr__(self) -> str:
        return f"FrozenMap({self._items!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return FrozenMap, (self._items,)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        keys, values = get_args(source) or (Any, Any)
        inside = core_schema.dict_schema(handler.generate_schema(keys), handler.generate_schema(values))
        as_dict = core_schema.chain_schema(
            [core_schema.is_instance_schema(cls), core_schema.no_info_plain_validator_function(dict), inside]
        )
        return core_schema.no_info_after_validator_function(
            cls,
            core_schema.union_schema([inside, as_dict], mode="left_to_right"),
            serialization=core_schema.plain_serializer_function_ser_schema(dict, return_schema=inside),
        )


def freeze(value: Any, max_depth: int = MAX_DEPTH) -> Any:
    """Make a parsed JSON value immutable: lists to tuples, objects to FrozenMap, long numbers to exact ones.

    Raises ValueError for what is not JSON, or nested deeper than `max_depth`; its text is what was expected.
    """
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, int):
        return value if _SMALLEST <= value <= _LARGEST else ExactInt.of(str(value))
    if isinstance(value, float):
        if value - value != 0 and not isinstance(value, ExactFloat):
            raise ValueError("a JSON number")
        return value
    if isinstance(value, Decimal):
        return _number(value)
    if max_depth == 0:
        raise ValueError("JSON that is nested less deeply")
    if isinstance(value, Mapping):
        return FrozenMap({_key(key): freeze(item, max_depth - 1) for key, item in value.items()})
    if isinstance(value, list | tuple):
        return tuple(freeze(item, max_depth - 1) for item in value)
    raise ValueError(f"JSON, which has no {type(value).__name__}")


_UNUSUAL_NUMBER = re.compile(  # one set of characters to begin with: several would each be tried at every place
    rb"[0-9-](?:(?<=[0-9])(?:[eE][+-]?[0-9]|\.(?:[0-9]*[1-9]0+(?![0-9])|00)|[0-9]{15})|(?<=-)0(?![0-9]))"
)
"""What orjson would write in another way: an exponent, a zero at the end of a fraction, a negative zero."""


def loads_as_written(raw: bytes, max_depth: int = MAX_DEPTH) -> Any:
    """Read one JSON text. A number that would be written in another way keeps its text. Raises JsonError."""
    value = loads(raw, max_depth)
    if _UNUSUAL_NUMBER.search(raw) is None:
        return value
    return json.loads(raw, parse_int=_integer_as_written, parse_float=_fraction_as_written)


def loads_with_decimals(raw: bytes) -> Any:
    """Read one JSON text; a number that a double would write in another way is a Decimal. Raises JsonError."""
    return exact_numbers_as_decimals(loads_as_written(raw))


def _integer_as_written(text: str) -> int:
    number = int(text)
    return number if str(number) == text and abs(number) < 2**63 else ExactInt.of(text)


def _fraction_as_written(text: str) -> float:
    number = float(text)
    return number if repr(number) == text else ExactFloat.of(text)


def exact_numbers_as_decimals(value: Any) -> Any:
    """Give values on their way into a value object the one form of long numbers that its core does not shorten."""
    kind = type(value)
    if kind is str or kind is int:  # nearly all
        return value
    if kind is ExactInt or kind is ExactFloat:
        return Decimal(value.text)
    if isinstance(value, (list, tuple)):
        return [exact_numbers_as_decimals(item) for item in value]
    if kind is FrozenMap or isinstance(value, dict):
        return {key: exact_numbers_as_decimals(item) for key, item in value.items()}
    return value


def plain(value: Any) -> Any:
    """Give `_json.dumps` something that it can write for what it cannot. Raises TypeError for what is not JSON."""
    if isinstance(value, FrozenMap):
        return dict(value.items())
    if isinstance(value, Exact):
        return (
            value.text if isinstance(value, ExactDatetime | ExactDate | ExactDecimal) else orjson.Fragment(value.text)
        )
    if isinstance(value, Decimal):
        return orjson.Fragment(str(value))
    bases: tuple[type[Any], ...] = (str, int, float, list, tuple, dict)
    for base in bases:  # an enum's member, a subclass: as its base is written
        if isinstance(value, base):
            return base.__str__(value) if base is str else base(value)
    raise TypeError(f"a {type(value).__name__} is not JSON")


def _key(key: Any) -> str:
    if not isinstance(key, str):
        raise ValueError(f"JSON, whose objects have strings as keys, and no {type(key).__name__}")
    return key


def _integer(value: Any) -> int:
    if isinstance(value, float):
        whole = value.is_integer()
    elif isinstance(value, Decimal):
        whole = value.is_finite() and value == value.to_integral_value()
    else:
        whole = isinstance(value, int) and not isinstance(value, bool)
    if not whole:
        raise ValueError("an integer")
    return ExactInt.of(str(value))


def _number(value: Any) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ValueError("a number")
    if isinstance(value, int):
        return ExactInt.of(str(value))
    if not value.is_finite():
        raise ValueError("a JSON number")
    text = str(value)
    return float(value) if number_survives(text) else ExactFloat.of(text)


def read_timestamp(value: Any) -> datetime:
    """Read an RFC 3339 date-time, or check an aware datetime. Raises ValueError."""
    if isinstance(value, str):
        return usual_timestamp(value) or ExactDatetime.of(value)
    if not isinstance(value, datetime):
        raise ValueError("a date-time")
    offset = value.utcoffset()
    if offset is None:
        raise ValueError("a date-time with an offset: give it a tzinfo, such as datetime.timezone.utc")
    if isinstance(value, ExactDatetime) or value.tzinfo is UTC:
        return value
    whole_minutes = offset % timedelta(minutes=1) == timedelta(0)
    return value.astimezone(timezone(offset) if whole_minutes else UTC)


def usual_timestamp(value: Any) -> datetime | None:
    """Return the time of a text such as `dumps` writes, or None for any other text."""
    if type(value) is not str or len(value) not in (_SECONDS, _MICROSECONDS):
        return None
    usual = value[-1] == "Z" and value[10] == "T" and value[4] == value[7] == "-" and value[13] == value[16] == ":"
    if not usual or value[_SECONDS - 1] not in "Z.":
        return None
    try:
        near = datetime.fromisoformat(value)
    except ValueError:  # a leap second, a year 0000
        return None
    return near if near.microsecond or len(value) == _SECONDS else None


_SECONDS, _MICROSECONDS = len("2026-03-01T12:00:00Z"), len("2026-03-01T12:00:00.000000Z")


def _day(value: Any) -> date:
    if isinstance(value, str):
        try:
            return ExactDate.of(value) if value.startswith("0000") else date.fromisoformat(value)
        except ValueError:
            raise ValueError("an RFC 3339 full-date") from None
    if isinstance(value, datetime) or not isinstance(value, date):
        raise ValueError("a date")
    return value


def _not_an_object(value: Any) -> Any:
    if isinstance(value, Mapping):
        raise ValueError("a value that is no object")
    return freeze(value)


def _from_string(text: str) -> Any:
    """Return the number of a text, as `model_validate_strings` reads it."""
    try:
        return json.loads(text, parse_float=Decimal)
    except ValueError:
        return text


class _Plain:
    """Marks a type whose values are made by one function, after the fast core schemas declined."""

    def __init__(self, make: Any, *first: CoreSchema, shown: str = "{}", from_strings: Any = None) -> None:
        function = core_schema.no_info_plain_validator_function(make)
        if from_strings is not None:

            def read(value: Any, info: ValidationInfo) -> Any:
                mode: str = info.mode
                return make(from_strings(value) if mode == "string" else value)

            function = core_schema.with_info_plain_validator_function(read)
        self.choices: list[CoreSchema | tuple[CoreSchema, str]] = [*first, function]
        self._json_schema = json.loads(shown)

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.union_schema(self.choices, mode="left_to_right", metadata=shown_as(self._json_schema))


def shown_as(json_schema: dict[str, Any]) -> dict[str, Any]:
    """Return the metadata of a core schema that gives it this JSON schema."""
    return {"pydantic_js_functions": [lambda *_: dict(json_schema)]}


_INT64 = core_schema.int_schema(strict=True, ge=_SMALLEST, le=_LARGEST)
_DOUBLE = core_schema.chain_schema(  # a strict float alone takes integers, and makes floats of them
    [core_schema.is_instance_schema(float), core_schema.float_schema(strict=True, allow_inf_nan=False)]
)

Json: TypeAlias = Annotated[Any, _Plain(freeze)]
"""Any JSON value, frozen: None, bool, int, float, str, tuple or FrozenMap."""
NotAnObject: TypeAlias = Annotated[
    bool | float | str | tuple[Any, ...] | None, _Plain(_not_an_object, shown='{"not": {"type": "object"}}')
]
"""Any JSON value but an object: what a schema with `properties` and no `type` allows, too."""
Integer: TypeAlias = Annotated[int, _Plain(_integer, _INT64, shown='{"type": "integer"}', from_strings=_from_string)]
Number: TypeAlias = Annotated[
    float, _Plain(_number, _DOUBLE, _INT64, shown='{"type": "number"}', from_strings=_from_string)
]
Boolean: TypeAlias = Annotated[bool, Strict()]
_AS_WRITTEN = core_schema.chain_schema(  # the texts that `dumps` writes again
    [
        core_schema.str_schema(
            strict=True,
            pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.([0-9]{5}[1-9]|[1-9][0-9]{5}))?Z$",
        ),
        core_schema.no_info_plain_validator_function(datetime.fromisoformat),  # its UTC is written twice as fast
    ]
)
Timestamp: TypeAlias = Annotated[
    datetime, _Plain(read_timestamp, _AS_WRITTEN, shown='{"type": "string", "format": "date-time"}')
]
"""An RFC 3339 date-time; always with an offset."""
Day: TypeAlias = Annotated[date, _Plain(_day, shown='{"type": "string", "format": "date"}')]
"""An RFC 3339 full-date."""
