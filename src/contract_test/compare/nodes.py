"""Schemas as sets: the few node kinds that every dialect and keyword is compiled to.

A node is interned by its `Pool`: two nodes that say the same thing are the same object, so that "the writer
promises exactly what the reader asks" is one identity test, and a large document that changed in one leaf
costs one leaf. A keyword that speaks of one type (`minLength`) admits every value of the others, as in JSON
Schema.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar, TypeVar, cast

from contract_test.compare.values import identity


@dataclass(frozen=True, eq=False, slots=True)
class Node:
    """A set of JSON values. `about` is the one type that a keyword speaks of, "" for all."""

    about: ClassVar[str] = ""


@dataclass(frozen=True, eq=False, slots=True)
class Anything(Node):
    """Every value."""


@dataclass(frozen=True, eq=False, slots=True)
class Nothing(Node):
    """No value."""


@dataclass(frozen=True, eq=False, slots=True)
class Unsupported(Node):
    """A set that is not known: nothing is proved from it. `cause` says why."""

    cause: str


@dataclass(frozen=True, eq=False, slots=True)
class TypeIs(Node):
    """Values of these types, of the six in `values.TYPES`."""

    types: frozenset[str]


@dataclass(frozen=True, eq=False, slots=True)
class OneValueOf(Node):
    """Exactly these values; `keys` are their identities."""

    keys: frozenset[Hashable]
    values: tuple[Any, ...]


@dataclass(frozen=True, eq=False, slots=True)
class AllOf(Node):
    """The intersection."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, eq=False, slots=True)
class AnyOf(Node):
    """The union."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, eq=False, slots=True)
class OneOf(Node):
    """Values that are in exactly one of the parts."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, eq=False, slots=True)
class Not(Node):
    """The complement."""

    part: Node


@dataclass(frozen=True, eq=False, slots=True)
class Ref(Node):
    """What `Pool.resolve` finds under `key`: compiled when it is first needed."""

    key: Hashable


@dataclass(frozen=True, eq=False, slots=True)
class MinNumber(Node):
    """At least `bound`, or more than it where `exclusive`."""

    about: ClassVar[str] = "number"
    bound: Fraction
    exclusive: bool


@dataclass(frozen=True, eq=False, slots=True)
class MaxNumber(Node):
    """At most `bound`, or less than it where `exclusive`."""

    about: ClassVar[str] = "number"
    bound: Fraction
    exclusive: bool


@dataclass(frozen=True, eq=False, slots=True)
class MultipleOf(Node):
    """A multiple of `divisor`; the type "integer" is a multiple of 1."""

    about: ClassVar[str] = "number"
    divisor: Fraction


@dataclass(frozen=True, eq=False, slots=True)
class WrittenWithoutFraction(Node):
    """Draft 4's integer, which 1.0 is not: a matter of how a number is written, not of its value."""

    about: ClassVar[str] = "number"


@dataclass(frozen=True, eq=False, slots=True)
class MinLength(Node):
    """At least `length` code points."""

    about: ClassVar[str] = "string"
    length: int


@dataclass(frozen=True, eq=False, slots=True)
class MaxLength(Node):
    """At most `length` code points."""

    about: ClassVar[str] = "string"
    length: int


@dataclass(frozen=True, eq=False, slots=True)
class Pattern(Node):
    """Some part of the string matches `regex`."""

    about: ClassVar[str] = "string"
    regex: str


@dataclass(frozen=True, eq=False, slots=True)
class Format(Node):
    """An asserted format."""

    about: ClassVar[str] = "string"
    name: str


@dataclass(frozen=True, eq=False, slots=True)
class ItemAt(Node):
    """The item at `index`, if there is one, is in `item`."""

    about: ClassVar[str] = "array"
    index: int
    item: Node


@dataclass(frozen=True, eq=False, slots=True)
class ItemsFrom(Node):
    """Every item from `start` on is in `item`."""

    about: ClassVar[str] = "array"
    start: int
    item: Node


@dataclass(frozen=True, eq=False, slots=True)
class MinItems(Node):
    """At least `count` items."""

    about: ClassVar[str] = "array"
    count: int


@dataclass(frozen=True, eq=False, slots=True)
class MaxItems(Node):
    """At most `count` items."""

    about: ClassVar[str] = "array"
    count: int


@dataclass(frozen=True, eq=False, slots=True)
class ContainsAtLeast(Node):
    """At least `count` items are in `item`."""

    about: ClassVar[str] = "array"
    item: Node
    count: int


@dataclass(frozen=True, eq=False, slots=True)
class ContainsAtMost(Node):
    """At most `count` items are in `item`."""

    about: ClassVar[str] = "array"
    item: Node
    count: int


@dataclass(frozen=True, eq=False, slots=True)
class UniqueItems(Node):
    """No two items are equal."""

    about: ClassVar[str] = "array"


@dataclass(frozen=True, eq=False, slots=True)
class Has(Node):
    """The property is there."""

    about: ClassVar[str] = "object"
    name: str


@dataclass(frozen=True, eq=False, slots=True)
class Property(Node):
    """The property, if it is there, is in `member`."""

    about: ClassVar[str] = "object"
    name: str
    member: Node


@dataclass(frozen=True, eq=False, slots=True)
class Members(Node):
    """Every property whose name matches all of `matching` and is none of the excepted is in `member`.

    `patternProperties` is one pattern in `matching`; `additionalProperties` excepts names and patterns.
    """

    about: ClassVar[str] = "object"
    matching: frozenset[str]
    except_names: frozenset[str]
    except_patterns: frozenset[str]
    member: Node


@dataclass(frozen=True, eq=False, slots=True)
class NamesAre(Node):
    """Every property's name is in `name`."""

    about: ClassVar[str] = "object"
    name: Node


@dataclass(frozen=True, eq=False, slots=True)
class MinProperties(Node):
    """At least `count` properties."""

    about: ClassVar[str] = "object"
    count: int


@dataclass(frozen=True, eq=False, slots=True)
class MaxProperties(Node):
    """At most `count` properties."""

    about: ClassVar[str] = "object"
    count: int


CIRCULAR = "a reference leads to itself"
N = TypeVar("N", bound=Node)
Compile = Callable[[], Node]


class Pool:
    """Interns nodes, and holds what references stand for. One pool serves both sides of a comparison."""

    def __init__(self) -> None:
        self._nodes: dict[tuple[Hashable, ...], Node] = {}
        self._pending: dict[Hashable, Compile] = {}
        self._targets: dict[Hashable, Node] = {}
        self._resolved: set[Node] = set()  # with all that they lead to: no reference is asked for the first time there
        self._resolving = 0
        self.anything = self.make(Anything)
        self.nothing = self.make(Nothing)

    def make(self, kind: type[N], *fields: Any) -> N:
        """Return the one node of this kind with these (hashable) fields."""
        key = (kind, *fields)
        node = self._nodes.get(key)
        if node is None:
            node = self._nodes[key] = kind(*fields)
        return cast("N", node)

    def values(self, values: list[Any]) -> Node:
        """Return exactly these values."""
        if not values:
            return self.nothing
        by_key = {identity(value): value for value in values}
        key = (OneValueOf, frozenset(by_key))
        node = self._nodes.get(key)
        if node is None:
            node = self._nodes[key] = OneValueOf(frozenset(by_key), tuple(by_key.values()))
        return node

    def all_of(self, parts: list[Node]) -> Node:
        """Return the intersection, flat, without what says nothing."""
        flat: dict[Node, None] = {}
        for part in parts:
            if isinstance(part, Nothing):
                return part
            if isinstance(part, AllOf):
                flat.update(dict.fromkeys(part.parts))
            elif not isinstance(part, Anything):
                flat[part] = None
        if not flat:
            return self.anything
        return next(iter(flat)) if len(flat) == 1 else self.make(AllOf, tuple(flat))

    def any_of(self, parts: list[Node]) -> Node:
        """Return the union, flat, without what adds nothing."""
        flat: dict[Node, None] = {}
        for part in parts:
            if isinstance(part, Anything):
                return part
            if isinstance(part, AnyOf):
                flat.update(dict.fromkeys(part.parts))
            elif not isinstance(part, Nothing):
                flat[part] = None
        if not flat:
            return self.nothing
        return next(iter(flat)) if len(flat) == 1 else self.make(AnyOf, tuple(flat))

    def negation(self, part: Node) -> Node:
        """Return the complement."""
        if isinstance(part, Not):
            return part.part
        if isinstance(part, Anything):
            return self.nothing
        return self.anything if isinstance(part, Nothing) else self.make(Not, part)

    def ref(self, key: Hashable, target: Compile) -> Ref:
        """Return a reference to what `target` will compile, once, when it is asked for."""
        if key not in self._targets:
            self._pending.setdefault(key, target)
        return self.make(Ref, key)

    def resolve(self, ref: Ref) -> Node:
        """Return what a reference stands for.

        One that leads back to itself without reading anything says nothing.
        """
        target = self._targets.get(ref.key)
        if target is None:
            target = self._targets[ref.key] = self._pending.pop(ref.key)()
            seen: set[Node] = set()
            self._resolving += 1
            try:
                circular = self._leads_to(target, ref, seen)
            finally:
                self._resolving -= 1
            if circular:
                target = self._targets[ref.key] = self.make(Unsupported, CIRCULAR)
            elif not self._resolving:
                self._resolved |= seen
        return target

    def _leads_to(self, node: Node, ref: Ref, seen: set[Node]) -> bool:
        if node is ref:
            return True
        if node in seen or node in self._resolved:
            return False
        seen.add(node)
        match node:
            case AllOf(parts) | AnyOf(parts) | OneOf(parts):
                return any(self._leads_to(part, ref, seen) for part in parts)
            case Not(part):
                return self._leads_to(part, ref, seen)
            case Ref():
                return self._leads_to(self.resolve(node), ref, seen)
        return False

    def causes(self) -> list[str]:
        """Return why some nodes are not supported."""
        return [node.cause for node in self._nodes.values() if isinstance(node, Unsupported)]

    def largest_count(self) -> int:
        """Return the largest number of characters, items or properties that a node names; 0 where none does."""
        lengths = [node.length for node in self._nodes.values() if isinstance(node, (MinLength, MaxLength))]
        counts = [node.count for node in self._nodes.values() if isinstance(node, _COUNTS)]
        return max(lengths + counts, default=0)


_COUNTS = (MinItems, MaxItems, MinProperties, MaxProperties)
