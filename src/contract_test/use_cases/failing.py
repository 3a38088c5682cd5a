"""Failing: why a replayed message failed, found in the error that its item ended with."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from contract_test.data.interaction import Mismatch
from contract_test.data.result import Failure
from contract_test.schema.walk import escape
from contract_test.use_cases import deliveries, unread
from contract_test.use_cases.deliveries import EffectError
from contract_test.use_cases.unread import UnreadError
from contract_test.use_cases.watching import pointer_of
from envelopes import ContractViolationError, ValueObject

_LONGEST = 200
_TAKE = "Let the code take this message; or, if nobody may send it, narrow the contract in a new version."
_DECLARE = "Change the producer back, or declare the change in a new version of the contract."
_EMITS = "Change the producer back, or record again where the change is meant."


def failure_of(error: BaseException | None, found: Sequence[Mismatch] = ()) -> Failure:
    """What to say of an item that failed with an error, or for what its producer emitted."""
    if found:
        first = found[0]
        advice = _DECLARE if first.check in ("undeclared-field", "contract-broken") else _EMITS
        return Failure(first.check, f"expected {first.expected}, found {first.found}", first.pointer, advice, (*found,))
    seen = error
    while seen is not None:
        if isinstance(seen, AttributeError) and isinstance(seen.obj, ValueObject) and seen.name is not None:
            return _unknown_field(seen.obj, seen.name)
        if isinstance(seen, EffectError):
            return Failure(deliveries.CHECK, seen.problem, seen.found[0].pointer, seen.advice, seen.found)
        if isinstance(seen, UnreadError):
            return Failure(unread.CHECK, seen.problem, "", seen.advice)
        if isinstance(seen, ContractViolationError):
            advice = "change the producer so that it keeps the contract, or write a new version of it"
            return Failure(
                "contract-broken", f"expected {seen.expected}, found {seen.found}", seen.pointer or "/", advice
            )
        seen = seen.__cause__ or seen.__context__
    if error is None:
        return Failure("handler-failed", "failed", "", _TAKE)
    said = str(error).strip().partition("\n")[0][:_LONGEST]
    sentence = f"{type(error).__name__}: {said}" if said else type(error).__name__
    return Failure("handler-failed", sentence, "", _TAKE)


def _unknown_field(part: ValueObject, name: str) -> Failure:
    fields = list(type(part).model_fields)
    near = difflib.get_close_matches(name, fields, 1)
    wish = f"read `{near[0]}` instead, or " if near else ""
    return Failure(
        "field-unknown",
        f"the contract has no such field (it has: {', '.join(fields)})",
        f"{pointer_of(part)}/{escape(name)}",
        f"{wish}add the field in a new version of the contract before reading it",
    )
