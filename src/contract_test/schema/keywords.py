"""Which names a dialect knows as keywords, and which documents are no schema at all."""

from __future__ import annotations

from typing import Any

from contract_test.schema.walk import keywords_of

_ANNOTATIONS = frozenset((
    "$comment", "$id", "$schema", "default", "deprecated", "description", "examples", "readOnly", "title", "writeOnly",
))  # fmt: skip
_READ_EVERYWHERE = frozenset(("$comment", "$defs", "deprecated", "examples", "readOnly", "writeOnly"))
"""Keywords that do no harm in a dialect which does not have them yet."""


def unknown_keywords(node: dict[str, Any], draft: str) -> list[str]:
    """Return the names beside each other in a schema object that its dialect does not define."""
    known = keywords_of(draft) | _READ_EVERYWHERE
    return [name for name in node if name not in known and not name.startswith("x-")]


def is_no_schema(schema: Any, draft: str) -> bool:
    """Return whether a document says nothing of messages: it is no object, or its names are not those of a schema."""
    if not isinstance(schema, dict):
        return not isinstance(schema, bool)
    unknown = unknown_keywords(schema, draft)
    return bool(unknown) and not schema.keys() - _ANNOTATIONS - set(unknown)
