"""What a contract allows that one language writes by mistake. It is no finding, because other producers may mean it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from contract_test.data.contract import Catalog, Contract
from contract_test.schema.walk import References, subschemas
from envelopes.validation import compile_schema

ZERO_TIME = "0001-01-01T00:00:00Z"
_RESTRICTING = ("type", "format", "pattern", "minLength", "maxLength", "const", "enum")
MAX_PLACES = 3


def zero_time_hint(catalog: Catalog) -> str | None:
    """Return a sentence about the `date-time` fields of newest versions that allow the year 1, or None without any.

    Go writes that year for a time that was never set.
    """
    newest = [subject.newest for subject in catalog.subjects.values() if subject.contracts]
    found = [f"{contract.name} {pointer}" for contract in newest for pointer in _zero_times(contract)]
    if not found:
        return None
    more = f" and {len(found) - MAX_PLACES} more" if len(found) > MAX_PLACES else ""
    return (
        f"hint: {ZERO_TIME} is valid in {', '.join(found[:MAX_PLACES])}{more}. "
        "Go writes it for a time that was never set. "
        'Add "pattern": "^[12]" to the next version if a producer is written in Go'
    )


def _zero_times(contract: Contract) -> Iterator[str]:
    draft = References(contract.resources, contract.uri).draft
    for pointer, node, _ in subschemas(contract.schema, contract.uri, draft):
        if node.get("format") == "date-time" and "type" in node and _allows_zero_time(node):
            yield pointer


def _allows_zero_time(node: dict[str, Any]) -> bool:
    alone = {keyword: node[keyword] for keyword in _RESTRICTING if keyword in node}
    try:
        return compile_schema({"urn:alone": alone}, "urn:alone#").is_valid(ZERO_TIME)
    except ValueError:
        return False  # `lint` has a finding for it
