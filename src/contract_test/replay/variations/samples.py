"""Samples: values that a part of a contract allows, found by the search that `compare` finds witnesses with."""

from __future__ import annotations

import time
from typing import Any

from contract_test.schema.fields import Fields
from contract_test.schema.sources import Position

_BUDGET = 0.5  # seconds for one search
MAX_LENGTH = 1000


class Samples:
    """Finds values for the fields of one contract; the plainest first, the same ones every time."""

    def __init__(self, fields: Fields) -> None:
        self._fields = fields
        self._known: dict[str, list[Any]] = {}
        self._dialect = fields.keyword(fields.root, "$schema")

    def of(self, position: Position, want: int = 4, **keywords: Any) -> list[Any]:
        """Return up to `want` values, which satisfy some further keywords too; none where none is found in time."""
        schema: dict[str, Any] = {"allOf": [*({"$ref": source.node.location} for source in position), keywords]}
        if self._dialect is not None:
            schema["$schema"] = self._dialect
        key = f"{want} {schema}"
        if key not in self._known:
            self._known[key] = [value for value in self._search(schema, want) if self.allows(position, value)][:want]
        return self._known[key]

    def _search(self, schema: dict[str, Any], want: int) -> list[Any]:
        from contract_test.compare.compiler import Compiler
        from contract_test.compare.documents import Document, UnusableSchemaError
        from contract_test.compare.nodes import Pool
        from contract_test.compare.solver import OutOfTimeError, Solver

        try:
            pool = Pool()
            root = Compiler(
                pool, Document(schema, "reader", self._fields.resources), assert_formats=True, closed=True
            ).root()
            return Solver(pool, time.thread_time() + _BUDGET).solve([(root, True)], want).values
        except (UnusableSchemaError, OutOfTimeError, RecursionError, ValueError):
            return []

    def allows(self, position: Position, value: Any) -> bool:
        """Return whether a value is valid where it would stand."""
        return all(self._fields.is_valid_at(source.node.location, value) for source in position if source.certain)

    def shortest(self, position: Position) -> str | None:
        """Return the shortest text."""
        texts = [value for value in self.of(position, 8, type="string") if isinstance(value, str)]
        return min(texts, key=len, default=None)

    def longest(self, position: Position) -> str | None:
        """Return a text as long as is allowed; of 1,000 characters, where there is no such limit."""
        limit = self._fields.keyword(position, "maxLength")
        low, high = 0, min(limit if isinstance(limit, int) else MAX_LENGTH, 10 * MAX_LENGTH)
        best = next(iter(self.of(position, 1, type="string", minLength=high)), None)
        if best is not None or self._fields.keyword(position, "pattern") is None:
            return best
        high = min(high, MAX_LENGTH)
        while low < high:  # a pattern sets the limit
            middle = (low + high + 1) // 2
            found = next(iter(self.of(position, 1, type="string", minLength=middle)), None)
            if found is None:
                high = middle - 1
            else:
                best, low = found, max(middle, len(found))
        return best
