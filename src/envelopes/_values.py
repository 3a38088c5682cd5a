"""The base classes of every value object."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from . import _json
from ._contract import Contract
from ._errors import ContractViolationError, DecodeError, EncodeError, Violation
from .types import ExactDatetime, FrozenMap, exact_numbers_as_decimals, loads_with_decimals, plain
from .validation import CompiledSchema, excerpt, find_violation


class _CompiledModel:
    """The two functions that read a class's messages: the contract's validator, then pydantic's core."""

    __slots__ = ("_validator", "accepts", "make")

    def __init__(self, validator: CompiledSchema | None, make: Callable[[Any], Any]) -> None:
        self._validator, self.make = validator, make
        self.accepts: Callable[[Any], bool] = _anything if validator is None else validator.is_valid

    def violation(self, value: Any) -> Violation:
        """What is wrong with a value that is not accepted."""
        violation = None if self._validator is None else find_violation(self._validator, value)
        assert violation is not None, "invalid, and yet nothing is wrong with it"
        return violation


def _anything(_: Any) -> bool:
    return True


_COMPILED_MODELS: dict[type[ValueObject], _CompiledModel] = {}


def compiled_model(cls: type[ValueObject]) -> _CompiledModel:
    """Return what reads and writes the messages of a class, compiled on first use."""
    return _COMPILED_MODELS.get(cls) or _compile_model(cls)


def _compile_model(cls: type[ValueObject]) -> _CompiledModel:
    cls.model_rebuild()
    validator = None if cls.__pointer__ is None else cls.__contract__.validator_at(cls.__pointer__)
    compiled = _COMPILED_MODELS[cls] = _CompiledModel(validator, cls._core())
    return compiled


class ValueObject(BaseModel):
    """An immutable value that satisfies its contract, equal by value and hashable.

    Unknown keyword arguments are an error. Unknown fields in JSON are ignored. A missing optional field reads as None,
    or as the schema's default, and is left out when the object is written again.
    """

    model_config = ConfigDict(frozen=True, protected_namespaces=())

    __contract__: ClassVar[Contract]
    __pointer__: ClassVar[str | None] = None
    """Where in the contract's schema this class stands; None where no single place says it all."""
    __nullable__: ClassVar[frozenset[str]] = frozenset()
    """Optional fields for which null says something else than being absent."""
    __additional__: ClassVar[str | None] = None
    """The field that holds what the contract allows by rule: `additionalProperties`, `patternProperties`."""
    __as_written__: ClassVar[bool] = False
    """Whether a number's own text counts: the class, or one inside it, has a decimal."""
    __json_names__: ClassVar[dict[str, str]] = {}
    __absent_as_none__: ClassVar[frozenset[str]] = frozenset()
    __as_is__: ClassVar[bool] = True

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        cls.__json_names__ = {
            name: field.validation_alias if isinstance(field.validation_alias, str) else name
            for name, field in cls.model_fields.items()
        }
        cls.__absent_as_none__ = frozenset(
            name for name, field in cls.model_fields.items() if not field.is_required() and name not in cls.__nullable__
        )
        cls.__as_is__ = not cls.__additional__ and all(name == json for name, json in cls.__json_names__.items())

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
        text = raw.encode(errors="surrogatepass") if isinstance(raw, str) else raw
        try:
            value = loads_with_decimals(text) if cls.__as_written__ else _json.loads(text)
        except _json.JsonError as error:
            if not isinstance(text, bytes | bytearray | memoryview):
                raise TypeError(f"from_json takes bytes or str, and got {type(raw).__name__}") from None
            violation = Violation("", "json", "one JSON text", str(error))
            raise DecodeError(*cls._names(), violation, bytes(text)) from None
        compiled = _COMPILED_MODELS.get(cls) or _compile_model(cls)
        if compiled.accepts(value):  # as in from_value, without a call more for the most frequent of all
            try:
                return compiled.make(value)  # type: ignore[no-any-return] # the core of this very class
            except ValidationError as error:
                raise DecodeError(*cls._names(), _from_pydantic(error, value), bytes(text)) from None
        raise DecodeError(*cls._names(), compiled.violation(value), bytes(text))

    @classmethod
    def from_value(cls, value: Any, raw: bytes = b"") -> Self:
        """Return the value object of a parsed JSON value.

        Args:
            value: Dicts, lists, texts, numbers, booleans and None.
            raw: The bytes that a DecodeError carries.

        Raises:
            DecodeError: The contract does not accept the value.

        """
        compiled = _COMPILED_MODELS.get(cls) or _compile_model(cls)
        if compiled.accepts(value):
            try:
                return compiled.make(value)  # type: ignore[no-any-return] # the core of this very class
            except ValidationError as error:
                raise DecodeError(*cls._names(), _from_pydantic(error, value), bytes(raw)) from None
        raise DecodeError(*cls._names(), compiled.violation(value), bytes(raw))

    @classmethod
    def _core(cls) -> Callable[[Any], Any]:
        return cls.__pydantic_validator__.validate_python

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
            if name == cls.__additional__:
                data.update(exact_numbers_as_decimals(value or {}))
            elif value is not None or name not in cls.__absent_as_none__:
                data[names[name]] = exact_numbers_as_decimals(value)
        try:
            cls.__pydantic_validator__.validate_python(data, self_instance=self, extra="forbid")
        except ValidationError as error:
            violation = _from_pydantic(error, data)
            as_read = None if violation.found.startswith(_NO_JSON) else cls._as_read(data)
            if as_read is not None:
                violation = as_read
            elif issubclass(cls, RootValue):  # whose field is the whole value, and no place in it
                violation = replace(violation, pointer=violation.pointer.removeprefix("/root"))
            raise ContractViolationError(*cls._names(), violation) from None
        self._check(ContractViolationError)

    @classmethod
    def _as_read(cls, data: dict[str, Any]) -> Violation | None:
        """Return the violation that reading the same data would find, or None."""
        try:
            value = _json.loads(_json.dumps(data["root"] if issubclass(cls, RootValue) else data, _plain))
        except (LookupError, TypeError, ValueError):
            return None
        compiled = _COMPILED_MODELS.get(cls) or _compile_model(cls)
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
        compiled = _COMPILED_MODELS.get(type(self)) or _compile_model(type(self))
        if not compiled.accepts(value):
            raise error(*self._names(), compiled.violation(value))
        return raw, value

    @classmethod
    def _names(cls) -> tuple[str, int | None]:
        contract = getattr(cls, "__contract__", None)
        return (contract.subject, contract.version) if contract else (cls.__name__, None)

    def _json_value(self) -> Any:
        """Return the fields that are set, under their JSON names."""
        fields, present = self.__dict__, self.__pydantic_fields_set__
        if self.__as_is__:
            if len(present) == len(fields):
                return fields
            return {name: value for name, value in fields.items() if name in present}
        names, additional = self.__json_names__, self.__additional__
        wire = {names[name]: value for name, value in fields.items() if name in present and name != additional}
        return wire if additional is None else wire | dict(fields[additional])

    @classmethod
    def model_validate_json(cls, json_data: str | bytes | bytearray, **_: Any) -> Self:
        """Read a JSON text as `from_json` does, and so check the contract."""
        return cls.from_json(json_data if isinstance(json_data, str) else bytes(json_data))

    @classmethod
    def model_validate(cls, obj: Any, **_: Any) -> Self:
        """Read a parsed JSON value as `from_value` does, and so check the contract."""
        return obj if isinstance(obj, cls) else cls.from_value(obj)

    def model_dump(self, *, mode: str = "python", **_: Any) -> dict[str, Any]:
        """Return the JSON object as plain dicts and lists. With `mode="json"`, times are texts, too."""
        value = _json.loads(_json.dumps(self, _plain)) if mode == "json" else _thaw(self)
        assert isinstance(value, dict)
        return value

    def model_dump_json(self, **_: Any) -> str:
        """Write the JSON text as `to_json` does, and so check the contract."""
        return self.to_json().decode()

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return a copy with some fields replaced. The copy is checked against the contract, too."""
        if not update:
            return super().model_copy(deep=deep)
        fields = {name: getattr(self, name) for name in self.__pydantic_fields_set__}
        return type(self)(**fields | dict(update))

    def __repr_args__(self) -> Iterator[tuple[str, Any]]:
        return ((name, value) for name, value in self.__dict__.items() if name in self.__pydantic_fields_set__)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ValueObject):
            return NotImplemented
        return (
            type(self) is type(other)
            and self.__dict__ == other.__dict__
            and self.__pydantic_fields_set__ == other.__pydantic_fields_set__
        )

    def __hash__(self) -> int:
        return hash((type(self), *self.__dict__.values()))


class OpenValueObject(ValueObject):
    """A value object whose contract also describes fields without naming each of them."""

    @model_validator(mode="before")
    @classmethod
    def _gather(cls, data: Any) -> Any:
        if not isinstance(data, dict) or cls.__additional__ is None:
            return data
        declared = set(cls.__json_names__.values()) - {cls.__additional__}
        gathered = {name: value for name, value in data.items() if name in declared}
        rest = {name: value for name, value in data.items() if name not in declared}
        return gathered | {cls.__additional__: rest} if rest else gathered


class RootValue(ValueObject):
    """A message that is not a JSON object, or not always: the value is in `root`."""

    @classmethod
    def _core(cls) -> Callable[[Any], Any]:
        core = super()._core()
        return lambda value: core({"root": value})

    def _json_value(self) -> Any:
        return self.__dict__["root"]


def _common(value: Any) -> Any:
    """Give orjson the object for what most messages are made of, and only for that."""
    json_value = getattr(value, "_json_value", None)  # isinstance asks pydantic's metaclass, which takes its time
    if json_value is not None:
        return json_value()
    kind = type(value)
    if kind is FrozenMap:
        return dict(value.items())
    if kind is ExactDatetime:
        return value.text
    raise TypeError


def _plain(value: Any) -> Any:
    return value._json_value() if isinstance(value, ValueObject) else plain(value)  # noqa: SLF001 - the other half of this module


def _thaw(value: Any) -> Any:
    if isinstance(value, ValueObject):
        return _thaw(value._json_value())  # noqa: SLF001 - the other half of this module
    if isinstance(value, Mapping):
        return {key: _thaw(item) for key, item in value.items()}
    return [_thaw(item) for item in value] if isinstance(value, tuple) else value


_NO_JSON = "a value of type"


def _from_pydantic(error: ValidationError, value: Any) -> Violation:
    errors = error.errors(include_url=False, include_context=False)
    here = [each for each in errors if each["loc"][:1] == errors[0]["loc"][:1]]
    telling = next((each for each in here if each["type"] == "value_error"), here[0])
    steps = []
    for place, step in enumerate(
        telling["loc"], start=1
    ):  # pydantic also names the members of a union, which are no places
        inside = (
            step in value if isinstance(value, Mapping) else isinstance(value, list | tuple) and isinstance(step, int)
        )
        if inside:
            value = value[step]
        if inside or (telling["type"] == "missing" and place == len(telling["loc"])):
            steps.append(str(step).replace("~", "~0").replace("/", "~1"))
    if telling["type"] == "missing":
        expected, found = f"the field {telling['loc'][-1]!r}", "nothing"
    elif telling["type"] == "extra_forbidden":
        expected, found = "no undeclared field", repr(telling["loc"][-1])
    else:
        expected = telling["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
        given = telling["input"]
        found = excerpt(given) if _is_json(given) else f"{_NO_JSON} {type(given).__name__}"
    return Violation("".join(f"/{step}" for step in steps), telling["type"], expected, found)


def _is_json(value: Any) -> bool:
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return False
    return True
