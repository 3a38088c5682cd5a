"""What a schema wanted of a value, in words: the part of a violation behind "expected"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from . import _json

_MAX_ALTERNATIVES = 4


def expected_by(error: Any) -> str:
    """Return what an error of the validator says was wanted."""
    kind = error.kind
    value = kind.value if hasattr(kind, "value") else None
    match kind.name:
        case "required":
            return f"the field {short(kind.as_dict().get('property', value))}"
        case "type":
            return " or ".join(map(str, kind.as_dict().get("types", [value])))
        case "enum":
            return f"one of {short(value)}"
        case "const":
            return short(value)
        case "format" | "pattern" | "minimum" | "maximum" | "minLength" | "maxLength" | "minItems" | "maxItems":
            return f"{kind.name} {short(value)}"
        case "exclusiveMinimum" | "exclusiveMaximum":
            return f"{'more' if kind.name == 'exclusiveMinimum' else 'less'} than {short(value)}"
        case "minProperties" | "maxProperties":
            return f"at {'least' if kind.name == 'minProperties' else 'most'} {short(value)} fields"
        case "additionalProperties" | "unevaluatedProperties":
            return f"no undeclared field (here: {_undeclared(value)})"
        case "multipleOf":
            return f"a multiple of {short(value)}"
        case "anyOf" | "oneOf":
            return _one_of_several(error)
    return _OTHERS.get(kind.name) or _where_nothing_is_allowed(error)


_OTHERS = {
    "uniqueItems": "items that differ from each other",
    "not": "a value that the schema does not exclude",
    "contains": "the number of items that the schema's `contains` asks for",
    "propertyNames": "other names of fields",
    "additionalItems": "no further items",
    "unevaluatedItems": "no further items",
}


def _undeclared(names: Any) -> str:
    """Return undeclared names. One that does not look like a field's name may be personal data, and is left out."""
    shown = [name for name in names if _FIELD_NAME.fullmatch(name)] if isinstance(names, list) else []
    others = len(names) - len(shown) if isinstance(names, list) else 1
    text = short(shown)
    return text if not others else f"{text} and {others} more" if shown else f"{others}"


_FIELD_NAME = re.compile(r"[A-Za-z_$@][A-Za-z0-9_$:-]{0,39}")


def _where_nothing_is_allowed(error: Any) -> str:
    if error.kind.name != "falseSchema":
        return f"what {error.kind.name!r} in the schema asks for"
    path = list(error.instance_path)
    if not path:
        return "no message at all"
    return "no such item" if isinstance(path[-1], int) else "no such field"


def _one_of_several(error: Any) -> str:
    """What each of the alternatives that fail wanted, as far as that fits a line."""
    wanted = dict.fromkeys(expected_by(branch[0]) for branch in getattr(error.kind, "context", None) or () if branch)
    return " or ".join(wanted) if 0 < len(wanted) <= _MAX_ALTERNATIVES else "one of the alternatives"


def matching_several(error: Any, alternatives: Sequence[Any], targets: Sequence[Any]) -> str | None:
    """Return that a value matches more than one alternative of a `oneOf`, with their names; None for another error."""
    branches = getattr(error.kind, "context", None) or ()
    if error.kind.name != "oneOf" or sum(not branch for branch in branches) < 2:  # noqa: PLR2004 - several
        return None
    if not len(alternatives) == len(targets) == len(branches):
        return "one alternative only, but it matches several"
    names = [
        f"`{_name_of(written, target, at)}`"
        for at, (written, target, branch) in enumerate(zip(alternatives, targets, branches, strict=True))
        if not branch
    ]
    both = "both " if len(names) == 2 else ""  # noqa: PLR2004 - two
    return f"one alternative only, but it matches {both}{', '.join(names[:-1])} and {names[-1]}"


def _name_of(written: Any, target: Any, at: int) -> str:
    """An alternative's title, its tag, the name of its definition, its type, or its number."""
    if isinstance(target, dict) and isinstance(target.get("title"), str):
        return str(target["title"])
    if isinstance(written, dict) and isinstance(written.get("$ref"), str) and "/" in written["$ref"]:
        return str(written["$ref"].rpartition("/")[2])
    for member in (target.get("properties", {}) if isinstance(target, dict) else {}).values():
        if isinstance(member, dict) and isinstance(member.get("const"), str):
            return str(member["const"])
    if isinstance(target, dict) and isinstance(target.get("type"), str):
        return str(target["type"])
    return f"alternative {at + 1}"


def short(value: Any, limit: int = 60) -> str:
    """Return a JSON value as text, cut at a length."""
    try:
        text = _json.dumps(value).decode()
    except TypeError:
        text = str(value)
    return text if len(text) <= limit else f"{text[:limit]}…"
