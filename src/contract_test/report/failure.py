"""A failed replay in words: where the message is, what was asked of it, whom it concerns, and what to do."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

from contract_test.schema.walk import escape
from contract_test.use_cases.replay import Case
from envelopes import ContractViolationError, ValueObject


def failure_text(case: Case, error: BaseException | None) -> str:
    """The lines under a failing item."""
    lines = [case.about]
    given = (case.cause or case.message).envelope.data
    while error is not None:
        if isinstance(error, AttributeError) and isinstance(error.obj, ValueObject) and error.name is not None:
            lines += _missing_field(given, error.obj, error.name)
            break
        if isinstance(error, ContractViolationError):
            lines.append(f"pointer    {error.pointer or '/'}: expected {error.expected}, found {error.found}")
            lines.append("what to do  change the producer so that it keeps the contract, or write a new version of it")
            break
        error = error.__cause__ or error.__context__
    return "\n".join(lines)


def _missing_field(message: ValueObject, part: ValueObject, name: str) -> list[str]:
    where = _find(message, part)
    fields = list(type(part).model_fields)
    near = difflib.get_close_matches(name, fields, 1)
    wish = f"read `{near[0]}` instead, or " if near else ""
    return [
        f"pointer    {where or ''}/{escape(name)}: the contract has no such field (it has: {', '.join(fields)})",
        f"what to do  {wish}add the field in a new version of the contract before reading it",
    ]


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
