"""Schemas that hold for some values only: below `dependentSchemas`, and in conditionals that do not split a class."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from contract_test.schema.sources import dict_in, list_of
from contract_test.schema.walk import Node, References

MAX_HINTS = 400
"""How many such schemas are looked at for one alternative."""


@dataclass(frozen=True)
class Hint:
    """A schema that holds for some values only, and the `if` that must hold before it does, if there is one."""

    node: Node
    condition: Node | None = None


@dataclass(frozen=True)
class HintGroup:
    """A hint with what it refers to: schemas that hold together, and only where those of `outer` hold."""

    nodes: tuple[Node, ...]
    condition: Node | None = None
    outer: HintGroup | None = None

    @property
    def conditions(self) -> list[Node]:
        """The conditions that must hold before these schemas do."""
        return [group.condition for group in _with_outer(self) if group.condition is not None]


def conditional_hints(references: References, node: Node) -> Iterator[Hint]:
    """Yield the parts of a conditional."""
    if not isinstance(node.schema.get("if"), dict):
        return
    condition = references.inside(node, "if")
    otherwise = Node({"not": condition.schema}, condition.base, f"{condition.location}/not")
    for keyword in ("if", "then", "else"):
        if isinstance(node.schema.get(keyword), dict):
            yield Hint(references.inside(node, keyword), otherwise if keyword == "else" else condition)


def branch_hints(references: References, node: Node, keyword: str) -> Iterator[Hint]:
    """Yield the branches of `anyOf` or `oneOf`."""
    for place in range(len(list_of(node.schema, keyword))):
        yield Hint(references.inside(node, keyword, place))


def dependent_hints(references: References, node: Node) -> Iterator[Hint]:
    """Yield the schemas that hold if a field is there."""
    for keyword in ("dependentSchemas", "dependencies"):
        for name, child in dict_in(node.schema, keyword).items():
            if isinstance(child, dict):
                yield Hint(references.inside(node, keyword, name))


def hint_groups(references: References, hints: Sequence[Hint]) -> list[HintGroup]:
    """Return a group for each hint, and for each hint inside another one: at most MAX_HINTS."""
    found: list[HintGroup] = []
    pending: list[tuple[Hint, HintGroup | None]] = [(hint, None) for hint in hints]
    while pending and len(found) < MAX_HINTS:
        hint, outer = pending.pop(0)
        around = {node.location for group in _with_outer(outer) for node in group.nodes}
        if hint.node.location in around:
            continue
        nodes: dict[str, Node] = {}
        waiting = [hint.node]
        while waiting:
            node = waiting.pop(0)
            if isinstance(node.schema, dict) and node.location not in nodes:
                nodes[node.location] = node
                waiting += always(references, node)
        group = HintGroup(tuple(nodes.values()), hint.condition, outer)
        found.append(group)
        inner = [each for node in group.nodes if not references.alone(node) for each in _inside(references, node)]
        pending += [(each, group) for each in inner]
    return found


def _with_outer(group: HintGroup | None) -> Iterator[HintGroup]:
    while group is not None:
        yield group
        group = group.outer


def _inside(references: References, node: Node) -> Iterator[Hint]:
    yield from conditional_hints(references, node)
    for keyword in ("anyOf", "oneOf"):
        yield from branch_hints(references, node, keyword)
    yield from dependent_hints(references, node)


def always(references: References, node: Node) -> list[Node]:
    """Return the schemas that hold wherever a schema does: what its references lead to, and those in `allOf`."""
    reference = node.schema.get("$ref")
    targets = [references.follow(node, reference) if isinstance(reference, str) else None]
    parts: list[Node] = []
    if not references.alone(node):
        targets.append(references.dynamic_target(node))
        parts = [references.inside(node, "allOf", place) for place in range(len(list_of(node.schema, "allOf")))]
    return [*(each for each in targets if each is not None), *parts]
