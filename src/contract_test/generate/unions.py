"""What tells the alternatives of an object apart, and what they have in common where nothing does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
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
from contract_test.generate.objects import ObjectShape, Others
from contract_test.schema.sources import types_of

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


def by_fields(reader: Reader, objects: Group) -> list[tuple[Group, tuple[Form, ...]]]:
    """Return the alternatives in groups that their fields tell apart, each with the forms that its objects may have.

    Two alternatives are told apart by a field that one requires and the other never has, by constants of a field
    that one of them requires, or, beside a map, by the JSON type of such a field. Alternatives that nothing tells
    apart are in one group. A form tells its objects from those of the groups after it.
    """
    shapes = [shape for _, shape in objects]
    group_of = list(range(len(objects)))
    for place, one in enumerate(shapes):
        for before, other in enumerate(shapes[:place]):
            joined, left = sorted((group_of[place], group_of[before]))
            if joined != left and _difference(reader, other, one) is None:
                group_of = [joined if number == left else number for number in group_of]
    groups = [[place for place, each in enumerate(group_of) if each == number] for number in dict.fromkeys(group_of)]
    found = []
    for number, members in enumerate(groups):
        forms = [Form() for _ in members]
        later = [place for group in groups[number + 1 :] for place in group]
        for form, place in zip(forms, members, strict=True):
            for after in later:
                form.add(_difference(reader, shapes[place], shapes[after]) or Form())
        found.append(([objects[place] for place in members], tuple(forms)))
    return found


@dataclass
class Form:
    """What tells the objects of an alternative from others.

    Names that they have, names that they never have, and the constants and JSON types of fields if they are there.
    """

    present: dict[str, None] = field(default_factory=dict)
    absent: dict[str, None] = field(default_factory=dict)
    constants: dict[str, list[Any]] = field(default_factory=dict)
    types: dict[str, frozenset[str]] = field(default_factory=dict)

    def add(self, other: Form) -> None:
        """Let this form ask for what another one asks for, too."""
        self.present |= other.present
        self.absent |= other.absent
        self.constants |= other.constants
        self.types |= other.types

    def fits(self, value: Mapping[str, Any]) -> bool:
        """Return whether an object has this form, as `OneOf` decides it at run time."""
        return (
            all(name in value for name in self.present)
            and not any(name in value for name in self.absent)
            and all(_any_in([value[name]], each) for name, each in self.constants.items() if name in value)
            and all(not types_of(value[name]).isdisjoint(each) for name, each in self.types.items() if name in value)
        )

    def as_literals(self) -> tuple[Any, ...]:
        """Return the form as plain values."""
        types = {name: tuple(sorted(each - {"integer"})) for name, each in self.types.items()}
        constants = {name: tuple(each) for name, each in self.constants.items()}
        return (tuple(self.present), tuple(self.absent), constants, *((types,) if types else ()))


def _difference(reader: Reader, one: ObjectShape, other: ObjectShape) -> Form | None:
    """Return a form that objects of one alternative have, and those of the other never have; None if there is none."""
    for name in sorted(one.required):
        if not other.may_have(name):
            return Form(present={name: None})
    for name in sorted(other.required):
        if not one.may_have(name):
            return Form(absent={name: None})
    for name in sorted(one.required | other.required):
        present = {name: None} if name in one.required else {}
        values, others = (_tag_values(reader, shape.fields.get(name)) for shape in (one, other))
        if values is not None and others is not None and not _any_in(values, others):
            return Form(present=dict(present), constants={name: values})
        if one.fields and other.fields:
            continue
        types, other_types = (_types_under(reader, shape, name) for shape in (one, other))
        if types.isdisjoint(other_types):
            return Form(present=dict(present), types={name: types})
    return None


def _types_under(reader: Reader, shape: ObjectShape, name: str) -> frozenset[str]:
    """Return the JSON types that the value of a field may have."""
    found = frozenset().union(*(each.types for each in reader.alternatives(_under(shape, name))))
    return found | {"integer", "number"} if found & {"integer", "number"} else found


def is_class(objects: Group) -> bool:
    """Return whether objects are a class: with named fields, with none, or with names of two kinds."""
    if any(shape.fields or (shape.closed and shape.others == Others()) for _, shape in objects):
        return True
    others = merged(objects).others
    return others.free is not None and others.typed is not None


MAX_UNTYPED_FIELDS = 16
"""If alternatives agree on no type of more fields than these, a map says as much as a class of them all."""
_ANY_OBJECT = ObjectShape({}, frozenset(), Others(ANYTHING))


def merged(objects: Group) -> ObjectShape:
    """Return one shape for alternatives that nothing tells apart: never narrower than any of them."""
    shapes = [shape for _, shape in objects]
    if len(shapes) == 1:
        return shapes[0]
    if any(shape == ObjectShape({}, frozenset()) or shape == _ANY_OBJECT for shape in shapes):
        return _ANY_OBJECT
    names = dict.fromkeys(name for shape in shapes for name in shape.fields)
    fields = {name: _union(_under(shape, name) for shape in shapes) for name in names}
    required = frozenset.intersection(*(shape.required for shape in shapes))
    if len(fields) > MAX_UNTYPED_FIELDS and not required and all(each == ANYTHING for each in fields.values()):
        return _ANY_OBJECT
    never = frozenset(
        name for shape in shapes for name in shape.never if not any(each.may_have(name) for each in shapes)
    )
    closed, cut = all(shape.closed for shape in shapes), any(shape.cut for shape in shapes)
    return ObjectShape(fields, required, _others_of(shapes), closed, never, cut)


def _others_of(shapes: list[ObjectShape]) -> Others:
    closed = sum(shape.closed for shape in shapes)
    rules = [shape.others for shape in shapes if shape.others != Others()]
    alike = closed == len(shapes) or (not closed and len(rules) == len(shapes))
    if alike and rules and len({(others.patterns, others.free) for others in rules}) == 1:
        return replace(rules[0], typed=_union(others.typed for others in rules if others.typed is not None))
    every = [others.all for others in rules if others.all is not None]
    if every or 0 < closed < len(shapes):  # without its undeclared fields a value might match a closed one, too
        rest = [ANYTHING for shape in shapes if shape.others == Others() and not shape.closed]
        return Others(_union([*every, *rest]))
    return Others()


def _under(shape: ObjectShape, name: str) -> Position:
    """Return what one alternative says about a name: nothing if it allows no such field."""
    if name in shape.fields:
        return shape.fields[name]
    under = shape.others.under(name)
    return under if under is not None else () if shape.closed or name in shape.never else ANYTHING


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
