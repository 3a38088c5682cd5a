"""What tells the alternatives of an object apart, and what they have in common where nothing does."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from contract_test.generate.alternatives import (
    ANYTHING,
    Alternative,
    Conjunction,
    Position,
    Reader,
    same_json,
    values_of,
)
from contract_test.generate.shapes import ObjectShape

Group = list[tuple[Alternative, ObjectShape]]


def by_tag(reader: Reader, objects: Group) -> tuple[str, list[tuple[str, Group]], bool] | None:
    """Return the field whose constants tell alternatives apart, and the alternatives that each constant leaves.

    Each group comes with a text for its name. The last value tells whether the tag is a required text in all of them.
    """
    best: tuple[str, list[tuple[str, Group]], bool] | None = None
    for name in objects[0][1].fields:
        found = _groups(reader, objects, name)
        if found is not None and (best is None or len(found[0]) > len(best[1])):
            best = (name, *found)
    return best


def _groups(reader: Reader, objects: Group, name: str) -> tuple[list[tuple[str, Group]], bool] | None:
    groups: list[tuple[list[Any], Group]] = []
    for each in objects:
        values = _tag_values(reader, each[1].fields.get(name))
        if values is None:
            return None
        same = [group for known, group in groups if _all_in(values, known) and _all_in(known, values)]
        if same:
            same[0].append(each)
        elif any(_any_in(values, known) for known, _ in groups):
            return None
        else:
            groups.append((values, [each]))
    absent = sum(any(name not in shape.required for _, shape in group) for _, group in groups)
    if len(groups) < 2 or absent > 1:  # noqa: PLR2004 - a choice has two sides
        return None
    simple = absent == 0 and all(isinstance(value, str) for values, _ in groups for value in values)
    return [(str(values[0]), group) for values, group in groups], simple


def _tag_values(reader: Reader, position: Position | None) -> list[Any] | None:
    if position is None:
        return None
    found: list[Any] = []
    for alternative in reader.alternatives(position):
        values = values_of(alternative.nodes)
        if values is None or not all(_may_be_tag(value) for value in values):
            return None
        found += values
    return found or None


def _may_be_tag(value: Any) -> bool:
    whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    return isinstance(value, str) or (whole and abs(value) < 2**63)


def by_fields(objects: Group) -> bool:
    """Return whether the names of an object's fields tell closed alternatives apart."""
    if not all(shape.closed and shape.required and shape.additional is None for _, shape in objects):
        return False
    shapes = [shape for _, shape in objects]
    return all(
        not one.required <= set(other.fields) or not other.required <= set(one.fields)
        for place, one in enumerate(shapes)
        for other in shapes[:place]
    )


def merged(objects: Group) -> ObjectShape:
    """Return one shape for alternatives that nothing tells apart: never narrower than any of them."""
    shapes = [shape for _, shape in objects]
    if len(shapes) == 1:
        return shapes[0]
    names = dict.fromkeys(name for shape in shapes for name in shape.fields)
    fields = {name: _union(_under(shape, name) for shape in shapes) for name in names}
    required = frozenset.intersection(*(shape.required for shape in shapes))
    rules = [shape.additional for shape in shapes if shape.additional is not None]
    additional = None
    closed = [shape for shape in shapes if shape.closed]
    if rules or 0 < len(closed) < len(shapes):  # without its undeclared fields a value might match a closed one, too
        rest = [ANYTHING for shape in shapes if shape.additional is None and not shape.closed]
        additional = _union([*rules, *rest])
    return ObjectShape(fields, required, additional, len(closed) == len(shapes))


def _under(shape: ObjectShape, name: str) -> Position:
    """Return what one alternative says about a name: nothing if it allows no such field."""
    if name in shape.fields:
        return shape.fields[name]
    if shape.closed and shape.additional is None:
        return ()
    return shape.additional or ANYTHING


def _union(positions: Iterable[Position]) -> Position:
    found: dict[Conjunction, None] = {}
    for position in positions:
        if any(not conjunction for conjunction in position):
            return ANYTHING
        found |= dict.fromkeys(position)
    return tuple(found)


def _any_in(values: list[Any], others: list[Any]) -> bool:
    return any(same_json(value, other) for value in values for other in others)


def _all_in(values: list[Any], others: list[Any]) -> bool:
    return all(any(same_json(value, other) for other in others) for value in values)
