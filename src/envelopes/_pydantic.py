"""How pydantic reads and writes a value object, wherever it stands: in another model, a TypeAdapter, a web framework.

What is read satisfies the contract, or is a `ValidationError` whose places are those of the contract's violations. What
is written as JSON is what `to_json` writes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from functools import partial
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, ConfigDict, SerializationInfo, ValidationInfo
from pydantic_core import (
    CoreSchema,
    PydanticSerializationUnexpectedValue,
    core_schema,
)

from . import _json
from ._compiled import compiled_model
from ._dumping import NotJsonError, as_json, dump, selected, under_json_names
from ._errors import ContractViolationError, EncodeError, Violation
from ._names import BUILDING
from ._pydantic_errors import validation_error, without_values
from .types import exact_numbers_as_decimals, plain

CARRIES: ContextVar[bool] = ContextVar("carries", default=False)
"""True while pydantic builds what carries a value object: the fields, without the contract."""


BY_NAME: ContextVar[bool] = ContextVar("by_name", default=False)
"""True while fields are read under their Python names."""


@contextmanager
def _reading_by_name() -> Iterator[None]:
    """Let fields be read under their Python names inside the block."""
    token = BY_NAME.set(True)
    try:
        yield
    finally:
        BY_NAME.reset(token)


@contextmanager
def carrying() -> Iterator[None]:
    """Let pydantic build fields alone inside the block."""
    token = CARRIES.set(True)
    try:
        yield
    finally:
        CARRIES.reset(token)


_MAX_NESTED = 12
_NESTED: ContextVar[int] = ContextVar("nested", default=0)
"""How many classes pydantic is inside of: it recurses into each class that it has not met yet."""


def nested_schema(cls: Any, handler: Callable[[Any], CoreSchema], source: Any) -> CoreSchema:
    """Return the core schema of the fields of a class inside others. One that is far inside is built on first use."""
    level = _NESTED.get()
    if level >= _MAX_NESTED:
        outline = core_schema.model_schema(_Outline, core_schema.model_fields_schema(_constants_of(cls)))
        return core_schema.with_info_wrap_validator_function(partial(_read_late, cls), outline)
    token = _NESTED.set(level + 1)
    try:
        return handler(source)
    finally:
        _NESTED.reset(token)


def _constants_of(cls: Any) -> dict[str, core_schema.ModelField]:
    """Return fields with their constants alone: pydantic finds the member of a discriminated union with them."""
    found = {}
    for name, field in cls.model_fields.items():
        constants = list(get_args(field.annotation)) if get_origin(field.annotation) is Literal else []
        schema = core_schema.literal_schema(constants) if constants else core_schema.any_schema()
        found[name] = core_schema.model_field(schema, validation_alias=field.validation_alias)
    return found


def _read_late(cls: Any, value: Any, _: Callable[[Any], Any], info: ValidationInfo) -> Any:
    extra: Any = "forbid" if info.context == BUILDING else None
    by_name = BY_NAME.get() or None
    return compiled_model(cls).carrier.validate_python(value, extra=extra, context=info.context, by_name=by_name)


def outer_schema(cls: Any, ref: str | None = None) -> CoreSchema:
    """Return the core schema of a value object outside other value objects.

    Inside it is an outline of the class: enough for pydantic to tell the members of a union apart.
    """
    as_python = core_schema.plain_serializer_function_ser_schema(
        partial(_write_python, cls),
        info_arg=True,
        # Keeps the result as it is: any other schema makes a plain dict of it.
        return_schema=core_schema.any_schema(serialization=core_schema.to_string_ser_schema(when_used="json")),
    )
    as_json_value = core_schema.plain_serializer_function_ser_schema(
        partial(_write_json, cls), info_arg=True, when_used="json"
    )
    fields = _outline_fields(cls.__pydantic_core_schema__)
    outline = core_schema.model_schema(_Outline, fields, serialization=as_python)
    read_class = partial(read, cls)
    read_class.__name__ = cls.__name__  # type: ignore[attr-defined]  # a partial takes any; pydantic's errors show it
    return core_schema.with_info_wrap_validator_function(read_class, outline, ref=ref, serialization=as_json_value)


class _Outline(BaseModel):
    """What pydantic makes of an outline. It must stay unbuilt: pydantic uses the validator of a class that is built."""

    model_config = ConfigDict(defer_build=True)


def definition_name(cls: type[Any]) -> str:
    """Return the name of a class's definition among core schemas. Documents show the class's own name."""
    return f"{cls.__module__}.{cls.__qualname__}:contract-{id(cls)}"


def _outline_fields(schema: Any) -> core_schema.ModelFieldsSchema:
    """Return the fields of a model's core schema. Of their types, only constants are kept."""
    definitions = {each["ref"]: each for each in schema.get("definitions", ())}
    while schema["type"] != "model-fields":
        schema = definitions[schema["schema_ref"]] if schema["type"] == "definition-ref" else schema["schema"]
    fields: Any = {name: {**field, "schema": _constant(field["schema"])} for name, field in schema["fields"].items()}
    return core_schema.model_fields_schema(fields)


def _constant(schema: Any) -> Any:
    if schema["type"] in ("default", "nullable"):
        return {**schema, "schema": _constant(schema["schema"])}
    listed = schema.get("metadata", {}).get(LISTED)
    if listed is not None:
        return core_schema.literal_schema([each if isinstance(each, str) else _Constant(each) for each in listed])
    return schema if schema["type"] == "literal" else core_schema.any_schema()


LISTED = "envelopes_listed"
"""The key in a core schema's metadata for the constants that it accepts, by the rules of JSON."""


class _Constant:
    """A constant that finds the member of a discriminated union: `1` is `1.0`, and neither is `true`."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        value = other.value if isinstance(other, _Constant) else other
        return isinstance(value, bool) is isinstance(self.value, bool) and bool(value == self.value)

    def __hash__(self) -> int:
        return hash(self.value)

    def __repr__(self) -> str:
        return _json.dumps(self.value).decode()


def read(cls: Any, value: Any, handler: Callable[[Any], Any], info: ValidationInfo) -> Any:
    """Return the value object of what pydantic was given. Raises ValidationError."""
    if isinstance(value, cls):
        return value
    compiled = compiled_model(cls)
    mode: str = info.mode
    if mode == "string":  # of `model_validate_strings`
        with without_values(cls, value):
            made = compiled.carrier.validate_strings(cls._fields_of(value))
        return checked(cls, made, value)
    data = value if mode == "json" else _json_value_of(cls, value, handler)
    if not compiled.accepts(data):
        raise validation_error(cls, compiled.violations(data), data)
    with without_values(cls, data):
        handler(cls._fields_of(data))  # for the outline's sake: pydantic counts the fields to find the best of a union
        return compiled.make(data)


def _json_value_of(cls: Any, value: Any, handler: Callable[[Any], Any] | None) -> Any:
    """Return a Python value as a parsed JSON value; with a handler, also an object with the fields as attributes."""
    try:
        return as_json(value)
    except NotJsonError as error:
        if handler is None or error.pointer or isinstance(value, Mapping | list | tuple):
            violation = Violation(error.pointer, "json", error.expected, error.found)
            raise validation_error(cls, [violation], value) from None
    with without_values(cls, value):
        outline = handler(value)  # or pydantic's error, which says what it takes
    names, present = cls.__json_names__, outline.model_fields_set
    fields = {names[name]: each for name, each in outline.__dict__.items() if name in present}
    constants = {name: each.value for name, each in fields.items() if isinstance(each, _Constant)}
    return _json_value_of(cls, fields | constants, None)


def read_by_name(cls: Any, value: Mapping[Any, Any], *, by_alias: bool | None = None, **arguments: Any) -> Any:
    """Return the value object of fields under their Python names. Raises ValidationError."""
    data = exact_numbers_as_decimals(dict(value))
    with _reading_by_name(), without_values(cls, data):
        made = compiled_model(cls).carrier.validate_python(
            cls._fields_of(data), by_name=True, by_alias=by_alias, **arguments
        )
    return checked(cls, made, value)


def checked(cls: Any, made: Any, given: Any) -> Any:
    """Return a value object that was built from something else than JSON, if it satisfies the contract."""
    try:
        _, data = made._check(ContractViolationError)  # noqa: SLF001 - of a value object
    except ContractViolationError as error:
        raise validation_error(cls, [error.violation], given) from None
    if isinstance(given, Mapping) and isinstance(data, dict):
        undeclared = {name: given[name] for name in given.keys() - data.keys() - made.__json_names__.keys()}
        compiled = compiled_model(cls)
        if undeclared and not compiled.accepts(data | undeclared):
            raise validation_error(cls, compiled.violations(data | undeclared), given)
    return made


def _write_python(cls: Any, value: Any, info: SerializationInfo) -> Any:
    """Return what `model_dump` returns for a value object, at the top or inside another model."""
    _refuse_another_class(cls, value)
    return part_of(value, info) if isinstance(value, cls) else value


def _refuse_another_class(cls: Any, value: Any) -> None:
    """Let pydantic try the other members of a union."""
    if not isinstance(value, cls) and hasattr(type(value), "__json_names__"):
        raise PydanticSerializationUnexpectedValue(f"Expected `{cls.__name__}`, got `{type(value).__name__}`")


def part_of(value: Any, info: Any) -> Any:
    """Return a value object as plain Python values, with the fields that were asked for."""
    dumped = selected(
        dump(value, defaults=not info.exclude_defaults), info.include, info.exclude, nulls=not info.exclude_none
    )
    return under_json_names(dumped) if info.by_alias else dumped


def _write_json(cls: Any, value: Any, info: SerializationInfo) -> Any:
    """Return the JSON value of a value object. Raises EncodeError for a number that pydantic would change."""
    _refuse_another_class(cls, value)
    written = value if isinstance(value, cls) else cls.from_value(as_json(value))
    data = json_part_of(written, info)
    if _json.has_long_number(data):
        expected = "a number that a double holds, because pydantic writes it here: `to_json` keeps every digit"
        raise _encode_error(cls, Violation("", "json", expected, "a longer one"))
    return data


def json_part_of(value: Any, info: Any) -> Any:
    """Return the JSON value of a value object, with the fields that were asked for. Raises EncodeError."""
    if info.include is None and info.exclude is None and not info.exclude_defaults and not info.exclude_none:
        return value._check(EncodeError)[1]  # noqa: SLF001 - of a value object
    dumped = selected(
        dump(value, defaults=not info.exclude_defaults), info.include, info.exclude, nulls=not info.exclude_none
    )
    data = as_json(under_json_names(dumped))
    compiled = compiled_model(type(value))
    if not compiled.accepts(data):
        violation = compiled.violation(data)
        reason = "`include` and `exclude` leave out what the contract asks for; use model_dump() for a part"
        violation = replace(violation, expected=f"{violation.expected} ({reason})")
        raise _encode_error(value, violation)
    return data


def json_text_of(value: Any, asked: Selection) -> bytes:
    """Return the JSON text of a value object, with the fields that were asked for. Raises EncodeError."""
    raw: bytes = value.to_json() if asked.is_whole else _json.dumps(json_part_of(value, asked), plain)
    return raw


def _encode_error(cls: Any, violation: Violation) -> EncodeError:
    subject, version = cls._names()
    return EncodeError(subject, version, violation)


class Selection:
    """The arguments of `model_dump` and `model_dump_json` that choose fields, as `SerializationInfo` has them."""

    def __init__(self, arguments: dict[str, Any], method: str) -> None:
        unknown = sorted(arguments.keys() - _DUMP_ARGUMENTS)
        if unknown:
            raise TypeError(f"{method} has no argument {unknown[0]!r}. It takes those of pydantic's method")
        self._method = method
        self.include, self.exclude = arguments.get("include"), arguments.get("exclude")
        self.exclude_defaults = bool(arguments.get("exclude_defaults"))
        self.exclude_none = bool(arguments.get("exclude_none"))
        self.by_alias = arguments.get("by_alias")

    @property
    def is_whole(self) -> bool:
        """Whether nothing is left out."""
        return not (self.include is not None or self.exclude is not None or self.exclude_defaults or self.exclude_none)

    def refuse_python_names(self) -> None:
        """Raise TypeError if JSON is asked for under the fields' Python names."""
        if self.by_alias is False:
            raise TypeError(
                f"{self._method} writes JSON under the contract's names, and got by_alias=False. "
                "Leave it out, or use model_dump() for a dict under the Python names"
            )


_DUMP_ARGUMENTS = frozenset(
    ("by_alias", "context", "exclude", "exclude_computed_fields", "exclude_defaults", "exclude_none", "exclude_unset",
     "fallback", "include", "polymorphic_serialization", "round_trip", "serialize_as_any", "warnings")
)  # fmt: skip
"""Those that nothing is done for change nothing here: an absent field is always left out, every type is known."""
