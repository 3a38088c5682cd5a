"""A reader that is left with one of the reasons why it rejects what a writer may send."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

from contract_test.data.verdict import Incompatibility
from contract_test.schema.walk import unescape


def without(reader: Any, reasons: Iterable[Incompatibility]) -> Any:
    """A copy of a reader's schema without the keywords that the reasons point at."""
    left = copy.deepcopy(reader)
    for reason in reasons:
        steps = [unescape(step) for step in reason.reader_pointer.split("/")[1:]]
        if not steps:
            continue
        *path, last = steps
        around = left
        for token in path:
            around = _inside(around, token)
        if not isinstance(around, dict) or last not in around:
            continue  # behind a reference, or gone with another one
        if reason.rule == "required-property-added" and reason.after in around[last]:
            around[last].remove(reason.after)
        elif path[-1:] in (["properties"], ["patternProperties"], ["$defs"]):
            around[last] = True
        else:
            del around[last]
    return left


def _inside(schema: Any, token: str) -> Any:
    if isinstance(schema, dict):
        return schema.get(token)
    return schema[int(token)] if isinstance(schema, list) and token.isdigit() and int(token) < len(schema) else None
