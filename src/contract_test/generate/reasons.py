"""Why a value has the type `Json`, in words."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import unquote

from contract_test.generate.alternatives import ANYTHING, Alternative, Position, Reader
from contract_test.generate.objects import ObjectShape, says, says_nothing
from contract_test.schema.sources import ALL_TYPES
from contract_test.schema.walk import Node

NO_KEYWORD = "no keyword describes it"
OTHERS = "other fields may have any value"
TOO_MANY = "there are too many alternatives"
WHY_ITEM = "no keyword describes the items of the array"
WHY_FIELD = "the field is named, and the schema or one of its alternatives does not describe it"


def general_reason(reader: Reader, position: Position, why: str) -> str:
    """Return why values at a position may be anything. `why` is the reason if no schema describes them."""
    if any(not conjunction for conjunction in position):
        return why
    for each in reader.alternatives(position):
        if each.cut:
            return TOO_MANY
        if says_nothing(each):
            return f"{_place(reader, (*each.path, *position[0])[-1])} allows any value"
    places = [
        f"{_place(reader, node)} has only {', '.join(map(repr, says(node)))}"
        for each in reader.alternatives(position)
        for node in each.nodes
        if each.types == ALL_TYPES and says(node)
    ]
    return f"{places[0]}, which allow values of every type" if places else "together, its schemas allow any value"


def untyped_reason(reader: Reader, alternatives: Sequence[Alternative]) -> str:
    """Return which schema describes the fields of objects, and allows values that are no objects."""
    nodes = [node for each in alternatives if each.types == ALL_TYPES for node in each.nodes]
    place = _place(reader, nodes[0]) if nodes else "a schema"
    return f"{place} has no `type: object`, so it also allows values that are no objects (`NotAnObject`)"


def why_others(shape: ObjectShape) -> str:
    """Return why the values under names that no keyword lists may be anything."""
    if shape.cut:
        return TOO_MANY
    if shape.others.typed == ANYTHING and shape.others.patterns:
        return f"`patternProperties` allows any value under {_patterns(shape.others.patterns)}"
    return OTHERS


def why_free(shape: ObjectShape) -> str:
    """Return why those that are kept apart from others with a type may be anything."""
    free = shape.others.free
    return f"`patternProperties` allows any value under {_patterns(free)}" if free else OTHERS


def _patterns(patterns: tuple[str, ...]) -> str:
    return ", ".join(f"`{each}`" for each in patterns)


def _place(reader: Reader, node: Node) -> str:
    document, _, pointer = node.location.partition("#")
    file = "" if document == reader.references.uri else document.rpartition("/")[2]
    return f"the schema `{file}#{unquote(pointer)}`"
