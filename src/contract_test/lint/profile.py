"""Warnings about parts of a schema that readers in other languages may understand in another way.

A new rule is one function and one row of `RULES`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from difflib import get_close_matches
from typing import Any

from contract_test.lint.inferred import all_required, mixed_map, null_only, without_items
from contract_test.schema.keywords import ANNOTATIONS, unknown_keywords
from contract_test.schema.walk import DRAFTS, escape, keywords_of, subschemas
from envelopes.validation import ASSERTED_FORMATS

_SAFE = 2**53 - 1
_TIME_NAME = re.compile(r"(_at|_time|_on|timestamp|Time|At)$")
_WORDS = re.compile("(?<=[a-z0-9])([A-Z])")
_PERSONAL = frozenset((
    "mail", "email", "phone", "mobile", "password", "passwd", "secret", "token", "credential", "credentials", "iban",
    "ssn", "card", "surname", "lastname", "firstname", "fullname", "nickname", "username", "street", "birth",
    "birthday", "birthdate",
))  # fmt: skip
MIN_SIMILARITY = 0.82
_IDENTIFIER = re.compile(r"[A-Za-z_$@][A-Za-z0-9_$@.:-]*")
_FOR_PEOPLE = frozenset(("note", "notes", "contacts", "comment", "comments", "example", "tag", "tags"))
"""Words that are not misspelled keywords, though they are near to one."""
_KEYWORDS_ELSEWHERE = frozenset((
    "nullable", "discriminator", "optional", "property", "constant", "divisibleBy", "disallow", "extends", "values",
    "choices", "allowed", "regex", "regexp", "min", "max", "length", "size", "minValue", "maxValue", "allowEmpty",
))  # fmt: skip
"""Words that restrict values in other languages of schemas."""
_TYPE_KEYWORDS = (
    "$ref",
    "$dynamicRef",
    "$recursiveRef",
    "type",
    "enum",
    "const",
    "allOf",
    "anyOf",
    "oneOf",
    "not",
    "if",
)


Remark = tuple[str, str, str, str]
"""JSON pointer, rule, sentence, advice."""


def _integer(pointer: str, node: dict[str, Any], _draft: str) -> Iterator[Remark]:
    types = node.get("type")
    if (
        (types != "integer" and not (isinstance(types, list) and "integer" in types))
        or "enum" in node
        or "const" in node
    ):
        return
    low = max((node[word] for word in ("minimum", "exclusiveMinimum") if _is_number(node.get(word))), default=None)
    high = min((node[word] for word in ("maximum", "exclusiveMaximum") if _is_number(node.get(word))), default=None)
    if low is None or high is None or low < -_SAFE - 1 or high > _SAFE + 1:
        yield (
            pointer, "integer-unbounded", "integers beyond 2^53 - 1 are valid, but many readers round them",
            f'Add "minimum" and "maximum" within ±{_SAFE}.',
        )  # fmt: skip


def _text(pointer: str, node: dict[str, Any], _draft: str) -> Iterator[Remark]:
    pattern, form = node.get("pattern"), node.get("format")
    if isinstance(pattern, str) and re.search(r"(?<!\\)(\\\\)*\\[dDwW]", pattern):
        advice = "Write [0-9] for \\d and [A-Za-z0-9_] for \\w."
        yield f"{pointer}/pattern", "pattern-class", "\\d and \\w mean other characters in other languages", advice
    if isinstance(form, str) and form not in ASSERTED_FORMATS:
        known = ", ".join(sorted(ASSERTED_FORMATS))
        advice = f"Use a pattern, or one of the formats that are checked: {known}."
        yield f"{pointer}/format", "format-not-asserted", f"the format {form[:40]!r} is not checked", advice
    name = pointer.rpartition("/")[2]
    unrestricted = pattern is None and form is None and "enum" not in node and "const" not in node
    if node.get("type") == "string" and unrestricted and "/properties/" in pointer and _TIME_NAME.search(name):
        yield (
            pointer,
            "time-without-format",
            "the name is that of a time, but any string is valid",
            'Add "format": "date-time" (RFC 3339).',
        )


def _public(pointer: str, node: dict[str, Any], _draft: str) -> Iterator[Remark]:
    name = pointer.rpartition("/")[2]
    if node.get("x-sensitivity") == "public" and not _PERSONAL.isdisjoint(_WORDS.sub(r"_\1", name).lower().split("_")):
        advice = 'Write "personal" or "secret", or give the field a name that says what it is.'
        yield (
            f"{pointer}/x-sensitivity",
            "public-person",
            f"{name!r} looks like personal data or a secret, but recordings keep it",
            advice,
        )


def _keywords(pointer: str, node: dict[str, Any], draft: str) -> Iterator[Remark]:
    """Yield names that were meant to be keywords. Words such as `owner` or `note` are for people, and may stay."""
    known = {name.casefold(): name for name in sorted(keywords_of(draft) - ANNOTATIONS)}
    for name in unknown_keywords(node, draft):
        bare = name.replace("_", "").casefold()
        near = get_close_matches(bare, known, 1, MIN_SIMILARITY)
        meant = near or name in _KEYWORDS_ELSEWHERE or any(name in keywords_of(other) for other in DRAFTS.values())
        if name in _FOR_PEOPLE or not (meant or _IDENTIFIER.fullmatch(name) is None):
            continue
        advice = f"Did you mean {known[near[0]]!r}?" if near else "A name of your own begins with x-."
        if name == "nullable":
            advice = 'Write "null" beside the type: "type": ["string", "null"].'
        sentence = f"{name[:60]!r} is not a keyword of {draft} and is ignored"
        yield f"{pointer}/{escape(name)}", "unknown-keyword", sentence, advice


def _untyped(pointer: str, node: dict[str, Any], _draft: str) -> Iterator[Remark]:
    typed = any(word in node for word in _TYPE_KEYWORDS)
    if pointer and not typed and _is_value(pointer):
        advice = 'Add "type", or true for any value.'
        yield pointer, "type-not-stated", "there is no type, so any JSON value is valid", advice
    elif not pointer and "type" not in node and ("properties" in node or not typed):
        sentence = "messages that are not objects are valid, too"
        yield pointer, "type-not-stated", sentence, 'Add "type": "object" and its properties.'


RULES: tuple[Callable[[str, dict[str, Any], str], Iterator[Remark]], ...] = (
    _integer,
    _text,
    _public,
    _keywords,
    _untyped,
    null_only,
    without_items,
    mixed_map,
    all_required,
)
"""Each rule is called for every subschema with its JSON pointer, the subschema, and the name of its draft."""


def remarks(schema: Any, base: str, draft: str) -> Iterator[Remark]:
    """Yield the parts of a schema that readers may understand in different ways."""
    for pointer, node, _ in subschemas(schema, base, draft):
        for rule in RULES:
            yield from rule(pointer, node, draft)


def _is_value(pointer: str) -> bool:
    """Return True if a subschema at this pointer describes a value alone, and does not only add to another schema."""
    steps = pointer.split("/")
    if len(steps) > 2 and steps[-2] in ("properties", "$defs", "definitions", "patternProperties"):  # noqa: PLR2004
        return not any(
            word in steps for word in ("allOf", "anyOf", "oneOf", "if", "then", "else", "not", "dependentSchemas")
        )
    return steps[-1] == "items" and not any(word in steps for word in ("allOf", "anyOf", "oneOf", "not"))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
