"""What makes a validator mean the same in every draft: the formats it asserts, and what it takes for annotations."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import jsonschema_rs

_ANNOTATED_FORMATS = frozenset(
    (
        "idn-email",
        "idn-hostname",
        "iri",
        "iri-reference",
        "json-pointer",
        "regex",
        "relative-json-pointer",
        "uri-reference",
        "uri-template",
    )
)
_NEWER_FORMATS = ("duration", "uuid")
"""Formats that jsonschema-rs asserts from draft 2019-09 on. A contract of an older draft means the same by them."""
_ANNOTATIONS = ("contentEncoding", "contentMediaType")
"""Keywords that jsonschema-rs asserts in drafts 6 and 7, where a validator may. In newer drafts it must not."""
_NEW = ("2020-12", "2019-09")


class _Annotation:
    """A keyword that every value satisfies."""

    def __init__(self, *_: Any) -> None:
        pass

    def validate(self, _: Any) -> None:
        """Accept a value."""


def same_in_every_draft(schemas: list[Any]) -> dict[str, Any]:
    """Return the options with which jsonschema-rs reads these schemas as it reads those of the newest draft.

    Only what they use: a validator that calls Python is slower at everything.
    """
    used = set(_used(schemas))
    formats: dict[str, Callable[[str], bool]] = dict.fromkeys(_ANNOTATED_FORMATS & used, _anything)
    if all(_is_new(schema) for schema in schemas):
        return {"formats": formats}
    formats |= {name: _in_the_newest_draft(name) for name in _NEWER_FORMATS if name in used}
    keywords = {name: _Annotation for name in _ANNOTATIONS if name in used}
    return {"formats": formats, "keywords": keywords} if keywords else {"formats": formats}


def _is_new(schema: Any) -> bool:
    declared = schema.get("$schema") if isinstance(schema, dict) else None
    return not isinstance(declared, str) or any(draft in declared for draft in _NEW)


@cache
def _in_the_newest_draft(name: str) -> Callable[[str], bool]:
    is_valid: Callable[[str], bool] = jsonschema_rs.Draft202012Validator(
        {"format": name}, validate_formats=True
    ).is_valid
    return is_valid


def _used(value: Any) -> Iterator[str]:
    """Every text under a key `format`, and every keyword that is an annotation, at any depth of a schema.

    Also where it is no keyword, which does no harm.
    """
    pending = [value]
    while pending:
        current = pending.pop()
        if isinstance(current, dict):
            if isinstance(current.get("format"), str):
                yield current["format"]
            yield from (name for name in _ANNOTATIONS if name in current)
            pending.extend(current.values())
        elif isinstance(current, list):
            pending.extend(current)


def _anything(_: str) -> bool:
    return True
