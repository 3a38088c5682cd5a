"""From a contract's schema to the plan of its module: which classes there are, and the types of their fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from contract_test.generate import plan as p
from contract_test.generate.alternatives import ANYTHING, Alternative, Composed, Position, Reader, is_aside
from contract_test.generate.annotations import class_text, short_title
from contract_test.generate.arguments import open_map
from contract_test.generate.defaults import Defaults
from contract_test.generate.drafts import Choice, Draft
from contract_test.generate.entries import parts_in, whole_entry
from contract_test.generate.finished import Finisher
from contract_test.generate.naming import definition_name, file_name, in_order
from contract_test.generate.objects import ObjectShape, is_impossible, object_shape, says_nothing
from contract_test.generate.plan import Attribute, General, ModulePlan, Named, Type, ValueClass, has_decimals
from contract_test.generate.reasons import (
    NO_KEYWORD,
    WHY_FIELD,
    WHY_ITEM,
    general_reason,
    untyped_reason,
    why_free,
    why_others,
)
from contract_test.generate.scalars import is_any_scalar, scalar_types
from contract_test.generate.shapes import array_shape
from contract_test.generate.undeclared import keeps_undeclared
from contract_test.generate.unions import Form, Group, by_fields, by_tag, is_class, merged
from contract_test.schema.keywords import telling_keywords
from contract_test.schema.names import class_identifier, literal, unused
from contract_test.schema.sources import ALL_TYPES, dict_in
from contract_test.schema.walk import Node, References

MAX_MIXTURES = 400
"""How many combinations of schemas get a class of their own: there can be exponentially many."""
MAX_CONJUNCTIONS = 1024
"""How many combinations of schemas one value may have."""


def plan_module(
    resources: Mapping[str, Any], uri: str, name: str, taken: frozenset[str], prefix: str, *, snake_case: bool = False
) -> ModulePlan:
    """Return the plan of a contract's module, the message's own class last.

    `name` is the message's class, `taken` the names that a class or a field may not have. `prefix` begins the keys of
    this module's classes. With `snake_case`, a field `orderId` is `order_id` in Python.
    """
    return _Planner(References(resources, uri), resources, taken, prefix, snake_case=snake_case).plan(name)


class _Planner:
    def __init__(
        self,
        references: References,
        resources: Mapping[str, Any],
        taken: frozenset[str],
        prefix: str,
        *,
        snake_case: bool,
    ) -> None:
        self._snake_case = snake_case
        self._references, self._resources = references, resources
        self._reader = Reader(references, keeps_undeclared(references, resources))
        self._reserved, self._taken = taken, set(taken)
        self._prefix = prefix
        self._drafts: dict[object, Draft] = {}
        self._waiting: list[Draft] = []
        self._named: dict[object, Named] = {}
        self._choices: dict[object, Choice] = {}
        self._entries: dict[Node, Type] = {}
        self._general: list[General] = []
        self._untyped: list[General] = []
        self._open: list[Position] = []
        self._mixtures = 0
        self._values = self._keys = 0

    def plan(self, name: str) -> ModulePlan:
        self._taken.add(name)
        position: Position = ((self._references.root,),)
        root = self._root_class(position, name)
        own: list[ValueClass] = []
        if root is not None and root.name != name:
            own.append(ValueClass(self._key(), name, root.name, "", (), text=class_text(self._references.root)))
        elif root is None:
            type_ = self._type(position, "Root", (name, ""))
            attribute = Attribute("root", "root", type_, required=True)
            own.append(
                ValueClass(self._key(), name, "RootValue", "", (attribute,), text=class_text(self._references.root))
            )
        while self._waiting:
            self._fill(self._waiting.pop())
        named = list(self._named.values())
        drafts, choices = list(self._drafts.values()), list(self._choices.values())
        defaults = Defaults(self._reader, self._resources, drafts, named, choices)
        finisher = Finisher(
            self._reader, frozenset(self._taken | self._reserved), defaults, snake_case=self._snake_case
        )
        classes = [*map(finisher.value_class, drafts)]
        fields = {each.name: (*each.attributes, *open_map(each)) for each in classes}
        classes += [replace(each, inherited=fields.get(each.base, ())) for each in own]
        markers = {choice.key: finisher.marker(choice) for choice in choices}
        named = [replace(each, marker=markers.get(each.key, each.marker)) for each in named]
        if any(map(has_decimals, classes)) or any(map(has_decimals, named)):
            classes = [replace(each, decimals=True) for each in classes]
        parts = in_order([*classes, *named], own[0].key if own or root is None else root.key)
        return ModulePlan(parts, tuple(dict.fromkeys(self._general)), self._values, tuple(self._untyped))

    def _key(self) -> str:
        self._keys += 1
        return f"{self._prefix}{self._keys}"

    def _root_class(self, position: Position, name: str) -> Draft | None:
        alternatives = self._reader.alternatives(position)
        if any(each.types != {"object"} for each in alternatives):
            return None
        objects = self._objects(alternatives)
        if not objects or not is_class(objects):
            return None
        if len(objects) > 1 and (by_tag(self._reader, objects) or len(by_fields(self._reader, objects)) > 1):
            return None
        node = self._place(objects)
        if node is not None and (definition_name(node.location) or self._is_another_file(node)):
            return self._draft(objects, file_name(node.location))
        return self._draft(objects, "", name)

    def _is_another_file(self, node: Node) -> bool:
        document, _, pointer = node.location.partition("#")
        return document != self._references.uri and not pointer

    def _objects(self, alternatives: Sequence[Alternative]) -> Group:
        objects = [(each, object_shape(self._reader, each)) for each in alternatives if "object" in each.types]
        return [(each, shape) for each, shape in objects if not is_impossible(self._reader, shape)]

    # Types

    def _type(self, position: Position, hint: str, where: tuple[str, str], why: str = NO_KEYWORD) -> Type:
        """Return the type of the values at a position. `where` is the class that holds them, and a pointer from it.

        `why` says why the position may be one that no schema describes.
        """
        self._values += 1
        return self._unless_open(position, hint, where, why)

    def _unless_open(self, position: Position, hint: str, where: tuple[str, str], why: str) -> Type:
        if len(position) > MAX_CONJUNCTIONS:
            return self._json(where, f"there are more than {MAX_CONJUNCTIONS} alternatives")
        if position in self._open:
            return self._json(where, "the schema refers to itself without a class in between")
        self._open.append(position)
        try:
            return self._of(position, hint, where, why)
        finally:
            self._open.pop()

    def _json(self, where: tuple[str, str], reason: str) -> Type:
        self._general.append(General(*where, reason))
        return p.JSON

    def _of(self, position: Position, hint: str, where: tuple[str, str], why: str) -> Type:
        alternatives = self._reader.alternatives(position)
        if not alternatives:
            return self._json(where, "no value is valid")
        if any(says_nothing(each) for each in alternatives):
            return self._json(where, general_reason(self._reader, position, why))
        whole = whole_entry(self._reader, alternatives)
        if whole is not None and position != ((whole,),):
            type_ = self._entry(whole, where, why)
            return p.or_none(type_) if any(each.types == {"null"} for each in alternatives) else type_
        parts = parts_in(self._reader, alternatives, whole)
        taken = [each for part in parts for each in part.alternatives]
        rest = [each for each in alternatives if each not in taken]
        described = self._described(rest, hint, where)
        if described is None:
            return self._json(where, general_reason(self._reader, position, why))
        type_ = p.one_of([*(self._entry(part.entry, where, why) for part in parts), described])
        return self._alias(whole, type_) if whole is not None and self._is_worth_a_name(type_) else type_

    def _entry(self, entry: Node, where: tuple[str, str], why: str) -> Type:
        """Return the type of an entry of `$defs`: it is planned once, and named after the entry."""
        if entry not in self._entries:
            type_ = self._unless_open(((entry,),), definition_name(entry.location), where, why)
            if ((entry,),) in self._open:  # it refers to itself
                return type_
            self._entries[entry] = type_
        return self._entries[entry]

    def _described(self, alternatives: Sequence[Alternative], hint: str, where: tuple[str, str]) -> Type | None:
        """Return the type of some alternatives, or None if they allow any value."""
        objects = self._objects(alternatives)
        arrays = [array_shape(self._reader, each) for each in alternatives if "array" in each.types]
        types = frozenset().union(*(each.types for each in alternatives))
        fields = any(is_class([each]) or each[1].others.typed not in (None, ANYTHING) for each in objects)
        items = any(array.items != ANYTHING or array.fixed for array in arrays)
        if types == ALL_TYPES and not (fields or items):
            return None
        members: list[Type] = []
        scalars = scalar_types(alternatives)
        if fields and not items and types == ALL_TYPES and is_any_scalar(scalars):
            self._untyped.append(General(*where, untyped_reason(self._reader, alternatives)))
            return p.one_of([self._object(objects, hint, where), p.NOT_AN_OBJECT])
        if objects:
            members.append(self._object(objects, hint, where))
        if arrays:
            members += self._arrays(arrays, hint, where)
        members += [self._exact(each) for each in scalars]
        return p.one_of(members)

    def _arrays(self, arrays: list[Any], hint: str, where: tuple[str, str]) -> list[Type]:
        fixed = {len(array.fixed): array.fixed for array in arrays if array.fixed is not None}
        if len(fixed) == len(arrays):
            return [
                p.fixed_array_of(
                    [self._type(item, hint, (where[0], f"{where[1]}/{place}")) for place, item in enumerate(items)]
                )
                for items in fixed.values()
            ]
        items = dict.fromkeys(
            conjunction for array in arrays for position in (array.fixed or (array.items,)) for conjunction in position
        )
        return [p.array_of(self._type(tuple(items), hint, (where[0], f"{where[1]}/*"), WHY_ITEM))]

    def _exact(self, type_: Type) -> Type:
        """Let `1.0` pass where a listed number is `1`: they are the same in JSON."""
        if not any(isinstance(value, int) and not isinstance(value, bool) for value in type_.get("enum", ())):
            return type_
        values = repr(type_["enum"])
        if values not in self._named:
            self._named[values] = Named(self._key(), "", type_, "JsonEqual")
        return p.reference(self._named[values].key)

    def _object(self, objects: Group, hint: str, where: tuple[str, str]) -> Type:
        if not is_class(objects):
            return self._map(merged(objects), hint, where)
        if len(objects) > 1:
            tagged = by_tag(self._reader, objects)
            if tagged is not None:
                tag, groups, simple = tagged
                parts = [(f"{hint} {title}", group) for title, group in groups]
                return self._union(parts, tag, simple=simple, where=where)
            apart = by_fields(self._reader, objects)
            if len(apart) > 1:
                parts = [(hint, group) for group, _ in apart]
                return self._union(parts, None, simple=False, where=where, forms=[forms for _, forms in apart])
        draft = self._draft(objects, hint)
        return p.reference(draft.key) if draft else self._json(where, "there are too many combinations of schemas")

    def _map(self, shape: ObjectShape, hint: str, where: tuple[str, str]) -> Type:
        position = shape.others.typed or ANYTHING
        values = p.map_of(self._type(position, hint, (where[0], f"{where[1]}/*"), why_others(shape)))
        patterns = shape.others.patterns
        if shape.closed or not patterns:
            return values
        identity = (repr(values), patterns)
        if identity not in self._named:
            marker = f"Matching({', '.join(map(literal, patterns))})"
            self._named[identity] = Named(self._key(), "", values, marker)
        return p.reference(self._named[identity].key)

    def _union(
        self,
        parts: list[tuple[str, Group]],
        tag: str | None,
        *,
        simple: bool,
        where: tuple[str, str],
        forms: Sequence[tuple[Form, ...]] = (),
    ) -> Type:
        drafts = [self._draft(group, hint) for hint, group in parts]
        known = [draft for draft in drafts if draft is not None]
        if len(known) < len(drafts):
            return self._json(where, "there are too many combinations of schemas")
        unique = list({draft.key: draft for draft in known}.values())
        forms_of: dict[str, list[Form]] = {}
        for draft, each in zip(known, forms, strict=False):
            forms_of.setdefault(draft.key, []).extend(each)
        if len(unique) == 1:
            return p.reference(unique[0].key)
        identity = (tag, tuple(draft.key for draft in unique))
        if identity not in self._choices:
            made = Named(self._key(), "", p.one_of([p.reference(draft.key) for draft in unique]))
            self._named[identity] = made
            self._choices[identity] = Choice(made.key, tag, simple, unique, list(forms_of.values()))
        return p.reference(self._choices[identity].key)

    def _alias(self, entry: Node, type_: Type) -> Type:
        wanted = class_identifier(definition_name(entry.location)) or "Choice"
        name = unused(wanted, self._taken, "")
        self._taken.add(name)
        self._named[entry] = Named(self._key(), name, type_)
        return p.reference(self._named[entry].key)

    def _is_worth_a_name(self, type_: Type) -> bool:
        """Return whether an entry of `$defs` becomes a name: listed values, a list, a map, or a union of several."""
        types = {each.key: each.type for each in self._named.values()}
        members = [each for each in p.resolved(type_, types) if each not in (p.NOTHING, p.NOT_AN_OBJECT)]
        return len(members) > 1 or any("enum" in each or p.is_container(each) for each in members)

    # Classes

    def _draft(self, group: Group, hint: str, name: str = "") -> Draft | None:
        """Return the class of some alternatives: the known one, or a new one with a name of its own."""
        node = self._place(group)
        identity = node.location if node else frozenset(map(_telling_places, group))
        known = self._drafts.get(identity)
        if known is not None:
            return known
        self._mixtures += node is None
        if self._mixtures > MAX_MIXTURES:
            return None
        aside = any(is_aside(each) for alternative, _ in group for each in alternative.nodes)
        shape = merged(self._objects(self._reader.alternatives(((node,),))) if node and aside else group)
        title = node or next((each for each in reversed(group[0][0].nodes) if not isinstance(each, Composed)), None)
        if not name:
            wanted = class_identifier(definition_name(node.location)) if node else ""
            wanted = wanted or class_identifier(short_title(self._reader, title)) or class_identifier(hint) or "Part"
            name = unused(wanted, self._taken, "")
            self._taken.add(name)
        within = None if node else self._pointer(self._place(group, exactly=False))
        draft = Draft(self._key(), name, self._pointer(node), shape, title, within)
        self._drafts[identity] = draft
        self._waiting.append(draft)
        return draft

    def _pointer(self, node: Node | None) -> str | None:
        if node is None:
            return None
        document, _, pointer = node.location.partition("#")
        return (
            pointer
            if document == self._references.uri and (pointer or node == self._references.root)
            else node.location
        )

    def _place(self, group: Group, *, exactly: bool = True) -> Node | None:
        """Return the one schema that says all that some alternatives say: the last of those on the way.

        If not `exactly` these, it may have other alternatives, too.
        """
        wanted = frozenset(map(_telling_places, group))
        others = [frozenset(node.location for node in each.path) for each, _ in group[1:]]
        for node in reversed(group[0][0].path):
            shared = all(node.location in path for path in others) and not isinstance(node, Composed)
            if shared and (self._says(node) == wanted if exactly else self._says(node) >= wanted):
                return node
        return None

    def _says(self, node: Node) -> frozenset[Any]:
        return frozenset(map(_telling_places, self._objects(self._reader.alternatives(((node,),)))))

    def _fill(self, draft: Draft) -> None:
        """Plan the types of a class's fields."""
        before, self._open = self._open, []
        for name, position in draft.shape.fields.items():
            draft.types[name] = self._type(position, name, (draft.name, f"/{name}"), WHY_FIELD)
        if draft.shape.others.typed is not None:
            why = why_others(draft.shape)
            draft.typed = self._type(draft.shape.others.typed, f"{draft.name}Value", (draft.name, "/*"), why)
            if draft.shape.others.free is not None:
                self._json((draft.name, "/*"), why_free(draft.shape))
        self._open = before


def _telling_places(part: tuple[Alternative, ObjectShape]) -> tuple[frozenset[str], frozenset[str]]:
    """Return what makes a class: the schemas that say more than `type: object`, and the names of the fields."""
    alternative, shape = part
    nodes = [node for node in alternative.nodes if not is_aside(node)]
    telling = [node for node in nodes if set(telling_keywords(node.schema)) - {"type", *_PASSED_ON}]
    declared = {name for node in nodes for name in dict_in(node.schema, "properties")}
    excluded = shape.never & declared if len(nodes) < len(alternative.nodes) else ()
    return frozenset(node.location for node in telling or nodes), frozenset((*shape.fields, *excluded))


_PASSED_ON = frozenset(("$ref", "allOf", "anyOf", "oneOf", "if", "then", "else"))
