"""A schema for what was seen. Below a number of messages it makes the wider choice, and says how to narrow it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from contract_test.data.texts import counted
from contract_test.infer.enums import MAX_CODES, MIN_PER_CODE, are_codes
from contract_test.infer.evidence import MIN_MESSAGES, MIN_VALUES, DeclaredFields, is_settled_format
from contract_test.infer.hints import number_hint, text_hint
from contract_test.infer.objects import Names, may_be_keys, names_of
from contract_test.infer.profile import KINDS, Place
from contract_test.infer.tags import set_tag
from contract_test.infer.views import Steps, Views
from contract_test.schema.walk import escape

SAFE = 2**53 - 1
EMPTY = '""'
"""The JSON pointer to the whole message, as one writes it in a shell."""


@dataclass(frozen=True)
class Evidence:
    """What one conclusion rests on. `sure` is False if the wider choice was made; `option` is what narrows it.

    `about` is one of required, optional, null, type, format, bounds, enum, map, tag, items.
    """

    pointer: str
    about: str
    sentence: str
    seen: int
    messages: int
    sure: bool
    option: str = ""


class Description:
    """Makes a schema of a profile, and collects what each part of it rests on."""

    def __init__(self, views: Views, declared: DeclaredFields) -> None:
        self._views, self._declared = views, declared
        self._merged: dict[int, Place] = {}
        self._definitions: dict[str, Any] = {}
        self._described: set[str] = set()
        self._capitals = False
        self._nullable_kinds: set[str] = set()
        self._known: set[str] = set()
        self._messages = 0
        self.remarks: list[tuple[str, str]] = []
        self.evidence: list[Evidence] = []

    def of_root(self, root: Place, place: str) -> dict[str, Any]:
        """Return the schema of a message, with definitions if shapes are repeated in it."""
        self._messages = root.messages
        objects = [root, *root.branches.values()]
        names = [name for each in objects for name in each.children]
        self._capitals = sum(name[:1].isupper() for name in names) * 2 > len(names)
        self._find_names(root)
        schema = self._describe(root, place)
        if self._definitions:
            schema["$defs"] = dict(sorted(self._definitions.items()))
        return schema

    def _find_names(self, root: Place) -> None:
        """Find the names that most objects somewhere have: they are fields, wherever else they occur."""
        pending = [root]
        while pending:
            place = pending.pop()
            total = place.kinds.get("object", 0)
            for name, child in place.children.items():
                if child.values * 2 > total > 1:
                    self._known.add(name)
                if "null" in child.kinds:
                    self._nullable_kinds |= child.kind_set or {"string"}  # the type of most fields that are null
            pending += [*place.children.values(), *place.branches.values()]
            pending += [each for each in (place.items, place.rest) if each is not None]

    def _one(self, group: int) -> Place:
        """Return the places of a group as one."""
        if group not in self._merged:
            members = self._views.members(group)
            if len(members) == 1:
                self._merged[group] = members[0]
            else:
                made = self._merged[group] = Place()
                for each in members:
                    made.merge_own(each)
                for edge, child in self._views.inside(group).items():
                    self._link(made, members, edge, child)
        return self._merged[group]

    def _link(self, made: Place, members: Sequence[Place], edge: str, child: Place) -> None:
        """Put a place into one that stands for several: it counts what is in these, and nowhere else."""
        if edge == "[]":
            made.items = child
        elif edge == "*":
            made.rest = child
        elif edge[0] == "=":
            made.branches[edge[1:]] = child
        else:
            name = edge[1:]
            inside = made.children[name] = Place()
            for each in members:
                if name in each.children:
                    inside.merge_own(each.children[name])
            inside.children, inside.items = child.children, child.items
            self._views.register(inside, self._views.group(child))

    def _describe(self, place: Place, pointer: str) -> dict[str, Any]:
        group = self._views.group(place)
        name = self._views.names.get(group)
        if name is None:
            return self._schema(self._one(group), pointer)
        if name not in self._described:
            self._described.add(name)
            others = counted(len(self._views.steps(group)) - 1, "other place")
            if len(self._views.steps(group)) > 1:
                self.remarks.append((pointer, f"and {others} share #/$defs/{name}"))
            self._definitions[name] = self._schema(self._one(group), pointer)
        return {"$ref": f"#/$defs/{name}"}

    def _schema(self, place: Place, pointer: str) -> dict[str, Any]:
        kinds = place.kinds
        if kinds.keys() <= {"null"}:
            if kinds:
                self._say(pointer, "type", "only null was seen, so any value is valid", place.messages, sure=False)
            return {}
        if place.branches:
            return self._alternatives(place, pointer)
        return self._typed(place, pointer) | self._details(place, pointer)

    def _typed(self, place: Place, pointer: str, *, without: str = "") -> dict[str, Any]:
        kinds = [
            kind
            for kind in KINDS
            if kind in place.kinds and kind != without and not (kind == "integer" and "number" in place.kinds)
        ]
        if "null" not in kinds and self._may_be_null(place, pointer):
            kinds.append("null")
        return {"type": kinds[0] if len(kinds) == 1 else kinds} if kinds else {}

    def _may_be_null(self, place: Place, pointer: str) -> bool:
        """Return True if null was not seen in few messages, and other fields of this type are null sometimes."""
        if (
            not pointer
            or self._nullable_kinds.isdisjoint(place.kind_set)
            or place.messages >= MIN_VALUES
            or self._declared.is_as_seen(pointer)
        ):
            return False
        self._say(pointer, "null", "never null: too few to know", place.messages, sure=False, option="--as-seen")
        return True

    def _details(self, place: Place, pointer: str) -> dict[str, Any]:
        made: dict[str, Any] = {}
        if "object" in place.kinds:
            made |= self._object(place, pointer)
        if "array" in place.kinds:
            made |= self._array(place, pointer)
        if "string" in place.kinds:
            made |= self._text(place, pointer)
        if "integer" in place.kinds and "number" not in place.kinds:
            made |= self._bounds(place, pointer)
        return made

    def _array(self, place: Place, pointer: str) -> dict[str, Any]:
        if place.items is None:
            self._say(pointer, "items", "only empty arrays were seen, so any item is valid", place.messages, sure=False)
            return {}
        return {"items": self._describe(place.items, f"{pointer}/*")}

    def _object(self, place: Place, pointer: str, shared: Collection[str] = (), messages: int = 0) -> dict[str, Any]:
        """Describe objects. Of alternatives, all have the `shared` fields, in so many messages."""
        names = names_of(place, pointer, self._declared, self._known, capitals=self._capitals)
        if pointer and pointer not in self._declared.objects and may_be_keys(place, names):
            sentence = (
                f"its {len(names.fields)} names differ from object to object, and may be keys, such as people's names"
            )
            self._say(pointer, "map", sentence, place.object_messages, sure=False, option="--map")
        made: dict[str, Any] = {}
        required = [
            name
            for name in names.fields
            if self._is_required(place, name, pointer, messages if name in shared else place.object_messages)
        ]
        if required:
            made["required"] = required
        if names.fields:
            made["properties"] = {
                name: self._describe(place.children[name], f"{pointer}/{escape(name)}") for name in names.fields
            }
        return made | self._keys(place, names, pointer)

    def _is_required(self, place: Place, name: str, pointer: str, messages: int) -> bool:
        """Return True if all objects have a field, in enough messages. Say so where there are too few of them."""
        child, total = place.children[name], place.kinds["object"]
        inner = f"{pointer}/{escape(name)}"
        if child.values < total:
            self._say(inner, "optional", f"optional, in {child.values} of {total} objects", child.messages)
            return False
        enough = messages >= MIN_MESSAGES
        if enough or inner in self._declared.required or self._declared.is_as_seen(inner):
            self._say(inner, "required", "required", messages)
            return True
        self._say(inner, "required", "in all, and yet optional: too few to know", messages, sure=False,
                  option="--required")  # fmt: skip
        return False

    def _keys(self, place: Place, names: Names, pointer: str) -> dict[str, Any]:
        """Describe the names that are data: those of a map, or those of a form that fields do not have."""
        made: dict[str, Any] = {}
        if names.patterns:
            made["patternProperties"] = {
                pattern: self._describe_together(place, of_pattern, pointer)
                for pattern, of_pattern in names.patterns.items()
            }
            count = sum(map(len, names.patterns.values()))
            described = "may be data, described by their form. To show one, add --field POINTER"
            self.remarks.append((pointer, f"has {counted(count, 'name')} that {described}"))
        elif names.why:
            made["additionalProperties"] = self._describe_together(place, tuple(names.keys), pointer) or dict(ANY_VALUE)
            kind = "a map" if not names.fields else f"a map with {counted(len(names.fields), 'field')}"
            undo = "" if pointer in self._declared.maps else f". If it is none, add --object {pointer or EMPTY}"
            self._say(pointer, "map", f"{kind}, because {names.why}{undo}", place.object_messages, option="--object")
        return made

    def _describe_together(self, place: Place, names: tuple[str, ...], pointer: str) -> dict[str, Any]:
        together = Place()
        places = [place.children[name] for name in names] + ([place.rest] if place.rest is not None else [])
        for group in dict.fromkeys(map(self._views.group, places)):
            for each in self._views.members(group):  # one of them alone may lack what is inside the others
                together.merge(each)
        views = Views(together, definitions=self._views.definitions)
        inner = Description(views, self._declared)
        inner._capitals, inner._nullable_kinds, inner._known = self._capitals, self._nullable_kinds, self._known
        inner._messages = self._messages
        taken = set(self._views.names.values())
        views.rename(taken | self._described)
        schema = inner._describe(together, f"{pointer}/*")
        self._described |= inner._described
        self._definitions |= inner._definitions
        self.remarks += inner.remarks
        self.evidence += inner.evidence
        return schema

    def _alternatives(self, place: Place, pointer: str) -> dict[str, Any]:
        kind, tag = place.tag.kind, place.tag.path
        at = pointer + "".join(f"/{escape(step)}" for step in tag)
        texts = [text for text in place.branches if text]
        shared = {
            name
            for name in set.intersection(*(set(each.children) for each in place.branches.values()))
            if all(each.children[name].values == each.kinds.get("object", 0) for each in place.branches.values())
        }
        others_rule = {"type": kind, "not": {"enum": [place.tag.constant(text) for text in texts]}}
        made: list[dict[str, Any]] = []
        for text, branch in place.branches.items():
            one = self._one(self._views.group(branch))
            schema = {"type": "object"} | self._object(one, pointer, shared, place.object_messages)
            rule = {"const": place.tag.constant(text)} if text else others_rule
            set_tag(schema, tag, rule, required=bool(text) or _always(one, tag))
            made.append(schema)
        others = {kind: count for kind, count in place.kinds.items() if kind != "object"}
        if others:
            made.append(self._typed(place, pointer, without="object") | self._others(place, pointer))
        rest = f" The other {counted(place.branches[''].values, 'object')} are one more" if "" in place.branches else ""
        least = min(place.branches[text].messages for text in texts) if texts else 0
        self.remarks.append(
            (at, f"is the tag of {len(texts)} alternatives. Its values are in the schema{rest and '.'}{rest}")
        )
        self._say(at, "tag", f"tag of {len(texts)} alternatives, the rarest in {counted(least, 'message')}", least)
        return made[0] if len(made) == 1 else {"oneOf": made}

    def _others(self, place: Place, pointer: str) -> dict[str, Any]:
        other = Place()
        other.merge_own(place)
        other.kinds.pop("object")
        other.items = place.items
        return self._details(other, pointer)

    def _text(self, place: Place, pointer: str) -> dict[str, Any]:
        alone = place.kinds.keys() <= {"string", "null"}
        if pointer in self._declared.enums:
            return self._enum(place, pointer, alone=alone)
        name = pointer.rstrip("/*").rpartition("/")[2]
        if place.formats:
            form, distinct = place.formats[0], len(place.texts)
            if is_settled_format(form, name, distinct) or self._declared.is_as_seen(pointer):
                self._say(pointer, "format", f"{form}, as all {counted(distinct, 'text')} are", place.messages)
                return {"format": form}
            self._say(pointer, "format", f"{form}? Too few different texts, and no name that fits", place.messages,
                      sure=False, option="--as-seen")  # fmt: skip
        elif (hint := text_hint(place.texts, name)) is not None:
            self.remarks.append((pointer, hint))
        if alone and are_codes(place.texts, masked=place.masked) and len(place.texts) > 1 and _is_settled(place):
            sentence = f"has only {len(place.texts)} values. If it is an enum, add --enum {pointer}"
            self.remarks.append((pointer, sentence))
            self._say(pointer, "enum", f"only {len(place.texts)} texts", place.messages, sure=False, option="--enum")
        return {}

    def _enum(self, place: Place, pointer: str, *, alone: bool) -> dict[str, Any]:
        if not alone or place.masked or not are_codes(place.texts, masked=place.masked):
            self.remarks.append(
                (pointer, f"is not an enum, which takes {MIN_PER_CODE} of each value, and at most {MAX_CODES}")
            )
            return {}
        distinct = sorted(place.texts)
        if len(distinct) == 1:
            return {}
        self.remarks.append((pointer, f"is an enum of {len(distinct)} values, which are in the schema"))
        self._say(pointer, "enum", f"{len(distinct)} texts", place.messages)
        nullable = "null" in place.kinds or self._may_be_null(place, pointer)
        return {"enum": [*distinct, None] if nullable else distinct}

    def _bounds(self, place: Place, pointer: str) -> dict[str, int]:
        """Return what every reader can hold; from zero where many messages show that there are no others."""
        made = {}
        if place.low >= -SAFE:
            enough = place.kinds["integer"] >= MIN_VALUES and place.messages >= MIN_MESSAGES
            made["minimum"] = 0 if place.low >= 0 and enough else -SAFE
            if place.low >= 0:
                sentence = "never negative" if enough else "never negative: too few to know"
                self._say(pointer, "bounds", sentence, place.messages, sure=enough)
        if place.high <= SAFE:
            made["maximum"] = SAFE
        name = pointer.rstrip("/*").rpartition("/")[2]
        if (hint := number_hint(place.low, place.high, name)) is not None:
            self.remarks.append((pointer, hint))
        return made

    def _say(self, pointer: str, about: str, sentence: str, seen: int, *, sure: bool = True, option: str = "") -> None:
        self.evidence.append(Evidence(pointer, about, sentence, seen, self._messages, sure, option))


ANY_VALUE = {"type": [kind for kind in KINDS if kind != "integer"]}
"""A schema for the values of a map that may be anything. `{}` would not declare the keys."""


def _is_settled(place: Place) -> bool:
    """Return True if there are many strings and the second half has none that the first half lacks."""
    return place.kinds["string"] >= MIN_VALUES and place.new_at <= place.kinds["string"] // 2


def _always(place: Place, tag: Steps) -> bool:
    for step in tag:
        child = place.children.get(step)
        if child is None or child.values < place.kinds.get("object", 0):
            return False
        place = child
    return True
