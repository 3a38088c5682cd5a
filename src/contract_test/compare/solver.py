"""Which values are in all of these sets and in none of those? A search that proves there are none, or finds some.

A *state* is a set of literals (node, wanted). It is split by JSON type, its unions one by one (a tableau),
and what is left of one type goes to that type's module, which asks back for items and members. Two flags
carry the soundness:

- `Found.complete` says that every value of the state is listed; complete and empty is a proof of none;
- a state inside a state that asks for it is cut off: the smallest value of the outer one never holds
another of its own. A proof that rests on such a cut holds only where the outer state turns out empty too,
so it is kept separate until then.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from contract_test.compare import arrays, nodes, numbers, objects, strings
from contract_test.compare.branches import Branch, Literal, State
from contract_test.compare.evaluation import Evaluator, count
from contract_test.compare.nodes import Node, Pool
from contract_test.compare.relations import Relations
from contract_test.compare.search_result import EMPTY, UNKNOWN, Found
from contract_test.compare.values import TYPES, identity, type_of

_DEPTHS = (5, 10, 20, 40, 80)
_MAX_PAIRS = 64
_PATIENCE = 16
_MAX_PROBES = 400
_EXACT_FLOATS = 2**53


class OutOfTimeError(Exception):
    """The budget of this comparison is spent."""


@dataclass(slots=True)
class _Frame:
    """One state under work.

    What its result rests on, and the proofs inside it that rest on states further out.
    """

    state: State
    rests_on: set[int] = field(default_factory=set)
    conditional: list[State] = field(default_factory=list)
    branches: int = 0


class Solver:
    """Solves states of one pool until a deadline on `time.thread_time`: what else a machine does changes no verdict."""

    def __init__(self, pool: Pool, deadline: float) -> None:
        self.pool = pool
        self.evaluator = Evaluator(pool)
        self.relations = Relations(pool, self.evaluator, self.in_time)
        self.deadline = deadline
        self._known: dict[State, tuple[Found, int]] = {}
        self._conditional: dict[State, set[int]] = {}
        self._frames: list[_Frame] = []
        self._limit = _DEPTHS[-1]
        self._was_limited = False

    def search(self, literals: Iterable[Literal], want: int = 1) -> Found:
        """Return what `solve` finds, looking for shallow values first: a deep schema has small witnesses too."""
        literals = frozenset(literals)
        found = UNKNOWN
        for depth in self._depths_for(literals):
            self._limit = depth
            self._was_limited = False
            found = self.solve(literals, want)
            if found.complete or found.values or not self._was_limited:
                break
            self._known = {state: entry for state, entry in self._known.items() if entry[0].complete}
        self._limit = _DEPTHS[-1]
        return found

    def _depths_for(self, literals: Iterable[Literal]) -> Iterable[int]:
        """The depths to look to: none in which a witness cannot be, as the distance to the nearest difference says."""
        positive = [node for node, wanted in literals if wanted]
        negative = [node for node, wanted in literals if not wanted]
        gaps = [self.relations.gap(one, other) for one in positive for other in negative]
        nearest = min((gap for gap in gaps if gap is not None), default=0)
        return [depth for depth in _DEPTHS if depth >= 2 * nearest] or _DEPTHS[-1:]

    def solve(self, literals: Iterable[Literal], want: int = 1) -> Found:
        """Return up to `want` values that are in every wanted node and in no unwanted one.

        Raises `OutOfTimeError` after the deadline.
        """
        state = frozenset(literals)
        if self._is_contradiction(state):
            return EMPTY
        known = self._known.get(state)
        if known is not None and (known[0].complete or known[1] >= want):
            return known[0]
        if state in self._conditional:
            self._rest_on(self._conditional[state])
            return EMPTY
        for depth, frame in enumerate(self._frames):
            if frame.state <= state:
                self._rest_on({depth})
                return EMPTY
        if len(self._frames) >= self._limit:
            self._was_limited = True
            return UNKNOWN
        self._frames.append(_Frame(state))
        try:
            found = self._by_type(state, want)
        except BaseException:
            self._forget(self._frames.pop())
            raise
        return self._settle(self._frames.pop(), found, want)

    def _is_contradiction(self, state: State) -> bool:
        """Whether two literals of a state plainly exclude each other."""
        wanted = [node for node, positive in state if positive]
        unwanted = [node for node, positive in state if not positive]
        if len(wanted) * len(unwanted) > _MAX_PAIRS:
            return any((node, True) in state for node in unwanted)
        return any(self.relations.includes(one, other) for other in unwanted for one in wanted)

    def in_time(self) -> None:
        """Raise `OutOfTimeError` after the deadline."""
        if time.thread_time() > self.deadline:
            raise OutOfTimeError

    def _rest_on(self, depths: set[int]) -> None:
        if self._frames:
            self._frames[-1].rests_on |= depths

    def _forget(self, frame: _Frame) -> None:
        for state in frame.conditional:
            self._conditional.pop(state, None)

    def _settle(self, frame: _Frame, found: Found, want: int) -> Found:
        """Keep a result: for good, or for as long as the states that it rests on are under work."""
        depth = len(self._frames)
        outer = frame.rests_on - {depth}
        if found.values or not found.complete:
            if frame.rests_on and found.complete:
                found = Found(found.values, complete=False)
            for state in frame.conditional:
                if depth in self._conditional[state]:
                    del self._conditional[state]
                elif self._frames:
                    self._frames[-1].conditional.append(state)
            self._known[frame.state] = (found, want)
            return found
        self._conditional[frame.state] = set(outer)
        for state in [*frame.conditional, frame.state]:
            rests_on = self._conditional[state]
            if depth in rests_on:
                rests_on.discard(depth)
                rests_on |= outer
            if rests_on:
                self._frames[-1].conditional.append(state)
            else:
                del self._conditional[state]
                self._known[state] = (EMPTY, want)
        self._rest_on(outer)
        return EMPTY

    def _by_type(self, state: State, want: int) -> Found:
        values: dict[Any, Any] = {}
        complete = True
        for kind in TYPES:
            branch = Branch.of(self.pool, self.relations, kind, state)
            if branch is not None:
                complete = self._search(branch, values, want) and complete
            if len(values) >= want and kind != TYPES[-1]:
                complete = False
                break
        return Found(list(values.values()), complete=complete)

    def _search(self, branch: Branch, values: dict[Any, Any], want: int) -> bool:
        """Add values of a branch; return whether all of them were added."""
        self.in_time()
        if not branch.propagate():
            return True
        found = self.leaf(branch, want)
        if found.is_empty:
            return True
        if not branch.is_open or found.complete:
            for value in found.values:
                if self._passes(branch, value) is not False:
                    values.setdefault(_key(value), value)
            return found.complete
        for value in found.values:
            if self._passes(branch, value):
                values.setdefault(_key(value), value)
        if len(values) >= want:
            return False
        self._frames[-1].branches += 1
        if len(branch.unions) > 1 and self._frames[-1].branches > _PATIENCE:
            if self._probe(branch):
                return True
            return self._choose(branch, values, want) if branch.is_open else self._search(branch, values, want)
        return self._choose(branch, values, want)

    def _choose(self, branch: Branch, values: dict[Any, Any], want: int) -> bool:
        """Search the options of one union after another."""
        complete = True
        union = branch.next_union()
        for option in branch.by_distance(union):
            part = branch.choose(union, option)
            if part is not None:
                complete = self._search(part, values, want) and complete
            if len(values) >= want:
                return False
        return complete

    def _passes(self, branch: Branch, value: Any) -> bool | None:
        known: bool | None = True
        for union in branch.unions:
            answers = [self._all_hold(option, value) for option in union]
            if not any(answers):
                if None not in answers:
                    return False
                known = None
        for parts, wanted in branch.ones:
            least, most = count(self.evaluator.holds(part, value) for part in parts)
            if least != most:
                known = None
            elif (least == 1) != wanted:
                return False
        return known

    def _all_hold(self, literals: Iterable[Literal], value: Any) -> bool | None:
        known: bool | None = True
        for node, wanted in literals:
            answer = self.evaluator.holds(node, value)
            if answer is None:
                known = None
            elif answer != wanted:
                return False
        return known

    def _probe(self, branch: Branch) -> bool:
        """Drop every option that fails by itself; return whether that closes the branch.

        This is what keeps a union of fifty alternatives, told apart by one property, from becoming fifty to
        the fifty.
        """
        probes = 0
        changed = True
        while changed:
            changed = False
            for union in sorted(branch.unions, key=len):
                left = []
                for option in union:
                    probes += 1
                    if probes > _MAX_PROBES:
                        return False
                    part = branch.choose(union, option)
                    if part is None or not part.propagate():
                        continue
                    if not self.leaf(part, 1).is_empty:
                        left.append(option)
                if not left:
                    return True
                if len(left) < len(union):
                    branch.narrow(union, left)
                    if len(left) == 1:
                        if not branch.propagate() or self.leaf(branch, 1).is_empty:
                            return True
                        changed = True
                        break
        return False

    def leaf(self, branch: Branch, want: int) -> Found:
        """Return the values of a branch as far as its plain literals say: its unions may still exclude some."""
        self.in_time()
        facts = branch.facts
        listed = [node for node, wanted in facts.items() if wanted and isinstance(node, nodes.OneValueOf)]
        if listed:
            fewest = min(listed, key=lambda node: len(node.values))
            values = [value for value in fewest.values if type_of(value) == branch.kind]
            if branch.kind == "number" and any(isinstance(node, nodes.WrittenWithoutFraction) for node in facts):
                values += [float(value) for value in values if abs(value) < _EXACT_FLOATS]
            found = Found(values, complete=True)
        else:
            excluded = sum(
                len(node.values) for node, wanted in facts.items() if not wanted and isinstance(node, nodes.OneValueOf)
            )
            found = self._candidates(branch.kind, facts, want + excluded)
        kept = {_key(value): value for value in found.values if self._all_hold(facts.items(), value) is not False}
        return Found(list(kept.values()), complete=found.complete)

    def _candidates(self, kind: str, facts: dict[Node, bool], want: int) -> Found:
        match kind:
            case "null":
                return Found([None], complete=True)
            case "boolean":
                return Found([True, False], complete=True)
            case "number":
                return numbers.solve(facts, want)
            case "string":
                return strings.solve(facts, want, self.in_time)
            case "array":
                return arrays.solve(self, facts, want)
        return objects.solve(self, facts, want)


def _key(value: Any) -> Any:
    """1 and 1.0 are equal, but draft 4 tells them apart."""
    return (identity(value), isinstance(value, float))
