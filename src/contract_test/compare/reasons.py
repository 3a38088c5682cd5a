"""Why a reader rejects what a writer may send: the changes behind it, each with a message that shows it.

It explains a verdict, it never makes one. A change is a reason only if undoing it alone, in the newer schema, lets its
message through. Where no single change explains a message, the smallest set of changes that does is one reason.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from contract_test.compare import keyword_rules
from contract_test.compare.changes import Changes
from contract_test.compare.compiler import Compiler
from contract_test.compare.differences import Change, Side
from contract_test.compare.documents import Document, UnusableSchemaError
from contract_test.compare.error_reasons import are_near, by_error, inside, matches_several, pointer_of, reason_for
from contract_test.compare.instance_paths import with_empty_names
from contract_test.compare.nodes import Node
from contract_test.compare.shrinking import shrink
from contract_test.compare.solver import OutOfTimeError, Solver
from contract_test.compare.targeting import Targeting
from contract_test.compare.undoing import undone
from contract_test.compare.values import identity
from contract_test.data.verdict import ABSENT, Incompatibility
from contract_test.schema.walk import escape

MAX_REASONS = 50
_MAX_SINGLES = 60
_MAX_WITNESSES = 32
_FOR_SHRINKING = 0.2  # seconds
Changed = frozenset[int]


@dataclass(frozen=True)
class Sides:
    """The two sides of a comparison: their compilers and nodes, and what validators say of a value.

    `newer` is the side that changed.
    """

    writer: Compiler
    reader: Compiler
    sent: Node
    read: Node
    newer: Side
    is_witness: Callable[[Any], bool]
    errors: Callable[[Any], list[Any]]


class Explainer:
    """Explains one comparison, with the solver that decided it, until a deadline of processor time.

    Large schemas are explained change by change (`one_by_one`), because a search of the whole takes too long.
    """

    def __init__(
        self, solver: Solver, sides: Sides, changes: Changes, deadline: float, *, one_by_one: bool = False
    ) -> None:
        self._walk = changes
        self._one_by_one = one_by_one
        self.solver = solver
        self.sides = sides
        self.deadline = deadline
        self.left = ""
        newer, older = (sides.reader, sides.writer) if sides.newer == "reader" else (sides.writer, sides.reader)
        self._newer, self._older = newer, older
        self._nodes: dict[Changed, Node | None] = {}
        self._kept: list[Document] = []  # nodes are known by the identity of what is in these
        self._compilers: dict[Changed, Compiler] = {}
        self._changes: list[Change] = []

    def reasons(self, witness: Any) -> list[Incompatibility]:
        """Return the reasons, the first of them for `witness`; `left` says then what was not looked for."""
        self.solver.deadline = self.deadline
        found: list[tuple[Changed, Any]] = []
        explained: Changed = frozenset()
        try:
            self._changes = self._walk.all()
            if self._one_by_one:
                found = self._place_by_place()
                explained = frozenset().union(*(changes for changes, _ in found))
                witness = self._another(explained) if explained else witness
            while witness is not ABSENT:
                if len(found) == MAX_REASONS:
                    self.left = f"the first {MAX_REASONS} are shown"
                    break
                changes = self._smallest(witness, explained)
                if changes is None:
                    self.left = "the changes between the schemas do not explain every message"
                    break
                changes, witness = self._with_own_witness(changes, explained, witness)
                found.append((changes, witness))
                explained |= changes
                witness = self._another(explained)
            self._add_hidden(found, explained)
        except OutOfTimeError:
            self.left = "the time for this pair is spent"
        except (UnusableSchemaError, RecursionError) as error:
            self.left = str(error) or "the schemas are nested too deeply"
        if self.left:
            unseen = len(self._changes) - len(explained)
            self.left = f"{unseen} more differences were not looked at: {self.left}" if unseen else ""
        seen: set[int] = set()
        explanations = []
        for changes, message in found:
            explanations.append(self._told(changes, message, seen))
            seen |= changes
        return self._merged(explanations)

    def _without(self, changes: Changed) -> Node | None:
        """The newer schema with these changes undone; None where it cannot be read."""
        if changes not in self._nodes:
            if time.thread_time() > self.deadline:
                raise OutOfTimeError
            patches = [patch for at in sorted(changes) for patch in self._changes[at].patches]
            try:
                newer = self._newer
                document = undone(
                    newer.document, self._older.document, patches, f"{self.sides.newer} {len(self._nodes)}"
                )
                self._kept.append(document)
                compiler = Compiler(
                    newer.pool,
                    document,
                    assert_formats=newer.assert_formats,
                    closed=newer.closed,
                    open_where_true=newer.open_where_true,
                )
                self._compilers[changes] = compiler
                self._nodes[changes] = compiler.root()
            except (UnusableSchemaError, ValueError, TypeError, KeyError, AttributeError):
                self._nodes[changes] = None
        return self._nodes[changes]

    def _explains(self, changes: Changed, witness: Any) -> bool:
        """Return whether a message does not break once the changes are undone."""
        node = self._without(changes)
        return node is not None and self.solver.evaluator.holds(node, witness) is (self.sides.newer == "reader")

    def _smallest(self, witness: Any, explained: Changed) -> Changed | None:
        """The fewest changes beside those that are explained already whose undoing lets a message through."""
        order = self._by_nearness(witness, explained)
        for at in order[:_MAX_SINGLES]:
            if self._explains(explained | {at}, witness):
                return frozenset([at])
        if not self._explains(explained | set(order), witness):
            return None
        return _reduced(order, lambda changes: self._explains(explained | changes, witness))

    def _by_nearness(self, witness: Any, explained: Changed) -> list[int]:
        """The changes that are not explained yet, those first at which the reader rejects a message."""
        rejected = [
            "".join("/" + escape(str(token)) for token in error.schema_path) for error in self.sides.errors(witness)
        ]

        def distance(at: int) -> tuple[bool, bool, int]:
            change = self._changes[at]
            here = change.reader_pointer
            near = any(are_near(place, here) for place in rejected)
            return not near, change.rule in ("property-removed", "property-added", ""), at

        return sorted((at for at in range(len(self._changes)) if at not in explained), key=distance)

    def _with_own_witness(self, changes: Changed, explained: Changed, witness: Any) -> tuple[Changed, Any]:
        """The changes with a message that breaks for them only: `witness` if it does, else another one."""
        for at in sorted(changes) if len(changes) > 1 else ():
            another = self._breaking_only_for(frozenset([at]))
            if another is not ABSENT:
                return frozenset([at]), self._shrunk(frozenset([at]), another)
        if not self._explains(changes, witness):
            another = self._breaking_only_for(changes)
            if another is ABSENT:
                changes = _reduced(sorted(explained | changes), lambda some: self._explains(some, witness))
            else:
                witness = another
        return changes, self._shrunk(changes, witness)

    def _shrunk(self, changes: Changed, witness: Any) -> Any:
        seconds = _FOR_SHRINKING / 8 if self._one_by_one else _FOR_SHRINKING  # then, it is small already
        until = min(time.thread_time() + seconds, max(self.deadline, time.thread_time() + _FOR_SHRINKING / 4))

        def keeps(value: Any) -> bool:
            return time.thread_time() < until and self.sides.is_witness(value) and self._explains(changes, value)

        return shrink(witness, keeps)

    def _place_by_place(self) -> list[tuple[Changed, Any]]:
        """The changes that break a message at their own place: the small places first, none of them for too long."""
        found: list[tuple[Changed, Any]] = []
        targeting = Targeting(self.solver, self.sides.writer, self.sides.reader, self._walk)
        numbers = {change: at for at, change in enumerate(self._changes)}
        for together in targeting.by_place():
            now = time.thread_time()
            self.solver.deadline = now + (self.deadline - now) / 2
            with suppress(OutOfTimeError):
                found += self._at(targeting, [numbers[change] for change in together])
        self.solver.deadline = self.deadline
        return sorted(found[:MAX_REASONS], key=lambda each: min(each[0]))

    def _at(self, targeting: Targeting, place: Sequence[int]) -> Iterator[tuple[Changed, Any]]:
        """Yield the changes at one place that break a message alone; if none does, those that do together."""
        if not targeting.may_break(self._changes[place[0]]):
            return
        explained: Changed = frozenset()
        for at in place:
            changes = frozenset([at])
            if self._without(changes) is not None:
                messages = targeting.messages(self._changes[at], self._compilers[changes])
                message = self._first_explained(messages, changes)
                if message is not ABSENT:
                    explained |= changes
                    yield changes, self._shrunk(changes, message)
        if len(place) > 1 and not explained:
            message = self._first_explained(targeting.messages(self._changes[place[0]]), frozenset(place))
            if message is not ABSENT:
                changes = _reduced(place, lambda some: self._explains(some, message))
                yield changes, self._shrunk(changes, message)

    def _first_explained(self, messages: Iterable[Any], changes: Changed) -> Any:
        """The first message that breaks, and no longer does once the changes are undone."""
        return next(
            (each for each in messages if self.sides.is_witness(each) and self._explains(changes, each)), ABSENT
        )

    def _breaking_only_for(self, changes: Changed) -> Any:
        node = self._without(changes)
        if node is None:
            return ABSENT
        literals = [(self.sides.sent, True), (self.sides.read, False), (node, self.sides.newer == "reader")]
        return self._confirmed(literals, lambda value: self._explains(changes, value))

    def _another(self, explained: Changed) -> Any:
        """A message that breaks also where all that is explained is undone; `ABSENT` where there is none."""
        if len(explained) == len(self._changes) and self._walk.are_all:
            return ABSENT
        node = self._without(explained)
        if node is None:
            self.left = "the newer schema cannot be read without them"
            return ABSENT
        literals = [(self.sides.sent, True), (self.sides.read, False), (node, self.sides.newer == "writer")]
        return self._confirmed(literals, lambda value: not self._explains(explained, value))

    def _add_hidden(self, found: list[tuple[Changed, Any]], explained: Changed) -> None:
        """Add what breaks once the rest is undone: where every message of a newer writer breaks for something else."""
        while (
            not self.left
            and self.sides.newer == "writer"
            and len(found) < MAX_REASONS
            and len(explained) < len(self._changes)
        ):
            node = self._without(explained)
            values = [] if node is None else self.solver.search([(node, True), (self.sides.read, False)]).values
            changes = self._smallest(values[0], explained) if values else None
            if changes is None:
                return
            message = self._breaking_only_for(changes)
            if message is not ABSENT:
                found.append((changes, self._shrunk(changes, message)))
            explained |= changes

    def _confirmed(self, literals: Sequence[tuple[Node, bool]], holds: Callable[[Any], bool]) -> Any:
        for want in (1, _MAX_WITNESSES):
            found = self.solver.search(literals, want)
            for value in found.values:
                if self.sides.is_witness(value) and holds(value):
                    return value
            if not found.values:
                if not found.complete:
                    self.left = "neither a proof nor a message was found for them"
                return ABSENT
        self.left = "the validators do not agree about them"
        return ABSENT

    def _told(self, changes: Changed, witness: Any, seen: set[int]) -> Incompatibility:
        """The reason that a set of changes is: the first that is new, with the others that reject the message, too."""
        first, *others = sorted(changes, key=lambda at: (at in seen, self._changes[at].rule == "", at))
        reason = self._reason(self._changes[first], witness)
        together = tuple(_line(self._reason(self._changes[at], witness)) for at in others)
        errors = self.sides.errors(witness)
        near = next((error for error in errors if are_near(pointer_of(error), reason.reader_pointer)), None)
        place = None if near is None else _pointer_into(witness, near)
        return replace(reason, witness=witness, together=together, rejected_at=place)

    def _reason(self, change: Change, witness: Any) -> Incompatibility:
        errors = self.sides.errors(witness)
        overlapping = [error for error in errors if matches_several(error)]
        rule, before, after = change.rule, change.before, change.after
        here = change.reader_pointer
        if errors and len(overlapping) == len(errors):
            rule = "alternatives-overlap"
        elif rule in ("", "property-constrained"):
            near = [error for error in errors if inside(pointer_of(error), here)] or (errors if rule == "" else [])
            if near:
                rule, before, after, here = by_error(near[0], change, self.sides.reader.document.schema)
        return replace(
            reason_for(rule or "not-included", change.writer_pointer, here, before, after),
            alternative=change.alternative,
        )

    @staticmethod
    def _merged(reasons: Iterable[Incompatibility]) -> list[Incompatibility]:
        """Reasons of one place and rule as one: an enum that lost a text and null."""
        merged: dict[tuple[Any, ...], Incompatibility] = {}
        for reason in reasons:
            change = "" if reason.rule == "enum-value-removed" else repr((reason.before, reason.after))
            key = (reason.rule, reason.writer_pointer, reason.reader_pointer, reason.together, change)
            known = merged.get(key)
            if known is not None and isinstance(known.before, list) and isinstance(reason.before, list):
                values = [*known.before, *(value for value in reason.before if value not in known.before)]
                with_values = reason_for(
                    reason.rule, reason.writer_pointer, reason.reader_pointer, values, reason.after
                )
                merged[key] = replace(known, before=values, sentence=with_values.sentence)
            else:
                merged.setdefault(key, reason)
        return list(merged.values())


def _reduced(order: Sequence[int], explain: Callable[[Changed], bool]) -> Changed:
    """A part of some changes that explains a message, of which none can be left out: halves first, then one by one."""
    kept = list(order)
    size = len(kept)
    while size > 1:
        size = (size + 1) // 2
        start = 0
        while start < len(kept):
            rest = kept[:start] + kept[start + size :]
            if rest and explain(frozenset(rest)):
                kept = rest
            else:
                start += size
    for at in list(kept):
        rest = [other for other in kept if other != at]
        if rest and explain(frozenset(rest)):
            kept = rest
    return frozenset(kept)


def _pointer_into(witness: Any, error: Any) -> str:
    """Where in a message an error is."""
    wanted = identity(error.instance)
    steps = with_empty_names(error.instance_path, witness, lambda value: identity(value) == wanted)
    return "".join(f"/{escape(str(step))}" for step in steps)


def _line(reason: Incompatibility) -> str:
    change = keyword_rules.change(reason.before, reason.after)
    return f"{reason.rule} at {reason.reader_pointer}{f': {change}' if change else ''}"
