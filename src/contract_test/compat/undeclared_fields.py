"""Whether a comparison lets the writer send fields that it does not declare, and the line that says so."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Literal

from contract_test.compat.snapshot import Pair
from contract_test.schema.keywords import accepts_everything
from contract_test.schema.sources import Source, Sources
from contract_test.schema.walk import Node, References, draft_of, subschemas

ContentModel = Literal["closed-writer", "as-written"]

_RULES = ("additionalProperties", "unevaluatedProperties")


def content_model_for(pair: Pair, asked: ContentModel) -> Literal["closed-writer", "open-where-true", "as-written"]:
    """Return what the writer of a pair sends: undeclared fields too, if the catalog names a service that does."""
    return "open-where-true" if asked == "closed-writer" and pair.writer.contract.sends_undeclared else asked


def reading_of_true(pair: Pair, asked: ContentModel) -> str:
    """Return how the writer's `additionalProperties: true`, or `{}`, was read; "" if it has none."""
    rule = next(_open_rules(pair), "")
    if not rule:
        return ""
    if asked == "as-written":
        return f"the writer's {rule} is read as written: it may send any field"
    services = pair.writer.contract.sends_undeclared
    if services:
        return f"undeclared fields are sent where {rule.replace(': ', ' is ', 1)}, by {', '.join(services)}"
    return f"the writer's {rule} is not read as a promise to send undeclared fields"


def _open_rules(pair: Pair) -> Iterator[str]:
    """Yield each rule of the writer that accepts every other field, as it is written."""
    contract = pair.writer.contract
    references = References(contract.resources, contract.uri)
    sources = Sources(references)
    for document, schema in contract.resources.items():
        draft = draft_of(schema) if isinstance(schema, dict) and "$schema" in schema else references.draft
        for pointer, node, base in subschemas(schema, document, draft):
            for keyword in _RULES:
                rule: Any = node.get(keyword, False)
                place = Node(rule, base, f"{document}#{pointer}/{keyword}")
                if rule is not False and accepts_everything(sources.settled((Source(place),))[0].node.schema):
                    yield f"{keyword}: {json.dumps(rule)}"
