"""Matching: which emitted message is which recorded one, and what about the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from contract_test.data.contract import Subject
from contract_test.data.interaction import Mismatch
from contract_test.recordings.messages import Message
from contract_test.replay.emitted import UNKNOWN, Emitted
from contract_test.schema.fields import Fields, fields_of
from contract_test.schema.match import Tolerance, equal, general, mismatches
from envelopes import Envelope, _json
from envelopes.pointers import resolve_pointer
from envelopes.validation import excerpt

_KEPT_HEADERS = {"content-type", "ce_specversion", "cloudEvents_specversion"}
"""Of these, recordings keep the value."""

_DISTINCT_LENGTH = 4
_DISTINCT_NUMBER = 1000
"""Texts as long, and numbers as large, are not the same by chance."""


def check_emitted(
    actual: Sequence[Emitted],
    expected: Message,
    effects: Sequence[Message],
    causes: Sequence[Message],
    subject: Subject,
    is_known: Callable[[Emitted], bool],
) -> list[Mismatch]:
    """Return the mismatches between what was emitted for one cause and one of the recorded `effects` of this cause.

    Each effect is matched with exactly one emitted message. A recording keeps what is novel, so more may be emitted, as
    long as it `is_known` (it shows nothing that no recorded message shows), names no other cause, and is no duplicate.
    """
    if not actual:
        found = "nothing was emitted: call `emits(message)`, and await what is async"
        return [Mismatch("", "a message", found, "nothing-emitted")]
    broken = [mismatch for each in actual for mismatch in each.broken]
    if broken:
        return broken
    comparison = _Comparison(subject, causes)
    effects = effects or (expected,)
    number = next(index for index, each in enumerate(effects) if each is expected)
    partners = _pairs(len(effects), len(actual), lambda one, other: comparison.is_equal(effects[one], actual[other]))
    left = [each for index, each in enumerate(actual) if index not in partners.values()]
    if number not in partners:
        if not left:
            return [Mismatch("", f"{len(effects)} for this cause", f"{len(actual)} emitted", "too-few-emitted")]
        return min((list(comparison.differences(expected, each)) for each in left), key=len)
    foreign = [mismatch for each in left for mismatch in comparison.other_cause(each)]
    if foreign or len(partners) < len(effects):  # then what is left was meant to be one of the others
        return foreign
    if any(comparison.is_duplicate(each, effects, actual) or not is_known(each) for each in left):
        return [Mismatch("", f"{len(effects)} for this cause", f"{len(actual)} emitted", "too-many-emitted")]
    return []


def _pairs(left: int, right: int, fits: Callable[[int, int], bool]) -> dict[int, int]:
    """Return as many pairs as there can be, each number used once (Kuhn's algorithm); equal numbers are tried first."""
    taken: dict[int, int] = {}

    def find(one: int, tried: set[int]) -> bool:
        for other in sorted(range(right), key=lambda each: each != one):
            if other not in tried and fits(one, other):
                tried.add(other)
                if other not in taken or find(taken[other], tried):
                    taken[other] = one
                    return True
        return False

    for one in range(left):
        find(one, set())
    return {one: other for other, one in taken.items()}


class _Comparison:
    """Compares what was emitted for one cause with what was recorded."""

    def __init__(self, subject: Subject, causes: Sequence[Message]) -> None:
        self._subject, self._causes = subject, causes
        self._tolerances: dict[int, Tolerance] = {}
        self._equal: dict[tuple[int, int], bool] = {}

    def is_equal(self, expected: Message, actual: Emitted) -> bool:
        """Return whether a message was emitted as it was recorded."""
        key = id(expected), id(actual)
        if key not in self._equal:
            self._equal[key] = next(self.differences(expected, actual), None) is None
        return self._equal[key]

    def differences(self, expected: Message, actual: Emitted) -> Iterator[Mismatch]:
        """Yield how an emitted message differs from a recorded one."""
        subject = self._subject
        is_expected = _between_versions(subject, expected.interaction.version, actual.version)
        for found in mismatches(expected.data, actual.data, self._tolerance(expected)):
            if is_expected is None or not is_expected(found):
                yield found
        if actual.key is not UNKNOWN:
            yield from _key(expected, actual, subject)
        if actual.headers is not UNKNOWN:
            yield from _headers(expected, actual)
        if actual.envelope is not None:
            yield from _attributes(expected, actual.envelope, subject)

    def other_cause(self, actual: Emitted) -> Iterator[Mismatch]:
        """Yield a mismatch if a message names another cause than the one that was given."""
        where, ids = self._subject.caused_by, [each.envelope.id for each in self._causes]
        if where is None or not ids:
            return
        if where.startswith("/"):
            found = resolve_pointer(actual.data, where)
        else:
            found = None if actual.envelope is None else actual.envelope.extensions.get(where)
        others = [each for each in (found if isinstance(found, list) else [found]) if each not in ids]
        if found is not None and others:
            place = where if where.startswith("/") else f"attribute {where}"
            wanted = ", ".join(map(excerpt, ids))
            yield Mismatch(place, f"{wanted}, the id of the cause", excerpt(others[0]), "wrong-cause")

    def is_duplicate(self, actual: Emitted, effects: Sequence[Message], emitted: Sequence[Emitted]) -> bool:
        """Return whether a message was emitted before. Its id, and what is volatile or masked, do not count.

        Messages that differ in masked values only are several if several of them were recorded.
        """
        alike = [each for each in effects if equal(each.data, actual.data, self._identity(each, masked=True))]
        if len(alike) == 1:
            return True
        same = self._identity(effects[0], masked=False)
        return any(each is not actual and equal(each.data, actual.data, same) for each in emitted)

    def _identity(self, message: Message, *, masked: bool) -> Tolerance:
        own = [self._subject.id] if self._subject.id is not None else []
        return replace(
            tolerance_of(self._subject, message.interaction.version),
            volatile=(*self._subject.volatile, *own),
            masked=message.interaction.masked if masked else (),
        )

    def _tolerance(self, expected: Message) -> Tolerance:
        if id(expected) not in self._tolerances:
            masked = compared_by_type(expected, self._causes)
            tolerance = tolerance_of(self._subject, expected.interaction.version)
            self._tolerances[id(expected)] = replace(tolerance, masked=masked)
        return self._tolerances[id(expected)]


def tolerance_of(subject: Subject, version: int) -> Tolerance:
    """Return which differences the catalog and the schema allow between two messages of a contract."""
    fields = _fields(subject, version)
    return Tolerance(volatile=subject.volatile, instants=fields.instants, unordered=fields.unordered)


def _fields(subject: Subject, version: int) -> Fields:
    contract = subject.contracts[version]
    return fields_of(contract.resources, contract.uri)


def compared_by_type(expected: Message, causes: Sequence[Message]) -> tuple[str, ...]:
    """Return the masked fields of a recorded message whose values are compared by their type only.

    If a recorded cause holds the same value, it was masked in the same way, and the value has to be equal. Short
    values may be the same by chance.
    """
    masked = expected.interaction.masked
    if not masked or not causes:
        return masked
    held = {value for cause in causes for value in _leaves(cause.data)}
    return tuple(
        each for each in masked if not _is_distinct(value := resolve_pointer(expected.data, each)) or value not in held
    )


def _is_distinct(value: Any) -> bool:
    if isinstance(value, str):
        return len(value) >= _DISTINCT_LENGTH
    return isinstance(value, int | float) and abs(value) >= _DISTINCT_NUMBER


def _leaves(data: Any) -> Iterator[Any]:
    if isinstance(data, dict | list):
        for each in data.values() if isinstance(data, dict) else data:
            yield from _leaves(each)
    elif _is_distinct(data):
        yield data


def _between_versions(subject: Subject, recorded: int, emitted: int) -> Callable[[Mismatch], bool] | None:
    """Return what tells that a difference only comes from another version: its number, and what only one declares."""
    if recorded == emitted:
        return None
    before, now = _fields(subject, recorded).pointers, _fields(subject, emitted).pointers

    def is_expected(found: Mismatch) -> bool:
        return (
            found.pointer == subject.version
            or (found.check == "new-field" and general(found.pointer) not in before)
            or (found.check == "missing-field" and emitted > recorded and general(found.pointer) not in now)
        )

    return is_expected


def _key(expected: Message, actual: Emitted, subject: Subject) -> Iterator[Mismatch]:
    """The catalog says where the key stands in the data; else a recorded key is a pseudonym: there is one, or none."""
    found = None if actual.key is None else actual.key.decode(errors="backslashreplace")
    if subject.key is not None and subject.key.startswith("/"):
        wanted = resolve_pointer(actual.data, subject.key)
        wanted = wanted if wanted is None or isinstance(wanted, str) else _json.dumps(wanted).decode()
        if found != wanted:
            yield Mismatch("key", f"{excerpt(wanted)} (what stands at {subject.key})", excerpt(found), "wrong-key")
    elif (found is None) != (expected.interaction.key is None):
        wanted = "no key" if expected.interaction.key is None else "a key"
        yield Mismatch("key", wanted, excerpt(found), "wrong-key")


def _headers(expected: Message, actual: Emitted) -> Iterator[Mismatch]:
    """What was recorded has to be there; its value only where a recording keeps values: the rest are pseudonyms."""
    found = {_one_spelling(name): value.decode(errors="replace") for name, value in actual.headers}
    for header, value in expected.interaction.headers.items():
        name = _one_spelling(header)
        if name not in found:
            yield Mismatch(f"header {header}", excerpt(value), "nothing", "wrong-header")
        elif name in _KEPT_HEADERS and _plain(found[name]) != _plain(value):
            yield Mismatch(f"header {header}", excerpt(value), excerpt(found[name]), "wrong-header")


def _one_spelling(header: str) -> str:
    """AMQP's binding of CloudEvents has two prefixes for one attribute."""
    return header.replace("cloudEvents:", "cloudEvents_", 1) if header.startswith("cloudEvents:") else header


def _attributes(expected: Message, actual: Envelope[Any], subject: Subject) -> Iterator[Mismatch]:
    before = expected.envelope
    senders = {source for service in subject.sent_by for source in (service, f"/{service}")}
    if before.source in senders and actual.source != before.source:  # any other may be a pseudonym
        yield Mismatch("attribute source", excerpt(before.source), excerpt(actual.source), "wrong-header")
    if before.dataschema is not None and actual.dataschema is None:
        yield Mismatch("attribute dataschema", excerpt(before.dataschema), "nothing", "wrong-header")
    for name in sorted(before.extensions.keys() - actual.extensions.keys()):
        yield Mismatch(f"attribute {name}", excerpt(before.extensions[name]), "nothing", "wrong-header")


def _plain(value: str) -> str:
    return "".join(value.lower().split())
