"""Schemas compiled into validators, and what a validator finds wrong with a value, in words."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import jsonschema_rs

from . import _json
from ._errors import Violation
from ._one_document import one_document

ASSERTED_FORMATS = frozenset(
    ("date", "date-time", "duration", "email", "hostname", "ipv4", "ipv6", "time", "uri", "uuid")
)
"""The formats that a message must satisfy; any other `format` is an annotation (draft 2020-12, section 7)."""

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


def compile_schema(resources: Mapping[str, Any], location: str) -> jsonschema_rs.Validator:
    """Compile the schema at `URI#pointer` among `resources` (URI → schema). Nothing is ever fetched.

    Raises ValueError where a schema is malformed or a `$ref` leads outside `resources`.
    """
    document, _, pointer = location.partition("#")
    root = resources[document]
    declared = root.get("$schema") if isinstance(root, dict) else None
    draft = _DRAFTS.get(declared.rstrip("#").rpartition("/draft")[2].strip("-/")) if isinstance(declared, str) else None
    # Only where they are used: a validator with formats of Python's is slower at everything.
    formats = dict.fromkeys(_ANNOTATED_FORMATS & set(_formats(list(resources.values()))), _anything)
    try:
        # A file that names no file is compiled as it is: one step less for every message.
        if len(resources) == 1 and not pointer and document not in json.dumps(root, default=str):
            return jsonschema_rs.validator_for(root, validate_formats=True, formats=formats, retriever=_refuse)
        whole = one_document(resources, location)
        if whole is not None:
            return jsonschema_rs.validator_for(whole, validate_formats=True, formats=formats, retriever=_refuse)
        registry = jsonschema_rs.Registry(list(resources.items()), draft=draft, retriever=_refuse)
        return jsonschema_rs.validator_for(
            {"$ref": location} if declared is None else {"$ref": location, "$schema": declared},
            registry=registry,
            validate_formats=True,
            formats=formats,
        )
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError) as error:
        raise ValueError(str(error)) from error


_DRAFTS = {
    "2020-12/schema": jsonschema_rs.Draft202012,
    "2019-09/schema": jsonschema_rs.Draft201909,
    "07/schema": jsonschema_rs.Draft7,
    "06/schema": jsonschema_rs.Draft6,
    "04/schema": jsonschema_rs.Draft4,
}


def _formats(value: Any) -> Iterator[str]:
    """Every text under a key `format`, at any depth of a schema; also where it is no keyword, which does no harm."""
    pending = [value]
    while pending:
        current = pending.pop()
        if isinstance(current, dict):
            if isinstance(current.get("format"), str):
                yield current["format"]
            pending.extend(current.values())
        elif isinstance(current, list):
            pending.extend(current)


def _refuse(uri: str) -> Any:
    raise ValueError(f"{uri} is not among the contract's files")


def _anything(_: str) -> bool:
    return True


_TOO_DEEP = Violation("", "depth", "a value that is nested less deeply", "one too deep to be validated")
"""What a validator does not take out of a Python value of more than 255 levels; no text is read that has so many."""


def find_violation(validator: jsonschema_rs.Validator, value: Any) -> Violation | None:
    """The most telling violation of a parsed JSON value, or None. Alternatives are explained by the nearest one."""
    best = None
    try:
        for each in map(_nearest, validator.iter_errors(value)):
            if best is None or each.pointer.count("/") > best.pointer.count("/"):
                best = each
    except ValueError:
        return _TOO_DEEP
    return best


def find_violations(validator: jsonschema_rs.Validator, value: Any) -> Iterator[Violation]:
    """Everything that is wrong with a parsed JSON value, in the schema's order."""
    try:
        yield from map(_nearest, validator.iter_errors(value))
    except ValueError:
        yield _TOO_DEEP


def _nearest(error: jsonschema_rs.ValidationError) -> Violation:
    """An error; of alternatives that of the one which was meant, by its constants, or else by what is right in it."""
    while branches := [branch for branch in getattr(error.kind, "context", None) or () if branch]:
        level = len(error.instance_path)
        meant = [branch for branch in branches if not any(_excludes(each, level) for each in branch)]
        tags = [each for branch in branches for each in branch if _is_tag(each, level)]
        if len(branches) > 1 and len(meant) == 1:
            error = max(meant[0], key=lambda each: len(each.instance_path))
        elif len(branches) == len(tags) > 1 and len({str(each.instance_path) for each in tags}) == 1:
            return _violation(tags[0], f"one of {_short([each.kind.value for each in tags])}")
        else:
            deepest = max((branch[0] for branch in branches), key=lambda each: len(each.instance_path))
            if len(deepest.instance_path) <= level:
                break
            error = deepest
    return _violation(error, _expected(error))


def _is_tag(error: jsonschema_rs.ValidationError, level: int) -> bool:
    return error.kind.name == "const" and len(error.instance_path) == level + 1


def _excludes(error: jsonschema_rs.ValidationError, level: int) -> bool:
    """Whether an alternative at this level cannot be meant: the value is of another type, or says that it is."""
    own = len(error.instance_path) == level
    return (own and error.kind.name in ("type", "enum", "const", "falseSchema")) or _is_tag(error, level)


def _violation(error: jsonschema_rs.ValidationError, expected: str) -> Violation:
    pointer = "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in error.instance_path)
    return Violation(pointer, error.kind.name, expected, excerpt(error.instance))


def _expected(error: jsonschema_rs.ValidationError) -> str:
    kind = error.kind
    value = kind.value if hasattr(kind, "value") else None
    match kind.name:
        case "required":
            return f"the field {_short(kind.as_dict().get('property', value))}"
        case "type":
            return " or ".join(map(str, kind.as_dict().get("types", [value])))
        case "enum":
            return f"one of {_short(value)}"
        case "const":
            return _short(value)
        case "format" | "pattern" | "minimum" | "maximum" | "minLength" | "maxLength" | "minItems" | "maxItems":
            return f"{kind.name} {_short(value)}"
        case "additionalProperties" | "unevaluatedProperties":
            return f"no undeclared field (here: {_short(value)})"
        case "multipleOf":
            return f"a multiple of {_short(value)}"
        case "uniqueItems":
            return "items that differ from each other"
        case name:
            return f"what {name!r} in the schema asks for"


def excerpt(value: Any) -> str:
    """Show a JSON value in a few words: scalars cut at 60 characters, containers by size only."""
    if isinstance(value, dict):
        return f"an object with {len(value)} fields" if len(value) != 1 else "an object with 1 field"
    if isinstance(value, list):
        return f"an array of {len(value)}"
    return _short(value)


def _short(value: Any, limit: int = 60) -> str:
    try:
        text = _json.dumps(value).decode()
    except TypeError:
        text = str(value)
    return text if len(text) <= limit else f"{text[:limit]}…"
