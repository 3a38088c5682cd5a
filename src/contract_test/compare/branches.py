"""One branch of the search: literals of one JSON type that hold, and unions of which one option must."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from contract_test.compare import nodes
from contract_test.compare.nodes import Node, Pool
from contract_test.compare.relations import Relations

Literal = tuple[Node, bool]
State = frozenset[Literal]
Option = tuple[Literal, ...]
Union = tuple[Option, ...]

_LOOK_THROUGH = 6
_FAR = 1000
_MAX_TUPLE = 8
_MAX_LISTED = 100
_COMPOSITE = (nodes.AllOf, nodes.AnyOf, nodes.OneOf, nodes.Ref)


class Branch:
    """A conjunction under construction.

    `facts` are keywords of this type, enumerations and what is not supported, each wanted or not. `ones`
    are the `oneOf`s that are still open: the parts of which exactly one holds, or not exactly one. They
    become unions as late as possible, because by then most of their parts are excluded by what else holds.
    """

    def __init__(self, pool: Pool, relations: Relations, kind: str) -> None:
        self.pool = pool
        self.relations = relations
        self.kind = kind
        self.facts: dict[Node, bool] = {}
        self.unions: list[Union] = []
        self.ones: list[tuple[tuple[Node, ...], bool]] = []
        self._seen: dict[Node, bool] = {}
        self._wholes: list[Node] = []
        self._unwanted: list[Node] = []
        self._lengths_split = False
        self._answers: dict[Literal, tuple[bool | None, int]] = {}

    @classmethod
    def of(cls, pool: Pool, relations: Relations, kind: str, literals: Iterable[Literal]) -> Branch | None:
        """Return the branch of one type, None where the literals exclude the type."""
        branch = cls(pool, relations, kind)
        return branch if branch.assume(sorted(literals, key=_by_want)) else None

    def choose(self, union: Union, option: Option) -> Branch | None:
        """Return a copy in which one option of a union holds, None where that contradicts what holds."""
        copy = Branch(self.pool, self.relations, self.kind)
        copy.facts = dict(self.facts)
        copy.unions = [other for other in self.unions if other is not union]
        copy.ones = list(self.ones)
        copy._seen = dict(self._seen)
        copy._wholes = list(self._wholes)
        copy._unwanted = list(self._unwanted)
        copy._lengths_split = self._lengths_split
        copy._answers = dict(self._answers)
        return copy if copy.assume(option) else None

    def narrow(self, union: Union, options: Sequence[Option]) -> None:
        """Leave only some options of a union."""
        self.unions = [other for other in self.unions if other is not union]
        self.unions.append(tuple(options))

    def assume(self, literals: Iterable[Literal]) -> bool:
        """Let literals hold; return whether that is still possible."""
        todo = list(reversed(list(literals)))
        self._wholes += [node for node, wanted in todo if wanted and node not in self._seen]
        todo = [literal for literal in todo if literal[1] or not self._is_given(literal[0])]
        self._unwanted += [node for node, wanted in todo if not wanted and node not in self._seen]
        while todo:
            node, wanted = todo.pop()
            if node.about and node.about != self.kind:
                if not wanted:
                    return False
                continue
            seen = self._seen.get(node)
            if seen is not None:
                if seen != wanted:
                    return False
                continue
            self._seen[node] = wanted
            if not self._take(node, wanted, todo):
                return False
        return True

    def _take(self, node: Node, wanted: bool, todo: list[Literal]) -> bool:  # noqa: FBT001
        match node:
            case nodes.Anything():
                return wanted
            case nodes.Nothing():
                return not wanted
            case nodes.TypeIs(types):
                return (self.kind in types) == wanted
            case nodes.Not(part):
                todo.append((part, not wanted))
            case nodes.Ref():
                todo.append((self.pool.resolve(node), wanted))
            case nodes.AllOf(parts) | nodes.AnyOf(parts):
                if wanted == isinstance(node, nodes.AllOf):
                    todo += [(part, wanted) for part in reversed(parts)]
                else:
                    self.unions.append(tuple(((part, wanted),) for part in parts))
            case nodes.OneOf(parts):
                self.ones.append((parts, wanted))
            case _:
                self.facts[node] = wanted
        return True

    def propagate(self) -> bool:
        """Drop options that what holds excludes, and take those that are left alone.

        False where a union has none.
        """
        changed = True
        while changed:
            changed = False
            ones, self.ones = self.ones, []
            for parts, wanted in ones:
                near = tuple(part for part in parts if self._may_hold(part))
                if len(near) > 1:
                    self.ones.append((near, wanted))
                elif near:
                    changed = True
                    if not self.assume([(near[0], wanted)]):
                        return False
                elif wanted:
                    return False
            unions, self.unions = self.unions, []
            for union in unions:
                left: list[Option] | None = []
                for option in union:
                    answer = self._holds_all(option)
                    if answer:
                        left = None
                        break
                    if answer is None:
                        assert left is not None
                        left.append(option)
                if left is None:
                    continue
                if not left:
                    return False
                if len(left) == 1:
                    changed = True
                    if not self.assume(left[0]):
                        return False
                else:
                    self.unions.append(union if len(left) == len(union) else tuple(left))
        return True

    def _holds_all(self, option: Option) -> bool | None:
        known: bool | None = True
        for node, wanted in option:
            answer = self._answer((node, wanted))
            if answer is False:
                return False
            if answer is None:
                known = None
        return known

    def _answer(self, literal: Literal) -> bool | None:
        """Whether a literal holds: what is known stays known, and the rest until something else holds, too."""
        now = len(self._seen) + len(self._wholes)
        answer, then = self._answers.get(literal, (None, -1))
        if answer is None and then != now:
            answer = self._holds(*literal, _LOOK_THROUGH)
            if answer is None and self._is_excluded(*literal):
                answer = False
            self._answers[literal] = (answer, now)
        return answer

    @property
    def is_open(self) -> bool:
        """Whether anything is left to choose."""
        return bool(self.unions or self.ones)

    def next_union(self) -> Union:
        """Return what to choose from next."""
        if self.unions:
            return min(self.unions, key=len)
        if self.kind == "array" and not self._lengths_split:
            self._lengths_split = True
            lengths = self._by_length()
            if lengths:
                self.unions.append(lengths)
                return lengths
        at = next((at for at, (_, wanted) in enumerate(self.ones) if wanted), 0)
        parts, wanted = self.ones.pop(at)
        if len(parts) > _MAX_LISTED:
            self.unions.append(self._by_halves(parts, wanted=wanted))
        else:
            self.unions.append(_exactly_one(parts) if wanted else _none_or_two(parts))
        return self.unions[-1]

    def _by_halves(self, parts: tuple[Node, ...], *, wanted: bool) -> Union:
        """Return what it says of two halves that exactly one of all parts holds, or not exactly one.

        An option for each part lists all others, so that the options of many parts would be a square of them.
        """
        half = len(parts) // 2
        (one, some), (other, others) = (
            (self.pool.make(nodes.OneOf, each) if len(each) > 1 else each[0], self.pool.any_of(list(each)))
            for each in (parts[:half], parts[half:])
        )
        options: Union = ((one, wanted), (others, False)), ((other, wanted), (some, False))
        return options if wanted else (*options, ((some, True), (others, True)))

    def _by_length(self) -> Union:
        """Shorter and longer arrays, where tuples are to be told apart: only in longer ones by each of their items."""
        longest = max(self.relations.disjointness.tuple_length(part) for parts, _ in self.ones for part in parts)
        if not 1 < longest <= _MAX_TUPLE or self._least >= longest:
            return ()
        longer = self.pool.make(nodes.MinItems, longest)
        shorter = [self.pool.make(nodes.MaxItems, length) for length in range(1, longest)]
        least = [self.pool.make(nodes.MinItems, length) for length in range(2, longest)]
        return (
            ((self.pool.make(nodes.MaxItems, 0), True),),
            *(
                ((most, True), (few, True))
                for most, few in zip(shorter, [self.pool.make(nodes.MinItems, 1), *least], strict=True)
            ),
            ((longer, True),),
        )

    @property
    def _least(self) -> int:
        """The items that an array of this branch has at least."""
        counts = (node.count for node, wanted in self.facts.items() if wanted and isinstance(node, nodes.MinItems))
        return max(counts, default=0) if self.kind == "array" else 0

    @property
    def _present(self) -> frozenset[str]:
        """The properties that an object of this branch has for certain."""
        if self.kind != "object":
            return frozenset()
        return frozenset(node.name for node, wanted in self.facts.items() if wanted and isinstance(node, nodes.Has))

    def _may_hold(self, node: Node) -> bool:
        """Whether nothing that holds plainly excludes a node."""
        wanted = True
        return not self._is_excluded(node, wanted) and self._holds(node, wanted, 1) is not False

    def _is_given(self, node: Node) -> bool:
        """Whether what holds as a whole plainly keeps out of a composite node."""
        least = self._least
        return isinstance(node, _COMPOSITE) and any(
            self.relations.disjointness.are_disjoint(each, node, least) for each in self._wholes
        )

    def _is_excluded(self, node: Node, wanted: bool) -> bool:  # noqa: FBT001
        """Whether one of the literals that hold as a whole plainly excludes another."""
        if wanted:
            least, present = self._least, self._present
            return any(
                self.relations.disjointness.are_disjoint(whole, node, least)
                or (present and self.relations.disjointness.are_apart_at(whole, node, present))
                for whole in self._wholes
            )
        return any(self.relations.includes(whole, node) for whole in self._wholes)

    def by_distance(self, union: Union) -> list[Option]:
        """Return the options of a union, those first that lead soonest to where two literals differ."""
        return sorted(union, key=self._distance)

    def _distance(self, option: Option) -> int:
        gaps = [
            self.relations.gap(whole, node) if not wanted else self.relations.gap(node, whole)
            for node, wanted in option[:2]
            for whole in (self._unwanted if wanted else self._wholes)
        ]
        return min((gap for gap in gaps if gap is not None), default=_FAR)

    def _holds(self, node: Node, wanted: bool, depth: int) -> bool | None:  # noqa: FBT001
        """Whether a literal holds already, as far as that can be seen without search."""
        if node.about and node.about != self.kind:
            return wanted
        seen = self._seen.get(node)
        if seen is not None:
            return seen == wanted
        match node:
            case nodes.Anything():
                return wanted
            case nodes.Nothing():
                return not wanted
            case nodes.TypeIs(types):
                return (self.kind in types) == wanted
            case nodes.Not(part) if depth:
                return self._holds(part, not wanted, depth - 1)
            case nodes.Ref() if depth:
                return self._holds(self.pool.resolve(node), wanted, depth - 1)
            case nodes.AllOf(parts) | nodes.AnyOf(parts) if depth:
                conjunction = wanted == isinstance(node, nodes.AllOf)
                answers = [self._holds(part, wanted, depth - 1) for part in parts]
                if (not conjunction) in answers:
                    return not conjunction
                return None if None in answers else conjunction
        return None


def _by_want(literal: Literal) -> bool:
    return not literal[1]


def _exactly_one(parts: tuple[Node, ...]) -> Union:
    return tuple(
        ((part, True), *((other, False) for other in parts if other is not part))
        for part, times in Counter(parts).items()
        if times == 1
    )


def _none_or_two(parts: tuple[Node, ...]) -> Union:
    pairs = [((one, True), (two, True)) for at, one in enumerate(parts) for two in parts[at + 1 :]]
    return (tuple((part, False) for part in parts), *pairs)
