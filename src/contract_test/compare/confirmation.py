"""Two validators on one value: what both of them say, jsonschema-rs and python-jsonschema.

The second one is given two things that it lacks: the `dependencies` that newer drafts keep for old schemas,
and a search that cannot run away. Its own engine backtracks, so a pattern that repeats a group is matched
by the automaton instead.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import jsonschema
import jsonschema_rs
from jsonschema import ValidationError
from jsonschema.validators import extend, validator_for
from jsonschema_specifications import REGISTRY as SPECIFICATIONS
from referencing import Resource
from referencing.jsonschema import DRAFT202012

from contract_test.compare import automata, format_assertion
from contract_test.compare.dialects import NEWEST, Dialect

_REPEATED_GROUP = re.compile(r"\)[*+{]")
MAX_TEXT_LENGTH = 2000
_SHORT_TEXT = 20


class DoubtError(Exception):
    """The second validator could not be asked."""


def search(pattern: str, text: str) -> bool:
    """Search as Python does where that takes linear time, or by automaton.

    Raises `DoubtError` where neither is possible.
    """
    if not _REPEATED_GROUP.search(pattern) and len(text) <= MAX_TEXT_LENGTH:
        try:
            return re.search(pattern, text) is not None
        except re.error:
            pass
    known = automata.matches(pattern, text)
    if known is not None:
        return known
    try:
        if len(text) <= _SHORT_TEXT:
            return re.search(pattern, text) is not None
    except re.error:
        pass
    raise DoubtError(pattern)


def _pattern(_validator: Any, pattern: str, instance: Any, _schema: Any) -> Iterator[ValidationError]:
    if isinstance(instance, str) and not search(pattern, instance):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


def _pattern_properties(validator: Any, patterns: Any, instance: Any, _schema: Any) -> Iterator[ValidationError]:
    if isinstance(instance, dict):
        for pattern, subschema in patterns.items():
            for name, member in instance.items():
                if search(pattern, name):
                    yield from validator.descend(member, subschema, path=name, schema_path=pattern)


def _additional(validator: Any, additional: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if isinstance(instance, dict):
        for name, member in instance.items():
            declared = name in schema.get("properties", {})
            if not declared and not any(search(pattern, name) for pattern in schema.get("patternProperties", {})):
                yield from validator.descend(member, additional, path=name)


_KEYWORDS: dict[str, Callable[..., Any]] = {
    "pattern": _pattern,
    "patternProperties": _pattern_properties,
    "additionalProperties": _additional,
}


def _second(schema: Any, dialect: Dialect, resources: Mapping[str, Any], *, assert_formats: bool) -> Any:
    base: Any = validator_for({"$schema": dialect.uri}, default=jsonschema.Draft202012Validator)
    own = dict(_KEYWORDS)
    if dialect.number > 7:  # noqa: PLR2004 - drafts are named by number
        own["dependencies"] = jsonschema.Draft7Validator.VALIDATORS["dependencies"]
    registry = SPECIFICATIONS.with_resources(
        (uri, Resource.from_contents(contents, default_specification=DRAFT202012))
        for uri, contents in resources.items()
    )
    checker = format_assertion.ASSERTING_CHECKER if assert_formats else None
    return extend(base, own)(  # type: ignore[no-untyped-call]
        schema, registry=registry, format_checker=checker
    )


class _Annotation:
    """A keyword that asserts nothing: drafts 6 and 7 leave that open, and newer ones forbid it."""

    def __init__(self, *_: Any) -> None:
        pass

    def validate(self, _: Any) -> None:
        """Accept a value."""


def _refuse(uri: str) -> Any:
    """Retrieve nothing, whatever a schema refers to."""
    raise ValueError(f"{uri} is not at hand, and nothing is fetched")


class CrossValidator:
    """Says of one schema whether a value is valid, by two validators.

    Raises `ValueError` when jsonschema-rs cannot read the schema (a reference that leads nowhere, for one).
    """

    def __init__(
        self, schema: Any, dialect: Dialect = NEWEST, *, resources: Mapping[str, Any], assert_formats: bool
    ) -> None:
        self._rest = (schema, dialect, resources)
        self._assert_formats = assert_formats
        options: dict[str, Any] = {}
        if resources:
            options["registry"] = jsonschema_rs.Registry(
                list(resources.items()), draft=dialect.number, retriever=_refuse
            )
        if resources or dialect.number <= 7:  # noqa: PLR2004 - drafts are named by number
            options["keywords"] = dict.fromkeys(("contentEncoding", "contentMediaType"), _Annotation)
        if assert_formats:
            options["formats"] = dict(format_assertion.format_options(4 if resources else dialect.number))
        self._first = jsonschema_rs.validator_for(schema, validate_formats=assert_formats, offline=True, **options)
        self._second: Any = None

    def first(self, value: Any) -> bool | None:
        """Return what jsonschema-rs says; None where it fails."""
        try:
            return self._first.is_valid(value)
        except Exception:  # noqa: BLE001 - whatever a foreign validator raises, it has not answered
            return None

    def second(self, value: Any) -> bool | None:
        """Return what python-jsonschema says; None where it fails."""
        try:
            if self._second is None:
                self._second = _second(*self._rest, assert_formats=self._assert_formats)
            return bool(self._second.is_valid(value))
        except (KeyboardInterrupt, SystemExit, MemoryError):
            raise
        except BaseException:  # noqa: BLE001 - a reference to nowhere, too deep a recursion, a panic of native code
            return None

    def errors(self, value: Any) -> list[Any]:
        """Return why jsonschema-rs rejects a value: its errors, each with a schema path and an instance path."""
        try:
            return list(self._first.iter_errors(value))
        except Exception:  # noqa: BLE001 - as above
            return []
