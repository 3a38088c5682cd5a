"""Gives the code of a service another message than its test has, to see whether the test notices.

A test may give its service the message in a form whose reading cannot be watched: JSON text, a dictionary, a value.
"""

from __future__ import annotations

import copy
import queue
import sys
import threading
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from types import CodeType, FrameType, SimpleNamespace
from typing import Any

import pydantic

from contract_test.replay.test_files import TestFiles, is_installed
from envelopes import ValueObject, Wire, _json

_VARIABLE_ARGUMENTS, _VARIABLE_KEYWORDS = 4, 8  # bits of `co_flags`
_MAX_DEPTH = 6
_PURE = frozenset(("pydantic", "pydantic_core", "orjson", "jsonschema_rs", "msgspec", "envelopes", "contract_test"))
"""Packages whose extension modules send nothing to anybody."""
_SENDING = frozenset(("send", "sendall", "sendto", "sendmsg", "write", "put", "posix_spawn", "fork_exec"))
"""Functions of the standard library's extension modules that may take a message out of its test's thread."""
_SENDING_MODULES = frozenset(("_socket", "socket", "posix", "nt", "_queue", "_posixsubprocess", "ssl", "_ssl"))


class MessageExchange:
    """Exchanges a message for an `other` one in the arguments of each function of the service that a test calls.

    `exchanged` is True once the service got something of the other message. `service_ran` is True if code of the
    service ran at all, and `left` if that code, another library or another process may have got the message.
    """

    def __init__(self, tests: TestFiles, message: ValueObject, other: ValueObject) -> None:
        self.exchanged = self.service_ran = self.left = False
        self._tests = tests
        self._forms = [(form(message), form(other)) for form in _FORMS]
        self._values = _different_values(message, other)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Give the service the other message inside, also in threads that begin there."""
        before = sys.getprofile()
        threading.setprofile(self._see)
        sys.setprofile(self._see)
        try:
            yield
        finally:
            sys.setprofile(before)
            threading.setprofile(before)

    def _see(self, frame: FrameType, event: str, argument: Any) -> None:
        if event == "c_call":
            self.left = self.left or _sends(argument)
        elif frame.f_code.co_name == "__import__":  # some packages replace it: every import would count as theirs
            return
        elif event == "call" and self._tests.is_service(name := frame.f_code.co_filename):
            self.left = True
            self.service_ran = self.service_ran or not is_installed(name)
            if not self._tests.is_called_by_service(frame):
                self._exchange_arguments(frame)
        elif event == "call" and frame.f_code is queue.Queue.put.__code__:
            self.left = True

    def _exchange_arguments(self, frame: FrameType) -> None:
        there = frame.f_locals
        for name in _parameters(frame.f_code):
            if name in there and name not in ("self", "cls"):
                value = there[name]
                other = self._other(value, 0)
                if other is not value:
                    there[name] = other  # the interpreter takes it over when this function returns
                    self.exchanged = True

    def _other(self, value: Any, depth: int) -> Any:
        """Return what the other message has in the place of a value; the value itself if it is not of the message."""
        if depth > _MAX_DEPTH or value is None or isinstance(value, ValueObject | bool | type):
            return value
        for mine, other in self._forms:
            if type(value) is type(mine) and value == mine:
                return copy.deepcopy(other)
        if isinstance(value, str | bytes | bytearray):
            return self._other_text(value, depth)
        if isinstance(value, dict):
            return _made(value, {name: self._other(each, depth + 1) for name, each in value.items()}, dict)
        if isinstance(value, list | tuple):
            made = [self._other(each, depth + 1) for each in value]
            return _made(value, made, getattr(type(value), "_make", type(value)))
        if isinstance(value, SimpleNamespace | pydantic.BaseModel) or is_dataclass(value):
            return self._other_record(value, depth)
        return self._other_value(value)

    def _other_text(self, value: Any, depth: int) -> Any:
        if isinstance(value, str) and (other := self._other_value(value)) is not value:
            return other
        if value[:1] not in ("{", "[", b"{", b"["):
            return value
        try:
            read = _json.loads(value.encode() if isinstance(value, str) else bytes(value))
        except ValueError:
            return value
        made = self._other(read, depth + 1)
        if made is read:
            return value
        text = _json.dumps(made)
        if isinstance(value, Wire):
            return Wire(text, value.key, value.headers)
        return text.decode() if isinstance(value, str) else type(value)(text)

    def _other_record(self, value: Any, depth: int) -> Any:
        names = [each.name for each in fields(value)] if is_dataclass(value) else list(vars(value))
        there = {name: getattr(value, name) for name in names if hasattr(value, name)}
        made = {name: self._other(each, depth + 1) for name, each in there.items()}
        changed = {name: each for name, each in made.items() if each is not there[name]}
        if not changed:
            return value
        other = copy.copy(value)
        for name, each in changed.items():
            object.__setattr__(other, name, each)
        return other

    def _other_value(self, value: Any) -> Any:
        try:
            return self._values.get((type(value), value), value)
        except TypeError:  # it cannot be hashed
            return value


_FORMS: tuple[Callable[[ValueObject], Any], ...] = (
    lambda message: _json.loads(message.to_json()),
    lambda message: message.model_dump(),
    lambda message: message.model_dump(mode="json"),
    dict,
)
"""What a whole message may be turned into, other than text."""


def _different_values(message: ValueObject, other: ValueObject) -> dict[tuple[type, Any], Any]:
    """Return by type and value what the other message has in the place of each value that is rare enough to be told."""
    found: dict[tuple[type, Any], Any] = {}
    for mine, there in (
        (message, other),
        (_json.loads(message.to_json()), _json.loads(other.to_json())),
    ):
        others = dict(_values(there))
        for place, value in _values(mine):
            instead = others.get(place)
            if type(instead) is type(value) and instead != value and value not in ("", 0, 1, -1):
                found.setdefault((type(value), value), instead)
    return {key: instead for key, instead in found.items() if (type(instead), instead) not in found}


def _values(part: Any, place: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Yield the single values of a message or of its JSON, and where they are."""
    if isinstance(part, ValueObject):
        part = object.__getattribute__(part, "__dict__")
    if isinstance(part, Mapping):
        for name, value in part.items():
            yield from _values(value, (*place, name))
    elif isinstance(part, list | tuple):
        for index, value in enumerate(part):
            yield from _values(value, (*place, index))
    elif isinstance(part, Hashable) and not isinstance(part, bool | None):
        yield place, part


def _made(value: Any, made: Any, make: Callable[[Any], Any]) -> Any:
    pairs = zip(*(each.values() if isinstance(each, dict) else each for each in (value, made)), strict=True)
    return make(made) if any(one is not two for one, two in pairs) else value


def _parameters(code: CodeType) -> tuple[str, ...]:
    count = code.co_argcount + code.co_kwonlyargcount
    count += bool(code.co_flags & _VARIABLE_ARGUMENTS) + bool(code.co_flags & _VARIABLE_KEYWORDS)
    return code.co_varnames[:count]


def _sends(function: Any) -> bool:
    """Return whether a function of an extension module may give something to another thread or process."""
    of = getattr(function, "__self__", None)
    module = str(getattr(function, "__module__", None) or type(of).__module__).partition(".")[0]
    if module in _SENDING_MODULES:
        return getattr(function, "__name__", "") in _SENDING
    return module not in _PURE and module not in sys.stdlib_module_names
