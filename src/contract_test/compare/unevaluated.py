"""Which properties and items a schema evaluates, and under which conditions: what `unevaluated…` looks at.

2020-12 core, 11.2 and 11.3. A property is evaluated where some part of the schema that *holds* speaks of
it, so the set of evaluated names is a list of (condition, names); then "every other property is in
`member`" is said name by name: *the property is in `member`, or one of the conditions that would evaluate
it holds*.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import combinations

from contract_test.compare import nodes
from contract_test.compare.nodes import Node, Pool
from contract_test.compare.string_membership import text_matches

_MAX_CONDITIONAL = 5


@dataclass(frozen=True, slots=True)
class Properties:
    """Where `condition` holds, these names and patterns are evaluated, or every property."""

    condition: Node
    names: frozenset[str] = frozenset()
    patterns: frozenset[str] = frozenset()
    everything: bool = False
    in_so_many_words: bool = False
    """Whether it is `true` that says so: a promise to accept other properties, and none to send them."""


@dataclass(frozen=True, slots=True)
class Items:
    """Where `condition` holds, the first `prefix` items are evaluated, those in `matching`, or every item."""

    condition: Node
    prefix: int = 0
    matching: Node | None = None
    everything: bool = False


@dataclass(frozen=True, slots=True)
class Coverage:
    """Everything that a schema evaluates."""

    properties: tuple[Properties, ...] = ()
    items: tuple[Items, ...] = ()
    required: tuple[Properties, ...] = ()
    """Names that must be present. They are not evaluated, but a closed writer sends them."""

    @classmethod
    def of_nothing(cls) -> Coverage:
        """Return the coverage of a schema that evaluates nothing."""
        return cls()

    @classmethod
    def of_properties(
        cls, condition: Node, *, names: frozenset[str] = frozenset(), patterns: frozenset[str] = frozenset(),
        everything: bool = False, in_so_many_words: bool = False,
    ) -> Coverage:  # fmt: skip
        """Return one entry about properties."""
        return cls(properties=(Properties(condition, names, patterns, everything, in_so_many_words),))

    @classmethod
    def of_required(cls, condition: Node, names: Iterable[str]) -> Coverage:
        """Return the names that must be present where a condition holds."""
        return cls(required=(Properties(condition, frozenset(names)),))

    @classmethod
    def of_items(
        cls, condition: Node, *, prefix: int = 0, matching: Node | None = None, everything: bool = False
    ) -> Coverage:
        """Return one entry about items."""
        return cls(items=(Items(condition, prefix, matching, everything),))

    def __add__(self, other: Coverage) -> Coverage:
        return Coverage(self.properties + other.properties, self.items + other.items, self.required + other.required)

    def __bool__(self) -> bool:
        return bool(self.properties or self.items or self.required)

    def given(self, pool: Pool, condition: Node) -> Coverage:
        """Return the same, but only where a condition holds as well."""
        return Coverage(
            tuple(replace(entry, condition=pool.all_of([entry.condition, condition])) for entry in self.properties),
            tuple(replace(entry, condition=pool.all_of([entry.condition, condition])) for entry in self.items),
            tuple(replace(entry, condition=pool.all_of([entry.condition, condition])) for entry in self.required),
        )

    def sent(self) -> Coverage:
        """Return the properties that a closed writer may send: the declared ones and the required ones."""
        return Coverage(self.properties + self.required)

    def without_true(self) -> Coverage:
        """Return the same for a writer that sends no undeclared properties where the schema would allow it."""
        declared = (replace(entry, everything=False) if entry.in_so_many_words else entry for entry in self.properties)
        return replace(self, properties=tuple(declared))

    @property
    def declares_properties(self) -> bool:
        """Whether any property is declared by name or by pattern, and nothing always speaks for all others."""
        named = any(entry.names or entry.patterns for entry in self.properties)
        return named and not any(
            entry.everything and isinstance(entry.condition, nodes.Anything) for entry in self.properties
        )


def close_properties(pool: Pool, coverage: Coverage, member: Node) -> Node:
    """Return the node of objects in which every property that is not evaluated is in `member`."""
    entries = coverage.properties
    if isinstance(member, nodes.Anything) or any(
        entry.everything and isinstance(entry.condition, nodes.Anything) for entry in entries
    ):
        return pool.anything
    always = [entry for entry in entries if isinstance(entry.condition, nodes.Anything)]
    sometimes = [entry for entry in entries if not isinstance(entry.condition, nodes.Anything)]
    names = _union(entry.names for entry in always)
    patterns = _union(entry.patterns for entry in always)
    maybe_patterns = sorted(_union(entry.patterns for entry in sometimes) - patterns)
    if len(maybe_patterns) > _MAX_CONDITIONAL:
        return pool.make(nodes.Unsupported, "too many conditional patterns before an unevaluated keyword")
    maybe_names = _union(entry.names for entry in sometimes) - names
    sweeping = [entry.condition for entry in sometimes if entry.everything]
    parts: list[Node] = []
    for chosen in _subsets(maybe_patterns):
        # the properties whose names match exactly these of the conditional patterns
        helpers = [entry.condition for entry in sometimes if entry.patterns & chosen]
        others = patterns | (set(maybe_patterns) - chosen)
        rest = pool.make(nodes.Members, frozenset(chosen), names | maybe_names, frozenset(others), member)
        parts.append(pool.any_of([rest, *helpers, *sweeping]))
    declaring: dict[str, list[Node]] = {name: [] for name in sorted(maybe_names)}
    for entry in sometimes:
        for name in entry.names & maybe_names:
            declaring[name].append(entry.condition)
    for name, helpers in declaring.items():
        parts.append(_one_name(pool, name, (patterns, maybe_patterns), member, [*helpers, *sweeping], sometimes))
    return pool.all_of(parts)


def _one_name(
    pool: Pool, name: str, patterns: tuple[frozenset[str], list[str]], member: Node, helpers: list[Node],
    sometimes: list[Properties],
) -> Node:  # fmt: skip
    always, maybe = patterns
    known = {pattern: text_matches(pattern, name) for pattern in (*always, *maybe)}
    if None in known.values():
        return pool.make(nodes.Unsupported, "a pattern of which it is not known whether a declared name matches")
    if any(known[pattern] for pattern in always):
        return pool.anything
    matching = {pattern for pattern in maybe if known[pattern]}
    if matching:
        helpers = helpers + [entry.condition for entry in sometimes if entry.patterns & matching]
    return pool.any_of([pool.make(nodes.Property, name, member), *helpers])


def close_items(pool: Pool, coverage: Coverage, item: Node) -> Node:
    """Return the node of arrays in which every item that is not evaluated is in `item`."""
    entries = coverage.items
    always = [entry for entry in entries if isinstance(entry.condition, nodes.Anything)]
    if any(entry.everything for entry in always):
        return pool.anything
    sometimes = [entry for entry in entries if not isinstance(entry.condition, nodes.Anything)]
    matching = [entry.matching for entry in always if entry.matching is not None]
    conditional = [entry for entry in sometimes if entry.matching is not None]
    if len(conditional) > _MAX_CONDITIONAL:
        return pool.make(nodes.Unsupported, "too many conditional contains before unevaluatedItems")
    prefix = max((entry.prefix for entry in always), default=0)
    longest = max((entry.prefix for entry in entries), default=0)
    sweeping = [entry.condition for entry in sometimes if entry.everything]

    def allowed(choice: frozenset[Items]) -> Node:
        return pool.any_of([item, *matching, *(entry.matching for entry in choice if entry.matching is not None)])

    parts: list[Node] = []
    for index in range(prefix, longest):
        covers = [entry.condition for entry in sometimes if entry.prefix > index]
        options = [
            _given(pool, choice, pool.make(nodes.ItemAt, index, allowed(choice))) for choice in _subsets(conditional)
        ]
        parts.append(pool.any_of([*covers, *sweeping, *options]))
    options = [_given(pool, choice, _from(pool, longest, allowed(choice))) for choice in _subsets(conditional)]
    parts.append(pool.any_of([*sweeping, *options]))
    return pool.all_of(parts)


def _from(pool: Pool, start: int, item: Node) -> Node:
    if isinstance(item, nodes.Anything):
        return item
    if isinstance(item, nodes.Nothing):
        return pool.make(nodes.MaxItems, start)
    return pool.make(nodes.ItemsFrom, start, item)


def _given(pool: Pool, choice: frozenset[Items], part: Node) -> Node:
    return pool.all_of([*(entry.condition for entry in choice), part])


def _union(sets: Iterable[frozenset[str]]) -> frozenset[str]:
    return frozenset().union(*sets)


def _subsets(options: list) -> Iterable[frozenset]:  # type: ignore[type-arg]
    for count in range(len(options) + 1):
        for choice in combinations(options, count):
            yield frozenset(choice)
