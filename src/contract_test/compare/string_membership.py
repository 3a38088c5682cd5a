"""Strings against patterns and formats: what is known of one given text."""

from __future__ import annotations

from functools import lru_cache

import jsonschema_rs

from contract_test.compare import automata, format_assertion


@lru_cache(maxsize=65536)
def text_matches(pattern: str, text: str) -> bool | None:
    """Return whether some part of a text matches a pattern; None where that is not known.

    A pattern outside the regular subset is left to jsonschema-rs, whose backtracking is limited.
    """
    known = automata.matches(pattern, text)
    if known is not None:
        return known
    try:
        return _validator(pattern).is_valid(text)
    except (ValueError, RuntimeError):
        return None


@lru_cache(maxsize=512)
def _validator(pattern: str) -> jsonschema_rs.Validator:
    return jsonschema_rs.Draft202012Validator({"pattern": pattern}, offline=True)


def text_is(name: str, text: str) -> bool | None:
    """Return whether a text has a format; None where two readings of the format disagree."""
    return format_assertion.conforms(name, text)
