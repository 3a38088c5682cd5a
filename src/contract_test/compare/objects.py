"""Objects: named properties, rules for groups of names, and how many there may be.

A demand asks for some property: a name of a group, with a value in some set. It is met by a name that a
keyword mentions or by a fresh one; fresh names that match the same patterns are alike, so one of each kind
is looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import combinations, islice, product
from typing import Any

from contract_test.compare import nodes
from contract_test.compare.branches import Literal
from contract_test.compare.lookarounds import pattern_node
from contract_test.compare.nodes import Node
from contract_test.compare.search_result import EMPTY, Found
from contract_test.compare.subsearch import Subsearch
from contract_test.compare.values import identity

_MAX_PATTERNS = 6
_MAX_SEATINGS = 2000
_MAX_LISTED = 3000
_MAX_NAMES = 60
_MAX_LISTED_NAMES = 10
_Literals = frozenset[Literal]


@dataclass(frozen=True, slots=True)
class Demand:
    """Some property that `group` covers (any, where None) has a name and a value with these literals."""

    group: nodes.Members | None
    name: tuple[Literal, ...]
    value: tuple[Literal, ...]


@dataclass(slots=True)
class Shape:
    """The facts about objects, sorted by what they say."""

    low: int = 0
    high: int | None = None
    required: dict[str, list[Literal]] = field(default_factory=dict)
    absent: set[str] = field(default_factory=set)
    members: dict[str, list[Literal]] = field(default_factory=dict)
    groups: list[nodes.Members] = field(default_factory=list)
    names: list[Literal] = field(default_factory=list)
    demands: list[Demand] = field(default_factory=list)

    @classmethod
    def of(cls, facts: dict[Node, bool]) -> Shape:
        """Sort facts."""
        shape = cls()
        for fact, wanted in facts.items():
            shape.take(fact, wanted)
        return shape

    def take(self, fact: Node, wanted: bool) -> None:  # noqa: FBT001
        """Sort one fact in."""
        match fact:
            case nodes.Has(name):
                if wanted:
                    self.required.setdefault(name, [])
                else:
                    self.absent.add(name)
            case nodes.Property(name, member):
                if wanted:
                    self.members.setdefault(name, []).append((member, True))
                else:
                    self.required.setdefault(name, []).append((member, False))
            case nodes.Members(_, _, _, member):
                if wanted:
                    self.groups.append(fact)
                else:
                    self.demands.append(Demand(fact, (), ((member, False),)))
            case nodes.NamesAre(name):
                if wanted:
                    self.names.append((name, True))
                else:
                    self.demands.append(Demand(None, ((name, False),), ()))
            case nodes.MinProperties(number):
                self._bound(low=number) if wanted else self._bound(high=number - 1)
            case nodes.MaxProperties(number):
                self._bound(high=number) if wanted else self._bound(low=number + 1)

    def _bound(self, low: int = 0, high: int | None = None) -> None:
        self.low = max(self.low, low)
        if high is not None:
            self.high = high if self.high is None else min(self.high, high)


@dataclass(frozen=True, slots=True)
class Kind:
    """Fresh names that match exactly `patterns`.

    The names' literals, and what a value under one must satisfy.
    """

    patterns: frozenset[str]
    name: _Literals
    value: _Literals


def solve(solver: Subsearch, facts: dict[Node, bool], want: int) -> Found:
    """Return objects that satisfy every fact."""
    shape = Shape.of(facts)
    if shape.high is not None and shape.low > shape.high:
        return EMPTY
    search = _Search(solver, shape, want)
    found = search.run()
    if found.is_empty or len(found.values) >= want:
        return found
    listed = search.list_all()
    return found if listed is None else Found(listed, complete=True)


class _Search:
    """Seats the demands of one shape on names and builds objects from the seatings."""

    def __init__(self, solver: Subsearch, shape: Shape, want: int) -> None:
        self.solver = solver
        self.shape = shape
        self.want = want
        self.values: dict[Any, Any] = {}
        self.refuted = True
        self.seatings = 0
        mentioned = dict.fromkeys([*shape.required, *shape.members, *sorted(shape.absent)])
        asked = [demand.group for demand in shape.demands if demand.group is not None]
        for group in (*shape.groups, *asked):
            mentioned.update(dict.fromkeys(sorted(group.except_names)))
        self.mentioned = list(mentioned)
        self.patterns = sorted(
            {pattern for group in (*shape.groups, *asked) for pattern in group.matching | group.except_patterns}
        )
        self._kinds: list[Kind] | None = None

    def run(self) -> Found:
        shape = self.shape
        if shape.required.keys() & shape.absent or (shape.high is not None and len(shape.required) > shape.high):
            return EMPTY
        seated: dict[str, _Literals] = {}
        # the names that a difference is about come first: they fail first
        for name, literals in sorted(shape.required.items(), key=lambda item: not item[1]):
            state = self.state(name) | frozenset(literals)
            if not self.may_be_named(name) or self.solver.solve(state).is_empty:
                return EMPTY
            seated[name] = state
        if len(self.patterns) > _MAX_PATTERNS and (shape.demands or shape.low > len(seated)):
            self.refuted = False
        self._seat(shape.demands, seated, {})
        return Found(list(self.values.values()), complete=self.refuted and not self.values)

    def state(self, name: str) -> _Literals:
        """What the value of a property of this name must satisfy."""
        covering = (group for group in self.shape.groups if self.solver.evaluator.covers(group, name))
        return frozenset([*self.shape.members.get(name, ()), *((group.member, True) for group in covering)])

    def may_be_named(self, name: str) -> bool:
        """Whether a property of this name is not excluded by its name alone."""
        return name not in self.shape.absent and all(
            self.solver.evaluator.holds(node, name) is not False for node, _ in self.shape.names
        )

    def kinds(self) -> list[Kind]:
        """The kinds of fresh names that exist and may have a value."""
        if self._kinds is None:
            self._kinds = []
            if len(self.patterns) <= _MAX_PATTERNS:
                for count in range(len(self.patterns) + 1):
                    for matched in combinations(self.patterns, count):
                        kind = self._kind(frozenset(matched))
                        if kind is not None:
                            self._kinds.append(kind)
        return self._kinds

    def _kind(self, matched: frozenset[str]) -> Kind | None:
        pool = self.solver.pool
        covering = [
            group for group in self.shape.groups if group.matching <= matched and not group.except_patterns & matched
        ]
        value = frozenset((group.member, True) for group in covering)
        if any(isinstance(node, nodes.Nothing) for node, _ in value):
            return None
        name = frozenset(
            [
                (pool.make(nodes.TypeIs, frozenset(["string"])), True),
                *((pattern_node(pool, pattern), pattern in matched) for pattern in self.patterns),
                (pool.values(list(self.mentioned)), False),
                *self.shape.names,
            ]
        )
        if self.solver.solve(name).is_empty or self.solver.solve(value).is_empty:
            return None
        return Kind(matched, name, value)

    def _seat(self, demands: list[Demand], seated: dict[str, _Literals], fresh: dict[int, tuple[Kind, Any]]) -> None:
        """Meet the demands one after another.

        `fresh` holds the fresh names in use as (kind, name, value literals).
        """
        if len(self.values) >= self.want:
            return
        self.seatings += 1
        if self.seatings > _MAX_SEATINGS:
            self.refuted = False
            return
        if not demands:
            self._build(seated, fresh)
            return
        demand, rest = demands[0], demands[1:]
        room = self.shape.high is None or len(seated) + len(fresh) < self.shape.high
        for name in self.mentioned:
            if (name in seated or room) and self._covered(demand, name):
                state = seated.get(name, self.state(name)) | frozenset(demand.value)
                if not self.solver.solve(state).is_empty:
                    self._seat(rest, {**seated, name: state}, fresh)
        for number, (kind, (names, value)) in fresh.items():
            if self._covers_kind(demand, kind):
                self._seat_fresh(
                    rest, seated, fresh, number, (kind, names | set(demand.name), value | set(demand.value))
                )
        if room:
            for kind in self.kinds():
                if self._covers_kind(demand, kind):
                    entry = (kind, kind.name | set(demand.name), kind.value | set(demand.value))
                    self._seat_fresh(rest, seated, fresh, len(fresh), entry)

    def _seat_fresh(
        self, rest: list[Demand], seated: dict[str, _Literals], fresh: dict[int, tuple[Kind, Any]], number: int,
        entry: tuple[Kind, _Literals, _Literals],
    ) -> None:  # fmt: skip
        kind, names, value = entry
        if not self.solver.solve(names).is_empty and not self.solver.solve(value).is_empty:
            self._seat(rest, seated, {**fresh, number: (kind, (names, value))})

    def _covered(self, demand: Demand, name: str) -> bool:
        """Whether a mentioned name may meet a demand."""
        if not self.may_be_named(name):
            return False
        evaluator = self.solver.evaluator
        if demand.group is not None and evaluator.covers(demand.group, name) is False:
            return False
        return all(evaluator.holds(node, name) is not wanted for node, wanted in _opposites(demand.name))

    @staticmethod
    def _covers_kind(demand: Demand, kind: Kind) -> bool:
        group = demand.group
        return group is None or (group.matching <= kind.patterns and not group.except_patterns & kind.patterns)

    def _build(self, seated: dict[str, _Literals], fresh: dict[int, tuple[Kind, Any]]) -> None:
        """Choose names and values; too few possible properties refute this seating."""
        missing = self.shape.low - len(seated) - len(fresh)
        spare = list(self._spare(seated)) if missing > 0 or self.want > 1 else []
        if missing > len(spare):
            if self._can_grow(missing - len(spare)):
                self.refuted = False
            return
        self.refuted = False
        built: dict[str, Any] = {}
        for name, state in [*seated.items(), *spare[: max(missing, 0)]]:
            values = self.solver.solve(state).values
            if not values:
                return
            built[name] = values[0]
        for _, (names, value) in fresh.values():
            chosen = [name for name in self.solver.solve(names, len(fresh) + 3).values if name not in built]
            values = self.solver.solve(value).values
            if not chosen or not values:
                return
            built[chosen[0]] = values[0]
        self._add(built)
        if self.want > 1:
            self._vary(built, seated, spare)

    def _vary(self, built: dict[str, Any], seated: dict[str, _Literals], spare: list[tuple[str, _Literals]]) -> None:
        for name, state in [*seated.items(), *spare]:
            for value in self.solver.solve(state, min(self.want, 6)).values:
                self._add({**built, name: value})
                if len(self.values) >= self.want:
                    return

    def _add(self, value: dict[str, Any]) -> None:
        self.values.setdefault(identity(value), value)

    def _spare(self, seated: dict[str, _Literals]) -> Iterator[tuple[str, _Literals]]:
        """Further properties that an object may have."""
        for name in self.mentioned:
            if name not in seated and self.may_be_named(name):
                state = self.state(name)
                if not self.solver.solve(state).is_empty:
                    yield name, state
        for kind in self.kinds():
            names = self.solver.solve(kind.name, min(_MAX_NAMES, self.shape.low + 2)).values
            for name in islice(names, max(self.shape.low, 1)):
                yield name, kind.value

    def _can_grow(self, missing: int) -> bool:
        """Whether there may be more names than were listed."""
        if len(self.patterns) > _MAX_PATTERNS:
            return True
        return missing > 0 and any(
            not self.solver.solve(kind.name, min(_MAX_NAMES, self.shape.low + 2)).complete for kind in self.kinds()
        )

    def list_all(self) -> list[Any] | None:
        """Every object of a shape that holds only a few, and some that the demands still exclude."""
        if len(self.patterns) > _MAX_PATTERNS:
            return None
        options: list[list[tuple[bool, str, Any]]] = []
        states = [(name, self.state(name)) for name in self.mentioned if self.may_be_named(name)]
        for kind in self.kinds():
            names = self.solver.solve(kind.name, 12)
            if not names.complete:
                return None
            states += [(name, kind.value) for name in names.values]
        total = 1
        if len(states) > _MAX_LISTED_NAMES:
            return None
        for name, state in states:
            found = self.solver.solve(state, 40)
            if not found.complete:
                return None
            total *= len(found.values) + 1
            if total > _MAX_LISTED:
                return None
            left_out = [] if name in self.shape.required else [(False, name, None)]
            options.append([*left_out, *((True, name, value) for value in found.values)])
        return [{name: value for there, name, value in choice if there} for choice in product(*options)]


def _opposites(literals: tuple[Literal, ...]) -> Iterator[Literal]:
    for node, wanted in literals:
        yield node, not wanted
