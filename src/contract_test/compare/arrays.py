"""Arrays: what each position must hold, which items must be somewhere, how many there may be.

Requests that some item be in a set are *demands*. Every way to seat the demands on positions is tried;
positions beyond the last one that a keyword names are alike, so only as many of them are looked at as there
are demands.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import combinations, product
from typing import Any

from contract_test.compare import nodes
from contract_test.compare.branches import Literal
from contract_test.compare.nodes import Node
from contract_test.compare.search_result import EMPTY, UNKNOWN, Found
from contract_test.compare.subsearch import Subsearch
from contract_test.compare.values import identity

_MAX_POSITIONS = 48
_MAX_DEMANDS = 7
_MAX_SEATINGS = 3000
_MAX_LISTED = 3000
_MAX_BUILT = 400
_MAX_LISTED_LENGTH = 8


@dataclass(frozen=True, slots=True)
class Demand:
    """Some item from `start` on (at `start` itself where `exact`) satisfies `literal`.

    Demands of one `group` are seated on different items.
    """

    start: int
    exact: bool
    literal: Literal
    group: int


@dataclass(slots=True)
class Shape:
    """The facts about arrays, sorted by what they say."""

    low: int = 0
    high: int | None = None
    at: dict[int, list[Literal]] = field(default_factory=dict)
    rest: list[tuple[int, Literal]] = field(default_factory=list)
    demands: list[Demand] = field(default_factory=list)
    at_most: list[tuple[Node, int]] = field(default_factory=list)
    distinct: bool | None = None
    relaxed: bool = False

    @classmethod
    def of(cls, facts: dict[Node, bool]) -> Shape:
        """Sort facts."""
        shape = cls()
        for group, (fact, wanted) in enumerate(facts.items()):
            shape.take(fact, wanted, group)
        return shape

    def take(self, fact: Node, wanted: bool, group: int) -> None:  # noqa: FBT001
        """Sort one fact in."""
        match fact:
            case nodes.MinItems(number):
                self._bound(low=number) if wanted else self._bound(high=number - 1)
            case nodes.MaxItems(number):
                self._bound(high=number) if wanted else self._bound(low=number + 1)
            case nodes.ItemAt(index, item):
                if wanted:
                    self.at.setdefault(index, []).append((item, True))
                else:
                    self.demands.append(Demand(index, True, (item, False), group))  # noqa: FBT003
                    self._bound(low=index + 1)
            case nodes.ItemsFrom(start, item):
                if wanted:
                    self.rest.append((start, (item, True)))
                else:
                    self._demand(1, (item, False), group, start)
            case nodes.ContainsAtLeast(item, number):
                if wanted:
                    self._demand(number, (item, True), group)
                else:
                    self._at_most(item, number - 1)
            case nodes.ContainsAtMost(item, number):
                if wanted:
                    self._at_most(item, number)
                else:
                    self._demand(number + 1, (item, True), group)
            case nodes.UniqueItems():
                self.distinct = wanted
                if not wanted:
                    self._bound(low=2)

    def _bound(self, low: int = 0, high: int | None = None) -> None:
        self.low = max(self.low, low)
        if high is not None:
            self.high = high if self.high is None else min(self.high, high)

    def _demand(self, number: int, literal: Literal, group: int, start: int = 0) -> None:
        self._bound(low=start + number)
        if number > _MAX_DEMANDS:
            self.relaxed = True
        self.demands += [Demand(start, False, literal, group)] * min(number, _MAX_DEMANDS)  # noqa: FBT003

    def _at_most(self, item: Node, number: int) -> None:
        if number == 0:
            self.rest.append((0, (item, False)))
        else:
            self.at_most.append((item, number))

    @property
    def named(self) -> int:
        """How many positions some keyword tells apart."""
        return max(
            [0, *(index + 1 for index in self.at), *(start for start, _ in self.rest),
             *(demand.start + demand.exact for demand in self.demands)]
        )  # fmt: skip

    def everywhere(self, index: int) -> list[Literal]:
        """Return what the item at an index must satisfy, wherever the demands sit."""
        return self.at.get(index, []) + [literal for start, literal in self.rest if start <= index]


def solve(solver: Subsearch, facts: dict[Node, bool], want: int) -> Found:
    """Return arrays that satisfy every fact."""
    shape = Shape.of(facts)
    if shape.high is not None and shape.low > shape.high:
        return EMPTY
    if shape.named > _MAX_POSITIONS:
        return UNKNOWN
    search = _Search(solver, shape, want)
    found = search.run()
    if found.is_empty or len(found.values) >= want or shape.high is None or shape.high > _MAX_LISTED_LENGTH:
        return found
    listed = _list_all(solver, shape)
    return found if listed is None else Found(listed, complete=True)


class _Search:
    """Seats the demands of one shape and builds arrays from the seatings."""

    def __init__(self, solver: Subsearch, shape: Shape, want: int) -> None:
        self.solver = solver
        self.shape = shape
        self.want = want
        self.values: dict[Any, Any] = {}
        self.refuted = True  # as long as every seating was refuted
        self.seatings = 0

    def run(self) -> Found:
        shape = self.shape
        demands = sorted(shape.demands, key=lambda demand: not demand.exact)
        longest = max(shape.low, shape.named + len(demands) + (2 if shape.distinct is False else 0))
        if shape.high is not None:
            longest = min(longest, shape.high)
        if self.want > 1:
            longest = longest + 1 if shape.high is None else min(longest + 1, shape.high)
        for length in range(shape.low, longest + 1):
            if length > shape.low and not self._possible(length - 1):
                break
            for twins in self._twins(length):
                self._seat(demands, {}, length, twins)
                if len(self.values) >= self.want:
                    return Found(list(self.values.values()), complete=False)
        complete = self.refuted and not self.values
        return Found(list(self.values.values()), complete=complete)

    def _possible(self, index: int) -> bool:
        """Whether an array can be longer than `index` at all."""
        return not self.solver.solve(self.shape.everywhere(index)).is_empty

    def _twins(self, length: int) -> Iterator[tuple[int, int] | None]:
        """The positions that hold equal items, where some must."""
        if self.shape.distinct is not False:
            yield None
            return
        # two equal items beyond the named positions might as well be the first two of these
        yield from combinations(range(min(length, self.shape.named + 2)), 2)

    def _state(self, index: int, seated: dict[int, list[Demand]], twins: tuple[int, int] | None) -> frozenset[Literal]:
        indices = twins if twins is not None and index in twins else (index,)
        literals: list[Literal] = []
        for at in indices:
            literals += self.shape.everywhere(at)
            literals += [demand.literal for demand in seated.get(at, ())]
        return frozenset(literals)

    def _seat(
        self,
        demands: list[Demand],
        seated: dict[int, list[Demand]],
        length: int,
        twins: tuple[int, int] | None,
    ) -> None:
        if len(self.values) >= self.want:
            return
        if not demands:
            self._build(seated, length, twins)
            return
        self.seatings += 1
        if self.seatings > _MAX_SEATINGS:
            self.refuted = False
            return
        demand, rest = demands[0], demands[1:]
        first_alike = self.shape.named + (2 if twins else 0)
        fresh_used = False
        reach = min(length, first_alike + len(self.shape.demands) + 1)
        for index in (demand.start,) if demand.exact else range(demand.start, reach):
            if index >= length:
                return
            here = seated.get(index, [])
            if any(other.group == demand.group for other in here):
                continue
            if index >= first_alike and not here:
                if fresh_used:
                    continue
                fresh_used = True
            after = {**seated, index: [*here, demand]}
            if not self.solver.solve(self._state(index, after, twins)).is_empty:
                self._seat(rest, after, length, twins)

    def _build(self, seated: dict[int, list[Demand]], length: int, twins: tuple[int, int] | None) -> None:
        """Fill every position; a position that cannot be filled refutes this seating."""
        shown = min(length, max(self.shape.named, *(index + 1 for index in seated), 0) if seated else self.shape.named)
        shown = min(length, max(shown, twins[1] + 1 if twins else 0))
        states = [self._state(index, seated, twins) for index in range(shown)]
        tail = self._state(max(shown, self.shape.named), {}, None)
        extra = length - shown
        for state in {*states, *([tail] if extra else [])}:
            if self.solver.solve(state).is_empty:
                return
        counted = self._counted(states, tail, extra)
        if counted is None:
            return
        states, tail = counted
        if extra + shown > _MAX_BUILT:
            self.refuted = False
            return
        states = states + [tail] * extra
        if self.shape.distinct:
            self._build_distinct(states)
            return
        self.refuted = False
        if self.shape.relaxed:
            return
        wanted = 1 if self.want == 1 else min(self.want, 6)
        choices = [self.solver.solve(state, wanted).values for state in states]
        if not all(choices):
            return
        base = [values[0] for values in choices]
        self._add(base, twins)
        for index, values in enumerate(choices[:8]):
            for value in values[1:]:
                self._add([*base[:index], value, *base[index + 1 :]], twins)

    def _add(self, array: list[Any], twins: tuple[int, int] | None) -> None:
        if twins is not None:
            array = [*array[: twins[1]], array[twins[0]], *array[twins[1] + 1 :]]
        self.values.setdefault(identity(array), array)

    def _counted(
        self, states: list[frozenset[Literal]], tail: frozenset[Literal], extra: int
    ) -> tuple[list[frozenset[Literal]], frozenset[Literal]] | None:
        """Keep within `at most` counts: items that need not be in the set are kept out of it."""
        for item, most in self.shape.at_most:
            forced = 0
            for index, state in enumerate(states):
                without = state | {(item, False)}
                if (item, True) in state or self.solver.solve(without).is_empty:
                    forced += 1
                else:
                    states[index] = without
            without = tail | {(item, False)}
            if extra and self.solver.solve(without).is_empty:
                forced += extra
            else:
                tail = without
            if forced > most and len(self.shape.at_most) == 1:
                return None
            if forced > most:
                self.refuted = False
                return None
        return states, tail

    def _build_distinct(self, states: list[frozenset[Literal]]) -> None:
        """Choose different items for all positions (a bipartite matching between positions and values)."""
        choices = [self.solver.solve(state, len(states)) for state in states]
        by_key = {identity(value): value for found in choices for value in found.values}
        options = [[identity(value) for value in found.values] for found in choices]
        seats = _match(options)
        if seats is None:
            if any(not found.complete and len(found.values) < len(states) for found in choices) or self.shape.at_most:
                self.refuted = False
            return
        self.refuted = False
        self._add([by_key[key] for key in seats], None)


def _match(options: list[list[Any]]) -> list[Any] | None:
    """One different key for each position, None where there is no such choice."""
    taken: dict[Any, int] = {}

    def place(position: int, tried: set[Any]) -> bool:
        for key in options[position]:
            if key not in tried:
                tried.add(key)
                if key not in taken or place(taken[key], tried):
                    taken[key] = position
                    return True
        return False

    for position in range(len(options)):
        if not place(position, set()):
            return None
    by_position = {position: key for key, position in taken.items()}
    return [by_position[position] for position in range(len(options))]


def _list_all(solver: Subsearch, shape: Shape) -> list[Any] | None:
    """Every array of a shape that holds only a few, and some that the demands still exclude."""
    high, lists, total = shape.high, [], 1
    for index in range(_MAX_POSITIONS if high is None else min(high, _MAX_POSITIONS)):
        found = solver.solve(shape.everywhere(index), 40)
        if not found.complete:
            return None
        if not found.values:
            high = index
            break
        total *= len(found.values)
        if total > _MAX_LISTED:
            return None
        lists.append(found.values)
    if high is None or high > len(lists):
        return None
    return [list(items) for length in range(shape.low, high + 1) for items in product(*lists[:length])]
