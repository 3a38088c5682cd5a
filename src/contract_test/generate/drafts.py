"""Classes and unions whose names are known, and whose fields are not all planned yet."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, field

from contract_test.generate.objects import ObjectShape
from contract_test.generate.plan import Type
from contract_test.generate.unions import Form
from contract_test.schema.names import unused
from contract_test.schema.walk import Node

MAP = "additional_properties"
"""The field of a class for the names that its contract describes by a rule."""


@dataclass
class Draft:
    """A class whose name is known, and whose fields are not all planned yet."""

    key: str
    name: str
    place: str | None
    shape: ObjectShape
    title: Node | None
    within: str | None = None
    """The innermost schema that says all of it and more, if no single one says just that."""
    types: dict[str, Type] = field(default_factory=dict)
    typed: Type | None = None


@dataclass
class Choice:
    """A union that a tag (a field's JSON name), or the presence of fields, tells apart."""

    key: str
    tag: str | None
    simple: bool
    drafts: list[Draft]
    forms: list[list[Form]]
    """For each class what tells it from the others, without a tag."""


def map_names(shape: ObjectShape, used: Container[str]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return the fields for additional names, with the patterns of these names, in the order of trying them."""
    others = shape.others
    if others.typed is None:
        return ()
    typed = unused(MAP, used)
    if others.free is None:
        return ((typed, () if shape.closed else others.patterns),)
    extensions = bool(others.free) and all(each.startswith("^x-") for each in others.free)
    free = unused("extensions" if extensions else "other_properties", used)
    pair = ((typed, others.patterns), (free, others.free))
    return pair if others.patterns else pair[::-1]
