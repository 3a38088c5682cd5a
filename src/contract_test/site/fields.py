"""The fields of a version as people read them, and of a subject: who reads them, and what would break without them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from contract_test.data.contract import Contract, Subject
from contract_test.data.result import Reader
from contract_test.replay.observed_readers import describe_reading, readers_by_service
from contract_test.schema.fields import FieldPlace, Fields, fields_of
from contract_test.site.data import FieldChange, FieldData, FieldReading, FieldRow

MAX_FIELDS = 2000
_LIMITS = {
    "minimum": "≥ {}", "exclusiveMinimum": "> {}", "maximum": "≤ {}", "exclusiveMaximum": "< {}",
    "multipleOf": "multiple of {}", "minLength": "length ≥ {}", "maxLength": "length ≤ {}",
    "minItems": "items ≥ {}", "maxItems": "items ≤ {}", "minProperties": "fields ≥ {}",
    "maxProperties": "fields ≤ {}", "pattern": "matches {}", "format": "{}", "const": "always {}",
    "contentEncoding": "{}", "contentMediaType": "{}", "default": "default {}",
}  # fmt: skip
_FLAGS = {"uniqueItems": "no item twice", "deprecated": "deprecated"}


def field_rows(contract: Contract) -> tuple[FieldRow, ...] | None:
    """Return the fields of a version, one row for each pointer; None where there are too many to list."""
    fields = fields_of(contract.resources, contract.uri)
    places = fields.places_up_to(MAX_FIELDS)
    if places is None:
        return None
    rows: dict[str, list[FieldRow]] = {}
    for place in places:
        rows.setdefault(place.pointer, []).append(_row(fields, place))
    return tuple(found[0] if len(found) == 1 else _merged(found) for found in rows.values())


def _row(fields: Fields, place: FieldPlace) -> FieldRow:
    schemas = fields.schemas(place.position)
    types = fields.shapes.shape(place.position).types
    types = types - {"integer"} if "number" in types else types
    words = "any" if len(types) > 5 else " or ".join(sorted(types, key=lambda each: (each == "null", each)))  # noqa: PLR2004 - all of them
    meaning = next((text for name in ("description", "title") if (text := _text(schemas, name))), "")
    return FieldRow(place.pointer, words or "nothing", "; ".join(_constraints(schemas)), meaning, place.required)


def _merged(rows: Sequence[FieldRow]) -> FieldRow:
    """One field that several alternatives have."""

    def listed(values: Iterable[str]) -> str:
        return " or ".join(dict.fromkeys(filter(None, values)))

    first, constraints = rows[0], {each.constraint for each in rows}
    constraint = first.constraint if len(constraints) == 1 else listed(each.constraint for each in rows)
    meaning = next((each.meaning for each in rows if each.meaning), "")
    types = listed(each.type for each in rows)
    return FieldRow(first.pointer, types, constraint, meaning, all(each.required for each in rows))


def _text(schemas: Iterable[Mapping[str, Any]], name: str) -> str:
    return next((each[name] for each in schemas if isinstance(each.get(name), str)), "")


def _constraints(schemas: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    seen = set[str]()
    for schema in schemas:
        for keyword, value in schema.items():
            if keyword == "enum" and isinstance(value, list):
                words = f"one of {', '.join(_value(each) for each in value)}"
            elif keyword in _LIMITS:
                words = _LIMITS[keyword].format(
                    value if isinstance(value, str) and keyword != "const" else _value(value)
                )
            elif _FLAGS.get(keyword) and value is True:
                words = _FLAGS[keyword]
            else:
                continue
            if words not in seen:
                seen.add(words)
                yield words


def _value(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def field_changes(before: Sequence[FieldRow], after: Sequence[FieldRow]) -> tuple[FieldChange, ...]:
    """Return what was added, removed and changed between the fields of two versions."""
    old, new = ({each.pointer: each for each in rows} for rows in (before, after))
    found = []
    for pointer in dict.fromkeys((*new, *old)):
        was, now = old.get(pointer), new.get(pointer)
        if was is None and now is not None:
            found.append(FieldChange(pointer, "added", "", _in_words(now)))
        elif now is None and was is not None:
            found.append(FieldChange(pointer, "removed", _in_words(was), ""))
        elif was is not None and now is not None and _in_words(was) != _in_words(now):
            found.append(FieldChange(pointer, "changed", _in_words(was), _in_words(now)))
    return tuple(found)


def _in_words(row: FieldRow) -> str:
    return "; ".join(filter(None, (row.type, "required" if row.required else "optional", row.constraint)))


def subject_fields(
    subject: Subject, rows: Mapping[int, Sequence[FieldRow]], readers: Sequence[Reader]
) -> tuple[FieldData, ...]:
    """Return every field that some version has, those of the newest version first."""
    newest: dict[str, FieldRow] = {}
    versions: dict[str, list[int]] = {}
    for version in sorted(rows, reverse=True):
        for row in rows[version]:
            newest.setdefault(row.pointer, row)
            versions.setdefault(row.pointer, []).insert(0, version)
    mine = [each for each in readers if each.subject == subject.name]
    services = tuple(dict.fromkeys((*subject.received_by, *(each.service for each in mine))))
    known = {version: readers_by_service(each, mine) for version, each in subject.contracts.items()} if mine else {}
    return tuple(_field(pointer, tuple(versions[pointer]), row, services, known) for pointer, row in newest.items())


def _field(
    pointer: str,
    versions: tuple[int, ...],
    row: FieldRow,
    services: Sequence[str],
    known: Mapping[int, Mapping[str, Reader]],
) -> FieldData:
    readings = []
    for service in services:
        seen = [version for version in versions if service in known.get(version, {})]
        for version in seen or versions[-1:]:
            words = describe_reading(known[version][service] if seen else None, pointer)
            readings.append(FieldReading(service, version, words))
    latest = {each.service: each for each in readings}
    sentences, breaks = [], []
    for service, each in latest.items():
        if each.is_read:
            breaks.append(service)
            sentences.append(f"{service} breaks: it {each.sentence} of v{each.version}.")
        elif each.words == "unknown" and row.required:
            breaks.append(service)
            sentences.append(f"{service} may break: it was not replayed, and v{versions[-1]} requires the field.")
        elif each.words == "unknown":
            sentences.append(f"{service}: not known, because it was not replayed. The field is optional.")
        elif row.required:
            why = f"v{versions[-1]} requires it: a reader that validates rejects the message"
            sentences.append(f"{service} {each.sentence}, but {why}.")
        else:
            sentences.append(f"{service} does not break: it {each.sentence}.")
    return FieldData(pointer, versions, row, tuple(readings), tuple(breaks), tuple(sentences))
