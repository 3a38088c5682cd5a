"""Messages that may break for one change: a value where the change stands, and around it what the writer sends.

A large schema that changed in a few places is not searched as a whole: only the value at the changed place is.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from contract_test.compare import nodes, strings
from contract_test.compare.branches import Literal
from contract_test.compare.changes import Changes, PairKey
from contract_test.compare.compiler import Compiler
from contract_test.compare.differences import Change
from contract_test.compare.nodes import Node
from contract_test.compare.solver import Solver
from contract_test.compare.undoing import Path
from contract_test.data.verdict import ABSENT

_NAMES = ("a", "key", "a-b", "1", "A", "_")
_MAX_VALUES = 4
# Of fewer alternatives the search finds the one that breaks by itself, and a second search costs time.
_LARGE_UNION = 16


class Targeting:
    """Looks for messages by the walk that found the changes."""

    def __init__(self, solver: Solver, writer: Compiler, reader: Compiler, changes: Changes) -> None:
        self._solver = solver
        self._writer = writer
        self._reader = reader
        self._walk = changes

    def by_place(self) -> list[list[Change]]:
        """Return the changes that are about the same value together, those first that are decided soonest."""
        places: dict[PairKey, list[Change]] = {}
        for change in self._walk.all():
            places.setdefault(self._value_of(self._walk.pair_of[change]), []).append(change)
        return [places[key] for key in sorted(places, key=self._size)]

    def _size(self, key: PairKey) -> int:
        return len(json.dumps(self._walk.ways[key].writer.schema))

    def may_break(self, change: Change) -> bool:
        """Return whether there is a value for the place of a change that the writer may send and the reader rejects."""
        return bool(self._breaking(change, self._differing(self._value_of(self._walk.pair_of[change])), 1))

    def _breaking(self, change: Change, literals: list[Literal], want: int) -> list[Any]:
        """Values that break; where an alternative of the writer has no partner, those of this alternative first."""
        alternative = self._removed_alternative(change)
        if alternative is not None:
            found = self._solver.search([*literals, (alternative, True)], want)
            if found.values or found.complete:
                return found.values
        return self._solver.search(literals, want).values

    def _removed_alternative(self, change: Change) -> Node | None:
        writer = self._walk.ways[self._walk.pair_of[change]].writer
        match change.writer_pointer.removeprefix(writer.pointer).split("/"):
            case ["", "oneOf" | "anyOf" as keyword, index] if (
                change.rule == "alternative-removed" and len(writer.schema[keyword]) > _LARGE_UNION
            ):
                return self._writer.in_place(writer.schema[keyword][int(index)], writer.place, closed=False)
        return None

    def _differing(self, key: PairKey) -> list[Literal]:
        way = self._walk.ways[key]
        sent = self._writer.location(way.writer.schema, way.writer.place)
        return [(sent, True), (self._reader.location(way.reader.schema, way.reader.place), False)]

    def messages(self, change: Change, undone: Compiler | None = None) -> Iterator[Any]:
        """Yield messages of the writer that break at a change; with `undone`, if possible for nothing else there.

        `undone` compiles the newer schema without the change.
        """
        if not self.may_break(change):
            return
        key = self._value_of(self._walk.pair_of[change])
        way = self._walk.ways[key]
        literals = self._differing(key)
        if undone is not None:
            newer = way.reader if self._walk.newer == "reader" else way.writer
            left = _at(undone.document.schema, newer.path) if not newer.document else ABSENT
            if left is not ABSENT:
                literals.append((undone.location(left, undone.document.place), self._walk.newer == "reader"))
        found = self._breaking(change, literals, _MAX_VALUES)
        yield from (message for value in found if (message := self._around(key, value)) is not ABSENT)

    def _value_of(self, key: PairKey) -> PairKey:
        """The nearest pair that speaks of a value of its own."""
        way = self._walk.ways[key]
        while way.above is not None and not way.step:
            key = way.above
            way = self._walk.ways[key]
        return key

    def _around(self, key: PairKey, value: Any) -> Any:
        """A whole message of the writer with a value at its place; `ABSENT` where none was found."""
        way = self._walk.ways[key]
        while way.above is not None:
            step, chosen, key = way.step, self._chosen(way.above), self._value_of(way.above)
            way = self._walk.ways[key]
            whole = self._writer.location(way.writer.schema, way.writer.place)
            value = next(
                (
                    found.values[0]
                    for part in self._holding(step, value)
                    for also in ([chosen, []] if chosen else [[]])
                    if (found := self._solver.search([(each, True) for each in (whole, *also, *part)])).values
                ),
                ABSENT,
            )
            if value is ABSENT:
                return ABSENT
        return value

    def _chosen(self, key: PairKey) -> list[Node]:
        """What holds of a value beside the schema of its place: the alternatives by which the walk came to a part."""
        found = []
        way = self._walk.ways[key]
        while way.above is not None and not way.step:
            found.append(self._writer.in_place(way.writer.schema, way.writer.place, closed=True))
            way = self._walk.ways[way.above]
        return found

    def _holding(self, step: Path, value: Any) -> list[list[Node]]:
        """What says that a value holds another one where a step leads; several names where any will do."""
        pool, keyword = self._writer.pool, step[0]
        only = pool.values([value])
        an_object, an_array = (pool.make(nodes.TypeIs, frozenset([kind])) for kind in ("object", "array"))
        if keyword == "prefixItems":
            index = int(step[1])
            return [[an_array, pool.make(nodes.MinItems, index + 1), pool.make(nodes.ItemAt, index, only)]]
        if keyword in ("items", "additionalItems", "unevaluatedItems", "contains"):
            return [[an_array, pool.make(nodes.ContainsAtLeast, only, 1)]]
        names: list[str] = [str(step[1])] if keyword == "properties" else list(_NAMES)
        if keyword == "patternProperties":
            names = strings.solve({pool.make(nodes.Pattern, str(step[1])): True}, 2).values
        if keyword == "propertyNames":
            return [[an_object, pool.make(nodes.Has, value)]]
        return [[an_object, pool.make(nodes.Has, name), pool.make(nodes.Property, name, only)] for name in names]


def _at(schema: Any, path: Path) -> Any:
    for step in path:
        try:
            schema = schema[step]
        except (KeyError, IndexError, TypeError):
            return ABSENT
    return schema
