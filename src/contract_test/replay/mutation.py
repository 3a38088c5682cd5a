"""Mutation: what a service reads is broken on purpose, one field at a time, and its tests have to notice.

The service sees the broken field; the code of the test function itself still sees the true one, so that what it expects
does not follow the fault.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from contract_test.replay.field_access import is_read, pointers_in
from contract_test.schema.fields import Fields
from envelopes import ValueObject
from envelopes.types import FrozenMap

NEW_VALUE = "value_of_tomorrow"


@dataclass(frozen=True)
class Mutant:
    """One fault: the pointer, what is done there, and what the service sees by pointer."""

    pointer: str
    change: str
    replaced: Mapping[str, Any]


def mutants(message: ValueObject, reads: Iterable[str], fields: Fields) -> Iterator[Mutant]:
    """Yield every fault in a field that the service read.

    Missing, of another type, with a new or another value, swapped.
    """
    reads = list(reads)
    choices = {place.pointer: fields.choices(place.position) for place in fields.places}
    optional = {place.pointer for place in fields.places if not place.required and place.name is not None}
    values = dict(_values(message, ""))
    read = {pointer: value for pointer, value in values.items() if value is not None and is_read(pointer, reads)}
    swapped: set[str] = set()
    for pointer, value in read.items():
        if isinstance(value, ValueObject):
            if pointer in optional:
                yield Mutant(pointer, "missing", {pointer: None})
            continue
        yield Mutant(pointer, "missing", {pointer: None})
        yield Mutant(pointer, "another type", {pointer: _retyped(value)})
        if choices.get(pointer):
            yield Mutant(pointer, "new value", {pointer: NEW_VALUE})
        partner = next(
            (
                other
                for other, there in read.items()
                if type(there) is type(value) and there != value and other not in swapped
            ),
            None,
        )
        if partner is not None and not choices.get(pointer) and pointer not in swapped:
            swapped |= {pointer, partner}
            yield Mutant(pointer, f"swapped with {partner}", {pointer: read[partner], partner: value})
        else:
            yield Mutant(pointer, "another value", {pointer: _other(value, choices.get(pointer) or ())})


def _values(part: Any, pointer: str) -> Iterator[tuple[str, Any]]:
    """The values of a message by pointer; of the items of an array, the first."""
    if isinstance(part, ValueObject):
        pointers = pointers_in(type(part), pointer)
        for name, value in object.__getattribute__(part, "__dict__").items():
            yield pointers[name], value
            yield from _values(value, pointers[name])
    elif isinstance(part, tuple | FrozenMap) and part:
        first = part[0] if isinstance(part, tuple) else next(iter(part.values()))
        if isinstance(first, ValueObject):
            inner = pointer if pointer.endswith("/*") else f"{pointer}/*"
            yield from _values(first, inner)


def _retyped(value: Any) -> Any:
    return 17 if isinstance(value, str) else "seventeen"


def _other(value: Any, choices: Iterable[Any]) -> Any:
    """Another value of the same type."""
    for choice in choices:
        if choice != value:
            return choice
    if isinstance(value, bool):
        return not value
    if isinstance(value, str):
        return f"{value[::-1]}x"
    if isinstance(value, int | float):
        return value + 1
    if isinstance(value, date):
        return value - timedelta(days=1) if value.year > 1 else value + timedelta(days=1)
    return FrozenMap() if isinstance(value, FrozenMap) else ()
