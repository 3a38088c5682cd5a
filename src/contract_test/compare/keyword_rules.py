"""Which rule a keyword's change is called by, and how the change reads."""

from __future__ import annotations

import json
import re
from typing import Any

from contract_test.compare.values import identity
from contract_test.data.verdict import ABSENT

# keyword: (rule where the writer has the keyword too, rule where it does not)
_RULES: dict[str, tuple[str, str]] = {
    "const": ("const-changed", "const-added"),
    "minimum": ("minimum-raised", "minimum-added"),
    "exclusiveMinimum": ("minimum-raised", "minimum-added"),
    "maximum": ("maximum-lowered", "maximum-added"),
    "exclusiveMaximum": ("maximum-lowered", "maximum-added"),
    "multipleOf": ("multiple-of-changed", "multiple-of-added"),
    "minLength": ("min-length-raised", "min-length-added"),
    "maxLength": ("max-length-lowered", "max-length-added"),
    "pattern": ("pattern-changed", "pattern-added"),
    "format": ("format-changed", "format-added"),
    "items": ("items-narrowed", "items-added"),
    "prefixItems": ("items-narrowed", "items-added"),
    "additionalItems": ("items-narrowed", "items-added"),
    "minItems": ("min-items-raised", "min-items-added"),
    "maxItems": ("max-items-lowered", "max-items-added"),
    "uniqueItems": ("unique-items-added", "unique-items-added"),
    "contains": ("contains-changed", "contains-changed"),
    "minContains": ("contains-changed", "contains-changed"),
    "maxContains": ("contains-changed", "contains-changed"),
    "required": ("required-property-added", "required-property-added"),
    "properties": ("property-constrained", "property-constrained"),
    "patternProperties": ("pattern-properties-changed", "pattern-properties-changed"),
    "propertyNames": ("property-names-narrowed", "property-names-narrowed"),
    "minProperties": ("min-properties-raised", "min-properties-raised"),
    "maxProperties": ("max-properties-lowered", "max-properties-lowered"),
    "dependentRequired": ("dependency-added", "dependency-added"),
    "dependentSchemas": ("dependency-added", "dependency-added"),
    "dependencies": ("dependency-added", "dependency-added"),
    "unevaluatedProperties": ("unevaluated-closed", "unevaluated-closed"),
    "unevaluatedItems": ("unevaluated-closed", "unevaluated-closed"),
    "anyOf": ("alternative-removed", "alternative-removed"),
    "oneOf": ("alternative-removed", "alternative-removed"),
    "not": ("exclusion-widened", "exclusion-widened"),
    "if": ("condition-narrowed", "condition-narrowed"),
    "then": ("condition-narrowed", "condition-narrowed"),
    "else": ("condition-narrowed", "condition-narrowed"),
}
MAX_VALUE_LENGTH = 120
_AROUND = 40
_WORD = re.compile(r"[A-Za-z][\w-]*")


def named(keyword: str, before: Any, after: Any, writer: Any) -> tuple[str, Any, Any]:
    """Return the rule for a keyword whose value was `before` and is `after`, with what of the two is worth showing."""
    if keyword == "type":
        return _type(before, after), before, after
    if keyword == "enum":
        return _enum(before, after, writer)
    if keyword == "additionalProperties":
        closed = after is False
        return ("additional-properties-closed" if closed else "additional-properties-narrowed"), before, after
    with_keyword, without = _RULES.get(keyword, ("not-included", "not-included"))
    return without if before is ABSENT else with_keyword, before, after


def _type(before: Any, after: Any) -> str:
    if before is ABSENT:
        return "type-narrowed"
    ours = set(before if isinstance(before, list) else [before])
    theirs = set(after if isinstance(after, list) else [after])
    return "type-narrowed" if theirs & ours or (ours == {"number"} and theirs == {"integer"}) else "type-changed"


def _enum(before: Any, after: Any, writer: Any) -> tuple[str, Any, Any]:
    if before is ABSENT and isinstance(writer, dict) and "const" in writer:
        before = [writer["const"]]
    if before is ABSENT:
        return "enum-added", before, after
    kept = {identity(value) for value in after}
    removed = [value for value in before if identity(value) not in kept]
    return "enum-value-removed", removed or before, after


def change(before: Any, after: Any) -> str:
    """Return `before → after`, each cut to a length that fits a line, around the place where they differ."""
    return "" if before is ABSENT and after is ABSENT else " → ".join(texts(before, after))


def texts(before: Any, after: Any) -> tuple[str, str]:
    """Return both, each cut to a length that fits a line, around the place where they differ."""
    bare = all(_WORD.fullmatch(value) for value in (before, after) if isinstance(value, str))
    one, other = (_text(value, bare=bare) for value in (before, after))
    shared = next((at for at, (mine, theirs) in enumerate(zip(one, other, strict=False)) if mine != theirs), 0)
    start = shared - _AROUND if shared > MAX_VALUE_LENGTH - _AROUND else 0
    return _cut(one, start), _cut(other, start)


def _text(value: Any, *, bare: bool) -> str:
    if value is ABSENT:
        return "not set"
    return value if isinstance(value, str) and bare else json.dumps(value, ensure_ascii=False)


def _cut(text: str, start: int) -> str:
    text = f"…{text[start:]}" if start else text
    return text if len(text) <= MAX_VALUE_LENGTH else text[: MAX_VALUE_LENGTH - 1] + "…"
