"""Pydantic's errors and violations of a contract, each made from the other. None shows a value of a message."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from typing import Any

from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from ._errors import Violation
from .validation import excerpt

_MAX_ERRORS = 20


@contextmanager
def without_values(cls: Any, value: Any) -> Iterator[None]:
    """Let pydantic's errors show no value of a message."""
    try:
        yield
    except ValidationError as error:
        raise validation_error(cls, violations_from(error, value), value) from None


def validation_error(cls: Any, violations: Iterable[Violation], value: Any) -> ValidationError:
    """Return pydantic's error for violations of a contract, each at its place in the value."""
    subject, version = cls._names()
    contract = subject if version is None else f"{subject} v{version}"
    lines: list[InitErrorDetails] = []
    for each in islice(violations, _MAX_ERRORS):
        steps, part = _place(value, each.pointer)
        context = {
            "contract": contract,
            "pointer": each.pointer,
            "keyword": each.keyword,
            "expected": each.expected,
            "found": each.shown,
        }
        text = "{contract} at {place}: expected {expected}, found {found}"
        kind = PydanticCustomError("contract_violation", text, context | {"place": each.pointer or "/"})
        is_shown = each.public and not isinstance(part, dict | list | tuple)
        lines.append(InitErrorDetails(type=kind, loc=steps, input=part if is_shown else each.shown))
    return ValidationError.from_exception_data(cls.__name__, lines)


def _place(value: Any, pointer: str) -> tuple[tuple[int | str, ...], Any]:
    """Return the steps of a JSON pointer as pydantic writes them, and what is there."""
    steps: list[int | str] = []
    for step in pointer.split("/")[1:]:
        name: int | str = step.replace("~1", "/").replace("~0", "~")
        if isinstance(value, list | tuple) and step.isdecimal():
            name = int(step)
        try:
            value = value[name]
        except (LookupError, TypeError):
            value = None
        steps.append(name)
    return tuple(steps), value


NO_JSON = "a value of type"


def violation_from(error: ValidationError, value: Any) -> Violation:
    """Return the first of pydantic's errors as a violation at its place in the value."""
    return next(violations_from(error, value))


def violations_from(error: ValidationError, value: Any) -> Iterator[Violation]:
    """Yield pydantic's errors as violations, one for each field."""
    fields: dict[Any, list[Any]] = {}
    for each in error.errors(include_url=False, include_context=False):
        fields.setdefault(each["loc"][:1], []).append(each)
    for here in fields.values():
        yield _violation_at(next((each for each in here if each["type"] == "value_error"), here[0]), value)


def _violation_at(telling: Any, value: Any) -> Violation:
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
        found = excerpt(given) if _is_json(given) else f"{NO_JSON} {type(given).__name__}"
    return Violation("".join(f"/{step}" for step in steps), telling["type"], expected, found)


def _is_json(value: Any) -> bool:
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return False
    return True
