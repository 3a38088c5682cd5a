"""Which nodes plainly have no value in common: by their types, by listed values, by properties that tell them apart.

It never searches: "not seen" is not "no".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from contract_test.compare import nodes
from contract_test.compare.evaluation import Evaluator
from contract_test.compare.nodes import Node, Pool
from contract_test.compare.values import TYPES, type_of

MAX_VALUES = 60
_MAX_DEPTH = 12
_MAX_STEPS = 3
_MAX_ITEMS = 8
_ALL = frozenset(TYPES)
_OBJECT, _ARRAY = frozenset(["object"]), frozenset(["array"])


@dataclass(frozen=True, slots=True)
class _Traits:
    """What tells a node apart from others.

    Attributes:
        types: The types that its own `type` leaves open.
        listed: Its enumerations with few values.
        required: The properties that its objects have.
        members: What its objects say of a property, by name.
        accepted: The only property names that its objects may have, where it lists them. `None` otherwise.
        closing: Other groups of properties that its objects do not have.

    """

    types: frozenset[str]
    listed: tuple[nodes.OneValueOf, ...]
    required: frozenset[str]
    members: dict[str, Node]
    accepted: frozenset[str] | None
    closing: tuple[nodes.Members, ...]


class Disjointness:
    """Answers for the nodes of one pool, each pair once. `in_time` raises when there is no time left to look."""

    def __init__(self, pool: Pool, evaluator: Evaluator, in_time: Callable[[], None]) -> None:
        self._pool = pool
        self._evaluator = evaluator
        self._in_time = in_time
        self._known: dict[tuple[Node, Node, int], bool] = {}
        self._members: dict[Node, frozenset[Node]] = {}
        self._flat: dict[Node, tuple[Node, ...]] = {}
        self._traits: dict[Node, _Traits] = {}
        self._depth = 0

    def are_disjoint(self, one: Node, other: Node, least: int = 0) -> bool:
        """Return whether two nodes plainly have no value in common, among arrays none of at least so many items."""
        while isinstance(one, nodes.Ref):
            one = self._pool.resolve(one)
        while isinstance(other, nodes.Ref):
            other = self._pool.resolve(other)
        key = (one, other, least)
        known = self._known.get(key)
        if known is None:
            self._in_time()
            self._known[key] = known = False  # while it is open
            if self._depth < _MAX_DEPTH:
                self._depth += 1
                try:
                    known = self._known[key] = self._look(one, other, least)
                finally:
                    self._depth -= 1
        return known

    def _look(self, one: Node, other: Node, least: int) -> bool:
        match one, other:
            case (nodes.Nothing(), _) | (_, nodes.Nothing()):
                return True
            case ((nodes.AnyOf(parts) | nodes.OneOf(parts)), _):
                if other in self._members_of(one, parts) and not self.are_disjoint(other, other, least):
                    return False
                return all(self.are_disjoint(part, other, least) for part in parts)
            case (_, (nodes.AnyOf(parts) | nodes.OneOf(parts))):
                return self._look(other, one, least)
        mine, theirs = self._traits_of(one), self._traits_of(other)
        types = mine.types & theirs.types
        if not types or self._rejects(other, mine.listed) or self._rejects(one, theirs.listed):
            return True
        if types == _ARRAY:
            return self._items_apart(one, other, least)
        return types == _OBJECT and self.are_apart_at(one, other, mine.required | theirs.required)

    def _members_of(self, union: Node, parts: tuple[Node, ...]) -> frozenset[Node]:
        """Return the parts of a union, in which one of thousands is found at once."""
        known = self._members.get(union)
        if known is None:
            known = self._members[union] = frozenset(parts)
        return known

    def _rejects(self, node: Node, listed: tuple[nodes.OneValueOf, ...]) -> bool:
        """Return whether a node holds none of the values of an enumeration."""
        return any(all(self._evaluator.holds(node, value) is False for value in each.values) for each in listed)

    def types_of(self, node: Node) -> frozenset[str]:
        """Return the types that a node's own `type` leaves open."""
        return self._traits_of(node).types

    def parts_of(self, node: Node, steps: int = _MAX_STEPS) -> tuple[Node, ...]:
        """Return what holds of every value of a node, references followed a few steps."""
        known = self._flat.get(node)
        if known is None:
            parts: list[Node] = []
            for part in node.parts if isinstance(node, nodes.AllOf) else (node,):
                if isinstance(part, nodes.Ref) and steps:
                    parts += self.parts_of(self._pool.resolve(part), steps - 1)
                else:
                    parts.append(part)
            known = tuple(parts)
            if steps == _MAX_STEPS:
                self._flat[node] = known
        return known

    def _traits_of(self, node: Node) -> _Traits:
        known = self._traits.get(node)
        if known is None:
            known = self._traits[node] = _traits(self.parts_of(node))
        return known

    def _items_apart(self, one: Node, other: Node, least: int) -> bool:
        """Whether some item that must be there has no value that both arrays may hold."""
        needed = max(
            (part.count for node in (one, other) for part in self.parts_of(node) if isinstance(part, nodes.MinItems)),
            default=0,
        )
        return any(
            self.are_disjoint(mine, theirs)
            for index in range(min(max(least, needed), _MAX_ITEMS))
            for mine in self._items_at(one, index)
            for theirs in self._items_at(other, index)
        )

    def tuple_length(self, node: Node) -> int:
        """Return how many items a node says something of one by one; references and unions are not looked into."""
        return max((part.index + 1 for part in self.parts_of(node) if isinstance(part, nodes.ItemAt)), default=0)

    def _items_at(self, node: Node, index: int) -> Iterator[Node]:
        for part in self.parts_of(node):
            if (isinstance(part, nodes.ItemAt) and part.index == index) or (
                isinstance(part, nodes.ItemsFrom) and part.start <= index
            ):
                yield part.item

    def are_apart_at(self, one: Node, other: Node, names: AbstractSet[str]) -> bool:
        """Return whether one of these properties, if it is there, has no value that two objects may hold."""
        mine, theirs = self._traits_of(one), self._traits_of(other)
        if self._rejects_one_of(mine, names) or self._rejects_one_of(theirs, names):
            return True
        shared = [name for name in names if name in mine.members and name in theirs.members]
        shared.sort(key=lambda name: (isinstance(mine.members[name], nodes.Ref), name))
        return any(self.are_disjoint(mine.members[name], theirs.members[name]) for name in shared)

    def _rejects_one_of(self, traits: _Traits, names: AbstractSet[str]) -> bool:
        """Return whether objects plainly lack one of these properties."""
        if traits.accepted is not None and not names <= traits.accepted:
            return True
        return any(self._evaluator.covers(group, name) for group in traits.closing for name in names)


def _traits(parts: tuple[Node, ...]) -> _Traits:
    types, accepted, listed, closing = _ALL, None, [], []
    for part in parts:
        match part:
            case nodes.TypeIs(left):
                types &= left
            case nodes.OneValueOf(_, values):
                types &= frozenset(type_of(value) for value in values)
                if len(values) <= MAX_VALUES:
                    listed.append(part)
            case nodes.Members(matching, names, patterns, nodes.Nothing()):
                if matching or patterns:
                    closing.append(part)
                else:
                    accepted = names if accepted is None else accepted & names
    return _Traits(
        types,
        tuple(listed),
        frozenset(part.name for part in parts if isinstance(part, nodes.Has)),
        {part.name: part.member for part in parts if isinstance(part, nodes.Property)},
        accepted,
        tuple(closing),
    )
