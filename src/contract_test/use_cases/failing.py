"""Failing: why a replayed message failed, found in the error that its item ended with."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

from contract_test.data.interaction import Mismatch
from contract_test.data.result import Failure
from contract_test.schema.walk import escape
from contract_test.use_cases.replay import Case
from envelopes import ContractViolationError, ValueObject

_EMITS = "Change the producer back, or record again where the change is meant."


def failure_of(case: Case, error: BaseException | None, found: Sequence[Mismatch] = ()) -> Failure:
    """What to say of an item that failed with an error, or for what its producer emitted."""
    if found:
        first = found[0]
        return Failure(first.check, f"expected {first.expected}, found {first.found}", first.pointer, _EMITS, (*found,))
    given = (case.cause or case.message).envelope.data
    seen = error
    while seen is not None:
        if isinstance(seen, AttributeError) and isinstance(seen.obj, ValueObject) and seen.name is not None:
            return _unknown_field(given, seen.obj, seen.name)
        if isinstance(seen, ContractViolationError):
            advice = "change the producer so that it keeps the contract, or write a new version of it"
            return Failure(
                "contract-broken", f"expected {seen.expected}, found {seen.found}", seen.pointer or "/", advice
            )
        seen = seen.__cause__ or seen.__context__
    return Failure("handler-failed", type(error).__name__ if error is not None else "failed")


def _unknown_field(message: ValueObject, part: ValueObject, name: str) -> Failure:
    where = _find(message, part)
    fields = list(type(part).model_fields)
    near = difflib.get_close_matches(name, fields, 1)
    wish = f"read `{near[0]}` instead, or " if near else ""
    return Failure(
        "field-unknown",
        f"the contract has no such field (it has: {', '.join(fields)})",
        f"{where or ''}/{escape(name)}",
        f"{wish}add the field in a new version of the contract before reading it",
    )


def _find(value: Any, part: ValueObject, pointer: str = "") -> str | None:
    """The JSON pointer at which a part of a message stands."""
    if value is part:
        return pointer
    children: Mapping[Any, Any] = {}
    if isinstance(value, ValueObject):
        names = type(value).__json_names__
        children = {names[name]: getattr(value, name) for name in value.model_fields_set}
    elif isinstance(value, Mapping):
        children = value
    elif isinstance(value, tuple):
        children = dict(enumerate(value))
    for name, child in children.items():
        found = _find(child, part, f"{pointer}/{escape(str(name))}")
        if found is not None:
            return found
    return None
