"""Why a reader rejects what a writer may send: named, at a place in both schemas.

It explains a verdict, it never makes one.
Keyword by keyword the reader is asked what the writer, at the same place, may break; where both sides have
a subschema there, the question goes down into it.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any
from urllib.parse import unquote

from contract_test.compare import keyword_rules
from contract_test.compare.compiler import Compiler
from contract_test.compare.documents import Place, UnusableSchemaError
from contract_test.compare.incompatibility_rules import RULES
from contract_test.compare.nodes import Node, Property
from contract_test.compare.solver import OutOfTimeError, Solver
from contract_test.compare.values import identity
from contract_test.data.verdict import ABSENT, Incompatibility
from contract_test.schema.walk import escape

_MAX_REASONS = 50
_MAX_STEPS = 24
# keywords that only speak together with their neighbours
_TOGETHER = {
    "additionalProperties": ("properties", "patternProperties"),
    "if": ("then", "else"),
    "items": ("prefixItems",),
    "additionalItems": ("items",),
    "contains": ("minContains", "maxContains"),
    "minimum": ("exclusiveMinimum",),
    "maximum": ("exclusiveMaximum",),
}
_NO_ASSERTION = frozenset({"then", "else", "minContains", "maxContains"})


@dataclass(frozen=True, slots=True)
class Spot:
    """A subschema of one side: where it is, and the place that its references are relative to."""

    schema: Any
    pointer: str
    place: Place

    def pointer_to(self, *path: str | int) -> str:
        """Return the pointer to something inside."""
        tokens = (escape(str(token)) for token in path)
        return self.pointer + "".join("/" + token for token in tokens)

    def inside(self, *path: str | int) -> Spot | None:
        """Return the subschema at a path, None where there is none."""
        value = _value_at(self.schema, path)
        return Spot(value, self.pointer_to(*path), self.place) if isinstance(value, (dict, bool)) else None


@dataclass(eq=False)
class _Visit:
    """One pair of subschemas on the way to the reasons.

    `below` groups the pairs that the question goes down to, each group with the reason to give where none of it has
    any.
    """

    writer: Spot
    reader: Spot
    alternative: str = ""
    below: list[tuple[list[_Visit], Callable[[], None] | None]] = field(default_factory=list)
    above: list[_Visit] = field(default_factory=list)
    explained: bool = False


class Explainer:
    """Explains one comparison, with the solver that decided it."""

    def __init__(self, solver: Solver, writer: Compiler, reader: Compiler) -> None:
        self.solver = solver
        self.writer = writer
        self.reader = reader
        self.found: dict[tuple[str, str, str], Incompatibility] = {}
        self._visits: dict[tuple[int, int], _Visit] = {}
        self._todo: deque[_Visit] = deque()

    def reasons(self) -> list[Incompatibility]:
        """Return every reason that the two structures show, the shallowest first."""
        with suppress(OutOfTimeError, UnusableSchemaError, RecursionError):
            self._visit(
                Spot(self.writer.document.schema, "", self.writer.document.place),
                Spot(self.reader.document.schema, "", self.reader.document.place),
            )
            while self._todo and len(self.found) < _MAX_REASONS:
                visit = self._todo.popleft()
                self._explain(visit)
            if not self._todo:
                self._give_what_is_left()
        return list(self.found.values())

    def _give_what_is_left(self) -> None:
        """Where nothing below a place says why, the place itself is the reason; only known when all is explored."""
        for visit in reversed(self._visits.values()):
            for group, otherwise in visit.below:
                if otherwise is not None and not any(below.explained for below in group):
                    otherwise()

    def _visit(self, writer: Spot, reader: Spot, above: _Visit | None = None, alternative: str = "") -> _Visit:
        """The visit of a pair; there is one, however many ways lead to it."""
        writer, reader = self._followed(writer, self.writer), self._followed(reader, self.reader)
        pair = (id(writer.schema), id(reader.schema))
        if pair not in self._visits:
            self._visits[pair] = _Visit(writer, reader, alternative or (above.alternative if above else ""))
            self._todo.append(self._visits[pair])
        visit = self._visits[pair]
        if above is not None:
            visit.above.append(above)
            if visit.explained:
                _explain_upwards(above)
        return visit

    def _explain(self, visit: _Visit) -> None:
        """Explain one pair of subschemas, as far as its own keywords do."""
        writer, reader = visit.writer, visit.reader
        if reader.schema is False:
            self._add("nothing-accepted", visit, (), (), writer.schema, False)  # noqa: FBT003
        if not isinstance(reader.schema, dict):
            return
        state = self.writer.location(writer.schema, writer.place)
        for keyword, value in reader.schema.items():
            if keyword in _NO_ASSERTION or keyword not in reader.place.dialect.keywords:
                continue
            if keyword in ("properties", "patternProperties", "allOf", "$ref"):
                self._explain_each(keyword, state, visit)
            elif self._may_break(state, self._alone(keyword, reader)):
                self._explain_keyword(keyword, value, state, visit)

    def _followed(self, spot: Spot, compiler: Compiler) -> Spot:
        """A subschema that only refers to another one, as that one."""
        for _ in range(_MAX_STEPS):
            schema = spot.schema
            if not isinstance(schema, dict) or not isinstance(schema.get("$ref"), str):
                return spot
            if not spot.place.dialect.ref_stands_alone and schema.keys() & spot.place.dialect.keywords != {"$ref"}:
                return spot
            target = compiler.document.target(schema["$ref"], spot.place)
            local = schema["$ref"].startswith(("#/", "#")) and spot.place.resolver is None
            spot = Spot(target.schema, unquote(schema["$ref"][1:]) if local else spot.pointer_to("$ref"), target.place)
        return spot

    def _alone(self, keyword: str, spot: Spot) -> Node:
        """One keyword of a reader by itself, with the neighbours that it needs."""
        wanted = {keyword, *_TOGETHER.get(keyword, ())}
        if keyword.startswith("unevaluated"):
            wanted |= set(spot.schema)
        fragment = {name: value for name, value in spot.schema.items() if name in wanted}
        if keyword == "additionalProperties":
            fragment |= {name: dict.fromkeys(fragment[name], True) for name in _TOGETHER[keyword] if name in fragment}
        return self.reader.location(fragment, spot.place)

    def _may_break(self, writer: Node, asked: Node) -> bool:
        return not self.solver.solve([(writer, True), (asked, False)]).is_empty

    def _explain_each(self, keyword: str, state: Node, visit: _Visit) -> None:
        """Keywords that hold one subschema for each of several things."""
        writer, reader = visit.writer, visit.reader
        if keyword == "$ref":
            target = self.reader.document.target(reader.schema["$ref"], reader.place)
            inner = Spot(target.schema, reader.pointer_to("$ref"), target.place)
            if self._may_break(state, self.reader.location(target.schema, target.place)):
                visit.below.append(([self._visit(writer, inner, visit)], None))
            return
        parts = reader.schema[keyword]
        for name in range(len(parts)) if isinstance(parts, list) else parts:
            theirs = reader.inside(keyword, name)
            if theirs is None:
                continue
            node = self.reader.location(theirs.schema, theirs.place)
            if keyword == "allOf":
                if self._may_break(state, node):
                    visit.below.append(([self._visit(writer, theirs, visit)], None))
                continue
            asked = (
                self.reader.pool.make(Property, name, node)
                if keyword == "properties"
                else self.reader.location({keyword: {name: theirs.schema}}, theirs.place)
            )
            if not self._may_break(state, asked):
                continue
            ours = writer.inside(keyword, name)
            rule = "property-constrained" if keyword == "properties" else "pattern-properties-changed"
            before = ABSENT if ours is None else ours.schema
            add = partial(self._add, rule, visit, (keyword, name), (keyword, name), before, theirs.schema)
            if ours is None:
                add()
            else:
                visit.below.append(([self._visit(ours, theirs, visit)], add))

    def _explain_keyword(self, keyword: str, value: Any, state: Node, visit: _Visit) -> None:
        writer, reader = visit.writer, visit.reader
        if keyword == "required":
            for name in value:
                if self._may_break(state, self.reader.location({"required": [name]}, reader.place)):
                    self._add("required-property-added", visit, ("properties", name), ("required",), ABSENT, name)
            return
        ours = writer.schema.get(keyword, ABSENT) if isinstance(writer.schema, dict) else ABSENT
        if ours is not ABSENT and identity(ours) == identity(value):
            keyword = self._changed_beside(keyword, state, visit)
            ours, value = writer.schema.get(keyword, ABSENT), reader.schema.get(keyword, ABSENT)
        rule, before, after = keyword_rules.named(keyword, ours, value, writer.schema)
        if keyword == "oneOf" and not self._may_break(state, self.reader.location({"anyOf": value}, reader.place)):
            rule = "alternatives-overlap"
        elif keyword in ("anyOf", "oneOf") and self._explain_alternatives(keyword, state, visit):
            return
        path = (keyword,) if ours is not ABSENT else ()
        add = partial(self._add, rule, visit, path, (keyword,), before, after)
        inside = ("items", "additionalProperties", "prefixItems")
        group = self._inside(keyword, value, visit) if keyword in inside else []
        if group:
            visit.below.append((group, add))
        else:
            add()

    def _changed_beside(self, keyword: str, state: Node, visit: _Visit) -> str:
        """Where a keyword reads the same on both sides: the neighbour by whose change the reader may break."""
        writer, reader = visit.writer.schema, visit.reader.schema
        together = _TOGETHER.get(keyword, ()) if keyword != "additionalProperties" else ()
        for name in together:
            if writer.get(name, ABSENT) != reader.get(name, ABSENT):
                sides = [(each, reader if each == name else writer) for each in (keyword, *together)]
                fragment = {each: side[each] for each, side in sides if each in side}
                if self._may_break(state, self.reader.location(fragment, visit.reader.place)):
                    return name
        return keyword

    def _explain_alternatives(self, keyword: str, state: Node, visit: _Visit) -> bool:
        """Explain each of the writer's alternatives that may break by the reader's that is meant to read it.

        Gives whether the writer has alternatives, and one of them alone may break.
        """
        writer, reader, pool = visit.writer, visit.reader, self.writer.pool
        schema: dict[str, Any] = writer.schema if isinstance(writer.schema, dict) else {}
        own = next((each for each in (keyword, "oneOf", "anyOf") if each in schema), None)
        if own is None:
            return False
        theirs = [
            spot for pointer_to in range(len(reader.schema[keyword])) if (spot := reader.inside(keyword, pointer_to))
        ]
        tags = [self._tag(spot, self.reader) for spot in theirs]
        whole = self.reader.location({"anyOf": reader.schema[keyword]}, reader.place)
        found = False
        for pointer_to in range(len(schema[own])):
            ours = writer.inside(own, pointer_to)
            sent = pool.nothing if ours is None else self.writer.in_place(ours.schema, ours.place, closed=False)
            if ours is None or not self._may_break(pool.all_of([state, sent]), whole):
                continue
            found, tag = True, self._tag(ours, self.writer)
            alike = [spot for spot, other in zip(theirs, tags, strict=True) if tag and other == tag]
            alike = alike or [spot for spot in theirs if self._may_be_read(sent, spot)]
            if len(alike) == 1:
                below = self._visit(ours, alike[0], visit, _told(tag))
                visit.below.append(([below], partial(self._add, "not-included", below, (), (), ABSENT, ABSENT)))
            elif tag and all(tags):
                self._add("alternative-removed", visit, (own, pointer_to), (keyword,), tag, tags)
            else:
                self._add(
                    "alternative-removed", visit, (own, pointer_to), (keyword,), ours.schema, reader.schema[keyword]
                )
        return found

    def _may_be_read(self, sent: Node, spot: Spot) -> bool:
        read = self.reader.in_place(spot.schema, spot.place, closed=False)
        return not self.solver.solve([(sent, True), (read, True)]).is_empty

    def _tag(self, spot: Spot, compiler: Compiler) -> dict[str, str]:
        """What tells an alternative from others: its properties with one text only."""
        schema = self._followed(spot, compiler).schema
        members = schema.get("properties", {}) if isinstance(schema, dict) else {}
        values = {
            name: member.get("enum", [member["const"]] if "const" in member else [])
            for name, member in members.items()
            if isinstance(member, dict)
        }
        return {name: texts[0] for name, texts in values.items() if len(texts) == 1 and isinstance(texts[0], str)}

    def _inside(self, keyword: str, value: Any, visit: _Visit) -> list[_Visit]:
        """The pairs below a keyword on both sides of which the reader may reject what the writer sends."""
        paths: list[tuple[str | int, ...]] = (
            [(keyword, pointer_to) for pointer_to in range(len(value))] if isinstance(value, list) else [(keyword,)]
        )
        found = []
        for path in paths:
            ours, theirs = visit.writer.inside(*path), visit.reader.inside(*path)
            if ours is None or theirs is None or theirs.schema is False:
                continue
            if self._may_break(
                self.writer.location(ours.schema, ours.place),
                self.reader.location(theirs.schema, theirs.place),
            ):
                found.append(self._visit(ours, theirs, visit))
        return found

    def _add(
        self, rule: str, visit: _Visit, writer_path: tuple[str | int, ...],
        reader_path: tuple[str | int, ...], before: Any, after: Any,
    ) -> None:  # fmt: skip
        _explain_upwards(visit)
        writer, reader = visit.writer, visit.reader
        there = (
            writer.pointer_to(*writer_path) if _value_at(writer.schema, writer_path) is not ABSENT else writer.pointer
        )
        here = (
            reader.pointer_to(*reader_path) if _value_at(reader.schema, reader_path) is not ABSENT else reader.pointer
        )
        reason = replace(reason_for(rule, there, here, before, after), alternative=visit.alternative)
        self.found.setdefault((rule, reason.writer_pointer, repr(reason.reader_pointer) + repr(after)), reason)


def _explain_upwards(visit: _Visit) -> None:
    """Take a visit for explained, and every visit that led to it."""
    todo = [visit]
    while todo:
        explained = todo.pop()
        if not explained.explained:
            explained.explained = True
            todo += explained.above


def _told(tag: dict[str, str]) -> str:
    return ", ".join(f"{name}: {json.dumps(text, ensure_ascii=False)}" for name, text in tag.items())


def reason_for(rule: str, writer_pointer: str, reader_pointer: str, before: Any, after: Any) -> Incompatibility:
    """Return one incompatibility, with its sentence."""
    change = keyword_rules.change(before, after)
    sentence = f"{RULES[rule].explanation[:-1]}: {change}." if change else RULES[rule].explanation
    return Incompatibility(rule, writer_pointer, reader_pointer, before, after, sentence)


def from_errors(errors: list[Any], writer: Any, reader: Any) -> Iterator[Incompatibility]:
    """Yield reasons from a validator's errors about the witness: less precise, and always there."""
    for error in errors:
        path = tuple(error.schema_path)
        keyword = next((str(token) for token in reversed(path) if isinstance(token, str)), "")
        ours = _value_at(writer, path)
        theirs = _value_at(reader, path)
        rule, before, after = "nothing-accepted", ours, theirs  # a schema `false`, whatever name it stands under
        if error.kind.name != "falseSchema":
            rule, before, after = keyword_rules.named(keyword, ours, theirs, writer)
        pointer = "".join("/" + escape(str(token)) for token in path)
        yield reason_for(rule, pointer if ours is not ABSENT else "", pointer, before, after)


def _value_at(schema: Any, path: tuple[str | int, ...]) -> Any:
    """What stands at a path, `ABSENT` where nothing does."""
    for token in path:
        named = isinstance(schema, dict) and token in schema
        counted = isinstance(schema, list) and isinstance(token, int) and token < len(schema)
        if not (named or counted):
            return ABSENT
        schema = schema[token]
    return schema
