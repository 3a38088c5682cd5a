"""What reads and writes the messages of a class: the contract's validator, then pydantic's core."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from pydantic_core import SchemaValidator

from ._errors import Violation
from ._json import loads
from .types import loads_with_decimals
from .validation import CompiledSchema, find_violation, find_violations, with_sensitivity


class CompiledModel:
    """The contract's validator of a class, and the function that makes its objects of what the contract accepts."""

    __slots__ = ("_validator", "accepts", "as_is", "carrier", "loads", "make")

    def __init__(self, cls: Any, validator: CompiledSchema | None) -> None:
        self._validator = validator
        self.carrier: SchemaValidator = cls.__carrier__
        self.make: Callable[[Any], Any] = cls._core(self.carrier)
        self.loads: Callable[[bytes], Any] = loads_with_decimals if cls.__as_written__ else loads
        self.as_is: bool = cls.__as_is__
        self.accepts: Callable[[Any], bool] = _anything if validator is None else validator.is_valid

    def violation(self, value: Any) -> Violation:
        """Return what is wrong with a value that is not accepted."""
        violation = None if self._validator is None else find_violation(self._validator, value)
        assert violation is not None, "invalid, and yet nothing is wrong with it"
        return violation

    def violations(self, value: Any) -> Iterator[Violation]:
        """Yield everything that is wrong with a value that is not accepted."""
        assert self._validator is not None, "invalid, and yet there is no validator"
        validator = self._validator
        return (with_sensitivity(validator, each) for each in find_violations(validator, value))


def _anything(_: Any) -> bool:
    return True


COMPILED_MODELS: dict[type[Any], CompiledModel] = {}


def compiled_model(cls: Any) -> CompiledModel:
    """Return what reads and writes the messages of a value object's class, compiled on first use."""
    return COMPILED_MODELS.get(cls) or compile_model(cls)


def compile_model(cls: Any) -> CompiledModel:
    """Compile what reads and writes the messages of a value object's class."""
    cls.model_rebuild()
    place = cls.__within__ if cls.__pointer__ is None else cls.__pointer__
    validator = None if place is None else cls.__contract__.validator_at(place)
    compiled = COMPILED_MODELS[cls] = CompiledModel(cls, validator)
    return compiled
