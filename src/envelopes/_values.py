"""The base classes of every value object."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

import orjson
from pydantic import ConfigDict, GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationError
from pydantic_core import CoreSchema, SchemaSerializer, SchemaValidator, core_schema

from . import _json
from ._compiled import COMPILED_MODELS, compile_model
from ._contract import Contract
from ._dumping import Dumped, dump, is_default
from ._equality import json_equal
from ._errors import ContractViolationError, DecodeError, EncodeError, Violation
from ._exact import ExactDatetime, ExactDecimal
from ._names import BUILDING
from ._pydantic import (
    CARRIES,
    carrying,
    definition_name,
    nested_schema,
    outer_schema,
)
from ._pydantic_errors import NO_JSON, violation_from
from ._pydantic_methods import PydanticMethods
from .types import FrozenMap, exact_numbers_as_decimals, plain


class ValueObject(PydanticMethods):
    """An immutable value that satisfies its contract, equal by value and hashable.

    Unknown keyword arguments are an error. Unknown fields in JSON are ignored. A missing optional field reads as None,
    or as the schema's default, and is left out when the object is written again.
    """

    # `validate_by_name` is for pydantic's mypy plugin, which then takes fields' names as the names of arguments. It is
    # removed below: JSON is read by the contract's names alone.
    model_config = ConfigDict(frozen=True, protected_namespaces=(), defer_build=True, validate_by_name=True)

    __contract__: ClassVar[Contract]
    __pointer__: ClassVar[str | None] = None
    """Where in the contract's schema this class stands; None where no single place says it all."""
    __within__: ClassVar[str | None] = None
    """Where the union is that this class is an alternative of, where no single place says it all."""
    __nullable__: ClassVar[frozenset[str]] = frozenset()
    """Optional fields for which null says something else than being absent."""
    __additional__: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """The fields for names that the contract describes by a rule, with the names' patterns; without any, all others."""
    __json_names__: ClassVar[dict[str, str]] = {}
    __declared__: ClassVar[frozenset[str]] = frozenset()
    """The names of the declared fields in JSON."""
    __absent_as_none__: ClassVar[frozenset[str]] = frozenset()
    __as_is__: ClassVar[bool] = True
    """Whether the JSON object is the fields that are present, under their own names."""
    __carrier__: ClassVar[Any]
    """Pydantic's validator of the fields, without the contract."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        if CARRIES.get():
            return nested_schema(cls, handler, source)
        if cls in BASES:
            return core_schema.is_instance_schema(cls)
        cls.model_rebuild()
        return outer_schema(cls, definition_name(cls))

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        if cls in BASES or (cls.__pointer__ is None and cls.__within__ is None):
            return handler(core_schema)
        from ._json_schema import contract_json_schema

        return contract_json_schema(cls, core_schema, handler)

    @classmethod
    def model_rebuild(cls, *, _parent_namespace_depth: int = 2, **arguments: Any) -> bool | None:
        """Build what pydantic reads and writes this class with, as pydantic's own method does."""
        with carrying():
            done = super().model_rebuild(_parent_namespace_depth=_parent_namespace_depth + 1, **arguments)
        if done and cls not in BASES:
            cls.__carrier__ = cls.__pydantic_validator__
            schema, config = outer_schema(cls), core_schema.CoreConfig(title=cls.__name__, hide_input_in_errors=True)
            cls.__pydantic_serializer__ = SchemaSerializer(schema, config)
            cls.__pydantic_validator__ = SchemaValidator(schema, config)
        return done

    @classmethod
    def _fields_of(cls, value: Any) -> Any:
        """Return the fields of a JSON value, as pydantic reads them."""
        return value

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        if cls.__pointer__ is not None:
            cls.__contract__.classes.setdefault(cls.__pointer__, cls)
        cls.__json_names__ = {
            name: field.validation_alias if isinstance(field.validation_alias, str) else name
            for name, field in cls.model_fields.items()
        }
        cls.__absent_as_none__ = frozenset(
            name for name, field in cls.model_fields.items() if not field.is_required() and name not in cls.__nullable__
        )
        cls.__declared__ = frozenset(
            json for name, json in cls.__json_names__.items() if name not in cls.__additional__
        )
        own_names = all(name == json for name, json in cls.__json_names__.items())
        cls.__as_is__ = own_names and not cls.__additional__ and cls._json_value is ValueObject._json_value

    if not TYPE_CHECKING:  # a type checker takes the fields as the signature

        def __init__(self, /, **fields: Any) -> None:
            self._build(fields)

        # Keeps the core from calling __init__ again for every nested object that it reads.
        __init__.__pydantic_base_init__ = True

        def __getattr__(self, name: str) -> Any:
            __tracebackhide__ = True  # pytest then shows the line that asked
            raise AttributeError(f"{type(self).__name__} has no field {name!r}", name=name, obj=self)

    @classmethod
    def from_json(cls, raw: bytes | str) -> Self:
        """Return the value object of a JSON text.

        Args:
            raw: One JSON text, as UTF-8 bytes or as a string. Unknown fields are ignored if the contract allows them.

        Raises:
            TypeError: `raw` is neither bytes nor a string.
            DecodeError: The text is not JSON, or the contract does not accept it.

        """
        text = raw if type(raw) is bytes else _as_bytes(raw)
        compiled = COMPILED_MODELS.get(cls) or compile_model(cls)
        try:
            value = compiled.loads(text)
            if compiled.accepts(value):  # as in from_value, without a call more for the most frequent of all
                return compiled.make(value)  # type: ignore[no-any-return] # the core of this very class
        except _json.JsonError as error:
            violation = Violation("", "json", "one JSON text", str(error))
        except ValidationError as error:
            violation = violation_from(error, value)
        else:
            violation = compiled.violation(value)
        raise DecodeError(*cls._names(), violation, text)

    @classmethod
    def from_value(cls, value: Any, raw: bytes = b"") -> Self:
        """Return the value object of a parsed JSON value.

        Args:
            value: Dicts, lists, texts, numbers, booleans and None.
            raw: The bytes that a DecodeError carries.

        Raises:
            DecodeError: The contract does not accept the value.

        """
        compiled = COMPILED_MODELS.get(cls) or compile_model(cls)
        if compiled.accepts(value):
            try:
                return compiled.make(value)  # type: ignore[no-any-return] # the core of this very class
            except ValidationError as error:
                raise DecodeError(*cls._names(), violation_from(error, value), bytes(raw)) from None
        raise DecodeError(*cls._names(), compiled.violation(value), bytes(raw))

    @classmethod
    def _core(cls, carrier: SchemaValidator) -> Callable[[Any], Any]:
        return carrier.validate_python

    def to_json(self) -> bytes:
        """Return the JSON text of this object.

        Returns:
            UTF-8 bytes without spaces. Absent fields are left out. Numbers and times keep their text.

        Raises:
            EncodeError: The contract does not accept the text.

        """
        return self._check(EncodeError)[0]

    def _build(self, fields: dict[str, Any]) -> None:
        cls = type(self)
        data: dict[str, Any] = {}
        names = cls.__json_names__
        for name, value in fields.items():
            if name not in names:
                known = f"one of the fields {', '.join(names)}"
                raise ContractViolationError(*cls._names(), Violation(f"/{name}", "properties", known, repr(name)))
            if name in cls.__additional__:
                data |= cls._additional(name, value)
            elif value is not None or name not in cls.__absent_as_none__:
                data[names[name]] = exact_numbers_as_decimals(value)
        try:
            compiled = COMPILED_MODELS.get(cls) or compile_model(cls)
            compiled.carrier.validate_python(data, self_instance=self, extra="forbid", context=BUILDING)
        except ValidationError as error:
            violation = violation_from(error, data)
            as_read = None if violation.found.startswith(NO_JSON) else cls._as_read(data)
            if as_read is not None:
                violation = as_read
            elif issubclass(cls, RootValue):  # whose field is the whole value, and no place in it
                violation = replace(violation, pointer=violation.pointer.removeprefix("/root"))
            raise ContractViolationError(*cls._names(), violation) from None
        self._check(ContractViolationError)

    @classmethod
    def _additional(cls, field: str, value: Any) -> dict[str, Any]:
        """Return what a field for additional names holds, under the names in JSON."""
        raise NotImplementedError

    @classmethod
    def _as_read(cls, data: dict[str, Any]) -> Violation | None:
        """Return the violation that reading the same data would find, or None."""
        try:
            value = _json.loads(_json.dumps(data["root"] if issubclass(cls, RootValue) else data, _plain))
        except (LookupError, TypeError, ValueError):
            return None
        compiled = COMPILED_MODELS.get(cls) or compile_model(cls)
        return None if compiled.accepts(value) else compiled.violation(value)

    def _check(self, error: type[EncodeError | ContractViolationError]) -> tuple[bytes, Any]:
        """Return the JSON text, and the same parsed again. Raise `error` if the contract does not accept it."""
        try:
            raw = orjson.dumps(self, _common, _json.OPTIONS)
            value = orjson.loads(raw)
        except orjson.JSONEncodeError:  # something rare: long numbers, a subclass; or it really cannot be written
            try:
                raw = _json.dumps(self, _plain)
                value = _json.loads(raw)
            except (TypeError, ValueError) as reason:
                raise error(*self._names(), Violation("", "json", "a JSON value", str(reason))) from None
        compiled = COMPILED_MODELS.get(type(self)) or compile_model(type(self))
        if not compiled.accepts(value):
            raise error(*self._names(), compiled.violation(value))
        return raw, value

    @classmethod
    def _names(cls) -> tuple[str, int | None]:
        contract = getattr(cls, "__contract__", None)
        return (contract.subject, contract.version) if contract and contract.subject else (cls.__name__, None)

    def _json_value(self) -> Any:
        """Return the fields that are set, under their JSON names."""
        fields, present = self.__dict__, self.__pydantic_fields_set__
        if self.__as_is__:
            if len(present) == len(fields):
                return fields
            return {name: value for name, value in fields.items() if name in present}
        names, additional = self.__json_names__, self.__additional__
        wire = {names[name]: value for name, value in fields.items() if name in present and name not in additional}
        for name in additional:
            wire |= fields[name].items()
        return wire

    def _dumped(self, *, defaults: bool) -> Any:
        fields = type(self).model_fields
        made = Dumped({
            name: dump(value, defaults=defaults)
            for name, value in self.__dict__.items()
            if name in self.__pydantic_fields_set__
            and (defaults or not is_default(fields[name], value))
        })  # fmt: skip
        made.json_names, made.additional = self.__json_names__, self.__additional__
        return made

    def __repr_args__(self) -> Iterator[tuple[str, Any]]:
        return ((name, value) for name, value in self.__dict__.items() if name in self.__pydantic_fields_set__)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ValueObject):
            return NotImplemented
        return (
            (isinstance(other, type(self)) or isinstance(self, type(other)))
            and self.__dict__ == other.__dict__
            and self.__pydantic_fields_set__ == other.__pydantic_fields_set__
            and json_equal(self._plain_json(), other._plain_json())
        )

    def _plain_json(self) -> Any:
        return _json.loads(_json.dumps(self, _plain))

    def __hash__(self) -> int:
        return hash(tuple(self.__dict__.values()))


del ValueObject.model_config["validate_by_name"]


class RootValue(ValueObject):
    """A message that is not a JSON object, or not always: the value is in `root`."""

    @classmethod
    def _core(cls, carrier: SchemaValidator) -> Callable[[Any], Any]:
        core = carrier.validate_python
        return lambda value: core({"root": value})

    @classmethod
    def _fields_of(cls, value: Any) -> Any:
        return {"root": value}

    def _dumped(self, *, defaults: bool) -> Any:
        return dump(self.__dict__["root"], defaults=defaults)

    def _json_value(self) -> Any:
        return self.__dict__["root"]


def _as_bytes(raw: Any) -> bytes:
    if isinstance(raw, str):
        return raw.encode(errors="surrogatepass")
    if isinstance(raw, bytes | bytearray | memoryview):
        return bytes(raw)
    raise TypeError(f"from_json takes bytes or str, and got {type(raw).__name__}")


def _common(value: Any) -> Any:
    """Give orjson the object for what most messages are made of, and only for that."""
    kind = type(value)
    compiled = COMPILED_MODELS.get(kind)
    if compiled is not None and compiled.as_is:  # as in _json_value
        fields, present = value.__dict__, value.__pydantic_fields_set__
        if len(present) == len(fields):
            return fields
        return {name: item for name, item in fields.items() if name in present}
    json_value = getattr(value, "_json_value", None)  # isinstance asks pydantic's metaclass, which takes its time
    if json_value is not None:
        return json_value()
    if kind is FrozenMap:
        return dict(value.items())
    if kind is ExactDatetime or kind is ExactDecimal:
        return value.text
    raise TypeError


def _plain(value: Any) -> Any:
    return value._json_value() if isinstance(value, ValueObject) else plain(value)  # noqa: SLF001 - the other half of this module


BASES: set[type[ValueObject]] = {ValueObject, RootValue}
"""The classes that have no contract."""
