"""Many schema files as one document, because a validator compiles references inside one document only once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_ONE = frozenset(("additionalItems", "additionalProperties", "contains", "contentSchema", "else", "if", "items", "not",
                  "propertyNames", "then", "unevaluatedItems", "unevaluatedProperties"))  # fmt: skip
_MANY = frozenset(("allOf", "anyOf", "items", "oneOf", "prefixItems"))
_NAMED = frozenset(("$defs", "definitions", "dependencies", "dependentSchemas", "patternProperties", "properties"))
_OWN_BASE = frozenset(("$id", "$dynamicRef", "$recursiveRef", "$anchor", "$dynamicAnchor"))


class _NotOneError(Exception):
    """A schema in it has a base or a scope of its own."""


def one_document(resources: Mapping[str, Any], location: str) -> dict[str, Any] | None:
    """The schema at `URI#pointer` with all resources inside it; None where they have to stay apart.

    References are expected as `contract-test generate` writes them: `URI#pointer`, or `#pointer` in the same file.
    """
    root = resources[location.partition("#")[0]]
    declared = root.get("$schema") if isinstance(root, dict) else None
    if any(isinstance(each, dict) and each.get("$schema", declared) != declared for each in resources.values()):
        return None
    names = {uri: f"#/$defs/{number}" for number, uri in enumerate(resources)}
    try:
        inside = {str(number): _moved(each, uri, names) for number, (uri, each) in enumerate(resources.items())}
    except _NotOneError:
        return None
    document: dict[str, Any] = {"$ref": _target(location, "", names), "$defs": inside}
    return document if declared is None else {"$schema": declared} | document


def _moved(schema: Any, uri: str, names: Mapping[str, str]) -> Any:
    if not isinstance(schema, dict):
        return schema
    if not _OWN_BASE.isdisjoint(schema):
        raise _NotOneError
    made: dict[str, Any] = {}
    for keyword, value in schema.items():
        if keyword == "$ref" and isinstance(value, str):
            made[keyword] = _target(value, uri, names)
        elif keyword in _NAMED and isinstance(value, dict):
            made[keyword] = {name: _moved(child, uri, names) for name, child in value.items()}
        elif keyword in _MANY and isinstance(value, list):
            made[keyword] = [_moved(child, uri, names) for child in value]
        elif keyword in _ONE:
            made[keyword] = _moved(value, uri, names)
        elif keyword != "$schema":
            made[keyword] = value
    return made


def _target(reference: str, uri: str, names: Mapping[str, str]) -> str:
    document, _, pointer = reference.partition("#")
    if (document or uri) not in names or (pointer and not pointer.startswith("/")):
        raise _NotOneError
    return names[document or uri] + pointer
