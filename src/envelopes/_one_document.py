"""Many schema files as one document: a validator compiles references inside one document only once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from .pointers import resolve_pointer

SCHEMA_KEYWORDS = frozenset(
    ("additionalItems", "additionalProperties", "contains", "contentSchema", "else", "if", "items", "not",
     "propertyNames", "then", "unevaluatedItems", "unevaluatedProperties")
)  # fmt: skip
SCHEMA_LIST_KEYWORDS = frozenset(("allOf", "anyOf", "items", "oneOf", "prefixItems"))
SCHEMA_MAP_KEYWORDS = frozenset(
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
        schemas = _schemas(resources)
        inlined = [_inline(each, uri, names, schemas) for uri, each in resources.items()]
        target = _target(location, "", names)
    except _SeparateScopeError:
        return None
    inside = {str(number): each for number, each in enumerate(inlined)}
    document: dict[str, Any] = {"$ref": target, "$defs": inside}
    return document if declared is None else {"$schema": declared} | document


def _schemas(resources: Mapping[str, Any]) -> set[int]:
    """Return which objects are schemas: what keywords hold, and what references lead to."""
    found: set[int] = set()
    pending: list[tuple[str, Any]] = list(resources.items())
    while pending:
        uri, schema = pending.pop()
        if not isinstance(schema, dict) or id(schema) in found:
            continue
        if not _SCOPE_KEYWORDS.isdisjoint(schema):
            raise _SeparateScopeError
        found.add(id(schema))
        for keyword, value in schema.items():
            if keyword == "$ref" and isinstance(value, str):
                document, _, pointer = value.partition("#")
                if (document or uri) in resources:
                    pending.append((document or uri, resolve_pointer(resources[document or uri], unquote(pointer))))
            elif keyword in SCHEMA_MAP_KEYWORDS and isinstance(value, dict):
                pending.extend((uri, child) for child in value.values())
            elif keyword in SCHEMA_LIST_KEYWORDS and isinstance(value, list):
                pending.extend((uri, child) for child in value)
            elif keyword in SCHEMA_KEYWORDS:
                pending.append((uri, value))
    return found


def _inline(value: Any, uri: str, names: Mapping[str, str], schemas: set[int]) -> Any:
    if isinstance(value, list):
        return [_inline(item, uri, names, schemas) for item in value]
    if not isinstance(value, dict):
        return value
    made = {name: _inline(item, uri, names, schemas) for name, item in value.items()}
    if id(value) in schemas:
        made.pop("$schema", None)
        if isinstance(made.get("$ref"), str):
            made["$ref"] = _target(made["$ref"], uri, names)
    return made


def _target(reference: str, uri: str, names: Mapping[str, str]) -> str:
    document, _, pointer = reference.partition("#")
    if (document or uri) not in names or (pointer and not pointer.startswith("/")):
        raise _SeparateScopeError
    return names[document or uri] + pointer
