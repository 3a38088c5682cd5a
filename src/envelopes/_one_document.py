"""Many schema files as one document: a validator compiles references inside one document only once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_SCHEMA_KEYWORDS = frozenset(
    ("additionalItems", "additionalProperties", "contains", "contentSchema", "else", "if", "items", "not",
     "propertyNames", "then", "unevaluatedItems", "unevaluatedProperties")
)  # fmt: skip
_SCHEMA_LIST_KEYWORDS = frozenset(("allOf", "anyOf", "items", "oneOf", "prefixItems"))
_SCHEMA_MAP_KEYWORDS = frozenset(
    ("$defs", "definitions", "dependencies", "dependentSchemas", "patternProperties", "properties")
)
_SCOPE_KEYWORDS = frozenset(("$id", "$dynamicRef", "$recursiveRef", "$anchor", "$dynamicAnchor"))


class _SeparateScopeError(Exception):
    """A schema has a base URI or a dynamic scope of its own."""


def one_document(resources: Mapping[str, Any], location: str) -> dict[str, Any] | None:
    """Return the schema at `URI#pointer` with all resources inside it, or None if they cannot share a document.

    References are expected as `contract-test generate` writes them: `URI#pointer`, or `#pointer` in the same file.
    """
    root = resources[location.partition("#")[0]]
    declared = root.get("$schema") if isinstance(root, dict) else None
    if any(isinstance(each, dict) and each.get("$schema", declared) != declared for each in resources.values()):
        return None
    names = {uri: f"#/$defs/{number}" for number, uri in enumerate(resources)}
    try:
        inside = {str(number): _inline(each, uri, names) for number, (uri, each) in enumerate(resources.items())}
    except _SeparateScopeError:
        return None
    document: dict[str, Any] = {"$ref": _target(location, "", names), "$defs": inside}
    return document if declared is None else {"$schema": declared} | document


def _inline(schema: Any, uri: str, names: Mapping[str, str]) -> Any:
    if not isinstance(schema, dict):
        return schema
    if not _SCOPE_KEYWORDS.isdisjoint(schema):
        raise _SeparateScopeError
    made: dict[str, Any] = {}
    for keyword, value in schema.items():
        if keyword == "$ref" and isinstance(value, str):
            made[keyword] = _target(value, uri, names)
        elif keyword in _SCHEMA_MAP_KEYWORDS and isinstance(value, dict):
            made[keyword] = {name: _inline(child, uri, names) for name, child in value.items()}
        elif keyword in _SCHEMA_LIST_KEYWORDS and isinstance(value, list):
            made[keyword] = [_inline(child, uri, names) for child in value]
        elif keyword in _SCHEMA_KEYWORDS:
            made[keyword] = _inline(value, uri, names)
        elif keyword != "$schema":
            made[keyword] = value
    return made


def _target(reference: str, uri: str, names: Mapping[str, str]) -> str:
    document, _, pointer = reference.partition("#")
    if (document or uri) not in names or (pointer and not pointer.startswith("/")):
        raise _SeparateScopeError
    return names[document or uri] + pointer
