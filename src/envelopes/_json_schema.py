"""The JSON Schema of a value object in another document: its contract, in the dialect of draft 2020-12.

`model_json_schema()` and `/openapi.json` of OpenAPI 3.1 are written in that dialect. Every definition that the contract
refers to becomes a definition of the document, so the document's references find it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote

from pydantic import GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from ._pydantic import definition_name
from ._references import DRAFTS, DYNAMIC_KEYWORDS, REF_ALONE, References, Scoped

_SINCE = {
    **dict.fromkeys(("const", "contains", "examples", "propertyNames"), "draft-06"),
    **dict.fromkeys(("contentEncoding", "contentMediaType", "else", "if", "readOnly", "then", "writeOnly"), "draft-07"),
    **dict.fromkeys(("contentSchema", "dependentRequired", "dependentSchemas", "deprecated", "maxContains",
                     "minContains", "unevaluatedItems", "unevaluatedProperties"), "2019-09"),
    "prefixItems": "2020-12",
}  # fmt: skip
_ALWAYS = frozenset(
    ("additionalProperties", "allOf", "anyOf", "default", "description", "enum", "exclusiveMaximum", "exclusiveMinimum",
     "format", "items", "maxItems", "maxLength", "maxProperties", "maximum", "minItems", "minLength", "minProperties",
     "minimum", "multipleOf", "not", "oneOf", "pattern", "patternProperties", "properties", "required", "title", "type",
     "uniqueItems")
)  # fmt: skip
_ANNOTATED_ANYWHERE = frozenset(("deprecated", "examples", "readOnly", "writeOnly"))
_ONE = frozenset(
    ("additionalProperties", "contains", "contentSchema", "else", "if", "items", "not", "propertyNames", "then",
     "unevaluatedItems", "unevaluatedProperties")
)  # fmt: skip
_LISTS = frozenset(("allOf", "anyOf", "oneOf", "prefixItems"))
_MAPS = frozenset(("dependentSchemas", "patternProperties", "properties"))
_HOLDERS = ("$defs", "definitions", "schemas")


def contract_json_schema(cls: Any, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
    """Return the part of its contract that a class holds. Definitions are given to pydantic, which names them.

    What a dynamic reference leads to depends on the way to it. So a schema with one becomes a definition for each of
    the ways that lead to something else.
    """
    uri, resources = cls.__contract__.bundle
    translation = _Translation(cls, resources, handler)
    for place, each in cls.__contract__.classes.items():
        translation.named.setdefault(translation.target(_located(place, uri)), definition_name(each))
    place = cls.__within__ if cls.__pointer__ is None else cls.__pointer__
    own = translation.target(_located(place, uri))
    if "ref" in schema and cls.__pointer__ is not None:
        translation.refs[own] = str(schema["ref"])
    made = translation.schema(own)
    while translation.pending:
        definition = translation.definition(translation.pending.pop())
        handler(core_schema.definitions_schema(core_schema.any_schema(), [definition]))
    if cls.__pointer__ is not None:
        return made
    return {
        "allOf": [made, handler(cls.__pydantic_core_schema__)],
        "title": cls.__name__,
    }  # one of the union's alternatives


class _Translation:
    """Translates schemas of one contract."""

    def __init__(self, cls: Any, resources: Mapping[str, Any], handler: GetJsonSchemaHandler) -> None:
        self._cls, self._references, self._handler = cls, References(resources), handler
        self.named: dict[Scoped, str] = {}
        """The same for what is a class of its own."""
        self.refs: dict[Scoped, str] = {}
        """The name of each definition among pydantic's core schemas."""
        self.pending: list[Scoped] = []
        """The definitions that something refers to, and that are not translated yet."""

    def definition(self, place: Scoped) -> CoreSchema:
        """Return a core schema whose JSON schema is the one at a place."""
        metadata = {"pydantic_js_functions": [lambda _schema, _handler: self.schema(place)]}
        return core_schema.any_schema(ref=self.refs[place], metadata=metadata)

    def target(self, location: str) -> Scoped:
        """Follow a schema that is only a reference to the first one that is more."""
        return self._references.target(Scoped(location))

    def schema(self, place: Scoped) -> dict[str, Any]:
        """Return the schema at a place, translated."""
        made: Any = self._translated(self._references.schema_at(place.location), place)
        if isinstance(made, bool):
            return {} if made else {"not": {}}
        reference = made.pop("$ref", None)
        if reference is not None:  # else pydantic would take this schema for the one that it refers to
            made["allOf"] = [{"$ref": reference}, *made.get("allOf", ())]
        return dict(made)

    def _reference(self, place: Scoped) -> str:
        target = self._references.target(place)
        if target not in self.refs:
            name = f"{self._cls.__module__}.{self._cls.__qualname__}{_name(target.location)}"
            self.refs[target] = self.named.get(target) or f"{name}:{id(self._cls)}-{len(self.refs)}"
            self.pending.append(target)
        return str(self._handler(core_schema.definition_reference_schema(self.refs[target]))["$ref"])

    def _translated(self, schema: Any, place: Scoped) -> Any:
        if not isinstance(schema, dict):
            return schema
        place = self._references.entered(place)
        draft = self._references.draft_of(place.location)
        if isinstance(schema.get("$ref"), str) and draft in REF_ALONE:
            return {"$ref": self._reference(self._references.referred(place, "$ref", schema["$ref"]))}
        made: dict[str, Any] = {}
        for keyword, value in schema.items():
            if keyword == "$ref" and isinstance(value, str):
                made["$ref"] = self._reference(self._references.referred(place, keyword, value))
            elif keyword.startswith("x-"):
                made[keyword] = value
            elif _is_known(keyword, draft) and keyword not in DYNAMIC_KEYWORDS:
                made[keyword] = self._inside(keyword, value, place)
        made = _modernized(made, schema, draft, lambda value, *steps: self._translated(value, place.inside(*steps)))
        for keyword in DYNAMIC_KEYWORDS:
            if isinstance(schema.get(keyword), str) and _is_known(keyword, draft):
                reference = {"$ref": self._reference(self._references.referred(place, keyword, schema[keyword]))}
                made["allOf"] = [*made.get("allOf", ()), reference]
        return made

    def _inside(self, keyword: str, value: Any, place: Scoped) -> Any:
        if keyword in _ONE and isinstance(value, dict):
            return self._translated(value, place.inside(keyword))
        if keyword in _LISTS and isinstance(value, list):
            return [self._translated(each, place.inside(keyword, str(index))) for index, each in enumerate(value)]
        if keyword in _MAPS and isinstance(value, dict):
            return {name: self._translated(each, place.inside(keyword, name)) for name, each in value.items()}
        return value


def _modernized(
    made: dict[str, Any], schema: dict[str, Any], draft: str, translated: Callable[..., Any]
) -> dict[str, Any]:
    """Write in draft 2020-12 what an older draft writes in another way."""
    if isinstance(schema.get("items"), list) and draft != DRAFTS[-1]:
        made["prefixItems"] = [translated(each, "items", str(index)) for index, each in enumerate(made.pop("items"))]
        if not made["prefixItems"]:
            del made["prefixItems"]
        if "additionalItems" in schema:
            made["items"] = translated(schema["additionalItems"], "additionalItems")
    for exclusive, bound in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if isinstance(made.get(exclusive), bool) and made.pop(exclusive) and bound in made:
            made[exclusive] = made.pop(bound)
    for name, needed in dict(schema.get("dependencies") or {}).items():
        if isinstance(needed, list):
            others = made.setdefault("dependentRequired", {})
            others[name] = sorted({*others.get(name, ()), *needed})
        else:
            others = made.setdefault("dependentSchemas", {})
            inside = translated(needed, "dependencies", name)
            others[name] = {"allOf": [others[name], inside]} if name in others else inside
    for keyword in ("default", "examples"):  # pydantic would look up what looks like a reference in them
        if keyword in made and '"$ref"' in json.dumps(made[keyword], default=str):
            del made[keyword]
    return made


def _is_known(keyword: str, draft: str) -> bool:
    if keyword in _ALWAYS or keyword in _ANNOTATED_ANYWHERE:
        return True
    if keyword in DYNAMIC_KEYWORDS:  # the newest draft replaced the older one
        return (keyword == "$dynamicRef") is (draft == DRAFTS[-1])
    since = _SINCE.get(keyword)
    return since is not None and DRAFTS.index(since) <= DRAFTS.index(draft)


def _located(place: str, uri: str) -> str:
    return place if "#" in place else f"{uri}#{place}"


def _name(location: str) -> str:
    """Return the name of a definition: `Address` for `…#/$defs/Address`, and one of its own for any other place."""
    document, _, pointer = unquote(location).partition("#")
    steps = [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]
    if len(steps) > 1 and steps[-2] in _HOLDERS:
        steps = steps[-1:]
    elif not steps:
        steps = document.rsplit("/")[-2:]
    return "".join(word[:1].upper() + word[1:] for step in steps for word in re.findall(r"[A-Za-z0-9]+", step))
