"""What differs between two subschemas that say something of the same value: keyword by keyword.

What can be is a change of its own: a keyword, a name in `required`, a property, an alternative. What is inside of it is
left to the walk.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from contract_test.compare import alternatives, keyword_rules
from contract_test.compare.differences import Change, Spot, Walk
from contract_test.compare.string_membership import text_matches
from contract_test.compare.undoing import Patch, Path
from contract_test.compare.values import identity
from contract_test.data.verdict import ABSENT

# Inside these, more is less: what a change means is said of the keyword around it.
_TURNED = {
    "not": "exclusion-widened",
    "if": "condition-narrowed",
    "contains": "contains-changed",
    "propertyNames": "property-names-narrowed",
}
_ONE = ("items", "additionalItems", "additionalProperties", "unevaluatedItems", "unevaluatedProperties", "then", "else")
_NAMED = ("properties", "patternProperties", "dependentSchemas", "dependencies", "dependentRequired")
_PARTS = (
    "properties",
    "patternProperties",
    "additionalProperties",
    "unevaluatedProperties",
    "items",
    "additionalItems",
    "unevaluatedItems",
    "contains",
    "propertyNames",
)
"""Keywords whose schemas speak of a part of the value."""
_TUPLES = ("items", "prefixItems")


class SchemaPair:
    """One subschema of the writer and the one that reads it, and what differs between their own keywords."""

    def __init__(self, walk: Walk, writer: Spot, reader: Spot, alternative: str, rule: str) -> None:
        self.walk = walk
        self.writer = writer
        self.reader = reader
        self.alternative = alternative
        self.rule = rule
        self.newer, self.older = (reader, writer) if walk.newer == "reader" else (writer, reader)

    def look(self) -> None:
        """Add what differs to the walk."""
        keywords = self.walk.keywords(self.writer, self.reader)
        if ("anyOf" in keywords or "oneOf" in keywords) and self._unions():
            return
        if "enum" in keywords or "const" in keywords:
            self._values()
        for keyword in keywords:
            if keyword not in ("enum", "const", "anyOf", "oneOf"):
                self._keyword(keyword)

    def _keyword(self, keyword: str) -> None:
        ours, theirs = self.writer.get(keyword), self.reader.get(keyword)
        both = [value for value in (ours, theirs) if value is not ABSENT]
        if keyword == "$ref":
            self._reference()
        elif keyword == "required":
            self._required()
        elif keyword in _NAMED:
            self._named(keyword)
        elif keyword == "allOf" or (keyword in _TUPLES and all(isinstance(value, list) for value in both)):
            self._listed(keyword)
        elif isinstance(ours, dict) and isinstance(theirs, dict) and (keyword in _ONE or keyword in _TURNED):
            self._below(_TURNED.get(keyword, self.rule), keyword)
        elif keyword == "type" and _type_names(ours) == _type_names(theirs):
            pass
        elif ours is ABSENT or theirs is ABSENT or identity(ours) != identity(theirs):
            self._atomic(keyword, ours, theirs)

    def _below(self, rule: str, *path: str | int) -> None:
        step = path if path[0] in _PARTS else ()
        self.walk.visit(self.writer.inside(*path), self.reader.inside(*path), self.alternative, rule, step)

    def _add(
        self, rule: str, writer_path: Path, reader_path: Path, before: Any, after: Any, *patches: Patch,
        writer_schema: Any = ABSENT,
    ) -> None:  # fmt: skip
        there, here = self.writer.pointer_to(*writer_path), self.reader.pointer_to(*reader_path)
        rule = self.rule or rule
        self.walk.add(Change(rule, there, here, before, after, self.alternative, patches, writer_schema))

    def _set(self, *path: str | int, older: Any = None) -> Patch:
        """Put back what the older schema has at a path; the last step may be missing on either side."""
        value = self.older.schema if older is None else older
        if older is None:
            for step in path:
                value = value.get(step, ABSENT) if isinstance(value, dict) else ABSENT
        fragment, refers = self.walk.restored(value)
        return Patch(self.newer.document, (*self.newer.path, *path), "set", fragment, refers)

    def whole(self, rule: str, before: Any, after: Any) -> None:
        """Take the whole subschema for one change."""
        self._add(rule, (), (), before, after, self._set())

    def _atomic(self, keyword: str, ours: Any, theirs: Any) -> None:
        rule, before, after = "", ours, theirs
        if theirs is not ABSENT or keyword == "minContains":  # without it, one is asked for
            rule, before, after = keyword_rules.named(keyword, ours, theirs, self.writer.schema)
        self._add(
            "" if rule == "not-included" else rule,
            () if ours is ABSENT else (keyword,),
            () if theirs is ABSENT else (keyword,),
            before,
            after,
            self._set(keyword),
        )

    def _reference(self) -> None:
        """A `$ref` with other keywords beside it."""
        ours, theirs = self.walk.references(self.writer, self.reader)
        if ours is not None and theirs is not None:
            self.walk.visit(ours, theirs, self.alternative, self.rule)
        elif self.writer.get("$ref") != self.reader.get("$ref"):
            self._atomic("$ref", self.writer.get("$ref"), self.reader.get("$ref"))

    def _required(self) -> None:
        ours, theirs = ([] if names is ABSENT else names for names in self._both("required"))
        path = (*self.newer.path, "required")
        for name in dict.fromkeys([*theirs, *ours]):
            if (name in ours) == (name in theirs):
                continue
            added = name in theirs
            there = ("properties", name) if _has(self.writer.schema, "properties", name) else ()
            here = ("required",) if "required" in self.reader.schema else ()
            kind: Literal["add", "drop"] = "drop" if added == (self.newer is self.reader) else "add"
            patch = Patch(self.newer.document, path, kind, name)
            if added:
                self._add("required-property-added", there, here, ABSENT, name, patch)
            else:
                self._add("", ("required",), here, name, ABSENT, patch)

    def _both(self, keyword: str) -> tuple[Any, Any]:
        return self.writer.get(keyword), self.reader.get(keyword)

    def _named(self, keyword: str) -> None:
        ours, theirs = ({} if value is ABSENT else value for value in self._both(keyword))
        for name in dict.fromkeys([*theirs, *ours]):
            before, after = ours.get(name, ABSENT), theirs.get(name, ABSENT)
            if _is_schema(before) and _is_schema(after):
                self._below(self.rule, keyword, name)
            elif before is ABSENT or after is ABSENT or identity(before) != identity(after):
                self._member(keyword, name, before, after)

    def _member(self, keyword: str, name: str, before: Any, after: Any) -> None:
        """A property, pattern or dependency that only one side has."""
        there = (keyword, name) if before is not ABSENT else self._container(self.writer, keyword)
        here = (keyword, name) if after is not ABSENT else self._container(self.reader, keyword)
        patch = self._set(keyword, name)
        if keyword == "properties" and after is ABSENT:
            rule = "property-removed" if self.newer is self.reader else "property-added"
            self._add(rule, there, here, name, ABSENT, patch, *self._no_longer_required(name))
        elif keyword == "properties":
            elsewhere = _speaks_of(self.writer.schema, name)
            self._add("property-constrained", there, here, before, after, patch, writer_schema=elsewhere)
        else:
            rule = "pattern-properties-changed" if keyword == "patternProperties" else "dependency-added"
            self._add("" if after is ABSENT else rule, there, here, before, after, patch)

    def _no_longer_required(self, name: str) -> list[Patch]:
        """What goes with a property that the newer schema added: a name that is required is sent, declared or not."""
        older = self.older.schema.get("required", ()) if isinstance(self.older.schema, dict) else ()
        if self.newer is self.reader or name not in self.writer.schema.get("required", ()) or name in older:
            return []
        return [Patch(self.newer.document, (*self.newer.path, "required"), "drop", name)]

    @staticmethod
    def _container(spot: Spot, keyword: str) -> Path:
        return (keyword,) if spot.get(keyword) is not ABSENT else ()

    def _listed(self, keyword: str) -> None:
        """`allOf` and tuples."""
        ours, theirs = ([] if value is ABSENT else value for value in self._both(keyword))
        if keyword == "allOf":
            pairs = alternatives.match(ours, theirs, self._follow())
        else:
            length = max(len(ours), len(theirs))
            pairs = [(at if at < len(ours) else None, at if at < len(theirs) else None) for at in range(length)]
        for one, other in pairs:
            if one is not None and other is not None:
                writer, reader = self.writer.inside(keyword, one), self.reader.inside(keyword, other)
                step = () if keyword == "allOf" else ("prefixItems", one)
                self.walk.visit(writer, reader, self.alternative, self.rule, step)
            else:
                rule = "items-narrowed" if keyword != "allOf" else ""
                self._element(rule, keyword, keyword, one, other)

    def _element(self, rule: str, ours: str, theirs: str, one: int | None, other: int | None) -> None:
        """An element of a list of schemas that only one side has."""
        before = ABSENT if one is None else self.writer.schema[ours][one]
        after = ABSENT if other is None else self.reader.schema[theirs][other]
        there = (ours, one) if one is not None else self._container(self.writer, ours)
        here = (theirs, other) if other is not None else self._container(self.reader, theirs)
        keyword = theirs if self.newer is self.reader else ours
        fragment, is_new = (before, other is not None) if self.newer is self.reader else (after, one is not None)
        gone = (after if self.newer is self.reader else before) if is_new else fragment
        value, refers = (gone, False) if is_new else self.walk.restored(gone)
        patch = Patch(self.newer.document, (*self.newer.path, keyword), "drop" if is_new else "add", value, refers)
        self._add(rule, there, here, before, after, patch)

    def _follow(self) -> tuple[Callable[[Any], Any], Callable[[Any], Any]]:
        """What an element of the writer's and of the reader's list refers to."""
        return (
            lambda schema: self.walk.followed(Spot(schema, "", (), self.writer.place), "writer").schema,
            lambda schema: self.walk.followed(Spot(schema, "", (), self.reader.place), "reader").schema,
        )

    def _values(self) -> None:
        """`const` and `enum`: both list values."""
        ours, theirs = _listed_values(self.writer.schema), _listed_values(self.reader.schema)
        if ours is None or theirs is None or _has_both(self.writer.schema) or _has_both(self.reader.schema):
            for keyword in ("const", "enum"):
                before, after = self._both(keyword)
                if (before is not ABSENT or after is not ABSENT) and not _are_equal(before, after):
                    self._atomic(keyword, before, after)
            return
        sent, accepted = ({identity(value) for value in values} for _, values in (ours, theirs))
        removed = [value for value in ours[1] if identity(value) not in accepted]
        added = [value for value in theirs[1] if identity(value) not in sent]
        if not removed and not added:
            return
        if ours[0] == theirs[0] == "enum":
            path = (*self.newer.path, "enum")
            for values, is_added in ((removed, False), (added, True)):
                for group in ([v for v in values if v is not None], [v for v in values if v is None]):
                    if not group:
                        continue
                    drop = is_added == (self.newer is self.reader)
                    patches = [Patch(self.newer.document, path, "drop" if drop else "add", value) for value in group]
                    rule, before, after = ("", ABSENT, group) if is_added else ("enum-value-removed", group, theirs[1])
                    self._add(rule, ("enum",), ("enum",), before, after, *patches)
            return
        rule = "" if not removed else "const-changed" if ours[0] == theirs[0] else "enum-value-removed"
        before, after = (ours[1][0], theirs[1][0]) if ours[0] == theirs[0] else (removed or ours[1], theirs[1])
        patches = [self._set(keyword) for keyword in ("const", "enum")]
        self._add(rule, (ours[0],), (theirs[0],), before, after, *patches)

    def _unions(self) -> bool:
        """Look at `anyOf` and `oneOf`; return whether nothing else is to be compared."""
        found = [
            [keyword for keyword in ("oneOf", "anyOf") if spot.get(keyword) is not ABSENT]
            for spot in (self.writer, self.reader)
        ]
        if found[0] == found[1]:
            for keyword in found[0]:
                self._union(keyword, keyword)
        elif len(found[0]) == len(found[1]) == 1:
            ours, theirs = found[0][0], found[1][0]
            newer, older = (theirs, ours) if self.newer is self.reader else (ours, theirs)
            patch = Patch(self.newer.document, (*self.newer.path, newer), "rename", older)
            rule = "alternatives-overlap" if theirs == "oneOf" else ""
            self._add(rule, (ours,), (theirs,), ours, theirs, patch)
            self._union(ours, theirs)
        elif len(found[0]) + len(found[1]) == 1:
            return self._one_sided(*found)
        else:
            for keyword in {*found[0], *found[1]}:
                ours_value, theirs_value = self._both(keyword)
                if ours_value is not ABSENT and theirs_value is not ABSENT:
                    self._union(keyword, keyword)
                else:
                    self._atomic(keyword, ours_value, theirs_value)
        return False

    def _union(self, ours: str, theirs: str) -> None:
        written, read = self.writer.schema[ours], self.reader.schema[theirs]
        follow = self._follow()
        tags = [alternatives.tag_of(follow[0](each)) for each in written]
        read_tags = [alternatives.tag_of(follow[1](each)) for each in read]
        tagged = all(tags) and all(read_tags)
        for one, other in alternatives.match(written, read, follow):
            if one is not None and other is not None:
                label = alternatives.told(tags[one]) if tags[one] == read_tags[other] else ""
                writer, reader = self.writer.inside(ours, one), self.reader.inside(theirs, other)
                self.walk.visit(writer, reader, label or self.alternative, self.rule)
            elif one is not None:
                before, after = (tags[one], read_tags) if tagged else (written[one], read)
                self._alternative("alternative-removed", ours, theirs, one, None, before, after)
            elif other is not None:
                rule = "alternatives-overlap" if theirs == "oneOf" else ""
                self._alternative(rule, ours, theirs, None, other, ABSENT, read[other])

    def _alternative(
        self, rule: str, ours: str, theirs: str, one: int | None, other: int | None, before: Any, after: Any
    ) -> None:
        there = (ours, one) if one is not None else (ours,)
        here = (theirs, other) if other is not None else (theirs,)
        keyword = theirs if self.newer is self.reader else ours
        if (one is None) == (self.newer is self.reader):  # the newer schema has it
            value, refers = (self.reader.schema[theirs][other] if one is None else self.writer.schema[ours][one]), False
            kind: Literal["add", "drop"] = "drop"
        else:
            older = self.reader.schema[theirs][other] if one is None else self.writer.schema[ours][one]
            (value, refers), kind = self.walk.restored(older), "add"
        patch = Patch(self.newer.document, (*self.newer.path, keyword), kind, value, refers)
        self._add(rule, there, here, before, after, patch)

    def _one_sided(self, ours: list[str], theirs: list[str]) -> bool:
        """A union on one side; return whether the whole of the other side is one alternative: `null` was added, say."""
        keyword = (ours or theirs)[0]
        united, single = (self.writer, self.reader) if ours else (self.reader, self.writer)
        rest = [name for name in self.walk.keywords(united, united) if name != keyword]
        written, read = (united.schema[keyword], [single.schema]) if ours else ([single.schema], united.schema[keyword])
        pairs = [] if rest else alternatives.match(written, read, self._follow())
        met = next(((one, other) for one, other in pairs if one is not None and other is not None), None)
        if met is None:
            self._atomic(keyword, *self._both(keyword))
            return False
        if ours:
            self.walk.visit(self.writer.inside(keyword, met[0] or 0), self.reader, self.alternative, self.rule)
        else:
            self.walk.visit(self.writer, self.reader.inside(keyword, met[1] or 0), self.alternative, self.rule)
        for at, alternative in enumerate(united.schema[keyword]):
            if at != (met[0] if ours else met[1]):
                self._extra(keyword, at, alternative, is_ours=bool(ours))
        return True

    def _extra(self, keyword: str, at: int, alternative: Any, *, is_ours: bool) -> None:
        """An alternative beside the one that is the whole of the other side."""
        if (self.newer is self.writer) == is_ours:
            patch = Patch(self.newer.document, (*self.newer.path, keyword), "drop", alternative)
        else:
            value, refers = self.walk.restored(alternative)
            patch = Patch(self.newer.document, self.newer.path, "wrap", value, refers)
        if is_ours:
            self._add("alternative-removed", (keyword, at), (), alternative, self.reader.schema, patch)
        else:
            rule = "alternatives-overlap" if keyword == "oneOf" else ""
            self._add(rule, (), (keyword, at), ABSENT, alternative, patch)


def _are_equal(one: Any, other: Any) -> bool:
    return one is not ABSENT and other is not ABSENT and identity(one) == identity(other)


def _type_names(value: Any) -> frozenset[str]:
    return frozenset(value) if isinstance(value, list) else frozenset([str(value)])


def _has_both(schema: Any) -> bool:
    """Return whether a schema lists its values in two ways: a value has to be in both lists."""
    return isinstance(schema, dict) and "const" in schema and "enum" in schema


def _is_schema(value: Any) -> bool:
    return isinstance(value, (dict, bool))


def _has(schema: Any, keyword: str, name: str) -> bool:
    return isinstance(schema, dict) and isinstance(schema.get(keyword), dict) and name in schema[keyword]


def _listed_values(schema: Any) -> tuple[str, list[Any]] | None:
    if not isinstance(schema, dict):
        return None
    if "const" in schema:
        return "const", [schema["const"]]
    return ("enum", schema["enum"]) if "enum" in schema else None


def _speaks_of(schema: Any, name: str) -> Any:
    """What a schema says of a property that it does not declare by name, `ABSENT` where nothing."""
    if not isinstance(schema, dict):
        return ABSENT
    for pattern, member in schema.get("patternProperties", {}).items():
        if text_matches(pattern, name):
            return member
    other = schema.get("additionalProperties", ABSENT)
    return other if isinstance(other, dict) else ABSENT
