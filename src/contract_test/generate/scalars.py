"""The types of texts, numbers, booleans and null."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from contract_test.generate import plan as p
from contract_test.generate.alternatives import Alternative
from contract_test.generate.plan import Type
from contract_test.generate.shapes import Scalars, scalars

MAX_INTEGER = 2**63


def scalar_types(alternatives: Sequence[Alternative]) -> list[Type]:
    """Return one type for each kind of scalar that some alternatives allow: `Boolean`, a number, a text, `None`."""
    found = [scalars(each) for each in alternatives]
    listed = [value for each in found for value in each.values]
    members: list[Type] = []
    literals: list[Any] = []
    for kind, all_of_kind in (("boolean", _all_booleans), ("number", _all_numbers), ("string", _all_texts)):
        values = [value for value in listed if _kind(value) == kind]
        open_ = [each for each in found if kind in each.types or (kind == "number" and "integer" in each.types)]
        if open_ or not _can_be_literals(values):
            members.append(all_of_kind(open_, values))
        else:
            literals += [int(value) if isinstance(value, float) else value for value in values]
    if literals:
        unique = list({(type(value), value): value for value in literals}.values())
        if unique in ([True, False], [False, True]) and all(isinstance(value, bool) for value in unique):
            members.append(p.runtime_type("Boolean"))
        else:
            members.append({"enum": unique})
    if None in [value for value in listed if value is None] or any("null" in each.types for each in found):
        members.append(p.NOTHING)
    return members


def is_any_scalar(types: Sequence[Type]) -> bool:
    """Return whether types of scalars leave none out."""
    every = (p.runtime_type("Boolean"), p.runtime_type("Number"), p.TEXT, p.NOTHING)
    return all(each in types for each in every)


def _all_booleans(_: list[Scalars], __: list[Any]) -> Type:
    return p.runtime_type("Boolean")


def _all_numbers(open_: list[Scalars], values: list[Any]) -> Type:
    if open_ and not values and all(each.format == "decimal" for each in open_):
        return p.runtime_type("DecimalNumber")
    fractions = any(isinstance(value, float) and not value.is_integer() for value in values)
    if fractions or any("number" in each.types for each in open_):
        return p.runtime_type("Number")
    return p.runtime_type("Integer")


def _all_texts(open_: list[Scalars], values: list[Any]) -> Type:
    formats = {each.format for each in open_}
    if not values and formats == {"decimal"}:
        return p.runtime_type("DecimalText")
    if not values and formats <= {"date-time", "date"} and len(formats) == 1:
        return p.runtime_type({"date-time": "Timestamp", "date": "Day"}[formats.pop()])
    return p.TEXT


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    return "number" if isinstance(value, int | float) else "string" if isinstance(value, str) else ""


def _can_be_literals(values: list[Any]) -> bool:
    return all(
        isinstance(value, str | bool) or (abs(value) < MAX_INTEGER and (isinstance(value, int) or value.is_integer()))
        for value in values
    )
