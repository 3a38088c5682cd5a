"""What generated fields need beside their types: choices, defaults, decimals, deprecation."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Generic,
    Literal,
    Self,
    TypeAlias,
    TypeVar,
    get_args,
    get_origin,
    overload,
)

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema
from typing_extensions import deprecated

from . import _json
from ._exact import ExactDecimal, ExactFloat, ExactInt
from ._pydantic import BY_NAME, LISTED
from ._values import ValueObject
from .types import exact_numbers_as_decimals, shown_as

T = TypeVar("T")


_Constants = dict[str, tuple[Any, ...]]
_Types = dict[str, tuple[str, ...]]
_Form = (
    tuple[tuple[str, ...], tuple[str, ...], _Constants] | tuple[tuple[str, ...], tuple[str, ...], _Constants, _Types]
)
"""Names that an object has, names that it never has, and constants and JSON types of some fields, if they are there."""


class OneOf:
    """Chooses the class of an object: by the constant in a field, or by the form of the object.

    A tag may be a text, a whole number or a boolean. If the tag is absent, the class that does not require it is taken.
    """

    def __init__(self, tag: str | None = None, *, forms: tuple[tuple[_Form, ...], ...] = ()) -> None:
        self.tag, self.forms = tag, forms

    def __repr__(self) -> str:
        return f"OneOf({self.tag!r})" if self.tag else f"OneOf(forms={self.forms!r})"

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        chooser = _Chooser(get_args(source), self.tag, self.forms)
        choices = {place: handler.generate_schema(cls) for place, cls in enumerate(chooser.classes)}
        return core_schema.tagged_union_schema(choices, chooser.place)


class _Chooser:
    def __init__(
        self, classes: tuple[type[ValueObject], ...], tag: str | None, forms: tuple[tuple[_Form, ...], ...]
    ) -> None:
        self.classes, self._tag, self._forms = classes, tag, forms
        self._by_tag: dict[tuple[bool, Any], int] | None = None
        self._untagged: int | None = None
        self._tag_field = tag

    def place(self, value: Any) -> int | None:
        """Return the place of a value's class, or None if it is none of them."""
        if isinstance(value, Mapping):
            return self._by_form(value) if self._tag is None else self._tagged(value, self._tag)
        return next((place for place, cls in enumerate(self.classes) if isinstance(value, cls)), None)

    def _by_form(self, value: Mapping[str, Any]) -> int | None:
        for place, (cls, forms) in enumerate(zip(self.classes, self._forms, strict=True)):
            named = _under_json_names(cls, value) if BY_NAME.get() else value
            if any(_fits(named, form) for form in forms):
                return place
        return None

    def _tagged(self, value: Mapping[str, Any], tag: str) -> int | None:
        if self._by_tag is None:
            self._by_tag = self._read_tags(tag)
        if tag not in value and BY_NAME.get():
            tag = str(self._tag_field)
        if tag not in value:
            return self._untagged
        found = value[tag]
        try:
            return self._by_tag.get((isinstance(found, bool), found))
        except TypeError:  # a list or an object, which is no tag
            return None

    def _read_tags(self, tag: str) -> dict[tuple[bool, Any], int]:
        found: dict[tuple[bool, Any], int] = {}
        for place, cls in enumerate(self.classes):
            cls.model_rebuild()
            name = self._tag_field = next(name for name, json in cls.__json_names__.items() if json == tag)
            field = cls.model_fields[name]
            found |= {(isinstance(each, bool), each): place for each in _literals(field.annotation)}
            if not field.is_required():
                self._untagged = place
        return found


def _under_json_names(cls: type[ValueObject], value: Mapping[str, Any]) -> dict[str, Any]:
    named = {cls.__json_names__.get(name, name): item for name, item in value.items() if name not in cls.__additional__}
    for field in cls.__additional__:
        named |= value.get(field) or {}
    return named


def _fits(value: Mapping[str, Any], form: _Form) -> bool:
    present, absent, constants = form[:3]
    types = form[3] if len(form) > 3 else {}  # noqa: PLR2004 - only the forms of some unions have types
    return (
        all(name in value for name in present)
        and not any(name in value for name in absent)
        and all(_is_one_of(value[name], listed) for name, listed in constants.items() if name in value)
        and all(_has_type(value[name], listed) for name, listed in types.items() if name in value)
    )


def _has_type(value: Any, listed: tuple[str, ...]) -> bool:
    """Return whether a value, as JSON or as Python has it, is of one of some JSON types. A decimal may be a text."""
    if isinstance(value, Decimal):
        return "number" in listed or "string" in listed
    for name, types in _PYTHON_TYPES:
        if isinstance(value, types):
            return name in listed
    return "null" in listed if value is None else "object" in listed


_PYTHON_TYPES = (
    ("boolean", bool), ("number", int | float), ("string", str | date), ("array", list | tuple)
)  # fmt: skip
"""The Python types of values in their order: a boolean is an `int`, too."""


def _is_one_of(value: Any, listed: tuple[Any, ...]) -> bool:
    return any(isinstance(value, bool) == isinstance(each, bool) and value == each for each in listed)


def _literals(annotation: Any) -> list[Any]:
    if get_origin(annotation) is Literal:
        return list(get_args(annotation))
    if annotation is bool:
        return [True, False]
    return [value for inner in get_args(annotation) for value in _literals(inner)]


class _JsonEqual:
    """Lets a number pass for a listed one that it equals in JSON: `1.0` for `1`, but not `true`."""

    def __repr__(self) -> str:
        return "JsonEqual"

    def __get_pydantic_core_schema__(self, source: Any, _: GetCoreSchemaHandler) -> CoreSchema:
        listed = {(isinstance(value, bool), value) for value in get_args(source)}

        def read(value: Any) -> Any:
            scalar = isinstance(value, str | int | float | Decimal)
            if scalar and (isinstance(value, bool), value) in listed:
                return ExactInt.of(str(value)) if isinstance(value, float | Decimal) else value
            raise ValueError(f"one of {', '.join(map(repr, get_args(source)))}")

        values = list(get_args(source))
        metadata = shown_as({"enum": values}) | {LISTED: values}
        return core_schema.no_info_plain_validator_function(read, metadata=metadata)


JsonEqual = _JsonEqual()


class JsonDefault:
    """Makes the value of an absent field from the JSON text of the schema's default."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __call__(self) -> Any:
        return exact_numbers_as_decimals(_json.loads(self.text.encode()))


def _decimal(value: Any) -> Decimal:
    if isinstance(value, ExactInt | ExactFloat):
        return Decimal(value.text)
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise ValueError("a number")
    number = value if isinstance(value, Decimal) else Decimal(repr(value))
    if not number.is_finite():
        raise ValueError("a JSON number")
    return number


class _Decimals:
    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(_decimal, metadata=shown_as({"type": "number"}))


DecimalNumber: TypeAlias = Annotated[Decimal, _Decimals()]
"""A number as exact as its own text: `1.10` stays `1.10` when it is written again."""


def _decimal_text(value: Any) -> Decimal:
    if isinstance(value, ExactDecimal):
        return value
    if isinstance(value, str):
        return ExactDecimal.of(value)
    if not isinstance(value, Decimal):
        raise ValueError("a decimal")
    if not value.is_finite() or abs(value.adjusted()) > _json.MAX_DIGITS:
        raise ValueError(f"a decimal of at most {_json.MAX_DIGITS} digits")
    return ExactDecimal.of(format(value, "f"))


class _DecimalTexts:
    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(_decimal_text, metadata=shown_as({"type": "string"}))


DecimalText: TypeAlias = Annotated[Decimal, _DecimalTexts()]
"""A decimal that JSON holds as a text: `"1.10"` stays `"1.10"` when it is written again."""

if TYPE_CHECKING:

    class Deprecated(Generic[T]):
        """A field that its contract calls deprecated: type checkers and editors report its use."""

        @overload
        def __get__(self, instance: None, owner: Any) -> Self: ...
        @overload
        @deprecated("The contract calls this field deprecated.")
        def __get__(self, instance: object, owner: Any) -> T: ...
        def __get__(self, instance: object, owner: Any) -> T | Self: ...
        def __set__(self, instance: object, value: T) -> None: ...

else:

    class Deprecated:
        """A field that its contract calls deprecated. At run time it has the field's own type."""

        def __class_getitem__(cls, item: Any) -> Any:
            return Annotated[item, cls]
