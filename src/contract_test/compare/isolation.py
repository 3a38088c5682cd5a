"""Two schemas that are left with one of the reasons why the one rejects what the other may send."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

from contract_test.data.verdict import Incompatibility
from contract_test.schema.walk import unescape


def alone(reason: Incompatibility, reasons: Iterable[Incompatibility], writer: Any, reader: Any) -> tuple[Any, Any]:
    """Return copies of both schemas with which one reason of many breaks, and as far as can be done no other."""
    others = [each for each in reasons if each is not reason]
    left_out = [each for each in others if each.rule == "alternative-removed" and each.writer_pointer[-1:].isdigit()]
    return _sending_none(writer, left_out), _without(reader, [each for each in others if each not in left_out])


def _sending_none(writer: Any, reasons: Iterable[Incompatibility]) -> Any:
    """A copy of a writer's schema whose alternatives at these places accept nothing."""
    left = copy.deepcopy(writer)
    for reason in reasons:
        *path, last = (unescape(step) for step in reason.writer_pointer.split("/")[1:])
        around = left
        for token in path:
            around = _inside(around, token)
        if isinstance(around, list):
            around[int(last)] = False
    return left


def _without(reader: Any, reasons: Iterable[Incompatibility]) -> Any:
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
