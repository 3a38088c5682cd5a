"""Schemas without the keywords that their own dialect does not have: a validator ignores those, and so does a class."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from contract_test.schema.keywords import foreign_keywords
from contract_test.schema.walk import draft_of, subschemas


def in_own_dialect(resources: Mapping[str, Any], uri: str) -> Mapping[str, Any]:
    """Return the schemas of a contract by URI, each without keywords of other dialects, such as `const` in draft-04.

    A schema without such keywords is returned as it is. A keyword that a `$ref` leads into stays.
    """
    root = draft_of(resources[uri])
    return {each: _in_dialect(schema, each, root) for each, schema in resources.items()}


def _in_dialect(schema: Any, uri: str, root: str) -> Any:
    if not isinstance(schema, dict):
        return schema
    draft = draft_of(schema) if "$schema" in schema else root
    foreign = foreign_keywords(draft)
    nodes = [node for _, node, _ in subschemas(schema, uri, draft)]
    found = {word for node in nodes for word in foreign & node.keys()}
    references = [node["$ref"] for node in nodes if isinstance(node.get("$ref"), str)]
    found -= {word for word in found if any(word in reference.split("/") for reference in references)}
    if not found:
        return schema
    copy = deepcopy(schema)
    for node in [node for _, node, _ in subschemas(copy, uri, draft)]:
        for word in found & node.keys():
            del node[word]
    return copy
