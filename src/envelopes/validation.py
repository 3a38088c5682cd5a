"""Schemas compiled into validators, and what a validator finds wrong with a value, in words."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from types import SimpleNamespace
from typing import Any

import jsonschema_rs

from ._equality import json_equal
from ._errors import Violation
from ._every_draft import same_in_every_draft
from ._expectations import expected_by, matching_several, short
from ._one_document import one_document
from ._sensitivity import described, is_public
from ._time_problems import describe_timestamp
from ._violation_search import Node, Place, Search, root_node, target_of
from .pointers import escape

ASSERTED_FORMATS = frozenset(
    ("date", "date-time", "duration", "email", "hostname", "ipv4", "ipv6", "time", "uri", "uuid")
)
"""The formats that a message must satisfy; any other `format` is an annotation (draft 2020-12, section 7)."""


class CompiledSchema:
    """A compiled validator, and the schemas that it was compiled from."""

    __slots__ = ("_checks", "_location", "_resources", "_validator", "is_valid")

    def __init__(self, resources: Mapping[str, Any], location: str, validator: jsonschema_rs.Validator) -> None:
        self._resources, self._location, self._validator = resources, location, validator
        self._checks: dict[str, CompiledSchema | None] = {}
        self.is_valid: Callable[[Any], bool] = validator.is_valid
        """Return True if the schema accepts a parsed JSON value. Not a method, because every message calls it."""

    def iter_errors(self, value: Any) -> Iterable[Any]:
        """Return everything that is wrong with a parsed JSON value, as `jsonschema_rs.ValidationError`.

        If a full explanation would take more work than is linear in the value's size, there is one `UnexplainedError`:
        at the smallest part that is known to be wrong, without its alternatives.
        """
        place = self._locate(value, for_one=False)
        if place is None:
            return self._validator.iter_errors(value)
        steps = tuple(step.replace("~1", "/").replace("~0", "~") for step in place.pointer.split("/")[1:])
        return [UnexplainedError(steps, place.value, place.keyword)]

    def violations(self, value: Any, *, for_one: bool = False) -> Iterator[Violation]:
        """Yield what is wrong with a parsed JSON value, in words, and no more of it than is linear in its size.

        If you only look `for_one` violation, of a large value only the first part that is wrong is looked at.
        """
        place = self._locate(value, for_one=for_one)
        if place is None:
            yield from (self._nearest(each, value) for each in self._validator.iter_errors(value))
            return
        if place.node.schema is False:
            kind = "item" if place.pointer.rpartition("/")[2].isdigit() else "field"
            yield Violation(place.pointer, "falseSchema", f"no such {kind}", excerpt(place.value))
            return
        part = self._compiled(place.node.location) if place.affordable else None
        if part is None:
            expected = (
                "one of the alternatives" if place.keyword in ("anyOf", "oneOf") else f"what {place.keyword!r} asks for"
            )
            yield Violation(place.pointer, place.keyword, expected, excerpt(place.value))
            return
        for error in part._validator.iter_errors(place.value):  # noqa: SLF001 - of the same class
            each = part._nearest(error, place.value)  # noqa: SLF001 - the same
            yield replace(each, pointer=place.pointer + each.pointer)

    def is_public(self, pointer: str) -> bool:
        """Return True if the schema says `x-sensitivity: public` of the value at a pointer."""
        return is_public(self._resources, self._location, pointer)

    def _nearest(self, error: jsonschema_rs.ValidationError, value: Any) -> Violation:
        """Describe an error. Of alternatives, describe the one that was meant, or the one that comes nearest."""
        while branches := [branch for branch in getattr(error.kind, "context", None) or () if branch]:
            level = len(error.instance_path)
            meant = [branch for branch in branches if not any(_excludes(each, level) for each in branch)]
            possible = [branch for branch in branches if not _is_of_another_type(branch, level)]
            tags = [next((each for each in branch if _is_tag(each, level)), None) for branch in possible]
            wrong = [each for each in tags if each is not None]
            if len(branches) > 1 and len(meant) == 1:
                error = max(meant[0], key=lambda each: len(each.instance_path))
            elif len(possible) == len(wrong) > 1 and len({str(each.instance_path) for each in wrong}) == 1:
                values = [constant for each in wrong for constant in _constants(each)]
                return _violation(wrong[0], f"one of {short(values)}")
            elif len(branches) > 1 and (missing := self._missing_tag(error, possible, level)) is not None:
                return missing
            else:
                deepest = max((branch[0] for branch in branches), key=lambda each: len(each.instance_path))
                if len(deepest.instance_path) <= level:
                    break
                error = deepest
        violation = _violation(error, self._expected_time(error) or self._overlap(error) or expected_by(error))
        return _with_empty_names(violation, error, value)

    def _overlap(self, error: jsonschema_rs.ValidationError) -> str | None:
        """Return which alternatives of a `oneOf` all accept the value, if several do."""
        if error.kind.name != "oneOf":
            return None
        union = self._schema_at(error.schema_path)
        return matching_several(error, union if isinstance(union, list) else (), self._alternatives(error.schema_path))

    def _expected_time(self, error: jsonschema_rs.ValidationError) -> str | None:
        """Return which part of a date-time is wrong, if the schema asks for one."""
        kind = error.kind.name
        is_time = kind == "format" and error.kind.value == "date-time"
        if kind == "type":
            schema = self._schema_at(error.schema_path[:-1])
            is_time = isinstance(schema, dict) and schema.get("format") == "date-time"
        problem = describe_timestamp(error.instance) if is_time else None
        if is_time and problem is None:
            blank = isinstance(error.instance, str) and error.instance[10:11] == " "
            problem = "there is a blank in place of the T" if blank else "there is no such day or time"
        return None if problem is None else f"an RFC 3339 date-time ({problem})"

    def _missing_tag(
        self, error: jsonschema_rs.ValidationError, branches: Sequence[Any], level: int
    ) -> Violation | None:
        """Describe that the field is missing which tells alternatives apart, with the constants that it may have."""
        missing = [{name for each in branch if (name := _missing(each, level))} for branch in branches]
        for name in sorted(set.intersection(*missing) if missing else ()):
            alternatives = self._alternatives(error.schema_path)
            constants = [constant for each in alternatives for constant in _constant_of(each, name)]
            if len(constants) > 1:
                required = next(each for each in branches[0] if _missing(each, level) == name)
                return _violation(required, f"the field {short(name)}, one of {short(constants)}")
        return None

    def _alternatives(self, path: Sequence[str | int]) -> list[Any]:
        """Return the schemas of the union at a path in the compiled document, with their references followed."""
        resources, union = self._compiled_at(path)
        if union is None or not isinstance(union.schema, list):
            return []
        return [target_of(resources, union.inside(index)).schema for index in range(len(union.schema))]

    def _schema_at(self, path: Sequence[str | int]) -> Any:
        node = self._compiled_at(path)[1]
        return None if node is None else node.schema

    def _compiled_at(self, path: Sequence[str | int]) -> tuple[Mapping[str, Any], Node | None]:
        """Return the schema at a path in the compiled document, and what its references lead into."""
        document = _compiled_document(self._resources, self._location)
        resources = {"": document, self._location.partition("#")[0]: document}
        pointer = "".join(f"/{escape(str(step))}" for step in path)
        return resources, root_node(resources, f"#{pointer}")

    def _locate(self, value: Any, *, for_one: bool) -> Place | None:
        """Return where to look instead, if explaining the whole value is too much work."""
        if self.is_valid(value):
            return None
        root = root_node(self._resources, self._location)
        search = Search(self._resources, self._check)
        try:
            return (
                None
                if root is None or search.is_affordable(root, value, for_one=for_one)
                else search.locate(root, value)
            )
        except RecursionError:
            raise ValueError("nested too deeply") from None

    def _check(self, location: str, value: Any) -> bool | None:
        compiled = self._compiled(location)
        return None if compiled is None else compiled.is_valid(value)

    def _compiled(self, location: str) -> CompiledSchema | None:
        if location not in self._checks:
            try:
                self._checks[location] = compile_schema(self._resources, location)
            except ValueError:
                self._checks[location] = None
        return self._checks[location]


@dataclass(frozen=True)
class UnexplainedError:
    """An error at a part of a value of which no more can be found out with reasonable work."""

    instance_path: Sequence[str | int]
    instance: Any
    keyword: str
    schema_path: Sequence[str | int] = ("unexplained",)

    @property
    def kind(self) -> Any:
        """The keyword that is broken; its alternatives were not looked at."""
        return SimpleNamespace(name=self.keyword, context=(), value=None)


def compile_schema(resources: Mapping[str, Any], location: str) -> CompiledSchema:
    """Compile the schema at `URI#pointer` among `resources` (URI → schema). Nothing is ever fetched.

    Args:
        resources: Every schema that is needed, by its URI.
        location: `URI#pointer` of the schema to compile.

    Returns:
        The compiled schema. Its `is_valid` checks a parsed JSON value.

    Raises:
        ValueError: A schema is malformed, or a `$ref` leads outside `resources`.
    """
    return CompiledSchema(resources, location, _validator(resources, location))


def _validator(resources: Mapping[str, Any], location: str) -> jsonschema_rs.Validator:
    root = resources[location.partition("#")[0]]
    declared = root.get("$schema") if isinstance(root, dict) else None
    draft = _DRAFTS.get(declared.rstrip("#").rpartition("/draft")[2].strip("-/")) if isinstance(declared, str) else None
    options = same_in_every_draft(list(resources.values()))
    try:
        whole = _compiled_document(resources, location)
        if whole is not None:
            return jsonschema_rs.validator_for(whole, validate_formats=True, retriever=_refuse, **options)
        registry = jsonschema_rs.Registry(list(resources.items()), draft=draft, retriever=_refuse)
        return jsonschema_rs.validator_for(
            {"$ref": location} if declared is None else {"$ref": location, "$schema": declared},
            registry=registry,
            validate_formats=True,
            **options,
        )
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError) as error:
        raise ValueError(str(error)) from error


def _compiled_document(resources: Mapping[str, Any], location: str) -> Any:
    """Return the one document that is compiled for a location, or None if several have to be."""
    document, _, pointer = location.partition("#")
    root = resources[document]
    # A file that names no file is compiled as it is: one step less for every message.
    if len(resources) == 1 and not pointer and document not in json.dumps(root, default=str):
        return root
    return one_document(resources, location)


_DRAFTS = {
    "2020-12/schema": jsonschema_rs.Draft202012,
    "2019-09/schema": jsonschema_rs.Draft201909,
    "07/schema": jsonschema_rs.Draft7,
    "06/schema": jsonschema_rs.Draft6,
    "04/schema": jsonschema_rs.Draft4,
}


def _refuse(uri: str) -> Any:
    raise ValueError(f"{uri} is not among the contract's files")


_TOO_DEEP = Violation("", "depth", "a value that is nested less deeply", "one too deep to be validated")
"""What a validator does not take out of a Python value of more than 255 levels; no text is read that has so many."""


def find_violation(validator: CompiledSchema, value: Any) -> Violation | None:
    """Return the most telling violation of a parsed JSON value, or None if it is valid.

    If alternatives fail, the one that comes nearest is explained.
    """
    best = None
    try:
        for each in islice(validator.violations(value, for_one=True), _MAX_VIOLATIONS):
            if best is None or each.pointer.count("/") > best.pointer.count("/"):
                best = each
    except ValueError:
        return _TOO_DEEP
    return None if best is None else with_sensitivity(validator, best)


def with_sensitivity(validator: CompiledSchema, violation: Violation) -> Violation:
    """Return a violation as public if it shows a value of which the schema says that."""
    shows = described(violation.found) != violation.found
    return replace(violation, public=True) if shows and validator.is_public(violation.pointer) else violation


_MAX_VIOLATIONS = 1000


def find_violations(validator: CompiledSchema, value: Any) -> Iterator[Violation]:
    """Yield everything that is wrong with a parsed JSON value, in the schema's order."""
    try:
        yield from validator.violations(value)
    except ValueError:
        yield _TOO_DEEP


def _is_tag(error: jsonschema_rs.ValidationError, level: int) -> bool:
    """Return True if an alternative fails because a field has another constant, written as `const` or as `enum`."""
    return len(error.instance_path) == level + 1 and (
        error.kind.name == "const" or (error.kind.name == "enum" and len(_constants(error)) == 1)
    )


def _constants(error: jsonschema_rs.ValidationError) -> list[Any]:
    value = error.kind.value
    return list(value) if error.kind.name == "enum" else [value]


def _missing(error: jsonschema_rs.ValidationError, level: int) -> str | None:
    """Return the name of a required field that is missing at this level."""
    if error.kind.name != "required" or len(error.instance_path) != level:
        return None
    return str(error.kind.as_dict().get("property"))


def _constant_of(schema: Any, name: str) -> Any:
    """Return the constant that a schema gives a field, in a list, or an empty list."""
    field = schema.get("properties", {}).get(name) if isinstance(schema, dict) else None
    if not isinstance(field, dict):
        return []
    values = [field["const"]] if "const" in field else field.get("enum")
    return values if isinstance(values, list) and len(values) == 1 else []


def _is_of_another_type(branch: Sequence[jsonschema_rs.ValidationError], level: int) -> bool:
    return any(each.kind.name == "type" and len(each.instance_path) == level for each in branch)


def _excludes(error: jsonschema_rs.ValidationError, level: int) -> bool:
    """Whether an alternative at this level cannot be meant: the value is of another type, or says that it is."""
    own = len(error.instance_path) == level
    is_tag = len(error.instance_path) == level + 1 and error.kind.name in ("const", "enum")
    return is_tag or (own and error.kind.name in ("type", "enum", "const", "falseSchema"))


def _violation(error: jsonschema_rs.ValidationError, expected: str) -> Violation:
    pointer = "".join("/" + escape(str(step)) for step in error.instance_path)
    return Violation(pointer, error.kind.name, expected, excerpt(error.instance))


def _with_empty_names(violation: Violation, error: jsonschema_rs.ValidationError, value: Any) -> Violation:
    """Return a violation whose pointer has the empty names, too, which jsonschema-rs leaves out of its paths."""
    path, has_empty = list(error.instance_path), False
    pending: list[tuple[Any, int, str]] = [(value, 0, "")]
    for _ in range(_MAX_STEPS):
        if not pending:
            break
        here, place, pointer = pending.pop()
        is_end = place == len(path)
        if is_end and not has_empty and not (isinstance(here, dict) and "" in here):
            break  # nothing was left out on the way
        if is_end and json_equal(here, error.instance):
            return replace(violation, pointer=pointer)
        if isinstance(here, dict) and "" in here:
            has_empty = True
            pending.append((here[""], place, f"{pointer}/"))
        if not is_end and isinstance(here, dict | list):
            step = path[place]
            named: Any = here
            inside = step in named if isinstance(here, dict) else isinstance(step, int) and step < len(here)
            if inside:
                pending.append((named[step], place + 1, f"{pointer}/{escape(str(step))}"))
    return violation


_MAX_STEPS = 500


def excerpt(value: Any) -> str:
    """Show a JSON value in a few words: scalars cut at 60 characters, containers by size only."""
    if isinstance(value, dict):
        return f"an object with {len(value)} fields" if len(value) != 1 else "an object with 1 field"
    if isinstance(value, list):
        return f"an array of {len(value)}"
    return short(value)
