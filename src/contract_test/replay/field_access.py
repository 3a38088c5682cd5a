"""Records which fields of a message are read, by the service and by its test, and injects faults into what is read.

A watched message is of the very class that the service imports: `type(message) is MessageLiked` holds as in production.
Each class is instrumented when its first message is watched, and restored by `forget`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, TypeVar

import pydantic

import envelopes
from contract_test.replay.self_comparison import compares_twice
from contract_test.replay.test_files import TestFiles
from contract_test.schema.walk import escape
from envelopes import ValueObject
from envelopes.generated import RootValue
from envelopes.types import FrozenMap

T = TypeVar("T", bound=ValueObject)

EVERYTHING = "/**"
"""Behind a pointer: all that it holds was read."""

_WHOLE = frozenset(("__dict__", "__pydantic_fields_set__"))
_INSIDE = tuple(f"{Path(module.__file__ or '').parent}/" for module in (envelopes, pydantic))
_COMPARING = frozenset(("__eq__", "__hash__", "__repr__", "__repr_args__", "__str__"))
_NO_TESTS = TestFiles()
_changed: set[type[ValueObject]] = set()


class FieldAccess:
    """What was read of one message. Reads by code in `tests` are the test's.

    `replaced` holds values by pointer that the service sees in the place of the true ones, which the test still sees.
    `dumped` is another message: where the test turns the whole message into something else, such as JSON, this one is
    turned into it. `handed_over` is True if the test did so, and `given_to_mock` if it called a mock with the message.
    """

    def __init__(
        self,
        tests: TestFiles | None = None,
        replaced: Mapping[str, Any] | None = None,
        dumped: ValueObject | None = None,
    ) -> None:
        self.tests, self.replaced, self.dumped = tests or _NO_TESTS, dict(replaced or {}), dumped
        self.by_service: set[str] = set()
        self.by_test: set[str] = set()
        self.handed_over = self.given_to_mock = self._read_twice = False
        self._read_at: dict[tuple[str, CodeType], int] = {}

    def clear(self) -> None:
        """Forget what was read, for the next message."""
        self.by_service.clear()
        self.by_test.clear()
        self._read_at.clear()
        self.handed_over = self.given_to_mock = self._read_twice = False

    @property
    def compared(self) -> bool:
        """Whether the test compared the message with itself: as a whole, or a field of it with the same field."""
        return self._read_twice or EVERYTHING in self.by_test

    def over(self, message: T, pointer: str = "") -> T:
        """Return the same message, watched; it is equal to the one that was given."""
        cls = type(message)
        if cls not in _changed:
            _look_into(cls)
        pointers = pointers_in(cls, pointer)
        values = object.__getattribute__(message, "__dict__")
        if self.replaced:  # else a part is watched when it is first read
            values = {name: self._child(value, pointers[name]) for name, value in values.items()}
        watched: T = cls.__new__(cls)
        object.__setattr__(watched, "__dict__", values.copy())
        object.__setattr__(watched, "__pydantic_fields_set__", _fields_set(message))
        object.__setattr__(watched, "__pydantic_extra__", None)
        object.__setattr__(watched, "__pydantic_private__", {"watch": self, "pointers": pointers, "pointer": pointer})
        return watched

    def _child(self, value: Any, pointer: str) -> Any:
        if isinstance(value, ValueObject):
            return self.over(value, pointer)
        if isinstance(value, tuple):
            return tuple(self._child(item, f"{pointer}/*") for item in value) if _holds_objects(value) else value
        if isinstance(value, FrozenMap) and _holds_objects(value):
            inner = pointer if pointer.endswith("/*") else f"{pointer}/*"
            return FrozenMap({name: self._child(member, inner) for name, member in value.items()})
        return value

    def see(self, message: ValueObject, name: str, pointer: str, frame: FrameType) -> Any:
        """Note that a field was read, and give what the reader is to see."""
        test = self.tests.is_reader(frame)
        seen = self.by_test if test else self.by_service
        seen.add(pointer)
        if test:
            code, step = frame.f_code, frame.f_lasti
            before = self._read_at.setdefault((pointer, code), step)
            if before != step and (line := _line(code, step)) and line == _line(code, before):
                self._read_twice |= compares_twice(code.co_filename, line, name)
        elif pointer in self.replaced:
            return self.replaced[pointer]
        values = object.__getattribute__(message, "__dict__")
        value = values[name]
        if type(value) not in _SIMPLE:
            if isinstance(value, tuple | FrozenMap) and not _holds_objects(value):
                seen.add(pointer + EVERYTHING)
            elif not self.replaced and (not isinstance(value, ValueObject) or not _private(value)):
                value = values[name] = self._child(value, pointer)
        return value

    def see_all(self, message: ValueObject, name: str, watched: Mapping[str, Any], frame: FrameType) -> Any:
        """Note that a whole object was read, and give what the reader is to see of its fields."""
        values, pointer = object.__getattribute__(message, name), watched["pointer"]
        test = self.tests.is_reader(frame)
        (self.by_test if test else self.by_service).update((pointer, pointer + EVERYTHING))
        if test and pointer == "" and not _compares(frame):
            self.handed_over = True
            return values if self.dumped is None else object.__getattribute__(self.dumped, name)
        if test or not self.replaced or not isinstance(values, dict):
            return values
        pointers = watched["pointers"]
        return {name: self.replaced.get(pointers.get(name, ""), value) for name, value in values.items()}

    def __deepcopy__(self, memo: Any) -> FieldAccess:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return FieldAccess, ()  # in another process nobody looks


def _holds_objects(value: Iterable[Any]) -> bool:
    members = value.values() if isinstance(value, FrozenMap) else value
    return any(isinstance(member, ValueObject) for member in members)


_SIMPLE = frozenset((str, int, float, bool, type(None)))
_private: Callable[[ValueObject], Any] = pydantic.BaseModel.__dict__["__pydantic_private__"].__get__
_fields_set: Callable[[ValueObject], set[str]] = pydantic.BaseModel.__dict__["__pydantic_fields_set__"].__get__


@lru_cache(maxsize=4096)
def pointers_in(cls: type[ValueObject], pointer: str) -> Mapping[str, str]:
    """Return where each field stands, by its name in Python."""
    if issubclass(cls, RootValue):
        return {"root": pointer}
    return {
        name: f"{pointer}/*" if name in cls.__additional__ else f"{pointer}/{escape(json_name)}"
        for name, json_name in cls.__json_names__.items()
    }


def pointer_of(part: ValueObject) -> str:
    """Return where a part of a watched message stands in it; empty for what is not watched."""
    return str((_private(part) or {}).get("pointer", ""))


def _look(self: ValueObject, name: str) -> Any:
    if name[:2] == "__" and name not in _WHOLE:
        return object.__getattribute__(self, name)
    try:
        watched = _private(self)
    except AttributeError:  # it is still being made
        watched = None
    if watched:
        pointer = watched["pointers"].get(name)
        if pointer is not None:
            return watched["watch"].see(self, name, pointer, sys._getframe(1))  # noqa: SLF001 - who reads
        if name in _WHOLE:
            return watched["watch"].see_all(self, name, watched, sys._getframe(1))  # noqa: SLF001 - as above
    return object.__getattribute__(self, name)


def watch_of(value: object) -> FieldAccess | None:
    """Return what watches a message, or None."""
    watched = _private(value) if isinstance(value, ValueObject) else None
    watch: FieldAccess | None = watched.get("watch") if watched else None
    return watch


def _look_into(cls: type[ValueObject]) -> None:
    cls.__getattribute__ = _look  # type: ignore[method-assign, assignment] # until `forget`
    _changed.add(cls)


def forget() -> None:
    """Leave every class as it was."""
    while _changed:
        del _changed.pop().__getattribute__


@lru_cache(maxsize=4096)
def _line(code: CodeType, step: int) -> int | None:
    """Return the line of an instruction."""
    return next((line for begin, end, line in code.co_lines() if begin <= step < end), None)


def _compares(frame: FrameType | None) -> bool:
    """Return whether a whole message is read to compare or to print it, and not to hand it over."""
    while frame is not None and frame.f_code.co_filename.startswith(_INSIDE):
        if frame.f_code.co_name in _COMPARING:
            return True
        frame = frame.f_back
    return False


def is_read(pointer: str, reads: Iterable[str]) -> bool:
    """Return whether the field at a pointer is among what was read."""
    return any(
        each == pointer or (each.endswith(EVERYTHING) and f"{pointer}/".startswith(each.removesuffix("**")))
        for each in reads
    )
