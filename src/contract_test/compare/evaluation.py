"""Is a value in a node? The meaning of every node kind, one line each."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from contract_test.compare import nodes
from contract_test.compare.nodes import Node, Pool
from contract_test.compare.string_membership import text_is, text_matches
from contract_test.compare.values import exact, identity, type_of

Known = bool | None
_REMEMBERED = (nodes.Ref, nodes.AllOf, nodes.AnyOf, nodes.OneOf)


def every(answers: Iterable[Known]) -> Known:
    """Return three-valued "and"."""
    known: Known = True
    for answer in answers:
        if answer is False:
            return False
        if answer is None:
            known = None
    return known


def some(answers: Iterable[Known]) -> Known:
    """Return three-valued "or"."""
    known: Known = False
    for answer in answers:
        if answer:
            return True
        if answer is None:
            known = None
    return known


def denied(answer: Known) -> Known:
    """Return three-valued "not"."""
    return None if answer is None else not answer


def count(answers: Iterable[Known]) -> tuple[int, int]:
    """Return how many at least, and at most, are true."""
    listed = list(answers)
    return sum(answer is True for answer in listed), sum(answer is not False for answer in listed)


class Evaluator:
    """Answers whether values are in nodes: True, False, or None where that is not known."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._open: set[tuple[Node, int]] = set()
        # answers about containers, which a search builds larger ones from; the value is kept so that its id
        # stays its own
        self._results: dict[tuple[Node, int], tuple[Any, Known]] = {}

    def holds(self, node: Node, value: Any) -> Known:
        """Return whether `value` is in `node`.

        A list or dict that was asked about must not be changed afterwards.
        """
        if not isinstance(value, (list, dict)) or not isinstance(node, _REMEMBERED):
            return self._holds(node, value)
        key = (node, id(value))
        known = self._results.get(key)
        if known is None:
            known = self._results[key] = (value, self._holds(node, value))
        return known[1]

    def _holds(self, node: Node, value: Any) -> Known:
        if node.about and node.about != type_of(value):
            return True
        match node:
            case nodes.Anything():
                return True
            case nodes.Nothing():
                return False
            case nodes.Unsupported():
                return None
            case nodes.TypeIs(types):
                return type_of(value) in types
            case nodes.OneValueOf(keys):
                return identity(value) in keys
            case nodes.AllOf(parts):
                return every(self.holds(part, value) for part in parts)
            case nodes.AnyOf(parts):
                return some(self.holds(part, value) for part in parts)
            case nodes.OneOf(parts):
                least, most = count(self.holds(part, value) for part in parts)
                return least == 1 if least == most else (False if least > 1 or not most else None)
            case nodes.Not(part):
                return denied(self.holds(part, value))
            case nodes.Ref():
                return self._ref(node, value)
        return getattr(self, "_" + node.about)(node, value)  # type: ignore[no-any-return]

    def _ref(self, node: nodes.Ref, value: Any) -> Known:
        key = (node, id(value))
        if key in self._open:  # a reference that leads to itself without reading anything
            return None
        self._open.add(key)
        try:
            return self.holds(self._pool.resolve(node), value)
        finally:
            self._open.discard(key)

    def _number(self, node: Node, value: float) -> Known:
        number = exact(value)
        match node:
            case nodes.MinNumber(bound, exclusive):
                return number > bound or (number == bound and not exclusive)
            case nodes.MaxNumber(bound, exclusive):
                return number < bound or (number == bound and not exclusive)
            case nodes.MultipleOf(divisor):
                return (number / divisor).denominator == 1
        return not isinstance(value, float)

    def _string(self, node: Node, value: str) -> Known:
        match node:
            case nodes.MinLength(length):
                return len(value) >= length
            case nodes.MaxLength(length):
                return len(value) <= length
            case nodes.Pattern(regex):
                return text_matches(regex, value)
            case nodes.Format(name):
                return text_is(name, value)
        return None

    def _array(self, node: Node, value: list[Any]) -> Known:
        match node:
            case nodes.ItemAt(index, item):
                return self.holds(item, value[index]) if index < len(value) else True
            case nodes.ItemsFrom(start, item):
                return every(self.holds(item, member) for member in value[start:])
            case nodes.MinItems(least):
                return len(value) >= least
            case nodes.MaxItems(most):
                return len(value) <= most
            case nodes.ContainsAtLeast(item, wanted):
                least, most = count(self.holds(item, member) for member in value)
                return True if least >= wanted else (None if most >= wanted else False)
            case nodes.ContainsAtMost(item, wanted):
                least, most = count(self.holds(item, member) for member in value)
                return True if most <= wanted else (None if least <= wanted else False)
        return len({identity(member) for member in value}) == len(value)

    def _object(self, node: Node, value: dict[str, Any]) -> Known:
        match node:
            case nodes.Has(name):
                return name in value
            case nodes.Property(name, member):
                return self.holds(member, value[name]) if name in value else True
            case nodes.Members(_, _, _, member):
                return every(
                    some([denied(self.covers(node, name)), self.holds(member, part)]) for name, part in value.items()
                )
            case nodes.NamesAre(member):
                return every(self.holds(member, name) for name in value)
            case nodes.MinProperties(least):
                return len(value) >= least
            case nodes.MaxProperties(most):
                return len(value) <= most
        raise AssertionError(node)

    @staticmethod
    def covers(node: nodes.Members, name: str) -> Known:
        """Return whether a `Members` node speaks of the property of this name."""
        if name in node.except_names:
            return False
        excepted = some(text_matches(pattern, name) for pattern in node.except_patterns)
        return every([denied(excepted), *(text_matches(pattern, name) for pattern in node.matching)])
