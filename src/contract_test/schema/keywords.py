"""Which names a dialect knows as keywords, which of them ask nothing of a value, and which documents are no schema."""

from __future__ import annotations

from functools import cache
from typing import Any

from contract_test.schema.walk import DRAFTS, keywords_of

SILENT = frozenset((
    "$anchor", "$comment", "$defs", "$dynamicAnchor", "$id", "$recursiveAnchor", "$schema", "$vocabulary",
    "contentEncoding", "contentMediaType", "contentSchema", "default", "definitions", "deprecated", "description",
    "discriminator", "examples", "id", "readOnly", "title", "writeOnly",
))  # fmt: skip
"""Keywords that ask nothing of a value."""

_READ_EVERYWHERE = frozenset(("$comment", "$ref", "$defs", "deprecated", "examples", "readOnly", "writeOnly"))
"""Keywords that do no harm in a dialect which does not have them yet."""


def telling_keywords(schema: Any) -> list[str]:
    """Return the keywords of a schema that ask something of a value: neither annotations nor unknown names."""
    return [word for word in schema if not is_silent(word)] if isinstance(schema, dict) else []


def accepts_everything(schema: Any) -> bool:
    """Return whether a schema is `true` or asks nothing of a value: `{}`, or only annotations."""
    return schema is True or (isinstance(schema, dict) and not telling_keywords(schema))


def is_silent(keyword: str) -> bool:
    """Return whether a keyword changes nothing about which values are valid, in any dialect."""
    return keyword in SILENT or keyword not in _every_keyword()


@cache
def _every_keyword() -> frozenset[str]:
    return frozenset().union(*map(keywords_of, DRAFTS.values()))


@cache
def foreign_keywords(draft: str) -> frozenset[str]:
    """Return the keywords that ask something of a value in another dialect, and that this one does not have."""
    return _every_keyword() - keywords_of(draft) - SILENT - _READ_EVERYWHERE


def unknown_keywords(node: dict[str, Any], draft: str) -> list[str]:
    """Return the names beside each other in a schema object that its dialect does not define."""
    known = keywords_of(draft) | _READ_EVERYWHERE
    return [name for name in node if name not in known and not name.startswith("x-")]


def is_no_schema(schema: Any, draft: str) -> bool:
    """Return whether a document says nothing of messages: it is no object, or its names are not those of a schema."""
    if not isinstance(schema, dict):
        return not isinstance(schema, bool)
    unknown = unknown_keywords(schema, draft)
    return bool(unknown) and not schema.keys() - ANNOTATIONS - set(unknown)


ANNOTATIONS = frozenset((
    "$comment", "$id", "$schema", "default", "deprecated", "description", "examples", "readOnly", "title", "writeOnly",
))  # fmt: skip
"""What a document may hold beside unknown names without being a schema: `$defs` would make it one."""
