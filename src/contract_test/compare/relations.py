"""What two nodes plainly are to each other: included or disjoint, as far as their structure shows.

Rules that look at one pair of parts at a time. They never search and never guess; "not seen" is not "no".
They let a large schema that changed in one leaf be compared by walking down to that leaf, and they say how
far away the leaf is.

Recursion is a greatest fixpoint: pairs of references are taken as included until one of them is seen not to
be, and then what was concluded from it is looked at again. That is sound because the same pair comes back
only for a smaller value (a schema that applies itself to the same value is refused before).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from contract_test.compare import nodes
from contract_test.compare.disjointness import MAX_VALUES, Disjointness
from contract_test.compare.evaluation import Evaluator
from contract_test.compare.gaps import HERE, Gap, every_gap, gap_if, some_gap
from contract_test.compare.nodes import Node, Pool

_FEW = 4

_Index = dict[Any, list[Node]]
_Pair = tuple[Node, Node]


class Relations:
    """Answers for the nodes of one pool, each pair once."""

    def __init__(self, pool: Pool, evaluator: Evaluator, in_time: Callable[[], None]) -> None:
        self._pool = pool
        self._in_time = in_time
        self._evaluator = evaluator
        self.disjointness = Disjointness(pool, evaluator, in_time)
        self._gaps: dict[_Pair, Gap] = {}
        self._indices: dict[Node, _Index] = {}
        # while a fixpoint is sought: the pair at work, what it has seen so far, what is to do, and who relied
        # on whom
        self._current: _Pair | None = None
        self._local: dict[_Pair, Gap] = {}
        self._todo: deque[_Pair] = deque()
        self._waiting: set[_Pair] = set()
        self._relied: dict[_Pair, dict[_Pair, None]] = {}

    def includes(self, inner: Node, outer: Node) -> bool:
        """Return whether every value of `inner` is plainly one of `outer`."""
        return self.gap(inner, outer) is None

    def gap(self, inner: Node, outer: Node) -> Gap:
        """Return how far `inner` is from being plainly included in `outer`."""
        if inner is outer or isinstance(inner, nodes.Nothing) or isinstance(outer, nodes.Anything):
            return None
        pair = (inner, outer)
        if self._current is None:
            if pair not in self._gaps:
                self._settle(pair)
            return self._gaps[pair]
        if isinstance(inner, nodes.Ref) or isinstance(outer, nodes.Ref):
            if pair not in self._gaps:
                self._gaps[pair] = None
                self._look_later(pair)
            known = self._gaps[pair]
            if known is None and self._current in self._gaps:
                self._relied.setdefault(pair, {})[self._current] = None
            return None if known is None else known + 1
        if pair not in self._local:
            self._in_time()
            self._local[pair] = self._gap(inner, outer)
        return self._local[pair]

    def _settle(self, pair: _Pair) -> None:
        """Look at a pair, and at all references that it leads to, until nothing changes."""
        try:
            while True:
                gap = self._look_at(pair)
                if not self._todo:
                    break
                while self._todo:
                    self._look_again(self._todo.popleft())
        except BaseException:
            self._gaps = {known: gap for known, gap in self._gaps.items() if gap is not None}
            raise
        finally:
            self._current = None
            self._todo.clear()
            self._waiting.clear()
            self._relied.clear()
        self._gaps[pair] = gap

    def _look_at(self, pair: _Pair) -> Gap:
        self._current = pair
        self._local = {}
        return self._gap(*pair)

    def _look_again(self, pair: _Pair) -> None:
        self._waiting.discard(pair)
        if self._gaps[pair] is None:
            gap = self._look_at(pair)
            if gap is not None:
                self._gaps[pair] = gap
                for other in self._relied.pop(pair, ()):
                    self._look_later(other)

    def _look_later(self, pair: _Pair) -> None:
        if pair not in self._waiting:
            self._waiting.add(pair)
            self._todo.append(pair)

    def _gap(self, inner: Node, outer: Node) -> Gap:
        match inner, outer:
            case _, nodes.Ref():
                return self._gap_to_reference(inner, outer)
            case nodes.Ref(), _:
                return self.gap(self._pool.resolve(inner), outer)
            case _, nodes.AllOf(parts):
                return every_gap(self.gap(inner, part) for part in sorted(parts, key=_effort))
            case nodes.OneOf(parts), nodes.OneOf(others) if len(parts) == len(others):
                return every_gap(self._gap_to_one(part, others, (at,)) for at, part in enumerate(parts))
            case ((nodes.AnyOf(parts) | nodes.OneOf(parts)), _):
                return every_gap(self.gap(part, outer) for part in parts)
            case nodes.TypeIs(types), (nodes.AnyOf() | nodes.OneOf()) if len(types) > 1:
                each = (self._pool.make(nodes.TypeIs, frozenset([name])) for name in sorted(types))
                return every_gap(self.gap(one, outer) for one in each)
            case nodes.OneValueOf(_, values), _ if len(values) <= MAX_VALUES:
                return None if all(self._evaluator.holds(outer, value) for value in values) else HERE
        if outer.about and outer.about not in self.disjointness.types_of(inner):
            return None
        found: Gap = HERE
        match outer:
            case nodes.AnyOf(parts) if not self._has_union(inner):
                found = some_gap(
                    self.gap(inner, part) for part in parts if not self.disjointness.are_disjoint(inner, part)
                )
            case nodes.OneOf(parts) if not self._has_union(inner):
                found = self._gap_to_one(inner, parts, range(len(parts)))
            case nodes.Not(part):
                return None if self.disjointness.are_disjoint(inner, part) else HERE
        if found is not None and isinstance(inner, nodes.AllOf):
            return self._gap_of_conjunction(inner, outer, found)
        return found if isinstance(outer, (nodes.AnyOf, nodes.OneOf)) else self._gap_of_keyword(inner, outer)

    def _gap_to_reference(self, inner: Node, outer: nodes.Ref) -> Gap:
        """From `inner` to what a reference leads to: one that `inner` is narrowed from may lead into it as a whole."""
        bases = [part for part in inner.parts if isinstance(part, nodes.Ref)] if isinstance(inner, nodes.AllOf) else []
        gaps = [self.gap(base, outer) for base in bases]
        return None if None in gaps else some_gap([*gaps, self.gap(inner, self._pool.resolve(outer))])

    def _gap_to_one(self, inner: Node, parts: tuple[Node, ...], choices: Iterable[int]) -> Gap:
        """From `inner` to being in one of the chosen parts and in no other one."""
        near = [at for at, part in enumerate(parts) if not self.disjointness.are_disjoint(inner, part)]
        gaps = [self.gap(inner, parts[at]) for at in ([at for at in choices if at in near] or near)]
        return some_gap(gaps) if len(near) == 1 else min((gap for gap in gaps if gap is not None), default=HERE)

    def _gap_of_conjunction(self, inner: nodes.AllOf, outer: Node, found: Gap) -> Gap:
        return some_gap(self._gaps_of_conjunction(inner, outer, found))

    def _gaps_of_conjunction(self, inner: nodes.AllOf, outer: Node, found: Gap) -> Iterator[Gap]:
        """Yield how far each of the things that hold together is from `outer`: it is enough that one is included."""
        index = self._index(inner)
        for part in index.get(_kind(outer)) or index.get("composite") or ():
            # every alternative of a large union against one keyword of another: nearly always in vain, and much work
            if isinstance(outer, _COMPOSITE) or len(getattr(part, "parts", ())) <= _FEW:
                yield self.gap(part, outer)
        match outer:
            case nodes.Property(name, member):
                for group in index.get(nodes.Members, ()):
                    if isinstance(group, nodes.Members) and self._evaluator.covers(group, name):
                        yield self.gap(group.member, member)
            case nodes.Members(matching, names, patterns, member):
                for group in index.get(nodes.Members, ()):
                    assert isinstance(group, nodes.Members)
                    if group.matching == matching and group.except_patterns == patterns:
                        declared = group.except_names - names
                        asked = (self._pool.make(nodes.Property, name, member) for name in sorted(declared))
                        yield every_gap([self.gap(group.member, member), *(self.gap(inner, one) for one in asked)])
            case nodes.OneOf(parts):
                yield self._gap_between_choices(index.get("composite", ()), parts)
        if isinstance(outer, (nodes.AnyOf, nodes.OneOf)):
            yield found

    def _gap_between_choices(self, holding: Iterable[Node], parts: tuple[Node, ...]) -> Gap:
        """From what holds to exactly one of some parts, of which several may be alike.

        It is enough that each part lies between two others: exactly one of the narrower ones holds, and exactly one of
        the wider ones, at the same place.
        """
        choices = [node.parts for node in holding if isinstance(node, nodes.OneOf) and len(node.parts) == len(parts)]
        nearest = HERE
        for narrow in choices:
            gap = every_gap(self.gap(one, part) for one, part in zip(narrow, parts, strict=True))
            if gap is not None:
                nearest = max(nearest, gap)
            elif any(self._are_between(narrow, parts, wide) for wide in choices):
                return None
        return nearest

    def _are_between(self, narrow: tuple[Node, ...], parts: tuple[Node, ...], wide: tuple[Node, ...]) -> bool:
        """Return whether each part is included in a wider one, which also includes a narrower one."""
        return all(
            self.gap(part, other) is None and self.gap(one, other) is None
            for one, part, other in zip(narrow, parts, wide, strict=True)
        )

    def _gap_of_keyword(self, inner: Node, outer: Node) -> Gap:
        match inner, outer:
            case nodes.TypeIs(mine), nodes.TypeIs(theirs):
                return gap_if(mine <= theirs)
            case nodes.MinNumber(mine, open_end), nodes.MinNumber(bound, exclusive):
                return gap_if(mine > bound or (mine == bound and (open_end or not exclusive)))
            case nodes.MaxNumber(mine, open_end), nodes.MaxNumber(bound, exclusive):
                return gap_if(mine < bound or (mine == bound and (open_end or not exclusive)))
            case nodes.MultipleOf(mine), nodes.MultipleOf(divisor):
                return gap_if((mine / divisor).denominator == 1)
            case (
                (nodes.MinLength(least), nodes.MinLength(asked))
                | (nodes.MinItems(least), nodes.MinItems(asked))
                | (nodes.MinProperties(least), nodes.MinProperties(asked))
            ):
                return gap_if(least >= asked)
            case (
                (nodes.MaxLength(most), nodes.MaxLength(limit))
                | (nodes.MaxItems(most), nodes.MaxItems(limit))
                | (nodes.MaxProperties(most), nodes.MaxProperties(limit))
            ):
                return gap_if(most <= limit)
            case nodes.ItemAt(index, item), nodes.ItemAt(other, asked) if index == other:
                return self.gap(item, asked)
            case nodes.ItemsFrom(start, item), nodes.ItemAt(index, asked) if start <= index:
                return self.gap(item, asked)
            case nodes.ItemsFrom(start, item), nodes.ItemsFrom(other, asked) if start <= other:
                return self.gap(item, asked)
            case nodes.ContainsAtLeast(item, least), nodes.ContainsAtLeast(asked, number) if least >= number:
                return self.gap(item, asked)
            case nodes.ContainsAtMost(item, most), nodes.ContainsAtMost(asked, number) if most <= number:
                return self.gap(asked, item)
            case nodes.Property(name, member), nodes.Property(other, asked) if name == other:
                return self.gap(member, asked)
            case nodes.Members(matching, names, patterns, member), nodes.Members(wanted, known, excepted, asked):
                fewer = matching <= wanted and names <= known and patterns <= excepted  # of which the outer one speaks
                return self.gap(member, asked) if fewer else HERE
            case nodes.NamesAre(name), nodes.NamesAre(asked):
                return self.gap(name, asked)
        return HERE

    def _index(self, node: nodes.AllOf) -> _Index:
        index = self._indices.get(node)
        if index is None:
            index = self._indices[node] = {}
            for part in dict.fromkeys((*node.parts, *self.disjointness.parts_of(node))):
                index.setdefault("composite" if isinstance(part, _COMPOSITE) else _kind(part), []).append(part)
                if isinstance(part, nodes.Members):
                    index.setdefault(nodes.Members, []).append(part)
                if isinstance(part, nodes.ItemsFrom):
                    index.setdefault(nodes.ItemAt, []).append(part)
        return index

    def _has_union(self, node: Node) -> bool:
        parts = node.parts if isinstance(node, nodes.AllOf) else ()
        return any(isinstance(part, (nodes.AnyOf, nodes.OneOf)) for part in parts)


def _effort(part: Node) -> bool:
    """Whether a keyword leads on to other schemas, and is better looked at last."""
    member = getattr(part, "member", None) or getattr(part, "item", None) or part
    return isinstance(member, (nodes.Ref, nodes.AllOf, nodes.AnyOf, nodes.OneOf))


_COMPOSITE = (nodes.AnyOf, nodes.OneOf, nodes.Ref, nodes.Not, nodes.OneValueOf)


def _kind(node: Node) -> Any:
    """What a keyword is compared by: its class, and the property that it speaks of."""
    if isinstance(node, _COMPOSITE):
        return "composite"
    if isinstance(node, nodes.Property):
        return (nodes.Property, node.name)
    return type(node)
