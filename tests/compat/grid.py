"""Every edit under every composition: what is wrong in the answer to each of these pairs, if anything.

`python -m tests.compat.grid` prints the whole table, as docs/compat-grid.md holds it; `--write` writes that page.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contract_test import compare
from contract_test.data.verdict import ABSENT, Verdict

PAGE = Path(__file__).parents[2] / "docs" / "compat-grid.md"
DRAFT_4 = {"$schema": "http://json-schema.org/draft-04/schema#"}
DRAFT_7 = {"$schema": "http://json-schema.org/draft-07/schema#"}
STRING, INTEGER = {"type": "string"}, {"type": "integer"}

CORE: dict[str, Any] = {
    "type": "object",
    "required": ["id"],
    "properties": {
        "id": STRING,
        "count": {"type": "integer", "minimum": 1, "maximum": 100},
        "state": {"enum": ["new", "paid", "sent"]},
        "text": {"type": "string", "maxLength": 40},
        "note": {"type": ["string", "null"]},
        "numbers": {"type": "array", "items": INTEGER, "minItems": 1},
        "labels": {"type": "object", "additionalProperties": STRING},
        "inner": {"type": "object", "properties": {"x": INTEGER, "y": INTEGER}, "additionalProperties": False},
    },
}


@dataclass(frozen=True)
class Edit:
    """One change of `CORE`: what stood at a path (`before`), what stands there now (`after`), and how it is told.

    `told` is what the finding says of the change, where that is not all of it; `places` are where it says so in the
    writer's and the reader's schema.
    """

    name: str
    path: tuple[str, ...]
    before: Any
    after: Any
    rule: str
    told: tuple[Any, Any] | None = None
    places: tuple[str, str] | None = None

    def schemas(self) -> tuple[Any, Any]:
        """Return the core before and after."""
        return self.made_in(CORE, after=False), self.made_in(CORE, after=True)

    def made_in(self, core: Any, *, after: bool) -> Any:
        """Return a copy of a core as it is before or after the change."""
        return _with(core, self.path, self.after if after else self.before)

    def expected(self) -> tuple[str, Any, Any, str, str]:
        """Return rule, before, after, and the two pointers inside the core."""
        before, after = self.told or (self.before, self.after)
        pointer = "".join(f"/{step}" for step in self.path)
        parent = pointer.rpartition("/")[0]
        writer, reader = self.places or (
            parent if self.before is ABSENT else pointer,
            parent if self.after is ABSENT else pointer,
        )
        return self.rule, before, after, writer, reader


def _with(schema: Any, path: tuple[str, ...], value: Any) -> Any:
    made = json.loads(json.dumps(schema))
    parent = made
    for step in path[:-1]:
        parent = parent[step]
    if value is ABSENT:
        parent.pop(path[-1], None)
    else:
        parent[path[-1]] = value
    return made


def _in(name: str, *rest: str) -> tuple[str, ...]:
    return ("properties", name, *rest)


EDITS = (
    Edit("type changed", _in("count", "type"), "integer", "string", "type-changed"),
    Edit("type narrowed", _in("note", "type"), ["string", "null"], "string", "type-narrowed"),
    Edit("enum value removed", _in("state", "enum"), ["new", "paid", "sent"], ["new", "paid"], "enum-value-removed",
         (["sent"], ["new", "paid"])),
    Edit("enum added", _in("text", "enum"), ABSENT, ["a"], "enum-added"),
    Edit("const added", _in("text", "const"), ABSENT, "a", "const-added"),
    Edit("minimum raised", _in("count", "minimum"), 1, 2, "minimum-raised"),
    Edit("maximum lowered", _in("count", "maximum"), 100, 99, "maximum-lowered"),
    Edit("multipleOf added", _in("count", "multipleOf"), ABSENT, 2, "multiple-of-added"),
    Edit("minLength added", _in("text", "minLength"), ABSENT, 1, "min-length-added"),
    Edit("maxLength lowered", _in("text", "maxLength"), 40, 39, "max-length-lowered"),
    Edit("pattern added", _in("text", "pattern"), ABSENT, "^[a-z]+$", "pattern-added"),
    Edit("format added", _in("text", "format"), ABSENT, "date", "format-added"),
    Edit("required added", ("required",), ["id"], ["id", "count"], "required-property-added",
         (ABSENT, "count"), ("/properties/count", "/required")),
    Edit("property removed", _in("inner", "properties"), {"x": INTEGER, "y": INTEGER}, {"x": INTEGER},
         "property-removed", ("y", ABSENT), ("/properties/inner/properties/y", "/properties/inner/properties")),
    Edit("item type changed", _in("numbers", "items", "type"), "integer", "string", "type-changed"),
    Edit("minItems raised", _in("numbers", "minItems"), 1, 2, "min-items-raised"),
    Edit("uniqueItems added", _in("numbers", "uniqueItems"), ABSENT, True, "unique-items-added"),
    Edit("map value changed", _in("labels", "additionalProperties", "type"), "string", "boolean", "type-changed"),
)  # fmt: skip

OTHER = {"type": "object", "required": ["iban"], "properties": {"iban": STRING}}
BASE = {"type": "object", "required": ["at"], "properties": {"at": STRING}}
Composition = tuple[str, Callable[[Any], Any], str]


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


def _tagged(core: Any, kind: Any) -> Any:
    return {**core, "required": ["kind", *core["required"]], "properties": {"kind": kind, **core["properties"]}}


def _union(keyword: str, core: Any, *, tag: Any = None, refs: bool = False) -> Any:
    mine = core if tag is None else _tagged(core, tag)
    other = OTHER if tag is None else _tagged(OTHER, {"const": "other"})
    parts = [other, mine]
    if not refs:
        return _object(v={keyword: parts})
    named = [{"$ref": "#/$defs/Other"}, {"$ref": "#/$defs/Core"}]
    return {**_object(v={keyword: named}), "$defs": {"Other": other, "Core": mine}}


def _case(core: Any, keyword: str) -> Any:
    kind = {"enum": ["core", "other"]}
    condition = {"properties": {"kind": {"const": "core" if keyword == "then" else "other"}}}
    return {"type": "object", "required": ["kind"], "properties": {"kind": kind}, "if": condition, keyword: core}


def _children(core: Any) -> Any:
    return {**core, "properties": {**core["properties"], "children": {"type": "array", "items": {"$ref": "#"}}}}


def _based(core: Any) -> Any:
    return {"allOf": [{"$ref": "#/$defs/Base"}], **core, "unevaluatedProperties": False, "$defs": {"Base": BASE}}


def _tuple(core: Any, keyword: str) -> Any:
    return {"type": "array", keyword: [STRING, core]}


# name, how the core is put into a schema, and where it stands there
COMPOSITIONS: tuple[Composition, ...] = (
    ("plain", lambda core: core, ""),
    ("nested", lambda core: _object(o=_object(p=core)), "/properties/o/properties/p"),
    ("array items", lambda core: _object(l={"type": "array", "items": core}), "/properties/l/items"),
    ("map values", lambda core: _object(m={"type": "object", "additionalProperties": core}),
     "/properties/m/additionalProperties"),
    ("patternProperties", lambda core: {"type": "object", "patternProperties": {"^x": core}}, "/patternProperties/^x"),
    ("$defs", lambda core: {**_object(p={"$ref": "#/$defs/C"}), "$defs": {"C": core}}, "/$defs/C"),
    ("two references", lambda core: {**_object(p={"$ref": "#/$defs/B"}, q={"$ref": "#/$defs/C"}),
                                     "$defs": {"B": {"$ref": "#/$defs/C"}, "C": core}}, "/$defs/C"),
    ("root $ref", lambda core: {"$ref": "#/$defs/C", "$defs": {"C": core}}, "/$defs/C"),
    ("root $ref, siblings", lambda core: {"$ref": "#/$defs/C", "type": "object", "$defs": {"C": core}}, "/$defs/C"),
    ("$anchor", lambda core: {**_object(p={"$ref": "#core"}), "$defs": {"C": {"$anchor": "core", **core}}}, "/$defs/C"),
    ("allOf member", lambda core: {"allOf": [{"$ref": "#/$defs/Base"}, core], "$defs": {"Base": BASE}}, "/allOf/1"),
    ("allOf reference", lambda core: {"allOf": [{"$ref": "#/$defs/Base"}, {"$ref": "#/$defs/C"}],
                                      "$defs": {"Base": BASE, "C": core}}, "/$defs/C"),
    ("allOf beside properties", lambda core: {**BASE, "allOf": [core]}, "/allOf/0"),
    ("shared allOf base", lambda core: {
        **_object(a={"allOf": [{"$ref": "#/$defs/C"}, _object(k=STRING)]},
                  b={"allOf": [{"$ref": "#/$defs/C"}, _object(l=STRING)]}),
        "$defs": {"C": core}}, "/$defs/C"),
    ("tagged oneOf", lambda core: _union("oneOf", core, tag={"const": "core"}), "/properties/v/oneOf/1"),
    ("tagged oneOf, references", lambda core: _union("oneOf", core, tag={"const": "core"}, refs=True), "/$defs/Core"),
    ("tagged oneOf, enum tag", lambda core: _union("oneOf", core, tag={"enum": ["core", "c"]}),
     "/properties/v/oneOf/1"),
    ("tagged anyOf", lambda core: _union("anyOf", core, tag={"enum": ["core"]}), "/properties/v/anyOf/1"),
    ("untagged oneOf", lambda core: _union("oneOf", core), "/properties/v/oneOf/1"),
    ("untagged oneOf, references", lambda core: _union("oneOf", core, refs=True), "/$defs/Core"),
    ("untagged anyOf", lambda core: _union("anyOf", core), "/properties/v/anyOf/1"),
    ("untagged anyOf, references", lambda core: _union("anyOf", core, refs=True), "/$defs/Core"),
    ("nullable", lambda core: {**_object(v={"oneOf": [{"type": "null"}, {"$ref": "#/$defs/C"}]}),
                               "$defs": {"C": core}}, "/$defs/C"),
    ("if, then", lambda core: _case(core, "then"), "/then"),
    ("if, else", lambda core: _case(core, "else"), "/else"),
    ("dependentSchemas", lambda core: {**_object(d=STRING), "dependentSchemas": {"d": core}}, "/dependentSchemas/d"),
    ("recursion", _children, ""),
    ("unevaluatedProperties", _based, ""),
    ("unevaluatedItems", lambda core: {"type": "array", "prefixItems": [STRING], "unevaluatedItems": core},
     "/unevaluatedItems"),
    ("prefixItems", lambda core: _tuple(core, "prefixItems"), "/prefixItems/1"),
    ("draft-07 tuple", lambda core: {**DRAFT_7, **_tuple(core, "items")}, "/items/1"),
    ("draft-04 definitions", lambda core: {**DRAFT_4, **_object(p={"$ref": "#/definitions/C"}),
                                           "definitions": {"C": core}}, "/definitions/C"),
)  # fmt: skip
NOT_IN = {("draft-04 definitions", "const added")}
"""Pairs that are none: draft-04 has no such keyword."""
DIRECTIONS = ("BACKWARD", "FORWARD")


def verdict_of(edit: Edit, compose: Callable[[Any], Any], direction: str) -> Verdict:
    """Return the verdict on the schemas before and after; in FORWARD, the one before is the newer."""
    before, after = (compose(core) for core in edit.schemas())
    return compare(
        before,
        after,
        content_model="closed-writer",
        formats="assertion",
        newer="reader" if direction == "BACKWARD" else "writer",
    )


def wrong_in(edit: Edit, composition: Composition, direction: str) -> str:
    """Return what is wrong in the answer to one pair: its status, number of findings, rule, places or change."""
    _, compose, where = composition
    verdict = verdict_of(edit, compose, direction)
    if verdict.status != "incompatible":
        return verdict.status
    rule, before, after, writer, reader = edit.expected()
    if rule == "property-removed" and direction == "FORWARD":
        rule = "property-added"
    if len(verdict.incompatibilities) != 1:
        return f"{len(verdict.incompatibilities)} findings"
    (found,) = verdict.incompatibilities
    if found.rule != rule:
        return "rule"
    if (found.writer_pointer, found.reader_pointer) != (where + writer, where + reader):
        return "place"
    return "" if (found.before, found.after) == (before, after) else "change"


def table(direction: str) -> list[list[str]]:
    """Return a row for each composition: its name, and for each edit "ok", "-" or what is wrong."""
    return [
        [composition[0], *("-" if (composition[0], edit.name) in NOT_IN else wrong_in(edit, composition, direction)
                           or "ok" for edit in EDITS)]
        for composition in COMPOSITIONS
    ]  # fmt: skip


_ABOUT = f"""A reason is only useful if it is true wherever the change stands. This table shows each of {len(EDITS)} single
edits under {len(COMPOSITIONS)} compositions. A cell is `ok` if there is exactly one finding, and its rule, its JSON
pointers in both files and its change are right. Otherwise it says what is wrong. `python -m tests.compat.grid` prints
the table. Before reasons were checked by undoing the change, 281 of 575 cells were right in each direction."""


def page() -> str:
    """Return the tables as a page of the documentation."""
    lines = [
        "# Every edit under every composition",
        "",
        _ABOUT,
    ]
    for direction in DIRECTIONS:
        rows = table(direction)
        cells = [cell for row in rows for cell in row[1:] if cell != "-"]
        lines += ["", f"## {direction}", "", f"{cells.count('ok')} of {len(cells)} cells are right.", ""]
        lines.append("| | " + " | ".join(edit.name for edit in EDITS) + " |")
        lines.append("|---" * (len(EDITS) + 1) + "|")
        lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    text = page()
    if "--write" in sys.argv:
        PAGE.write_text(text, encoding="utf-8")
    sys.stdout.write(text)
