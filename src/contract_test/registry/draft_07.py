"""The draft-07 form of a schema, for registries that cannot judge later drafts. `compare` proves it equal."""

from __future__ import annotations

from typing import Any

from contract_test.compare import compare
from contract_test.data.errors import SchemaError
from contract_test.schema.walk import draft_of

DRAFT_07 = "http://json-schema.org/draft-07/schema#"
BUDGET = 5.0
LATER_DRAFTS = ("2020-12", "2019-09")
_RENAMED = {"$defs": "definitions", "dependentSchemas": "dependencies", "dependentRequired": "dependencies"}
_TUPLES = {"prefixItems": "items", "items": "additionalItems"}
_NAMED = ("$defs", "definitions", "dependencies", "dependentSchemas", "patternProperties", "properties")
_HOLDERS = frozenset((
    *_NAMED, "additionalProperties", "allOf", "anyOf", "contains", "else", "if", "items", "not", "oneOf", "prefixItems",
    "propertyNames", "then",
))  # fmt: skip
_ABSENT = frozenset((
    "$anchor", "$dynamicAnchor", "$dynamicRef", "$recursiveAnchor", "$recursiveRef", "maxContains", "minContains",
    "unevaluatedItems", "unevaluatedProperties",
))  # fmt: skip
"""Keywords without a counterpart in draft-07."""


def draft_07_form(schema: Any, name: str) -> Any:
    """Return an equal schema in draft-07. Raises SchemaError where there is none, or where nothing proves it equal."""
    if draft_of(schema) not in LATER_DRAFTS:
        return schema
    form = _converted(schema, name)
    if isinstance(form, dict):
        form = {"$schema": DRAFT_07, **{key: value for key, value in form.items() if key != "$schema"}}
    for writer, reader in ((schema, form), (form, schema)):
        verdict = compare(writer, reader, formats="assertion", content_model="as-written", budget=BUDGET)
        if verdict.status != "compatible":
            raise _none(name, verdict.cause or "the two forms do not accept the same messages")
    return form


def _converted(node: Any, name: str) -> Any:
    if isinstance(node, list):
        return [_converted(each, name) for each in node]
    if not isinstance(node, dict):
        return node
    if used := sorted(_ABSENT & node.keys()):
        raise _none(name, f"draft-07 has no {used[0]}")
    made: dict[str, Any] = {}
    for keyword, value in node.items():
        below = value
        if keyword in _NAMED and isinstance(value, dict):
            below = {each: _converted(member, name) for each, member in value.items()}
        elif keyword in _HOLDERS:
            below = _converted(value, name)
        elif keyword == "$ref" and isinstance(value, str):
            below = value.replace("/$defs/", "/definitions/")
        to = _TUPLES[keyword] if keyword in _TUPLES and "prefixItems" in node else _RENAMED.get(keyword) or keyword
        if to in ("definitions", "dependencies") and isinstance(below, dict):
            if made.get(to, {}).keys() & below.keys():
                raise _none(name, f"{to} would have one name twice")
            below = {**made.get(to, {}), **below}
        made[to] = below
    if "$ref" in made and len(made) > 1:  # beside which draft-07 ignores everything
        made["allOf"] = [*made.get("allOf", ()), {"$ref": made.pop("$ref")}]
    return made


def _none(name: str, why: str) -> SchemaError:
    advice = "Register it as it is, and set the mode of its subject to NONE: --set-mode NONE."
    return SchemaError(f"no equal draft-07 form is known: {why}", place=name, advice=advice)
