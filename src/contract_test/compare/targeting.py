"""Messages that may break for one change: a value where the change stands, and around it what the writer sends.

A large schema that changed in a few places is not searched as a whole: only the value at the changed place is.
"""

from __future__ import annotations

from typing import Any

from contract_test.compare import nodes, strings
from contract_test.compare.changes import Changes, PairKey
from contract_test.compare.compiler import Compiler
from contract_test.compare.differences import Change
from contract_test.compare.nodes import Node
from contract_test.compare.solver import Solver
from contract_test.compare.undoing import Path
from contract_test.data.verdict import ABSENT

_NAMES = ("a", "key", "a-b", "1", "A", "_")
_MAX_VALUES = 4


class Targeting:
    """Looks for messages by the walk that found the changes."""

    def __init__(self, solver: Solver, writer: Compiler, reader: Compiler, changes: Changes) -> None:
        self._solver = solver
        self._writer = writer
        self._reader = reader
        self._walk = changes

    def messages(self, change: Change, undone: Compiler | None = None) -> list[Any]:
        """Return messages of the writer that break at a change; with `undone`, if possible for nothing else there.

        `undone` compiles the newer schema without the change.
        """
        key = self._value_of(self._walk.pair_of[change])
        way = self._walk.ways[key]
        sent = self._writer.location(way.writer.schema, way.writer.place)
        read = self._reader.location(way.reader.schema, way.reader.place)
        literals = [(sent, True), (read, False)]
        if not self._solver.search(literals).values:
            return []
        if undone is not None:
            newer = way.reader if self._walk.newer == "reader" else way.writer
            left = _at(undone.document.schema, newer.path) if not newer.document else ABSENT
            if left is not ABSENT:
                literals.append((undone.location(left, undone.document.place), self._walk.newer == "reader"))
        found = self._solver.search(literals, _MAX_VALUES).values
        return [message for value in found if (message := self._around(key, value)) is not ABSENT]

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
            step, key = way.step, self._value_of(way.above)
            way = self._walk.ways[key]
            whole = self._writer.location(way.writer.schema, way.writer.place)
            value = next(
                (
                    found.values[0]
                    for part in self._holding(step, value)
                    if (found := self._solver.search([(whole, True), *((each, True) for each in part)])).values
                ),
                ABSENT,
            )
            if value is ABSENT:
                return ABSENT
        return value

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
